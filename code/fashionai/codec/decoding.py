"""From heat maps to points: where the canvas is drawn, whether it is smoothed, and where between places the peak is.

Shapes: K keypoints, (h, w) places of the canvas' grid, which are squares of a few of its pixels, or cells of the
network's stride.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Mapping, Optional

import cv2
import numpy as np

_FINE = 2
"""Canvas pixels a place where the parabola finds the peak: a Gaussian of 8 pixels is smooth enough for a quarter of the
work that places of one pixel are."""

Refine = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""(maps (h, w, K), places (K, 2) int of x, y, sigma in places) -> offsets (K, 2) of the peaks from those places. No
place lies on the border."""


@dataclass(frozen=True)
class Decoder:
    """`place`: canvas pixels a place, or as many of them as divide the canvas; None for a cell of the network. Places
    finer than cells are drawn with bicubic weights. `blur`: standard deviation, in canvas pixels, of a Gaussian the
    canvas is smoothed by before the peak is looked for; 0 for none."""

    place: Optional[int]
    blur: float
    refine: Refine


def blurred(maps: np.ndarray, sigma: float) -> np.ndarray:
    """Maps (K, h, w) smoothed by a Gaussian of `sigma` places; the same shape."""
    if not sigma:
        return maps
    return np.stack([cv2.GaussianBlur(channel, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) for channel in maps])


def no_offset(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """The middle of the place."""
    del maps, sigma
    return np.zeros(places.shape)


def parabola(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """The top of the parabola through the peak and its two neighbours, on either axis."""
    del sigma
    values = _neighbours(maps, places).astype(np.float64)
    slope, curvature = (values[:, :, 2] - values[:, :, 0]) / 2, values[:, :, 0] - 2 * values[:, :, 1] + values[:, :, 2]
    return np.where(curvature < 0, -slope / np.where(curvature < 0, curvature, 1), 0)


def quarter(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """A quarter of a place towards the higher neighbour, on either axis (Newell et al., "Stacked hourglass networks
    for human pose estimation", section 3.4)."""
    del sigma
    values = _neighbours(maps, places)
    return 0.25 * np.sign(values[:, :, 2] - values[:, :, 0])


def dark(maps: np.ndarray, places: np.ndarray, sigma: float) -> np.ndarray:
    """The top of the Gaussian whose logarithm has the slope and the curvature found at the peak (Zhang et al.,
    "Distribution-aware coordinate representation for human pose estimation", equations 7 to 9).

    As there, the maps are first smoothed by a Gaussian like the one trained on. A map's median is taken for its floor,
    since the sigmoid of no response is a half, and the logarithm wants a Gaussian that stands on 0.
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
    """(K, 2, 3): the values before, at and after each place, along x and along y."""
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
"""By the name `--decode` takes. `blur`, the default, is the original's on places of two pixels, and with the parabola
at its end."""
