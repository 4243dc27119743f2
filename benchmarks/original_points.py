"""The way of the original from a photograph to its keypoints, rebuilt plainly: every window in full, one by one.

It shares tables with the package, and none of what draws canvases or reads points off them.
"""
from typing import Sequence, Tuple

import cv2
import numpy as np

from fashionai.garments.table import Garment
from fashionai.inference.windows import WindowScale
from fashionai.networks.tensor_names import Forward

Place = Tuple[int, int, int]
"""A window in the canvas scaled to `side` pixels: (side, left, top)."""

_BLUR = 2.0
"""Pixels: of the canvas before its highest place is looked for."""


def original_points(forward: Forward, seen: Garment, garment: Garment, scales: Sequence[WindowScale], size: int,
                    image: np.ndarray) -> np.ndarray:
    """(K, 2) keypoints of a type in the image's pixels, by a network whose channels are those of `seen`, which may be
    the joint one; `scales` of the forms s and (cx, cy, s), in a canvas of size x size, as large as a window."""
    height, width = image.shape[:2]
    longer = max(height, width)
    top, left = (longer - height) // 2, (longer - width) // 2
    square = np.zeros((longer, longer, 3), np.uint8)
    square[top:top + height, left:left + width] = image
    canvas = cv2.resize(square, (size, size), interpolation=cv2.INTER_CUBIC)
    places = [place_of(scale, size) for scale in scales]
    heatmaps = look(forward, seen, garment, places, canvas)
    mirrored = look(forward, seen, garment, places, canvas[:, ::-1])[:, ::-1]
    heatmaps = (heatmaps + mirrored[:, :, list(garment.mirror_indices)]) / 2
    points = []
    for channel in range(len(garment.keypoints)):
        heatmap = cv2.GaussianBlur(heatmaps[:, :, channel], (0, 0), _BLUR)
        rows, columns = (slice(start * size // longer, (start + length) * size // longer)
                         for start, length in ((top, height), (left, width)))
        y, x = np.unravel_index(heatmap[rows, columns].argmax(), heatmap[rows, columns].shape)
        points.append(((x + columns.start + 0.5) * longer / size - 0.5 - left,
                       (y + rows.start + 0.5) * longer / size - 0.5 - top))
    return np.array(points)


def place_of(scale: WindowScale, size: int) -> Place:
    """Where a window lies: its centre at a fraction of the canvas, but kept inside it.

    Raises ValueError for the forms None and (s, step).
    """
    if scale is None or isinstance(scale, tuple) and len(scale) == 2:
        raise ValueError(f'the original way is rebuilt for scales s and (cx, cy, s), found {scale}')
    x, y, factor = scale if isinstance(scale, tuple) else (0.5, 0.5, scale)
    side = int(round(size * factor))
    left, top = (int(np.clip(round(fraction * side - size / 2), 0, side - size)) for fraction in (x, y))
    return side, left, top


def look(forward: Forward, seen: Garment, garment: Garment, places: Sequence[Place], canvas: np.ndarray) -> np.ndarray:
    """(size, size, K) sigmoids of heat maps: all windows of a canvas in one call, joined by maximum."""
    size = len(canvas)
    maps = forward(np.stack([window_of(canvas, place) for place in places]).astype(np.float32))
    channels = [seen.keypoints.index(name) for name in garment.keypoints]
    heatmaps = np.zeros((size, size, len(channels)), np.float32)
    for place, window in zip(places, maps):
        heatmaps = np.maximum(heatmaps, enlarged(1 / (1 + np.exp(-window[:, :, channels])), place, size))
    return heatmaps


def window_of(canvas: np.ndarray, place: Place) -> np.ndarray:
    """The part of the scaled canvas that a window shows."""
    side, left, top = place
    size = len(canvas)
    return cv2.resize(canvas, (side, side), interpolation=cv2.INTER_CUBIC)[top:top + size, left:left + size]


def enlarged(maps: np.ndarray, place: Place, size: int) -> np.ndarray:
    """A window's maps (h, w, K) where it lies on the canvas, (size, size, K), to the nearest pixel."""
    left, right, top, bottom = (int(round(edge * size / place[0]))
                                for start in place[1:] for edge in (start, start + size))
    canvas = np.zeros((size, size, maps.shape[2]), np.float32)
    for channel in range(maps.shape[2]):
        canvas[top:bottom, left:right, channel] = cv2.resize(maps[:, :, channel], (right - left, bottom - top),
                                                             interpolation=cv2.INTER_CUBIC)
    return canvas
