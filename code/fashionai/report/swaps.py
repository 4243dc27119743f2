"""Left and right exchanged: a network that finds both points of a pair, and takes one for the other.

Letters used in shapes: N images; P pairs of mirror images.
"""
from typing import List, Tuple

import numpy as np

from fashionai.garments import CSV_KEYPOINTS, mirror_name
from fashionai.report.measurement import Measurement

Pair = Tuple[int, int]
"""Columns of a left keypoint and of its right one."""


def mirror_pairs() -> List[Pair]:
    """Every left keypoint with its right one."""
    return [(column, CSV_KEYPOINTS.index(mirror_name(name))) for column, name in enumerate(CSV_KEYPOINTS)
            if 'left' in name.split('_')]


def swapped_pairs(subject: Measurement) -> Tuple[np.ndarray, np.ndarray]:
    """(N, P) bool, which pairs have two labels and two predictions, and which of them are swapped: there each of the
    two predictions lies nearer to the label of the other than to its own. What counts in `leaderboard` is looked at.
    """
    left, right = np.array(mirror_pairs(), int).reshape(-1, 2).T
    usable = subject.counted('leaderboard') & subject.found
    both = usable[:, left] & usable[:, right]
    labels = subject.truth.keypoints[..., :2].astype(np.float64)
    points = subject.points[..., :2]

    def between(predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, predicted] - labels[:, labelled], axis=2)

    swapped = (between(left, right) < between(left, left)) & (between(right, left) < between(right, right))
    return both, both & swapped


def put_right(points: np.ndarray, swapped: np.ndarray) -> np.ndarray:
    """A copy of points (N, 24, 3) in which the swapped pairs (N, P) have changed places."""
    mended = points.copy()
    for pair, (left, right) in enumerate(mirror_pairs()):
        rows = swapped[:, pair]
        mended[rows, left], mended[rows, right] = points[rows, right], points[rows, left]
    return mended
