"""What a network says of whole pictures: their garment type, and the visibility of each keypoint.

Letters: N images.
"""
from typing import Callable, Sequence, Tuple

import numpy as np

from fashionai.engines.network import Description
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, mirroring, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import windows_of


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
