"""Left and right exchanged: a network that finds both points of a pair, and takes one for the other.

Letters used in shapes: N images; C keypoint columns; P pairs of mirror images.
"""
from typing import List, Sequence, Tuple

import numpy as np

from fashionai.evaluation.report.measurement import Measurement
from fashionai.garments.table import Garments

Pair = Tuple[int, int]
"""Columns of a left keypoint and of its right one."""


def mirror_pairs(garments: Garments) -> List[Pair]:
    """Every left keypoint with its right one: the column that comes first, and that of its mirror image."""
    return [(column, other) for column, other in enumerate(garments.joint.mirror_indices.tolist()) if column < other]


def swapped_pairs(subject: Measurement) -> Tuple[np.ndarray, np.ndarray]:
    """(N, P) bool, which pairs have two labels and two predictions, and which of them are swapped: there each of the
    two predictions lies nearer to the label of the other than to its own. What counts in `leaderboard` is looked at.
    """
    left, right = np.array(mirror_pairs(subject.truth.garments), int).reshape(-1, 2).T
    usable = subject.counted('leaderboard') & subject.found
    both = usable[:, left] & usable[:, right]
    labels = subject.truth.keypoints[..., :2].astype(np.float64)
    points = subject.points[..., :2]

    def between(predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, predicted] - labels[:, labelled], axis=2)

    swapped = (between(left, right) < between(left, left)) & (between(right, left) < between(right, right))
    return both, both & swapped


def put_right(points: np.ndarray, swapped: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
    """A copy of points (N, C, 3) in which the swapped ones (N, P) of the pairs have changed places."""
    mended = points.copy()
    for pair, (left, right) in enumerate(pairs):
        rows = swapped[:, pair]
        mended[rows, left], mended[rows, right] = points[rows, right], points[rows, left]
    return mended
