"""Keypoints <-> heat maps.

Shapes: K keypoints, (H, W) the network's input in pixels, (h, w) its maps in cells of `stride` pixels.
"""
from typing import Tuple

import numpy as np

SIGMA = 8.0
"""Standard deviation of a keypoint's Gaussian, in input pixels."""

CUT_EXPONENT = 4.6052
"""The Gaussian ends where it has fallen to exp(-4.6052), 1 % of its peak."""


def encode_heatmaps(points_xy: np.ndarray, drawn: np.ndarray, input_hw: Tuple[int, int], stride: int) -> np.ndarray:
    """The heat maps of one image: a Gaussian a keypoint, and the background.

    The Gaussians are evaluated at input resolution, and each cell is the mean of its stride x stride pixels. The
    background is 1 minus the largest Gaussian at every pixel, averaged likewise.

    Args:
        points_xy: (K, 2) keypoints in input pixels.
        drawn: (K,) bool; the map of a keypoint that is not drawn stays 0.
        input_hw: (H, W), both multiples of the stride.
        stride: pixels a cell.

    Returns:
        (h, w, K + 1) float32 in 0..1, the background last.
    """
    height, width = cells_hw(input_hw, stride)
    heatmaps = np.zeros((height, width, len(points_xy) + 1), np.float32)
    strongest = np.zeros(input_hw, np.float32)
    radius = SIGMA * np.sqrt(2 * CUT_EXPONENT)
    for channel in np.flatnonzero(drawn):
        (x, y), (rows, columns) = points_xy[channel], _cell_span(points_xy[channel], radius, (height, width), stride)
        pixel_rows, pixel_columns = (slice(cells.start * stride, cells.stop * stride) for cells in (rows, columns))
        dx2 = (np.arange(pixel_columns.start, pixel_columns.stop) - x) ** 2
        dy2 = (np.arange(pixel_rows.start, pixel_rows.stop)[:, None] - y) ** 2
        gaussian = np.exp(-dy2 / (2 * SIGMA ** 2)) * np.exp(-dx2 / (2 * SIGMA ** 2))
        gaussian[dx2 + dy2 > radius ** 2] = 0
        heatmaps[rows, columns, channel] = average_cells(gaussian, stride)
        np.maximum(strongest[pixel_rows, pixel_columns], gaussian, out=strongest[pixel_rows, pixel_columns])
    heatmaps[:, :, -1] = 1 - average_cells(strongest, stride)
    return heatmaps


def peaks(heatmaps: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The highest place of each map.

    Args:
        heatmaps: (h, w, K), any float type.

    Returns:
        (K, 2) int positions (x, y) in the maps' own grid, and (K,) the values there.
    """
    height, width, channels = heatmaps.shape
    flat = np.ascontiguousarray(heatmaps.reshape(height * width, channels).T)
    places = flat.argmax(axis=1)
    return np.stack([places % width, places // width], axis=1), flat[np.arange(channels), places]


def input_to_cells(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Coordinates in cells, float64, of coordinates in input pixels: pixel 3.5 is the centre of cell 0 of stride 8."""
    return (np.asarray(pixels, np.float64) - (stride - 1) / 2) / stride


def cells_hw(input_hw: Tuple[int, int], stride: int) -> Tuple[int, int]:
    """(h, w) of the maps of an input. Raises ValueError where the stride does not divide it."""
    height, width = input_hw
    if height % stride or width % stride:
        raise ValueError(f'an input of {width}x{height} pixels does not divide into cells of {stride}: '
                         f'wanted multiples of {stride}')
    return height // stride, width // stride


def average_cells(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Mean of each stride x stride block of (H, W); (h, w)."""
    height, width = pixels.shape
    return pixels.reshape(height // stride, stride, width // stride, stride).mean(axis=(1, 3))


def _cell_span(point_xy: np.ndarray, radius: float, cells: Tuple[int, int], stride: int) -> Tuple[slice, slice]:
    """Rows and columns of the cells that a disc about the point touches, inside the map."""
    first = np.floor((point_xy - radius) / stride).astype(int)
    last = np.floor((point_xy + radius) / stride).astype(int) + 1
    spans = [(int(np.clip(first[axis], 0, cells[1 - axis])), int(np.clip(last[axis], 0, cells[1 - axis])))
             for axis in (1, 0)]
    return slice(*spans[0]), slice(*spans[1])
