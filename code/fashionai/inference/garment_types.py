"""What a network says of whole photographs: their garment type, and the visibility of each keypoint. Counts how often
the type is right.

Letters: N images, T garment types, K keypoints.
"""
from typing import Callable, Sequence, Tuple

import numpy as np

from fashionai.engines.network import Description
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, mirroring, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import windows_of

SURE = 0.8
"""Without a calibration, the type is unsure if its probability is lower than this: a person should check it."""


def described(describe: Callable[[np.ndarray], Description], images: Sequence[np.ndarray], input_hw: Tuple[int, int],
              garment: Garment) -> Description:
    """Returns what the network says of each image: the mean over image and mirror image.

    Args:
        describe: the network.
        images: N images (h, w, 3) uint8 BGR. The network sees each as a whole, in the middle of its input.
        input_hw: (height, width) of that input in pixels.
        garment: the garment whose keypoints the network has.
    """
    found = describe(_both(images, input_hw))
    visibility = found.visibility
    if visibility is not None:
        visibility[len(images):] = visibility[len(images):, garment.mirror_indices]
    return Description(*(None if each is None else _mean(each) for each in (found.types, visibility)))


def whole_pictures(images: Sequence[np.ndarray], input_hw: Tuple[int, int], mirrored: bool) -> np.ndarray:
    """Returns inputs (N, h, w, 3) float32 that show the whole of N images, or of their mirror images."""
    side = max(input_hw)
    turned = mirroring(side) if mirrored else np.eye(2, 3)
    return np.stack([warp_image(compose(canvas_map(image.shape[:2], side), turned,
                                        windows_of([1.0], side, input_hw, image.shape[:2])[0]), image, input_hw)
                     for image in images]).astype(np.float32)


def _both(images: Sequence[np.ndarray], input_hw: Tuple[int, int]) -> np.ndarray:
    """Returns inputs (2 N, h, w, 3) that show the whole of N images, then of their mirror images."""
    return np.concatenate([whole_pictures(images, input_hw, mirrored) for mirrored in (False, True)])


def _mean(answers: np.ndarray) -> np.ndarray:
    """Returns the mean (N, ...) of answers (2 N, ...) for N images and then for their mirror images."""
    return answers.reshape(2, -1, *answers.shape[1:]).mean(axis=0)


def confusion(right: Sequence[str], predicted: Sequence[str], types: Sequence[str]) -> np.ndarray:
    """Returns (T, T) int: the number of images of each true type (rows) that were predicted as each type (columns)."""
    counts = np.zeros((len(types), len(types)), int)
    for one, other in zip(right, predicted):
        counts[types.index(one), types.index(other)] += 1
    return counts


def format_types(right: Sequence[str], order: Sequence[Sequence[str]], types: Sequence[str]) -> str:
    """Returns a table: how often the right type is the first, how often it is among the first two, and the confusion.

    Args:
        right: the true type of each image.
        order: the types of each image, the most probable first.
        types: all types, in the order of rows and columns.
    """
    predicted = [names[0] for names in order]
    first = np.mean([one == other for one, other in zip(right, predicted)])
    second = np.mean([one in names[:2] for one, names in zip(right, order)])
    width = max(map(len, types)) + 2
    lines = [f'the type is right in {first:.1%} of {len(right)} images, and among the first two in {second:.1%}', '',
             'of' + ' ' * (width - 2) + ''.join(f'{name:>{width}}' for name in types) + '  were taken for']
    for name, counts in zip(types, confusion(right, predicted, types)):
        lines.append(f'{name:<{width}}' + ''.join(f'{count:>{width}}' for count in counts))
    return '\n'.join(lines)
