"""Encodes keypoints as heat maps, and finds the peaks of heat maps.

Shapes: K keypoints, (H, W) the input of the network in pixels, (h, w) its maps in cells of `stride` pixels.
"""
from typing import Tuple

import numpy as np

from fashionai.errors import InputError

SIGMA = 8.0
"""Standard deviation of a keypoint's Gaussian, in input pixels."""

CUT_EXPONENT = 4.6052
"""The Gaussian is cut off at exp(-4.6052), 1 % of its peak."""


def encode_heatmaps(points_xy: np.ndarray, drawn: np.ndarray, input_hw: Tuple[int, int], stride: int) -> np.ndarray:
    """Returns the heat maps of one image: a Gaussian for each keypoint, and the background.

    The Gaussians are evaluated at input resolution, and each cell is the mean of its stride x stride pixels. The
    background is 1 minus the largest Gaussian at every pixel, averaged in the same way.

    Args:
        points_xy: (K, 2) keypoints in input pixels.
        drawn: (K,) bool; the map of a keypoint that is not drawn stays 0.
        input_hw: (H, W), both multiples of the stride.
        stride: size of a cell in pixels.

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
    """Returns the highest point of each map.

    Args:
        heatmaps: (h, w, K), any float type.

    Returns:
        (K, 2) int positions (x, y) in the grid of the maps, and (K,) values there.
    """
    height, width, channels = heatmaps.shape
    flat = np.ascontiguousarray(heatmaps.reshape(height * width, channels).T)
    places = flat.argmax(axis=1)
    return np.stack([places % width, places // width], axis=1), flat[np.arange(channels), places]


def input_to_cells(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Returns coordinates in cells, float64, from input pixels: pixel 3.5 is the centre of cell 0 at stride 8."""
    return (np.asarray(pixels, np.float64) - (stride - 1) / 2) / stride


def cells_hw(input_hw: Tuple[int, int], stride: int) -> Tuple[int, int]:
    """Returns (h, w) of the maps for an input. Raises InputError if the stride does not divide its sides."""
    height, width = input_hw
    if height % stride or width % stride:
        raise InputError(f'an input of {width}x{height} pixels does not divide into cells of {stride} pixels; '
                         f'wanted multiples of {stride}')
    return height // stride, width // stride


def average_cells(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Returns the mean of each stride x stride block of (H, W), as (h, w)."""
    height, width = pixels.shape
    rows = pixels.reshape(height // stride, stride, width).sum(axis=1)  # whole rows first: several times as fast
    return rows.reshape(height // stride, width // stride, stride).sum(axis=2) / stride ** 2


def _profiles(centres: np.ndarray, length: int) -> Tuple[np.ndarray, np.ndarray]:
    """Returns (K, length) squared distances of pixels from the centres along one axis, and their 1-D Gaussians."""
    squares = (np.arange(length) - np.asarray(centres, np.float64)[:, None]) ** 2
    return squares, np.exp(-squares / (2 * SIGMA ** 2))


def _cell_span(centre: float, radius: float, cells: int, stride: int) -> slice:
    """Returns the cells along one axis that a disc around the centre touches; the axis has `cells` cells."""
    first, last = int((centre - radius) // stride), int((centre + radius) // stride) + 1
    return slice(min(max(first, 0), cells), min(max(last, 0), cells))
