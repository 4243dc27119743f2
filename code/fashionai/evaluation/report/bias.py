"""Where predictions lie on the average, seen from their labels: what is always off to one side is a fault.

Letters used in shapes: N images; C keypoint columns; G groups of them.
"""
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np

from fashionai.evaluation.report.measurement import Measurement
from fashionai.evaluation.report.resampling import ratio, resampled

EVERY, LEFT, RIGHT = 'every keypoint', 'left keypoints', 'right keypoints'
"""Names of groups."""

CLOSE_BOUND = 0.1
"""Of the normaliser: gross errors, which lie beyond, would drown a shift of a pixel."""

_SURE = 3.29
"""Standard errors: beyond, one figure of a thousand lies by chance, and the table has more than a hundred."""

_LEAST_POINTS = 20


@dataclass(frozen=True)
class Drift:
    """A mean offset along one axis, and its standard error."""

    mean: float
    error: float
    points: int

    @property
    def sign(self) -> int:
        """-1 or 1 where the mean is significant; otherwise 0."""
        if self.points < _LEAST_POINTS or abs(self.mean) <= _SURE * self.error:
            return 0
        return 1 if self.mean > 0 else -1


Drifts = Tuple[Drift, Drift]
"""Across and down."""


@dataclass(frozen=True)
class Bias:
    """Predicted less true (x, y), the mean over a keypoint or a group; right and down are positive.

    spans: in percent of the normaliser. pixels: of the original picture. close: the same of the predictions that are
    within CLOSE_BOUND alone. `points` are those that count in `visible` and are predicted.
    """

    name: str
    points: int
    spans: Drifts
    pixels: Drifts
    close: Drifts


def biases(subject: Measurement) -> List[Bias]:
    """Of the groups, then of the keypoints; those without points are left out."""
    counted = subject.counted('visible') & subject.found
    close = counted & (subject.measured.errors <= CLOSE_BOUND)
    pixels = subject.measured.offsets
    spans = 100 * pixels / subject.measured.spans[:, None, None]
    groups = _groups(subject.truth.garments.csv_keypoints)
    members = np.stack(list(groups.values()), axis=1).astype(np.float64)
    columns = [_drifts(values, chosen, members)
               for values, chosen in ((spans, counted), (pixels, counted), (pixels, close))]
    return [Bias(name, in_spans[0].points, in_spans, in_pixels, near)
            for name, in_spans, in_pixels, near in zip(groups, *columns) if in_spans[0].points]


def _groups(keypoints: Sequence[str]) -> Dict[str, np.ndarray]:
    """(C,) bool, which keypoints belong to each group; a keypoint is a group of its own."""
    sides = {name: np.array([side in keypoint.split('_') for keypoint in keypoints])
             for name, side in ((LEFT, 'left'), (RIGHT, 'right'))}
    alone = dict(zip(keypoints, np.eye(len(keypoints), dtype=bool)))
    return {EVERY: np.ones(len(keypoints), bool), **sides, **alone}


def _drifts(offsets: np.ndarray, counted: np.ndarray, groups: np.ndarray) -> List[Drifts]:
    """The drifts of groups (C, G), 0 or 1: of offsets (N, C, 2) where counted (N, C)."""
    x, y = (np.where(counted, offsets[..., axis], 0) @ groups for axis in (0, 1))
    sums, counts = np.hstack([x, y]), np.tile(counted @ groups, 2)
    points = counts.sum(axis=0)
    drawn = np.where(points > 0, resampled(sums, counts), 0)
    means, errors = ratio(sums.sum(axis=0), points), np.nanstd(drawn, axis=0)
    found = [Drift(*one) for one in zip(means.tolist(), errors.tolist(), points.astype(int).tolist())]
    return list(zip(found[:len(found) // 2], found[len(found) // 2:]))
