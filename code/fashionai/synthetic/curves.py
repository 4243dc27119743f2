"""Smooth outlines. Every function takes and returns points (N, 2) float64, x right and y down, in any unit."""
from typing import Sequence

import numpy as np


def bow(start: Sequence[float], end: Sequence[float], bulge: float, at: float = 0.5, count: int = 9) -> np.ndarray:
    """Returns a curve from `start` to `end`. Its distance from the straight line is about `bulge` at the fraction `at`.

    A positive bulge lies to the left of a person who walks from start to end on the screen, whose y points down.
    """
    first, last = np.asarray(start, float), np.asarray(end, float)
    across = last - first
    normal = np.array([across[1], -across[0]]) / max(float(np.hypot(*across)), 1e-6)
    return bezier(first, first + at * across + 2 * bulge * normal, last, count)


def bezier(start: Sequence[float], control: Sequence[float], end: Sequence[float], count: int = 9) -> np.ndarray:
    """Returns the quadratic Bezier curve with one control point, as `count` points."""
    t = np.linspace(0, 1, count)[:, None]
    return (1 - t) ** 2 * np.asarray(start) + 2 * t * (1 - t) * np.asarray(control) + t ** 2 * np.asarray(end)


def spline(points: Sequence[Sequence[float]], count: int = 7) -> np.ndarray:
    """Returns a Catmull-Rom curve through all points, with `count` points for each span."""
    through = np.asarray(points, float)
    padded = np.vstack([2 * through[0] - through[1], through, 2 * through[-1] - through[-2]])
    t = np.linspace(0, 1, count, endpoint=False)[:, None]
    spans = [_span(padded[i:i + 4], t) for i in range(len(through) - 1)]
    return np.vstack(spans + [through[-1:]])


def _span(four: np.ndarray, t: np.ndarray) -> np.ndarray:
    before, start, end, after = four
    return 0.5 * (2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t ** 2
                  + (3 * start - before - 3 * end + after) * t ** 3)


def tube(centres: Sequence[Sequence[float]], widths: Sequence[float]) -> np.ndarray:
    """Returns the outline of a limb with the `widths` at the points of its centre line, round at both ends."""
    middle = spline(centres)
    breadth = np.interp(np.linspace(0, len(centres) - 1, len(middle)), np.arange(len(centres)), widths)
    along = np.gradient(middle, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1) * breadth[:, None] / 2
    turn = np.linspace(0, np.pi, 7)[1:-1, None]
    far = middle[-1] + np.cos(turn) * normal[-1] + np.sin(turn) * along[-1] * breadth[-1] / 2
    near = middle[0] - np.cos(turn) * normal[0] - np.sin(turn) * along[0] * breadth[0] / 2
    return np.vstack([middle + normal, far, (middle - normal)[::-1], near])


def ellipse(centre: Sequence[float], radii: Sequence[float], degrees: float = 0, count: int = 28) -> np.ndarray:
    """Returns an ellipse turned by an angle."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    turn = np.radians(degrees)
    circle = np.stack([radii[0] * np.cos(t), radii[1] * np.sin(t)], axis=1)
    return circle @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + np.asarray(centre)


def wavy(curve: np.ndarray, amplitude: float, waves: float, phase: float = 0) -> np.ndarray:
    """Returns a curve with waves across it. The waves vanish at both ends, so the end points stay."""
    t = np.linspace(0, 1, len(curve))
    along = np.gradient(curve, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    height = amplitude * np.sin(2 * np.pi * waves * t + phase) * np.minimum(1, 8 * t * (1 - t))
    return curve + height[:, None] * normal


def box(centre: Sequence[float], size_wh: Sequence[float], degrees: float = 0) -> np.ndarray:
    """Returns a rectangle turned by an angle."""
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.asarray(size_wh) / 2
    turn = np.radians(degrees)
    return half @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + np.asarray(centre)


def mix(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """Returns the point at that share of the way from start to end."""
    return (1 - share) * np.asarray(start, float) + share * np.asarray(end, float)
