"""Fits the calibration of a network to what it answered on labelled pictures that it was not trained on.

Letters: N pictures, P points, T garment types.
"""
from typing import Tuple

import numpy as np

from fashionai.calibration.calibration import ScoreCurve, TypeCalibration, score_features, tempered
from fashionai.calibration.logistic import cross_fitted, fitted, probabilities

TYPE_PRECISION = 0.95
"""A type is sure if so many of the types that are as sure are right."""

_TEMPERATURES = np.geomspace(0.2, 5, 200)
_DIGITS = 4
"""Decimals of the numbers that a contract keeps."""


def fitted_curve(heights: np.ndarray, rivals: np.ndarray, near: np.ndarray) -> ScoreCurve:
    """Returns the curve that fits P points best: responses (P,) at them and of their rivals, and whether each is near
    its label (P,)."""
    constant, height, rival = fitted(score_features(heights, rivals), near).round(_DIGITS).tolist()
    return ScoreCurve(constant, height, rival)


def cross_fitted_scores(heights: np.ndarray, rivals: np.ndarray, near: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Returns the scores (P,) of all points, each by a curve that was fitted without its picture; `pictures` (P,) has
    their numbers."""
    features = score_features(heights, rivals)
    return cross_fitted(lambda seen, left: probabilities(features[left], fitted(features[seen], near[seen])), pictures)


def fitted_types(shares: np.ndarray, right: np.ndarray) -> TypeCalibration:
    """Returns the calibration of the types.

    The temperature is that under which the right types are most probable. `sure` is the lowest probability from which
    on at least TYPE_PRECISION of the types are right; if there is none, it is 1.

    Args:
        shares: (N, T), probabilities of the network.
        right: (N,) int, the number of the right type of each picture.
    """
    rows = np.arange(len(right))
    losses = [-np.log(np.maximum(tempered(shares, one)[rows, right], 1e-12)).mean() for one in _TEMPERATURES]
    temperature = round(float(_TEMPERATURES[int(np.argmin(losses))]), _DIGITS)
    calibrated = tempered(shares, temperature)
    highest, correct = calibrated.max(axis=1), calibrated.argmax(axis=1) == right
    return TypeCalibration(temperature, _sure(highest, correct))


def _sure(highest: np.ndarray, correct: np.ndarray) -> float:
    """Returns the lowest limit of _DIGITS decimals such that at least TYPE_PRECISION of the types whose probability
    (N,) is the limit or higher are correct (N,) bool; 1 if there is none."""
    order = np.argsort(-highest)
    right = np.cumsum(correct[order])
    limits = np.unique(np.floor(highest * 10 ** _DIGITS)) / 10 ** _DIGITS
    counts = np.searchsorted(-highest[order], -limits, side='right')  # of the types that reach a limit, equal ones too
    limits, counts = limits[counts > 0], counts[counts > 0]
    enough = limits[right[counts - 1] / counts >= TYPE_PRECISION]
    return float(enough[0]) if len(enough) else 1.


def cross_fitted_types(shares: np.ndarray, right: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the calibrated probabilities (N, T), and whether each type is sure (N,) bool, each by a calibration that
    was fitted without the picture."""
    def fit_and_apply(seen: np.ndarray, left: np.ndarray) -> np.ndarray:
        types = fitted_types(shares[seen], right[seen])
        calibrated = types.tempered(shares[left])
        return np.column_stack([calibrated, calibrated.max(axis=1) >= types.sure])

    rows = cross_fitted(fit_and_apply, np.arange(len(right)))
    return rows[:, :-1], rows[:, -1] > 0
