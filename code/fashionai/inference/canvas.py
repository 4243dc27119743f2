"""The canvas: one square picture of every image, onto which the heat maps of all windows are laid and joined.

Letters: S the canvas' side in pixels, W windows, K channels, (h, w) the cells of a network's maps. The image lies in
the middle of the canvas, its longer side filling it; points, windows and cells follow `geometry`'s pixel centres.
"""
from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from fashionai.codec.heatmaps import input_to_cells
from fashionai.images.geometry import compose, scaling, translation

JOINS = ('addup', 'average')
"""Ways to join windows: the largest response that any gives a pixel, or the mean of those that cover it."""

NEUTRAL = 0.5
"""The sigmoid of no response; what a pixel of the canvas holds that no window covers."""

_ONE_THREAD = 1 << 18
"""Multiplications up to which OpenBLAS keeps a matrix product in one thread."""


def responses(sigmoids: np.ndarray) -> np.ndarray:
    """What the network answered, 0 to 1, where a canvas holds its sigmoid: 0 is no response, 1 the full height of the
    Gaussian that the maps are trained to be, or more."""
    inner = np.clip(sigmoids, NEUTRAL, 0.99)
    return np.clip(np.log(inner / (1 - inner)), 0, 1)


def canvas_map(image_hw: Tuple[int, int], size: int) -> np.ndarray:
    """The affine map from the pixels of an image to the canvas."""
    height, width = image_hw
    longer = max(image_hw)
    centring = translation((longer - width) / 2, (longer - height) / 2)
    return compose(centring, scaling(size / longer, size / longer))


def image_area(image_hw: Tuple[int, int], size: int) -> Tuple[slice, slice]:
    """Rows and columns of the canvas whose pixel centres lie on the image: the part that is not padding."""
    shares = np.array(image_hw) / max(image_hw)
    first = np.ceil(size * (1 - shares) / 2 - 0.5).astype(int)
    last = np.floor(size * (1 + shares) / 2 - 0.5).astype(int)
    rows, columns = (slice(int(start), max(int(start), int(stop)) + 1) for start, stop in zip(first, last))
    return rows, columns


@dataclass(frozen=True)
class Placement:
    """How one window's maps come to lie on the canvas: the part they cover, and what draws them there.

    `vertical` (rows, h) and `horizontal` (columns, w) are matrices of bicubic weights, so that the covered part is
    vertical @ map @ horizontal.T.
    """

    rows: slice
    columns: slice
    vertical: np.ndarray
    horizontal: np.ndarray

    def enlarge(self, maps: np.ndarray) -> np.ndarray:
        """Maps (K, h, w) as they look on the part of the canvas they cover; (K, rows, columns)."""
        widened = _rows_product(self.horizontal, maps.transpose(0, 2, 1)).transpose(0, 2, 1)
        return _rows_product(self.vertical, np.ascontiguousarray(widened))


def placement_of(window: np.ndarray, size: int, cells_hw: Tuple[int, int], stride: int) -> Placement:
    """The placement of a window (a map from canvas to input pixels) whose maps have (h, w) cells."""
    rows, vertical = _axis_weights(window[1, 1], window[1, 2], size, cells_hw[0], stride)
    columns, horizontal = _axis_weights(window[0, 0], window[0, 2], size, cells_hw[1], stride)
    return Placement(rows, columns, vertical, horizontal)


def join_windows(maps: Sequence[np.ndarray], placements: Sequence[Placement], size: int, join: str,
                 neutral: float = NEUTRAL) -> np.ndarray:
    """One canvas of the maps of all windows.

    Args:
        maps: W of (K, h, w) float32; to be joined by maximum, none below 0 (sigmoids).
        placements: W of them.
        size: S.
        join: one of JOINS.
        neutral: what a place holds where no window looked.

    Returns:
        (K, S, S) float32.
    """
    canvas = np.zeros((len(maps[0]), size, size), np.float32)
    looks = np.zeros((size, size), np.float32)
    for window_maps, placement in zip(maps, placements):
        part = canvas[:, placement.rows, placement.columns]
        operation = np.maximum if join == 'addup' else np.add
        operation(part, placement.enlarge(window_maps), out=part)
        looks[placement.rows, placement.columns] += 1
    if join == 'average':
        canvas /= np.maximum(looks, 1)
    canvas[:, looks == 0] = neutral
    return canvas


def _rows_product(weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """weights (n, h) @ maps (K, h, m), some rows of the weights at a time; (K, n, m).

    BLAS shares larger products out to threads, which wait for each other in a busy loop: ten times slower than one
    thread wherever something else, such as the workers that feed a training, has the cores.
    """
    step = max(1, _ONE_THREAD // (maps.shape[1] * maps.shape[2]))
    product = np.empty((maps.shape[0], len(weights), maps.shape[2]), np.float32)
    for start in range(0, len(weights), step):
        np.matmul(weights[start:start + step], maps, out=product[:, start:start + step])
    return product


def _axis_weights(factor: float, shift: float, size: int, cells: int, stride: int) -> Tuple[slice, np.ndarray]:
    """The canvas pixels a window covers along one axis, and (pixels, cells) bicubic weights.

    Canvas pixel c is input pixel factor c + shift; it is covered where that lies in the input. Beyond the outermost
    cell centres the maps go on as they end.
    """
    inputs = factor * np.arange(size) + shift
    covered = np.flatnonzero((inputs >= -0.5 - 1e-6) & (inputs <= cells * stride - 0.5 + 1e-6))
    first, last = (int(covered[0]), int(covered[-1]) + 1) if covered.size else (0, 0)
    places = input_to_cells(inputs[first:last], stride)
    weights = np.zeros((last - first, cells), np.float32)
    for tap in range(-1, 3):
        cell = np.floor(places).astype(int) + tap
        np.add.at(weights, (np.arange(last - first), np.clip(cell, 0, cells - 1)), _cubic(np.abs(places - cell)))
    return slice(first, last), weights


def _cubic(distance: np.ndarray) -> np.ndarray:
    """Cubic convolution (Keys 1981) at distances of 0 to 2 cells.

    With a = -0.75 the peak of a Gaussian one cell wide, what the networks learn, comes back within 0.04 input pixels
    after sigmoid and blur; with a = -0.5 within 0.4, and by linear interpolation within 0.9.
    """
    a = -0.75
    near = ((a + 2) * distance - (a + 3)) * distance ** 2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
