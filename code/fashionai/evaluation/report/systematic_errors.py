"""Systematic errors: bias (the mean offset of predictions from labels), and left and right keypoints exchanged.

Letters used in shapes: N images; C keypoint columns; G groups of keypoints; P pairs of a left and a right keypoint.
"""
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np

from fashionai.evaluation.report.resampling import ratio, resampled
from fashionai.evaluation.report.scored_submission import ScoredSubmission
from fashionai.garments.table import Garments

EVERY, LEFT, RIGHT = 'every keypoint', 'left keypoints', 'right keypoints'
"""Names of groups."""

CLOSE_BOUND = 0.1
"""Share of the normaliser: larger errors are gross errors, which would hide a shift of a pixel."""

_SIGNIFICANT = 3.29
"""Standard errors: beyond this, one mean of a thousand lies by chance, and the table has more than a hundred means."""

_MIN_POINTS = 20

Pair = Tuple[int, int]
"""The columns of a left keypoint and of its right keypoint."""


@dataclass(frozen=True)
class MeanOffset:
    """A mean offset along one axis, its standard error, and the number of keypoints it is taken over."""

    mean: float
    error: float
    points: int

    @property
    def sign(self) -> int:
        """-1 or 1 if the mean is significant, otherwise 0."""
        if self.points < _MIN_POINTS or abs(self.mean) <= _SIGNIFICANT * self.error:
            return 0
        return 1 if self.mean > 0 else -1


MeanOffsets = Tuple[MeanOffset, MeanOffset]
"""Along x and along y."""


@dataclass(frozen=True)
class Bias:
    """The mean of predicted less labelled (x, y) over a keypoint or a group; right and down are positive.

    name: the keypoint or group.
    points: number of keypoints that count in the convention `visible` and have a prediction.
    percent: the mean offsets in percent of the normaliser.
    pixels: the mean offsets in pixels of the original picture.
    close: as `pixels`, but only over predictions whose error is at most CLOSE_BOUND.
    """

    name: str
    points: int
    percent: MeanOffsets
    pixels: MeanOffsets
    close: MeanOffsets


def biases(scored: ScoredSubmission) -> List[Bias]:
    """Returns the bias of each group, then of each keypoint, without those that have no points."""
    counted = scored.counted('visible') & scored.found
    close = counted & (scored.measured.errors <= CLOSE_BOUND)
    pixels = scored.measured.offsets
    percent = 100 * pixels / scored.measured.normalisers[:, None, None]
    groups = _groups(scored.truth.garments.csv_keypoints)
    members = np.stack(list(groups.values()), axis=1).astype(np.float64)
    columns = [_mean_offsets(values, chosen, members)
               for values, chosen in ((percent, counted), (pixels, counted), (pixels, close))]
    return [Bias(name, in_percent[0].points, in_percent, in_pixels, near)
            for name, in_percent, in_pixels, near in zip(groups, *columns) if in_percent[0].points]


def _groups(keypoints: Sequence[str]) -> Dict[str, np.ndarray]:
    """Returns the members of each group, (C,) bool; each keypoint is also a group of its own."""
    sides = {name: np.array([side in keypoint.split('_') for keypoint in keypoints])
             for name, side in ((LEFT, 'left'), (RIGHT, 'right'))}
    alone = dict(zip(keypoints, np.eye(len(keypoints), dtype=bool)))
    return {EVERY: np.ones(len(keypoints), bool), **sides, **alone}


def _mean_offsets(offsets: np.ndarray, counted: np.ndarray, groups: np.ndarray) -> List[MeanOffsets]:
    """Returns the mean offsets of groups (C, G), 0 or 1, over offsets (N, C, 2) with counted (N, C) True."""
    x, y = (np.where(counted, offsets[..., axis], 0) @ groups for axis in (0, 1))
    sums, counts = np.hstack([x, y]), np.tile(counted @ groups, 2)
    points = counts.sum(axis=0)
    drawn = np.where(points > 0, resampled(sums, counts), 0)
    means, errors = ratio(sums.sum(axis=0), points), np.nanstd(drawn, axis=0)
    found = [MeanOffset(*one) for one in zip(means.tolist(), errors.tolist(), points.astype(int).tolist())]
    return list(zip(found[:len(found) // 2], found[len(found) // 2:]))


def mirror_pairs(garments: Garments) -> List[Pair]:
    """Returns every pair of mirror keypoints: the column that comes first, and the column of its mirror image."""
    return [(column, other) for column, other in enumerate(garments.joint.mirror_indices.tolist()) if column < other]


def swapped_pairs(scored: ScoredSubmission) -> Tuple[np.ndarray, np.ndarray]:
    """Returns which pairs are complete and which of them are swapped, both (N, P) bool.

    A pair is complete if both keypoints count in the convention `leaderboard` and have predictions. It is swapped if
    each of the two predictions is nearer to the other keypoint's label than to its own.
    """
    left, right = np.array(mirror_pairs(scored.truth.garments), int).reshape(-1, 2).T
    usable = scored.counted('leaderboard') & scored.found
    complete = usable[:, left] & usable[:, right]
    labels = scored.truth.keypoints[..., :2].astype(np.float64)
    points = scored.points[..., :2]

    def distance(predicted: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, predicted] - labels[:, labelled], axis=2)

    swapped = (distance(left, right) < distance(left, left)) & (distance(right, left) < distance(right, right))
    return complete, complete & swapped


def unswapped(points: np.ndarray, swapped: np.ndarray, pairs: Sequence[Pair]) -> np.ndarray:
    """Returns a copy of points (N, C, 3) in which the swapped pairs (N, P) have their two points exchanged."""
    corrected = points.copy()
    for pair, (left, right) in enumerate(pairs):
        rows = swapped[:, pair]
        corrected[rows, left], corrected[rows, right] = points[rows, right], points[rows, left]
    return corrected
