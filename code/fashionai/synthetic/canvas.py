"""The picture that is drawn, and for every pixel the part of the garment that it shows."""
from typing import Callable, Tuple, Union

import cv2
import numpy as np

from fashionai.images import geometry

BACKDROP, BODY, LEFT, RIGHT, FOREIGN = 0, 1, 2, 3, 255
"""Owners of a pixel: the backdrop, the garment's body, its left or right sleeve or leg, something else in front."""

Colour = Tuple[int, int, int]
"""Blue, green, red, 0 to 255."""
Extent = Tuple[int, int, int, int]
"""left, top, right and bottom in pixels; the column `right` and the row `bottom` are outside."""
Paint = Union[Colour, Callable[[Extent, np.ndarray], np.ndarray]]
"""A colour, or a function from a box and its (h, w) uint8 coverage to the box's (h, w, 3) float32 colours."""

_SHIFT = 4


class Canvas:
    """A BGR picture with its owner map.

    Attributes:
        image: (h, w, 3) uint8.
        frame: (2, 3), the map from upright coordinates, in which shapes are given, to pixels of the picture.
        owner: (h, w) uint8, the owner of each pixel.
    """

    def __init__(self, image: np.ndarray, frame: np.ndarray) -> None:
        self.image = image
        self.frame = frame
        self.owner = np.zeros(image.shape[:2], np.uint8)

    @property
    def size_hw(self) -> Tuple[int, int]:
        """Height and width in pixels."""
        return self.image.shape[:2]

    def fill(self, outline: np.ndarray, paint: Paint, owner: int) -> None:
        """Paints the inside of an outline (N, 2) and makes `owner` the owner of its pixels."""
        pixels = geometry.transform_points(self.frame, outline)
        corners = _fixed(pixels)
        if isinstance(paint, tuple):
            cv2.fillPoly(self.image, [corners], paint, cv2.LINE_AA, _SHIFT)
        else:
            self._fill_painted(pixels, paint)
        cv2.fillPoly(self.owner, [corners], owner, cv2.LINE_8, _SHIFT)

    def _fill_painted(self, pixels: np.ndarray, paint: Callable[[Extent, np.ndarray], np.ndarray]) -> None:
        height, width = self.size_hw
        low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 2, (width, height))
        if np.any(high - low < 2):
            return
        box = (low[0], low[1], high[0], high[1])
        region = self.image[box[1]:box[3], box[0]:box[2]]
        coverage = np.zeros(region.shape[:2], np.uint8)
        cv2.fillPoly(coverage, [_fixed(pixels - low)], 255, cv2.LINE_AA, _SHIFT)
        alpha = coverage.astype(np.float32)[..., None] * np.float32(1 / 255)
        ground = region.astype(np.float32)
        ground += (paint(box, coverage) - ground) * alpha
        region[...] = ground + np.float32(0.5)

    def stroke(self, line: np.ndarray, colour: Colour, width: float, closed: bool = False) -> None:
        """Draws along a line (N, 2), `width` pixels wide. Owners do not change."""
        pixels = _fixed(geometry.transform_points(self.frame, line))
        cv2.polylines(self.image, [pixels], closed, colour, max(1, int(round(width))), cv2.LINE_AA, _SHIFT)

    def shows(self, point_xy: np.ndarray, owners: Tuple[int, ...], radius: int) -> bool:
        """Returns whether one of the owners has any pixel within `radius` of a point, in pixels of the picture."""
        x, y = (int(round(value)) for value in point_xy)
        near = self.owner[max(y - radius, 0):y + radius + 1, max(x - radius, 0):x + radius + 1]
        return bool(np.isin(near, owners).any())


def _fixed(pixels: np.ndarray) -> np.ndarray:
    """Returns (N, 1, 2) int32 fixed-point corners for OpenCV; a whole number is the centre of a pixel."""
    limited = np.clip(pixels, -4000, 4000)
    return np.round(limited * (1 << _SHIFT)).astype(np.int32)[:, None]
