"""How good probabilities are: Brier score, logarithmic loss, reliability, and how well they order the outcomes.

Letters: N samples. Outcomes are (N,) bool, probabilities (N,) from 0 to 1. Means of no samples are NaN.
"""
from dataclasses import dataclass
from typing import List

import numpy as np

BINS = 10
"""Classes of equal width, by probability."""


@dataclass(frozen=True)
class Bin:
    """A class of probabilities: its mean, the share of samples in which the outcome came true, and their number."""

    probability: float
    share: float
    count: int


def brier(probabilities: np.ndarray, outcomes: np.ndarray) -> float:
    """Returns the mean squared difference of probability and outcome (Brier 1950): 0 is perfect, lower is better."""
    return _mean((probabilities - outcomes) ** 2)


def log_loss(probabilities: np.ndarray, outcomes: np.ndarray) -> float:
    """Returns the mean negative logarithm of the probability of what happened; 1 in 10,000 is the lowest that counts.
    """
    likely = np.clip(np.where(outcomes, probabilities, 1 - probabilities), 1e-4, 1)
    return _mean(-np.log(likely))


def reliability(probabilities: np.ndarray, outcomes: np.ndarray) -> List[Bin]:
    """Returns the classes that have samples, from the lowest probability to the highest."""
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [Bin(float(probabilities[places == place].mean()), float(outcomes[places == place].mean()),
                int((places == place).sum())) for place in np.unique(places)]


def calibration_error(probabilities: np.ndarray, outcomes: np.ndarray) -> float:
    """Returns the expected calibration error: the mean difference of probability and share over the classes of
    `reliability`, weighted by their samples."""
    bins = reliability(probabilities, outcomes)
    return sum(abs(one.probability - one.share) * one.count for one in bins) / len(outcomes) if bins else float('nan')


def roc_area(scores: np.ndarray, outcomes: np.ndarray) -> float:
    """Returns the area under the ROC curve: the probability that a true sample has a higher score than a false one;
    equal scores count half. NaN if all outcomes are the same."""
    true, false = np.sort(scores[outcomes]), np.sort(scores[~outcomes])
    if not len(true) or not len(false):
        return float('nan')
    below = np.searchsorted(false, true, side='left') + np.searchsorted(false, true, side='right')
    return float(below.sum() / 2 / len(true) / len(false))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float('nan')
