"""Keypoints <-> heat maps.

Shapes: K keypoints, (H, W) the network's input in pixels, (h, w) its maps in cells of `stride` pixels.
"""
from typing import Tuple

import numpy as np

from fashionai.errors import InputError

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
    (x2, across), (y2, down) = (_profiles(points_xy[:, axis], input_hw[1 - axis]) for axis in (0, 1))
    for channel in np.flatnonzero(drawn):
        x, y = points_xy[channel].tolist()
        rows, columns = _cell_span(y, radius, height, stride), _cell_span(x, radius, width, stride)
        pixel_rows, pixel_columns = (slice(cells.start * stride, cells.stop * stride) for cells in (rows, columns))
        gaussian = down[channel, pixel_rows, None] * across[channel, pixel_columns]
        gaussian *= y2[channel, pixel_rows, None] + x2[channel, pixel_columns] <= radius ** 2
        heatmaps[rows, columns, channel] = average_cells(gaussian, stride)
        near = strongest[pixel_rows, pixel_columns]
        np.maximum(near, gaussian, out=near)
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
    """(h, w) of the maps of an input. Raises InputError where the stride does not divide it."""
    height, width = input_hw
    if height % stride or width % stride:
        raise InputError(f'an input of {width}x{height} pixels does not divide into cells of {stride}: '
                         f'wanted multiples of {stride}')
    return height // stride, width // stride


def average_cells(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Mean of each stride x stride block of (H, W); (h, w)."""
    height, width = pixels.shape
    rows = pixels.reshape(height // stride, stride, width).sum(axis=1)  # whole rows first: several times as fast
    return rows.reshape(height // stride, width // stride, stride).sum(axis=2) / stride ** 2


def _profiles(centres: np.ndarray, length: int) -> Tuple[np.ndarray, np.ndarray]:
    """(K, length) squared distances of one axis' pixels from the centres, and the Gaussians of one dimension there."""
    squares = (np.arange(length) - np.asarray(centres, np.float64)[:, None]) ** 2
    return squares, np.exp(-squares / (2 * SIGMA ** 2))


def _cell_span(centre: float, radius: float, cells: int, stride: int) -> slice:
    """The cells of one axis that a disc about the centre touches, of as many as the axis has."""
    first, last = int((centre - radius) // stride), int((centre + radius) // stride) + 1
    return slice(min(max(first, 0), cells), min(max(last, 0), cells))
