"""The canvas: a square for each image, on which the heat maps of all windows are joined.

Letters: S the canvas' side in pixels, W windows, K channels, (h, w) the cells of a network's maps. The image lies in
the middle of the canvas and its longer side fills it. Points, windows and cells use the pixel centres of `geometry`.
"""
from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from fashionai.codec.heatmaps import input_to_cells
from fashionai.images.geometry import compose, scaling, translation

JOINS = ('addup', 'average')
"""How windows are joined. addup: each pixel has the largest response of any window. average: each pixel has the mean of
the windows that cover it."""

NEUTRAL = 0.5
"""The sigmoid of no response, which is the value of pixels that no window covers."""

_ONE_THREAD = 1 << 18
"""OpenBLAS computes a matrix product of up to so many multiplications in one thread."""


def responses(sigmoids: np.ndarray) -> np.ndarray:
    """Returns the network's responses, 0 to 1, from their sigmoids. 0 is no response; 1 is the full height of the
    Gaussian that the maps are trained to show, or more."""
    inner = np.clip(sigmoids, NEUTRAL, 0.99)
    return np.clip(np.log(inner / (1 - inner)), 0, 1)


def canvas_map(image_hw: Tuple[int, int], size: int) -> np.ndarray:
    """Returns the affine map (2, 3) from the pixels of an image to those of a canvas of `size` pixels a side."""
    height, width = image_hw
    longer = max(image_hw)
    centring = translation((longer - width) / 2, (longer - height) / 2)
    return compose(centring, scaling(size / longer, size / longer))


def image_area(image_hw: Tuple[int, int], size: int) -> Tuple[slice, slice]:
    """Returns the rows and columns of the canvas whose pixel centres lie on the image, so without the padding."""
    shares = np.array(image_hw) / max(image_hw)
    first = np.ceil(size * (1 - shares) / 2 - 0.5).astype(int)
    last = np.floor(size * (1 + shares) / 2 - 0.5).astype(int)
    rows, columns = (slice(int(start), max(int(start), int(stop)) + 1) for start, stop in zip(first, last))
    return rows, columns


@dataclass(frozen=True)
class Placement:
    """The part of the canvas that one window covers, and the weights that enlarge the window's maps to it.

    Attributes:
        rows, columns: the covered part of the canvas, in canvas pixels.
        vertical: (rows, h) float32, bicubic weights.
        horizontal: (columns, w) float32, bicubic weights.

    The covered part is vertical @ map @ horizontal.T.
    """

    rows: slice
    columns: slice
    vertical: np.ndarray
    horizontal: np.ndarray

    def enlarge(self, maps: np.ndarray) -> np.ndarray:
        """Returns maps (K, h, w) enlarged to the covered part of the canvas, (K, rows, columns)."""
        widened = _rows_product(self.horizontal, maps.transpose(0, 2, 1)).transpose(0, 2, 1)
        return _rows_product(self.vertical, np.ascontiguousarray(widened))


def placement_of(window: np.ndarray, size: int, cells_hw: Tuple[int, int], stride: int) -> Placement:
    """Returns the placement of a window (2, 3), a map from canvas to input pixels, whose maps have (h, w) cells."""
    rows, vertical = _axis_weights(window[1, 1], window[1, 2], size, cells_hw[0], stride)
    columns, horizontal = _axis_weights(window[0, 0], window[0, 2], size, cells_hw[1], stride)
    return Placement(rows, columns, vertical, horizontal)


def join_windows(maps: Sequence[np.ndarray], placements: Sequence[Placement], size: int, join: str,
                 neutral: float = NEUTRAL) -> np.ndarray:
    """Joins the maps of all windows on one canvas.

    Args:
        maps: W of (K, h, w) float32. For 'addup' no value may be below 0, which sigmoids are not.
        placements: W placements.
        size: S.
        join: one of JOINS.
        neutral: the value of pixels that no window covers.

    Returns:
        (K, S, S) float32.
    """
    canvas = np.zeros((len(maps[0]), size, size), np.float32)
    windows = np.zeros((size, size), np.float32)
    for window_maps, placement in zip(maps, placements):
        part = canvas[:, placement.rows, placement.columns]
        operation = np.maximum if join == 'addup' else np.add
        operation(part, placement.enlarge(window_maps), out=part)
        windows[placement.rows, placement.columns] += 1
    if join == 'average':
        canvas /= np.maximum(windows, 1)
    canvas[:, windows == 0] = neutral
    return canvas


def _rows_product(weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Returns weights (n, h) @ maps (K, h, m) = (K, n, m), computed for a few rows of the weights at a time.

    BLAS computes larger products in several threads, which wait for each other in a busy loop. If other processes use
    the cores, such as the workers that feed a training, that is ten times slower than one thread.
    """
    step = max(1, _ONE_THREAD // (maps.shape[1] * maps.shape[2]))
    product = np.empty((maps.shape[0], len(weights), maps.shape[2]), np.float32)
    for start in range(0, len(weights), step):
        np.matmul(weights[start:start + step], maps, out=product[:, start:start + step])
    return product


def _axis_weights(factor: float, shift: float, size: int, cells: int, stride: int) -> Tuple[slice, np.ndarray]:
    """Returns the canvas pixels that a window covers along one axis, and (pixels, cells) bicubic weights.

    Canvas pixel c is input pixel factor * c + shift, and is covered if that lies in the input. Beyond the outermost
    cell centres the maps keep the value of the outermost cells.
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
    """Returns the weights of cubic convolution (Keys 1981) at distances of 0 to 2 cells.

    The networks learn Gaussians one cell wide. After sigmoid and blur, their peak is recovered within 0.04 input pixels
    with a = -0.75, within 0.4 with a = -0.5, and within 0.9 by linear interpolation.
    """
    a = -0.75
    near = ((a + 2) * distance - (a + 3)) * distance ** 2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
