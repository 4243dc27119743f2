"""The box of a garment: from its labelled keypoints, or as a person or a program gives it."""
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Optional, Tuple

import numpy as np

from fashionai.errors import InputError, shown

NARROWEST = 10
"""Largest ratio of the sides of a box. Two boxes of 2,799 garments of FashionAI are narrower; boxes of trousers with
closed legs reach a ratio of 4.6."""

_USUAL_SHARE = 0.44, 0.62
"""The median box, as shares of the picture's width and height, of the 2,047 of these garments that have every keypoint.
"""

Box = Tuple[float, float, float, float]
"""x and y of the upper left corner, width and height, in pixels."""


@dataclass(frozen=True)
class GarmentBox:
    """A garment that a user or a program has found in a picture.

    Attributes:
        box: in pixels of the upright picture.
        type: the garment type; None if it is not known.
        place: the file and the row that it comes from, for messages.
        picture_hw: (height, width) that the file gives for the picture; None if it does not give it.
    """

    box: Box
    type: Optional[str] = None
    place: str = 'box'
    picture_hw: Optional[Tuple[int, int]] = None

    def check(self, image_hw: Tuple[int, int]) -> None:
        """Raises InputError if the picture has another size than the file says, or if no part of the box is in it."""
        height, width = image_hw
        if self.picture_hw not in (None, image_hw):
            assert self.picture_hw
            raise InputError(f'{self.place}: boxes of a picture of {self.picture_hw[1]} x {self.picture_hw[0]} pixels, '
                             f'but the upright picture has {width} x {height}')
        check_inside(self.box, image_hw, self.place)


def parse_box(values: Any) -> Box:
    """Returns the box of four numbers, rounded to hundredths. Raises InputError if it is not four numbers, or if a side
    is shorter than 1 pixel."""
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != 4 or not all(map(is_number, values)):
        raise InputError(f'box {shown(values)}: wanted left, top, width and height in pixels')
    left, top, width, height = (round(float(value), 2) for value in values)
    if width < 1 or height < 1:
        raise InputError(f'box {shown(values)}: wanted a width and a height of 1 pixel or more')
    return left, top, width, height


def check_inside(box: Box, image_hw: Tuple[int, int], place: str = 'box') -> None:
    """Raises InputError if no part of a box is in a picture of (height, width). `place` says where it comes from."""
    (left, top, box_width, box_height), (height, width) = box, image_hw
    if not (left < width and top < height and left + box_width > 0 and top + box_height > 0):
        raise InputError(f'{place}: {",".join(f"{side:g}" for side in box)} is outside of the picture of {width} x '
                         f'{height} pixels, wanted left,top,width,height inside it')


def box_of(points_xy: np.ndarray, size_hw: Tuple[float, float]) -> Box:
    """Returns x, y, width and height of the box of (n, 2) points in a picture of (height, width), in pixels.

    The scale of a garment in COCO's measure (OKS) is the square root of its area, so every box must have an extent. If
    a side is shorter than 1 / NARROWEST of the other, for example because the points lie in a line, it becomes as long
    as the other. The box of a single point has the size of a usual garment (_USUAL_SHARE). The box of no points is the
    whole picture. A box grows around its centre, and is moved and cut so that the added part is inside the picture.
    """
    limits = np.array(size_hw[::-1], np.float64)
    if not len(points_xy):
        return 0.0, 0.0, float(limits[0]), float(limits[1])
    low, high = points_xy.min(axis=0).astype(np.float64), points_xy.max(axis=0).astype(np.float64)
    sides = high - low
    longest = sides.max()
    wanted = np.where(NARROWEST * sides < longest, longest, sides) if longest else limits * _USUAL_SHARE
    grown = sides < wanted
    start = np.clip((low + high - wanted) / 2, 0, np.maximum(limits - wanted, 0))
    new_low = np.where(grown, np.minimum(start, low), low)
    new_high = np.where(grown, np.maximum(np.minimum(start + wanted, limits), high), high)
    x, y, width, height = (round(number, 2) for number in [*new_low.tolist(), *(new_high - new_low).tolist()])
    return x, y, width, height


def is_number(value: Any) -> bool:
    """Returns whether a value of JSON or NumPy is a finite number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
