"""Decoders: how points are found in heat maps: the grid, the smoothing, and the sub-cell position of the peak.

The heat maps are drawn on a canvas in pixels, on a grid of places. A place is a square of a few pixels, or a cell of
the network's stride. Shapes: K keypoints, (h, w) places of the grid.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Mapping, Optional

import cv2
import numpy as np

_FINE = 2
"""Size of a place in canvas pixels if the parabola finds the peak: a Gaussian of 8 pixels is smooth enough, and it is a
quarter of the work of places of one pixel."""

Refine = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""(maps (h, w, K), places (K, 2) int of x, y, sigma in places) -> offsets (K, 2) of the peaks from these places. No
place is on the border."""


@dataclass(frozen=True)
class Decoder:
    """A way to decode heat maps.

    place: size of a place in canvas pixels; if it does not divide the side of the canvas, their greatest common
        divisor. None for a cell of the network. Places smaller than cells are drawn with bicubic weights.
    blur: standard deviation, in canvas pixels, of the Gaussian that smooths the canvas before the peak is searched; 0
        for none.
    refine: finds the peak between places.
    """

    place: Optional[int]
    blur: float
    refine: Refine


def blurred(maps: np.ndarray, sigma: float) -> np.ndarray:
    """Returns maps (K, h, w) smoothed by a Gaussian of `sigma` places; the same shape."""
    if not sigma:
        return maps
    return np.stack([cv2.GaussianBlur(channel, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for channel in maps])


def no_offset(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """Returns zero offsets: the peak is the middle of the place."""
    del maps, sigma
    return np.zeros(places.shape)


def parabola(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """Returns the offset of the top of the parabola through the peak and its two neighbours, on each axis."""
    del sigma
    values = _neighbours(maps, places).astype(np.float64)
    slope, curvature = (values[:, :, 2] - values[:, :, 0]) / 2, values[:, :, 0] - 2 * values[:, :, 1] + values[:, :, 2]
    return np.where(curvature < 0, -slope / np.where(curvature < 0, curvature, 1), 0)


def quarter(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """Returns a quarter of a place towards the higher neighbour, on each axis (Newell et al., "Stacked hourglass
    networks for human pose estimation", section 3.4)."""
    del sigma
    values = _neighbours(maps, places)
    return 0.25 * np.sign(values[:, :, 2] - values[:, :, 0])


def dark(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """Returns the offset of the centre of the Gaussian whose logarithm has the slope and the curvature at the peak
    (Zhang et al., "Distribution-aware coordinate representation for human pose estimation", equations 7 to 9).

    As in the paper, the maps are first smoothed by a Gaussian of the size used in training. The median of a map is
    subtracted first, since the sigmoid of no response is 0.5, and the logarithm needs a Gaussian with a base of 0.
    """
    offsets = np.zeros(places.shape)
    if not len(places):
        return offsets
    smooth = blurred(np.ascontiguousarray((maps - np.median(maps, axis=(0, 1))).transpose(2, 0, 1)), sigma)
    for channel, (x, y) in enumerate(places):
        patch = np.log(np.maximum(smooth[channel, y - 1:y + 2, x - 1:x + 2].astype(np.float64), 1e-10))
        gradient = np.array([patch[1, 2] - patch[1, 0], patch[2, 1] - patch[0, 1]]) / 2
        mixed = (patch[2, 2] - patch[2, 0] - patch[0, 2] + patch[0, 0]) / 4
        hessian = np.array([[patch[1, 2] - 2 * patch[1, 1] + patch[1, 0], mixed],
                            [mixed, patch[2, 1] - 2 * patch[1, 1] + patch[0, 1]]])
        if hessian[0, 0] < 0 < np.linalg.det(hessian):
            offsets[channel] = np.clip(-np.linalg.solve(hessian, gradient), -1, 1)
    return offsets


def _neighbours(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns (K, 2, 3): the values before, at and after each place, along x and along y."""
    channels, (x, y) = np.arange(len(places)), places.T
    steps = (-1, 0, 1)
    return np.stack([np.stack([maps[y, x + step, channels] for step in steps], axis=1),
                     np.stack([maps[y + step, x, channels] for step in steps], axis=1)], axis=1)


DECODERS: Mapping[str, Decoder] = MappingProxyType({
    'blur': Decoder(_FINE, 2., parabola),
    'bicubic': Decoder(_FINE, 0., parabola),
    'quarter': Decoder(None, 0., quarter),
    'dark': Decoder(None, 0., dark),
    'plain': Decoder(None, 0., no_offset)})
"""From the value of `--decode` to the decoder. `blur`, the default, is the original's method, but on places of two
pixels and with the parabola at the end."""
