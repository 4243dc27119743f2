"""A submission measured against its labels: what every part of the report starts from.

Letters used in shapes: N images; C keypoint columns; T garment types that the truth has.
"""
from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np

from fashionai.annotations import Annotations
from fashionai.evaluation.metrics import Measured, Scores, matched, measure, summed_up
from fashionai.evaluation.report.resampling import Estimate, estimates, ratio, resampled

ALL = 'all'
CONVENTIONS = ('visible', 'leaderboard')
_LEFT_OUT = -1


@dataclass(frozen=True, eq=False)
class Measurement:
    """A submission beside the truth. points: (N, C, 3), in the order of the truth; `source` is its file."""

    truth: Annotations
    source: str
    points: np.ndarray
    measured: Measured
    scores: Scores

    @property
    def types(self) -> Tuple[str, ...]:
        """The garment types that the truth has, in the order of the table."""
        return tuple(name for name in self.truth.garments if name in self.truth.categories)

    @property
    def found(self) -> np.ndarray:
        """(N, C) bool: the submission has a place for the keypoint, which is not (-1, -1)."""
        return (self.points[..., :2] != _LEFT_OUT).any(axis=2)

    def counted(self, convention: str) -> np.ndarray:
        """(N, C) bool: what counts in a convention of CONVENTIONS."""
        return {'visible': self.measured.visible, 'leaderboard': self.measured.labelled}[convention]

    def of_type(self, name: str) -> np.ndarray:
        """(N,) bool: the rows of a type, or all for ALL."""
        return np.array([name in (ALL, category) for category in self.truth.categories])


def measurement(truth: Annotations, submission: Annotations) -> Measurement:
    """Measure a submission; errors as in metrics.matched."""
    points = matched(truth, submission)
    measured = measure(truth.categories, truth.keypoints, points, truth.garments)
    return Measurement(truth, submission.source, points, measured,
                       summed_up(truth.categories, truth.keypoints, measured, truth.garments))


def error_sums(subject: Measurement, convention: str) -> Tuple[np.ndarray, np.ndarray]:
    """(N, 1 + T) sums of errors in percent, and numbers of keypoints, of each image: of all, then of each type."""
    counted = subject.counted(convention)
    sums, counts = (100 * subject.measured.errors * counted).sum(axis=1), counted.sum(axis=1)
    rows = np.stack([subject.of_type(name) for name in (ALL, *subject.types)], axis=1)
    return sums[:, None] * rows, counts[:, None] * rows


def ne_estimates(subject: Measurement) -> Dict[str, List[Estimate]]:
    """By convention, the NE in percent of all and of each type, with intervals."""
    found = {}
    for convention in CONVENTIONS:
        sums, counts = error_sums(subject, convention)
        found[convention] = estimates(ratio(sums.sum(axis=0), counts.sum(axis=0)), resampled(sums, counts))
    return found


def errors_by_type(subject: Measurement) -> Dict[str, np.ndarray]:
    """The errors of all, then of each type: of every keypoint that counts in `visible`, in percent."""
    errors, counted = 100 * subject.measured.errors, subject.counted('visible')
    return {name: errors[counted & subject.of_type(name)[:, None]] for name in (ALL, *subject.types)}


def share_within(errors: np.ndarray, bound: float) -> float:
    """The percentage of correct keypoints (PCK): those whose error is at most the bound; errors and bound alike."""
    return 100 * float(np.mean(errors <= bound)) if len(errors) else float('nan')
