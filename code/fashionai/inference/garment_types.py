"""Predicts the garment type of photographs with a network that has a type head, and counts how often it is right.

Letters: N images, T garment types.
"""
from typing import Sequence, Tuple

import numpy as np

from fashionai.images.geometry import compose, mirroring, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import windows_of
from fashionai.networks.tensor_names import TypedForward

SURE = 0.8
"""The type is unsure if its probability is lower than this: a person should check it."""


def type_probabilities(predict_with_types: TypedForward, images: Sequence[np.ndarray],
                       input_hw: Tuple[int, int]) -> np.ndarray:
    """Returns (N, T), the probability of each type in the network's order: the mean over image and mirror image.

    Args:
        predict_with_types: the network; it gives probabilities.
        images: N images (h, w, 3) uint8 BGR. The network sees each as a whole, in the middle of its input.
        input_hw: (height, width) of that input in pixels.
    """
    side = max(input_hw)
    inputs = [warp_image(compose(canvas_map(image.shape[:2], side), mirrored,
                                 windows_of([1.0], side, input_hw, image.shape[:2])[0]), image, input_hw)
              for mirrored in (np.eye(2, 3), mirroring(side)) for image in images]
    _, probabilities = predict_with_types(np.stack(inputs).astype(np.float32))
    assert probabilities is not None, 'the network predicts types'
    return probabilities.reshape(2, len(images), -1).mean(axis=0)


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
