"""Encodes limbs as part affinity fields, which hold the position and the direction of a limb (Cao et al., CVPR 2017).

Shapes: L limbs, (H, W) input pixels, (h, w) cells, M pairs of a limb and a row of pixels that it may reach.
"""
from typing import Tuple, Union

import numpy as np

from fashionai.codec.heatmaps import cells_hw

InputBox = Tuple[float, float, float, float]
"""(left, top, right, bottom) of a part of the input, in input pixels; its edges are at half pixels."""

Span = Tuple[np.ndarray, np.ndarray]
"""The first and the last x of intervals."""

RADIUS = 8.0
"""Largest distance of a limb's field from the line between its ends, in input pixels."""


def encode_fields(starts_xy: np.ndarray, ends_xy: np.ndarray, drawn: np.ndarray, view: InputBox,
                  input_hw: Tuple[int, int], stride: int) -> np.ndarray:
    """Returns the part affinity fields of one image.

    At input resolution, a limb's field is its unit vector at every pixel within RADIUS of the segment, and 0 elsewhere.
    A cell is the mean of its pixels: the unit vector times the share of the cell that the limb covers.

    Args:
        starts_xy, ends_xy: (L, 2) ends of the limbs in input pixels.
        drawn: (L,) bool; the field of a limb that is not drawn, or has no length, stays 0.
        view: the part of the input in which fields are drawn; outside they are 0.
        input_hw: (H, W), both multiples of the stride.
        stride: size of a cell in pixels.

    Returns:
        (h, w, 2 L) float32, x and y of each limb interleaved.
    """
    fields = np.zeros(cells_hw(input_hw, stride) + (len(starts_xy), 2), np.float32)
    starts_xy, ends_xy = np.asarray(starts_xy, np.float64), np.asarray(ends_xy, np.float64)
    vectors = ends_xy - starts_xy
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    limbs = np.flatnonzero(drawn & (lengths > 0))
    starts, lengths = starts_xy[limbs], lengths[limbs]
    units = vectors[limbs] / lengths[:, None]
    limb, row = _rows_reached(starts[:, 1], ends_xy[limbs, 1], view, input_hw[0])
    first, last = _row_spans(starts[limb], units[limb], lengths[limb], row)
    limb, row, column, part = _covered_cells(limb, row, np.maximum(first, view[0]), np.minimum(last, view[2]),
                                             input_hw, stride)
    fields[row, column, limbs[limb]] = part[:, None] * units[limb]
    return fields.reshape(fields.shape[:2] + (-1,))


def _rows_reached(starts_y: np.ndarray, ends_y: np.ndarray, view: InputBox,
                  height: int) -> Tuple[np.ndarray, np.ndarray]:
    """Returns (M,) limbs and (M,) rows of the view that are not more than RADIUS above or below the limb."""
    rows = np.arange(height)
    top, bottom = np.minimum(starts_y, ends_y) - RADIUS, np.maximum(starts_y, ends_y) + RADIUS
    reached = (rows >= np.maximum(top, view[1])[:, None]) & (rows <= np.minimum(bottom, view[3])[:, None])
    return np.nonzero(reached)


def _row_spans(starts: np.ndarray, units: np.ndarray, lengths: np.ndarray,
               rows: np.ndarray) -> Span:
    """Returns the x intervals (first, last), (M,) each, in which a row of pixels is inside a limb's capsule.

    A capsule is a rectangle along the segment with a disc at each end. It is convex, so the interval goes from the
    smallest to the largest x of the three parts. A row that does not meet the capsule gets (inf, -inf).
    """
    (x, y), (ux, uy) = starts.T, units.T
    across = _strip(-uy, ux * (rows - y), -RADIUS, RADIUS)
    along = _strip(ux, uy * (rows - y), 0, lengths)
    low, high = np.maximum(across[0], along[0]), np.minimum(across[1], along[1])
    missed = low > high
    low, high = np.where(missed, np.inf, x + low), np.where(missed, -np.inf, x + high)
    for centre_x, centre_y in ((x, y), (x + ux * lengths, y + uy * lengths)):
        half_squared = RADIUS ** 2 - (rows - centre_y) ** 2
        half = np.sqrt(np.maximum(half_squared, 0))
        low = np.where(half_squared >= 0, np.minimum(low, centre_x - half), low)
        high = np.where(half_squared >= 0, np.maximum(high, centre_x + half), high)
    return low, high


def _strip(slope: np.ndarray, offset: np.ndarray, least: float, greatest: Union[float, np.ndarray]) -> Span:
    """Returns the interval of t in which least <= slope t + offset <= greatest."""
    slope = np.where(np.abs(slope) < 1e-9, 1e-9, slope)
    one, other = (least - offset) / slope, (greatest - offset) / slope
    return np.minimum(one, other), np.maximum(one, other)


def _covered_cells(limb: np.ndarray, row: np.ndarray, first: np.ndarray, last: np.ndarray, input_hw: Tuple[int, int],
                   stride: int) -> Tuple[np.ndarray, ...]:
    """Returns the cells that limbs cover: limb, row and column of each, and the share of the cell that is covered.

    A pixel is covered if its centre is in the interval of its limb and row. All pixels from x on fill the rest of the
    cell of x, and every cell after it. An interval is all pixels from its first one on, less all pixels after its last
    one. So it is written as two steps, and the sum of the steps along a row of cells is the number of covered pixels.
    """
    height, width = cells_hw(input_hw, stride)
    shape = int(limb.max(initial=-1)) + 1, height, width + 2  # two more cells, for the step after the last pixel
    begin = np.ceil(np.clip(first, 0, input_hw[1])).astype(np.int64)
    end = np.floor(np.clip(last, -1, input_hw[1] - 1)).astype(np.int64) + 1
    cell, passed = np.divmod(np.stack([begin, np.maximum(begin, end)]), stride)
    places = (limb * height + row // stride) * shape[2] + cell
    filled = np.array([[1], [-1]]) * np.stack([stride - passed, passed])
    steps = np.bincount(np.stack([places, places + 1]).ravel(), filled.ravel(), int(np.prod(shape)))
    counts = steps.cumsum()  # the steps of a row of cells sum up to 0
    covered = np.flatnonzero(counts)
    return (*np.unravel_index(covered, shape), counts[covered] / stride ** 2)
