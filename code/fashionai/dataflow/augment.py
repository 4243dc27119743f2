"""Geometric augmentation: draws one random affine map, then applies it to the image and to its points."""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from fashionai.dataflow.data_options import DataOptions
from fashionai.images.geometry import compose, mirroring, rotation, scaling, transform_points, translation, warp_image


@dataclass(frozen=True)
class Augmentation:
    """The position of a picture on the network's input.

    affine: (2, 3), the map from original pixels to input pixels. mirrored: whether left and right are exchanged.
    view: (left, top, right, bottom) in input pixels, with edges at half pixels: the part of the input that shows the
    picture. The rest of the input is blank.
    """

    affine: np.ndarray
    mirrored: bool
    view: Tuple[float, float, float, float]

    @property
    def shown(self) -> Tuple[slice, slice]:
        """The rows and columns of the input's pixels that lie in the view."""
        left, top, right, bottom = np.maximum(np.ceil(self.view), 0).astype(int)
        return slice(top, bottom), slice(left, right)


def draw_augmentation(rng: np.random.RandomState, image_hw: Tuple[int, int], input_hw: Tuple[int, int],
                      most_degrees: float = DataOptions.rotation,
                      garment_xy: Optional[np.ndarray] = None) -> Augmentation:
    """Returns a random augmentation. The order, and with the default of `most_degrees` the ranges, are the original's.

    The picture's width and height are each scaled by 0.8..1.2. It is rotated by up to `most_degrees` in either
    direction and cut to the largest upright rectangle. It is mirrored with probability 0.5. It is resized to fit the
    input, times 0.95..1.6, and centred. If `garment_xy` has two or more points (n, 2) in original pixels, the box of
    these points determines size and position instead, see `_about`.
    """
    x_factor, y_factor = rng.uniform(0.8, 1.2, 2)
    height, width = image_hw[0] * y_factor, image_hw[1] * x_factor
    centre = (width - 1) / 2, (height - 1) / 2
    degrees = rng.uniform(-most_degrees, most_degrees)
    mirrored = bool(rng.uniform() < 0.5)
    cut_hw = largest_upright_rectangle((height, width), degrees)
    fitting = min(input_hw[0] / cut_hw[0], input_hw[1] / cut_hw[1])
    turned = compose(scaling(x_factor, y_factor), rotation(degrees, centre), translation(-centre[0], -centre[1]))
    if garment_xy is None or len(garment_xy) < 2:
        zoom, (focus_x, focus_y) = rng.uniform(0.95, 1.6) * fitting, (0., 0.)
    else:
        zoom, (focus_x, focus_y) = _about(rng, transform_points(turned, garment_xy), input_hw, fitting)
    middle_x, middle_y = (input_hw[1] - 1) / 2, (input_hw[0] - 1) / 2
    affine = compose(turned, np.array([[zoom, 0, middle_x - zoom * focus_x], [0, zoom, middle_y - zoom * focus_y]]))
    if mirrored:
        affine, focus_x = compose(affine, mirroring(input_hw[1])), -focus_x
    left, right = _shown(cut_hw[1] * zoom / 2, focus_x * zoom, input_hw[1])
    top, bottom = _shown(cut_hw[0] * zoom / 2, focus_y * zoom, input_hw[0])
    return Augmentation(affine, mirrored, (left, top, right, bottom))


def _about(rng: np.random.RandomState, points_xy: np.ndarray, input_hw: Tuple[int, int],
           fitting: float) -> Tuple[float, Tuple[float, float]]:
    """Returns a random zoom, and the point (x, y) of the picture that is placed at the middle of the input.

    The box of the points then fills 0.5 to 0.9 of the input, and its centre is up to a tenth of its longer side away
    from the middle. The zoom is at most 2.5 times `fitting`, the zoom at which the whole picture fits the input.
    """
    low, high = points_xy.min(axis=0), points_xy.max(axis=0)
    longer = max(float((high - low).max()), 1.)
    zoom = min(rng.uniform(0.5, 0.9) * min(input_hw) / longer, 2.5 * fitting)
    focus_x, focus_y = (low + high) / 2 + rng.uniform(-0.1, 0.1, 2) * longer
    return zoom, (focus_x, focus_y)


def _shown(half: float, focus: float, side: int) -> Tuple[float, float]:
    """Returns where the picture begins and ends along one side of the input, in input pixels.

    `half` is half the size of the picture. `focus` is the point of the picture that is placed at the middle of the
    input, measured from the picture's own middle. `side` is the size of the input.
    """
    middle = (side - 1) / 2
    return max(middle - focus - half, -0.5), min(middle - focus + half, side - 0.5)


def apply_to_image(augmentation: Augmentation, image: np.ndarray, input_hw: Tuple[int, int]) -> np.ndarray:
    """Returns the network's input (H, W, 3) uint8; it is blank (0) outside the view."""
    warped = warp_image(augmentation.affine, image, input_hw)
    left, top, right, bottom = np.ceil(augmentation.view).astype(int)
    warped[:max(top, 0)] = 0
    warped[max(bottom, 0):] = 0
    warped[:, :max(left, 0)] = 0
    warped[:, max(right, 0):] = 0
    return warped


def apply_to_points(augmentation: Augmentation, points_xy: np.ndarray, visibility: np.ndarray,
                    mirror_indices: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the points (K, 2) in input pixels and their visibility (K,). Mirroring exchanges left and right."""
    if augmentation.mirrored:
        points_xy, visibility = points_xy[mirror_indices], visibility[mirror_indices]
    return transform_points(augmentation.affine, points_xy), visibility


def largest_upright_rectangle(size_hw: Tuple[float, float], degrees: float) -> Tuple[float, float]:
    """Returns (height, width) of the largest upright rectangle in a rectangle that is rotated about its centre."""
    height, width = size_hw
    sine, cosine = abs(np.sin(np.radians(degrees))), abs(np.cos(np.radians(degrees)))
    longer, shorter = max(height, width), min(height, width)
    if shorter <= 2 * sine * cosine * longer:  # two corners touch the longer sides, the others nothing
        half = shorter / 2
        sides = (half / sine, half / cosine)
        return (sides[1], sides[0]) if width >= height else (sides[0], sides[1])
    double = cosine ** 2 - sine ** 2
    return (height * cosine - width * sine) / double, (width * cosine - height * sine) / double
