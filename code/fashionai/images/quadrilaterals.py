"""Finds rectangles seen by a camera, such as sheets of paper, and their edges to fractions of a pixel.

Points are in pixels of the picture; (0, 0) is the centre of its first pixel. Corners go around a quadrilateral, (4, 2).
"""
from dataclasses import dataclass
from typing import Iterator, List, Optional, Tuple

import cv2
import numpy as np

_OVERVIEW = 1000
"""Outlines are looked for at this many pixels along the longer side."""

_SMALLEST = 0.02
"""The shortest side of a quadrilateral, as a share of the longer side of the picture."""

_LEVELS = range(40, 240, 20)
"""Grey levels at which outlines are looked for."""

_SAMPLES = 120
"""Places along a side where its edge is looked for."""

_CORNER = 0.12
"""The share of a side, at each end, that is left out: cards have round corners."""

_CONTRAST = 8.
"""The smallest step of grey levels, over two pixels, that is an edge."""

_STRAIGHT = 0.004
"""The largest distance of an edge from its line, as a share of the side; at least 0.7 pixels."""


@dataclass(frozen=True, eq=False)
class Quadrilateral:
    """A quadrilateral with straight edges.

    corners_xy: (4, 2).
    support: the share of the places along its weakest side that lie on the edge.
    """

    corners_xy: np.ndarray
    support: float


def outlines(grey: np.ndarray) -> List[np.ndarray]:
    """Returns the corners of the convex quadrilaterals among the outlines in a picture (h, w) uint8, to about a
    pixel of `_OVERVIEW`; those that touch the border of the picture are left out."""
    shrink = min(1., _OVERVIEW / max(grey.shape))
    small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else grey
    zoom = np.array([grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]])
    unlike: List[np.ndarray] = []
    for mask in _masks(small):
        contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[-2]
        for contour in contours:
            corners = _corners(contour, small.shape)
            if corners is not None and not any(_alike(corners, other) for other in unlike):
                unlike.append(corners)
    return [(corners + 0.5) * zoom - 0.5 for corners in unlike]


def refined(grey: np.ndarray, corners_xy: np.ndarray, reach: float) -> Optional[Quadrilateral]:
    """Returns a quadrilateral whose sides lie on the edges in a picture (h, w) uint8; None if there are no such edges.

    A line is fitted to the steepest steps of grey levels across each side; corners are where the lines meet.

    Args:
        grey: the picture.
        corners_xy: corners within `reach` pixels of the true ones.
        reach: how far from the side an edge is looked for, in pixels.
    """
    lines = [_edge_line(grey, start, end, reach) for start, end in zip(corners_xy, np.roll(corners_xy, -1, axis=0))]
    fitted = [line for line in lines if line is not None]
    if len(fitted) < 4:
        return None
    normals = np.array([normal for normal, _, _ in fitted])
    offsets = np.array([offset for _, offset, _ in fitted])
    corners = []
    for number in range(4):
        pair = [number - 1, number]
        if abs(np.linalg.det(normals[pair])) < 0.1:
            return None
        corners.append(np.linalg.solve(normals[pair], offsets[pair]))
    moved = np.array(corners)
    if np.abs(moved - corners_xy).max() > 3 * reach:
        return None
    return Quadrilateral(moved, min(support for _, _, support in fitted))


def area(corners_xy: np.ndarray) -> float:
    """Returns the area of a polygon (n, 2)."""
    return float(cv2.contourArea(corners_xy.astype(np.float32)))


def _masks(grey: np.ndarray) -> Iterator[np.ndarray]:
    """Yields pictures (h, w) of 0 and 255 whose outlines may be those of objects."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.2)
    for level in _LEVELS:
        yield cv2.threshold(smooth, level, 255, cv2.THRESH_BINARY)[1]
    for low in (15, 40):
        edges = cv2.Canny(smooth, low, 3 * low)
        yield cv2.dilate(edges, np.ones((3, 3), np.uint8))


def _corners(contour: np.ndarray, size_hw: Tuple[int, int]) -> Optional[np.ndarray]:
    """Returns the corners of an outline that is nearly a convex quadrilateral within the picture, or None."""
    least = _SMALLEST * max(size_hw)
    if len(contour) < 4 or cv2.contourArea(contour) < least ** 2:
        return None
    hull = cv2.convexHull(contour)
    length = cv2.arcLength(hull, True)
    for share in (0.02, 0.035, 0.05):
        corners = cv2.approxPolyDP(hull, share * length, True).reshape(-1, 2).astype(np.float64)
        if len(corners) == 4:
            break
    else:
        return None
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    inside = (corners > 1).all() and (corners < np.array(size_hw[::-1]) - 2).all()
    filled = cv2.contourArea(contour) > 0.85 * area(corners)
    return corners if inside and filled and sides.min() > least else None


def _alike(corners: np.ndarray, other: np.ndarray) -> bool:
    """Returns whether two quadrilaterals are the same outline, to two pixels."""
    gaps = np.linalg.norm(corners[:, np.newaxis] - other, axis=2)
    return bool(gaps.min(axis=1).max() < 2)


def _edge_line(grey: np.ndarray, start: np.ndarray, end: np.ndarray,
               reach: float) -> Optional[Tuple[np.ndarray, float, float]]:
    """Returns the line of an edge near a side: its unit normal (2,), its offset along it, and the share of places that
    lie on it; None if there is none."""
    along = end - start
    length = float(np.linalg.norm(along))
    normal = np.array([along[1], -along[0]]) / length
    shares = np.linspace(_CORNER, 1 - _CORNER, _SAMPLES)
    steps = np.arange(-reach - 1, reach + 1.25, 0.5)
    places = (start + shares[:, np.newaxis] * along)[:, np.newaxis] + steps[:, np.newaxis] * normal
    levels = cv2.remap(grey, places[..., 0].astype(np.float32), places[..., 1].astype(np.float32), cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    slopes = levels[:, 4:] - levels[:, :-4]  # over two pixels
    sign = np.sign(np.sum(np.take_along_axis(slopes, np.abs(slopes).argmax(axis=1)[:, np.newaxis], axis=1)))
    shifts, strong = _peaks(sign * slopes, steps[2:-2])
    if strong.mean() < 0.5:
        return None
    points = (start + shares[:, np.newaxis] * along + shifts[:, np.newaxis] * normal)[strong]
    x, y, middle_x, middle_y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.001, 0.001).ravel()
    across = np.array([y, -x], np.float64)
    offset = float(across @ [middle_x, middle_y])
    near = np.abs(points @ across - offset) < max(0.7, _STRAIGHT * length)
    if near.sum() < 8:
        return None
    middle = points[near].mean(axis=0)
    across = np.linalg.eigh((points[near] - middle).T @ (points[near] - middle))[1][:, 0]
    return across, float(across @ middle), float(near.sum() / _SAMPLES)


def _peaks(slopes: np.ndarray, steps: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the place (n,) of the steepest step in each row (n, m), between samples too, and whether it is an
    edge."""
    peak = np.clip(slopes.argmax(axis=1), 2, slopes.shape[1] - 3)
    rows = np.arange(len(slopes))
    around = np.stack([slopes[rows, peak + offset] for offset in range(-2, 3)], axis=1).clip(0)
    total = around.sum(axis=1)
    shift = (around * np.arange(-2, 3)).sum(axis=1) / np.maximum(total, 1e-9) * (steps[1] - steps[0])
    return steps[peak] + shift, slopes[rows, peak] > _CONTRAST
