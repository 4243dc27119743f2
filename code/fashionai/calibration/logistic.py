"""Logistic regression: fitted by Newton's method, and cross-fitted, so that no picture is judged by a fit that saw it.

Letters: N samples, F features.
"""
from typing import Callable, TypeVar

import numpy as np

PENALTY = 0.01
"""Half of this times the squared weights is added to the loss of all samples. It matters only if the samples could be
separated without a fault, and the weights would grow without end."""

_FOLDS = 10
_STEPS, _CONVERGED = 100, 1e-9

Outcome = TypeVar('Outcome')


def probabilities(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the probabilities (N,) of samples with features (N, F); weights (F + 1,), the first is the constant."""
    return 0.5 + 0.5 * np.tanh((weights[0] + features @ weights[1:]) / 2)


def fitted(features: np.ndarray, outcomes: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Returns the weights (F + 1,) under which the outcomes are most likely; see `probabilities`.

    Args:
        features: (N, F) float64.
        outcomes: (N,) bool.
        penalty: on the squared weights, but not on the constant.
    """
    inputs = np.column_stack([np.ones(len(features)), features])
    costs = np.full(inputs.shape[1], penalty)
    costs[0] = 1e-6  # if all outcomes are the same, the constant would grow without end
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        expected = probabilities(features, weights)
        slope = inputs.T @ (expected - outcomes) + costs * weights
        curvature = (inputs.T * (expected * (1 - expected))) @ inputs + np.diag(costs)
        step = np.linalg.solve(curvature, slope)
        step *= min(1, 4 / max(np.abs(step).max(), 1e-12))  # far from the solution, Newton's step may be too long
        weights -= step
        if np.abs(step).max() < _CONVERGED:
            break
    return weights


def cross_fitted(fit_and_apply: Callable[[np.ndarray, np.ndarray], np.ndarray], groups: np.ndarray
                 ) -> np.ndarray:
    """Returns what `fit_and_apply` gives for each sample by a fit without the sample's group.

    Args:
        fit_and_apply: a function of the masks (N,) of the samples to fit on and of those to apply the fit to; it
            returns a row for each of the latter.
        groups: (N,) int, such as the number of the picture. Groups are dealt to _FOLDS parts at random, always the
            same; to fewer parts if there are fewer groups.
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    count = numbers.max() + 1
    parts = (np.random.RandomState(0).permutation(count) % min(_FOLDS, count))[numbers]
    results = None
    for part in range(parts.max() + 1):
        found = fit_and_apply(parts != part, parts == part)
        results = np.zeros((len(groups), *found.shape[1:]), found.dtype) if results is None else results
        results[parts == part] = found
    assert results is not None
    return results
