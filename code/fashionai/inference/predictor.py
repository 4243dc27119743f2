"""Keypoints of photographs: every window of an image, and of its mirror image, in one pass through a network.

Letters: N images, W windows, K keypoints, S the canvas' side, (h, w) the network's input in pixels.
The part affinity fields, which such a network gives too, are not used: with one garment in the picture the peaks need
no grouping, so their canvas is never drawn; nor is the background's.
"""
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from fashionai.codec.heatmaps import peaks
from fashionai.garments import Garment
from fashionai.geometry import compose, invert, mirroring, transform_points, warp_image
from fashionai.inference.canvas import JOINS, Placement, blur, canvas_map, image_area, join_windows, placement_of
from fashionai.inference.filling import fill_in
from fashionai.networks.contract import Forward

_FLAT = 0.01
"""A peak that stands less than this above its map's mean (sigmoid units) says nothing."""


@dataclass(frozen=True)
class Prediction:
    """Keypoints of one image in channel order: points (K, 2) float64 in its own pixels, inside it; the heat map at
    each peak (K,); and whether the peak was a proper one (K,) bool. Every point has a place, a valid peak or not."""

    points_xy: np.ndarray
    scores: np.ndarray
    valid: np.ndarray


class Predictor:
    """A network with the way it looks at an image.

    Args:
        forward: the network.
        garment: the type whose keypoints are wanted.
        input_size: S.
        resolution_hw: (h, w).
        windows: (W, 2, 3), see `windows.windows_of`.
        stride: input pixels a cell of the maps.
        flip: whether to look at the mirrored image too.
        join: one of `canvas.JOINS`.
        network_garment: the garment whose channels `forward` gives, where that is the joint one.
    """

    def __init__(self, forward: Forward, garment: Garment, input_size: int, resolution_hw: Tuple[int, int],
                 windows: np.ndarray, stride: int, flip: bool = True, join: str = 'addup',
                 network_garment: Optional[Garment] = None) -> None:
        if join not in JOINS:
            raise ValueError(f'unknown way to join windows {join!r}: wanted one of {", ".join(JOINS)}')
        if any(side % stride for side in resolution_hw):
            raise ValueError(f'resolution {resolution_hw[1]}x{resolution_hw[0]} does not suit the network: '
                             f'wanted multiples of {stride}')
        self._forward, self._garment, self._size, self._join = forward, garment, input_size, join
        self._resolution_hw = resolution_hw
        self._cells_hw = (resolution_hw[0] // stride, resolution_hw[1] // stride)
        self._windows = windows
        self._placements: List[Placement] = [placement_of(window, input_size, self._cells_hw, stride)
                                             for window in windows]
        self._mirrors = (False, True) if flip else (False,)
        names = (network_garment or garment).keypoints
        self._channels = [names.index(name) for name in garment.keypoints]

    def predict(self, images: Sequence[np.ndarray]) -> List[Prediction]:
        """Keypoints of images (h, w, 3) uint8 BGR, of any sizes; all go through the network together."""
        return [self._decode(canvas, image.shape[:2]) for canvas, image in zip(self.heatmaps(images), images)]

    def heatmaps(self, images: Sequence[np.ndarray]) -> List[np.ndarray]:
        """The joined and blurred heat maps of each image: (S, S, K) float32, sigmoids, on the image's canvas.

        `canvas.canvas_map` is the way from image to canvas, to draw them over the image.
        """
        batch = np.concatenate([self._cut(image) for image in images])
        maps = self._checked(self._forward(batch))[..., self._channels]
        maps = (0.5 + 0.5 * np.tanh(maps.astype(np.float32) / 2)).transpose(0, 3, 1, 2)  # the sigmoid, without overflow
        passes = maps.reshape((len(images), len(self._mirrors), len(self._windows)) + maps.shape[1:])
        return [self._join_passes(image_passes) for image_passes in passes]

    def _cut(self, image: np.ndarray) -> np.ndarray:
        """All windows of one image, then those of its mirror image; cut straight from the image's own pixels."""
        to_canvas = canvas_map(image.shape[:2], self._size)
        bases = [compose(to_canvas, mirroring(self._size)) if mirrored else to_canvas for mirrored in self._mirrors]
        return np.stack([warp_image(compose(base, window), image, self._resolution_hw)
                         for base in bases for window in self._windows]).astype(np.float32)

    def _checked(self, maps: np.ndarray) -> np.ndarray:
        if maps.shape[1:3] != self._cells_hw:
            raise ValueError(
                f'the network gives maps of {maps.shape[1]}x{maps.shape[2]} cells for an input of '
                f'{self._resolution_hw[0]}x{self._resolution_hw[1]} pixels: wanted '
                f'{self._cells_hw[0]}x{self._cells_hw[1]}')
        return maps

    def _join_passes(self, passes: np.ndarray) -> np.ndarray:
        """(1 or 2, W, K, cells) maps of an image and its mirror image to its canvas, (S, S, K)."""
        canvas = join_windows(passes[0], self._placements, self._size, self._join)
        if len(passes) == 2:
            mirrored = join_windows(passes[1], self._placements, self._size, self._join)
            canvas = (canvas + mirrored[self._garment.mirror_indices, :, ::-1]) / 2
        return blur(canvas).transpose(1, 2, 0)

    def _decode(self, canvas: np.ndarray, image_hw: Tuple[int, int]) -> Prediction:
        rows, columns = image_area(image_hw, self._size)
        area = canvas[rows, columns]
        cells, scores = peaks(area)
        on_border = ((cells == 0) | (cells == np.array([area.shape[1], area.shape[0]]) - 1)).any(axis=1)
        valid = ~on_border & (scores - area.mean(axis=(0, 1)) >= _FLAT)
        on_canvas = _refine(area, cells, ~on_border) + (columns.start, rows.start)
        points = transform_points(invert(canvas_map(image_hw, self._size)), on_canvas)
        points = fill_in(points, valid, self._garment, image_hw)
        return Prediction(np.clip(points, 0, np.array(image_hw[::-1]) - 1.0), scores, valid)


def _refine(maps: np.ndarray, cells: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Peaks (K, 2) between pixels: the top of the parabola through each one and its two neighbours, on either axis.

    Those not `inside` have no neighbours on every side and stay.
    """
    refined = cells.astype(np.float64)
    for channel in np.flatnonzero(inside):
        x, y = cells[channel]
        for axis, values in enumerate((maps[y, x - 1:x + 2, channel], maps[y - 1:y + 2, x, channel])):
            before, at, after = values.astype(np.float64)
            curvature = before - 2 * at + after
            if curvature < 0:
                refined[channel, axis] += (before - after) / (2 * curvature)
    return refined
