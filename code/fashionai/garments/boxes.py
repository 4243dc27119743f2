"""The box of a garment, from its labelled keypoints."""
from typing import Tuple

import numpy as np

NARROWEST = 10
"""Largest ratio of the sides of a box. Two boxes of 2,799 garments of FashionAI are narrower; boxes of trousers with
closed legs reach a ratio of 4.6."""

_USUAL_SHARE = 0.44, 0.62
"""The median box, as shares of the picture's width and height, of the 2,047 of these garments that have every keypoint.
"""

Box = Tuple[float, float, float, float]
"""x and y of the upper left corner, width and height, in pixels."""


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
