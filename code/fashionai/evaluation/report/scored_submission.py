"""A submission with its errors against the labels: the starting point of every part of the report.

Letters used in shapes: N images; C keypoint columns.
"""
from dataclasses import dataclass
from typing import Dict, Tuple

import numpy as np

from fashionai.annotations import Annotations
from fashionai.evaluation.metrics import KeypointErrors, Scores, keypoint_errors, match_rows, summarise

ALL = 'all'
CONVENTIONS = ('visible', 'leaderboard')
_NOT_PREDICTED = -1


@dataclass(frozen=True, eq=False)
class ScoredSubmission:
    """A submission and the truth, with the errors.

    truth: the labels of N images.
    source: the file of the submission.
    points: (N, C, 3) predicted x, y, v in original pixels, in the order of the truth.
    measured: the error of every keypoint.
    scores: the normalised errors (NE) over all images, by type and by keypoint.
    """

    truth: Annotations
    source: str
    points: np.ndarray
    measured: KeypointErrors
    scores: Scores

    @property
    def types(self) -> Tuple[str, ...]:
        """The garment types that the truth has, in the order of the garment table."""
        return tuple(name for name in self.truth.garments if name in self.truth.categories)

    @property
    def found(self) -> np.ndarray:
        """(N, C) bool: whether the submission has a prediction, which is any point but (-1, -1)."""
        return (self.points[..., :2] != _NOT_PREDICTED).any(axis=2)

    def counted(self, convention: str) -> np.ndarray:
        """Returns (N, C) bool: the keypoints that count in a convention of CONVENTIONS."""
        return {'visible': self.measured.visible, 'leaderboard': self.measured.labelled}[convention]

    def of_type(self, name: str) -> np.ndarray:
        """Returns (N,) bool: the rows of a type, or all rows for ALL."""
        return np.array([name in (ALL, category) for category in self.truth.categories])


def score_submission(truth: Annotations, submission: Annotations) -> ScoredSubmission:
    """Measures a submission against labels. Errors as in `metrics.match_rows`."""
    points = match_rows(truth, submission)
    measured = keypoint_errors(truth.categories, truth.keypoints, points, truth.garments)
    return ScoredSubmission(truth, submission.source, points, measured,
                            summarise(truth.categories, truth.keypoints, measured, truth.garments))


def errors_by_type(scored: ScoredSubmission) -> Dict[str, np.ndarray]:
    """Returns the errors in percent of the keypoints that count in `visible`: of all, then of each type."""
    errors, counted = 100 * scored.measured.errors, scored.counted('visible')
    return {name: errors[counted & scored.of_type(name)[:, None]] for name in (ALL, *scored.types)}


def share_within(errors: np.ndarray, bound: float) -> float:
    """Returns the percentage of correct keypoints (PCK): those with an error of at most `bound`, in the same unit."""
    return 100 * float(np.mean(errors <= bound)) if len(errors) else float('nan')
