"""How far a figure may be trusted: the bootstrap over images (Efron, Annals of Statistics 7, 1979).

A figure is a ratio, of a sum over keypoints to their number, pooled over images. Keypoints of one image err together,
so whole images are drawn, with replacement, as many as there are, and the ratio is taken anew.

Letters used in shapes: N images, M figures, D draws.
"""
from dataclasses import dataclass
from typing import List, Optional

import numpy as np

DRAWS = 2000
LEVEL = 95
"""Percent of the draws that lie in an interval."""

_NUMBERS_AT_ONCE = 2 ** 22


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its interval; None where there was nothing to measure."""

    value: Optional[float]
    low: Optional[float]
    high: Optional[float]

    @property
    def sign(self) -> int:
        """-1 or 1 where the whole interval lies on one side of 0; otherwise 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


def resampled(sums: np.ndarray, counts: np.ndarray, seed: int = 0, draws: int = DRAWS) -> np.ndarray:
    """(D, M) float64: the figures in every draw; NaN where a draw has nothing to measure.

    sums, counts: (N, M), of each image. All figures see the same draws, so their differences are paired.
    """
    random, images = np.random.RandomState(seed), len(sums)
    both, ratios = np.hstack([sums, counts]), []
    at_once = max(1, _NUMBERS_AT_ONCE // images)
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        chosen = random.randint(images, size=(size, images)) + images * np.arange(size)[:, None]
        times = np.bincount(chosen.ravel(), minlength=size * images).reshape(size, images).astype(np.float64)
        ratios.append(ratio(*np.split(times @ both, 2, axis=1)))
    return np.concatenate(ratios)


def ratio(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """sums / counts, float64; NaN where the count is 0."""
    return np.divide(sums, counts, out=np.full(np.shape(sums), np.nan), where=np.asarray(counts) > 0)


def estimates(values: np.ndarray, drawn: np.ndarray) -> List[Estimate]:
    """Figures (M,) with their percentile intervals from draws (D, M)."""
    found = []
    for value, column in zip(values.tolist(), drawn.T):
        known = column[np.isfinite(column)]
        if np.isfinite(value) and len(known):
            low, high = np.percentile(known, [50 - LEVEL / 2, 50 + LEVEL / 2]).tolist()
            found.append(Estimate(value, low, high))
        else:
            found.append(Estimate(None, None, None))
    return found
