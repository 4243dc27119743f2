"""The part of a picture around the box of a garment, in which the garment is predicted."""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

from fashionai.garments.boxes import Box, check_inside

MARGIN = 0.25
"""A garment in a box is predicted with so much of the picture around it, as a share of the longer side of the box.
Of the margins that were tried on labelled pictures it had the lowest error; docs/predict.md has the table."""


@dataclass(frozen=True)
class Crop:
    """A part of a picture.

    Attributes:
        box: of the garment, in pixels of the picture; None if the part is the whole picture.
        left, top, width, height: the part, in whole pixels of the picture.
    """

    box: Optional[Box]
    left: int
    top: int
    width: int
    height: int

    @property
    def size_hw(self) -> Tuple[int, int]:
        """(height, width) of the part."""
        return self.height, self.width

    @property
    def offset_xy(self) -> np.ndarray:
        """(2,) float64: the place (x, y) of the part's first pixel in the picture."""
        return np.array([self.left, self.top], np.float64)

    @property
    def area(self) -> Tuple[slice, slice]:
        """The rows and the columns of the part."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)

    def of(self, image: np.ndarray) -> np.ndarray:
        """Returns the part of a picture (h, w, ...), without a copy if it is the whole picture."""
        return np.ascontiguousarray(image[self.area])

    def moved(self, points_xy: np.ndarray) -> np.ndarray:
        """Returns points (..., 2) in pixels of the part, in pixels of the picture."""
        return points_xy + self.offset_xy


def crop_around(box: Optional[Box], image_hw: Tuple[int, int], margin: float = MARGIN) -> Crop:
    """Returns the part of a picture of (height, width) around a box, with a margin as far as the picture reaches.

    Args:
        box: in pixels of the picture; it may be partly outside. None: the part is the whole picture.
        image_hw: the size of the picture.
        margin: a share of the longer side of the box.

    Raises InputError if no part of the box is in the picture.
    """
    height, width = image_hw
    if box is None:
        return Crop(None, 0, 0, width, height)
    check_inside(box, image_hw)
    around = margin * max(box[2:])
    (left, right), (top, bottom) = ((max(0, int(np.floor(start - around))),
                                     min(limit, int(np.ceil(start + side + around))))
                                    for start, side, limit in zip(box[:2], box[2:], (width, height)))
    return Crop(box, left, top, right - left, bottom - top)
