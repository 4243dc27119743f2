"""Confidence intervals and comparisons of errors, by the bootstrap over images (Efron, Annals of Statistics 7, 1979).

A figure here is a ratio: a sum over keypoints divided by their number, pooled over images. The errors of keypoints in
one image depend on each other, so whole images are drawn, with replacement, as many as there are, and the ratio is
computed again for each draw.

Letters used in shapes: N images, M figures, D draws, T garment types that the truth has.
"""
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

import numpy as np

from fashionai.evaluation.report.scored_submission import ALL, CONVENTIONS, ScoredSubmission

DRAWS = 2000
LEVEL = 95
"""Percent of the draws that lie in an interval."""

_NUMBERS_AT_ONCE = 2 ** 22


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its interval; None if there was nothing to measure."""

    value: Optional[float]
    low: Optional[float]
    high: Optional[float]

    @property
    def sign(self) -> int:
        """-1 or 1 if the whole interval is on one side of 0, otherwise 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Difference:
    """The normalised errors (NE) of two submissions of the same images.

    name: a garment type, or ALL.
    convention: one of CONVENTIONS.
    first, second: NE in percent of each submission; None if there was nothing to measure.
    estimate: NE of the first less NE of the second, in percentage points; below 0, the first is better.
    """

    name: str
    convention: str
    first: Optional[float]
    second: Optional[float]
    estimate: Estimate


def ne_estimates(scored: ScoredSubmission) -> Dict[str, List[Estimate]]:
    """Returns, by convention, the NE in percent over all images and of each type, with intervals."""
    found = {}
    for convention in CONVENTIONS:
        sums, counts = _error_sums(scored, convention)
        found[convention] = estimates(ratio(sums.sum(axis=0), counts.sum(axis=0)), resampled(sums, counts))
    return found


def differences(first: ScoredSubmission, second: ScoredSubmission) -> List[Difference]:
    """Returns the differences over all images and by type, in both conventions.

    Both submissions see the same draws, so an image that is hard for both does not widen the interval.
    """
    found = []
    for convention in CONVENTIONS:
        (sums, counts), (other_sums, other_counts) = (_error_sums(one, convention) for one in (first, second))
        values, other_values, changes = paired(sums, counts, other_sums, other_counts)
        for name, value, other, change in zip((ALL, *first.types), values.tolist(), other_values.tolist(), changes):
            known = change.value is not None
            found.append(Difference(name, convention, value if known else None, other if known else None, change))
    return found


def paired(sums: np.ndarray, counts: np.ndarray, other_sums: np.ndarray, other_counts: np.ndarray,
           draws: int = DRAWS) -> Tuple[np.ndarray, np.ndarray, List[Estimate]]:
    """Returns M figures, (M,), M other figures of the same images, (M,), and the first less the second.

    sums, counts and the others: (N, M), for each image. Both figures see the same draws.
    """
    both_sums, both_counts = np.hstack([sums, other_sums]), np.hstack([counts, other_counts])
    values, others = np.split(ratio(both_sums.sum(axis=0), both_counts.sum(axis=0)), 2)
    drawn, other_drawn = np.split(resampled(both_sums, both_counts, draws=draws), 2, axis=1)
    return values, others, estimates(values - others, drawn - other_drawn)


def resampled(sums: np.ndarray, counts: np.ndarray, draws: int = DRAWS) -> np.ndarray:
    """Returns the figures in every draw, (D, M) float64; NaN if a draw has nothing to measure.

    sums, counts: (N, M), for each image. All figures see the same draws, so their differences are paired. Every call
    has the same draws for as many images.
    """
    random, images = np.random.RandomState(0), len(sums)
    both, ratios = np.hstack([sums, counts]), []
    at_once = max(1, _NUMBERS_AT_ONCE // images)
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        chosen = random.randint(images, size=(size, images)) + images * np.arange(size)[:, None]
        times = np.bincount(chosen.ravel(), minlength=size * images).reshape(size, images).astype(np.float64)
        ratios.append(ratio(*np.split(times @ both, 2, axis=1)))
    return np.concatenate(ratios)


def ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Returns sums / counts as float64; NaN if the count is 0."""
    return np.divide(sums, counts, out=np.full(np.shape(sums), np.nan), where=np.asarray(counts) > 0)


def estimates(values: np.ndarray, drawn: np.ndarray) -> List[Estimate]:
    """Returns figures (M,) with their percentile intervals over draws (D, M)."""
    found = []
    for value, column in zip(values.tolist(), drawn.T):
        known = column[np.isfinite(column)]
        if np.isfinite(value) and len(known):
            low, high = np.percentile(known, [50 - LEVEL / 2, 50 + LEVEL / 2]).tolist()
            found.append(Estimate(value, low, high))
        else:
            found.append(Estimate(None, None, None))
    return found


def _error_sums(scored: ScoredSubmission, convention: str) -> Tuple[np.ndarray, np.ndarray]:
    """Returns (N, 1 + T) sums of errors in percent, and numbers of keypoints, of each image: of all, then by type."""
    counted = scored.counted(convention)
    sums, counts = (100 * scored.measured.errors * counted).sum(axis=1), counted.sum(axis=1)
    rows = np.stack([scored.of_type(name) for name in (ALL, *scored.types)], axis=1)
    return sums[:, None] * rows, counts[:, None] * rows
