"""What the contract of a network keeps of its calibration, and how answers of the network become probabilities.

Letters: N pictures, K keypoints, T garment types.
"""
from dataclasses import asdict, dataclass, field
from reprlib import repr as short
from typing import Any, Dict, Mapping, Optional

import numpy as np

from fashionai.calibration.logistic import probabilities
from fashionai.errors import InputError

NEAR = 0.1
"""A score is the probability that a point lies within this part of the normaliser of its labelled place."""

RIVAL_DISTANCE = 0.06
"""A rival of a point is the highest response of its heat map that is further away than this part of the canvas' side:
about the reach of the Gaussian around the point."""

_LOWEST = 0.02
"""Responses count from this one on, and up to 1 minus it, since the logit of 0 is infinite."""


@dataclass(frozen=True)
class ScoreCurve:
    """The probability that a point is near: the logistic function of
    constant + height * logit(response at the point) + rival * logit(response of the rival)."""

    constant: float
    height: float
    rival: float

    def scores(self, heights: np.ndarray, rivals: np.ndarray) -> np.ndarray:
        """Returns the probabilities (K,) of points with these responses (K,), 0 to 1."""
        return probabilities(score_features(heights, rivals), np.array([self.constant, self.height, self.rival]))


@dataclass(frozen=True)
class TypeCalibration:
    """The logarithms of the types' probabilities are divided by `temperature`. A type is sure if its probability is
    then at least `sure`."""

    temperature: float
    sure: float

    def tempered(self, shares: np.ndarray) -> np.ndarray:
        """Returns the calibrated probabilities (N, T) from those of the network."""
        return tempered(shares, self.temperature)


@dataclass(frozen=True)
class Calibration:
    """The calibration of a network.

    Attributes:
        pictures: the number of labelled pictures that it was fitted on. They were in no training of the network.
        scores: the curve of the scores for each preset.
        types: that of the types; None if the network predicts none.
    """

    pictures: int
    scores: Mapping[str, ScoreCurve] = field(default_factory=dict)
    types: Optional[TypeCalibration] = None

    def to_json(self) -> Dict[str, Any]:
        """Returns the calibration as JSON can hold it."""
        return asdict(self)


def score_features(heights: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """Returns the features (K, 2) of a ScoreCurve from responses (K,), 0 to 1, at the points and of their rivals."""
    clipped = np.clip(np.column_stack([heights, rivals]), _LOWEST, 1 - _LOWEST)
    return np.log(clipped / (1 - clipped))


def tempered(shares: np.ndarray, temperature: float) -> np.ndarray:
    """Returns probabilities (N, T) whose logarithms are those of `shares` divided by the temperature, up to a constant
    (Guo et al., "On calibration of modern neural networks", section 4.2)."""
    logs = np.log(np.maximum(shares, 1e-12)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def stored_calibration(values: Any, place: str) -> Optional[Calibration]:
    """Returns the calibration that `Calibration.to_json` gave; None for {}.

    Raises InputError, with `place` and key, for anything else.
    """
    if values == {}:
        return None
    _check(values, place, {'pictures', 'scores', 'types'})
    _check_number(values['pictures'], f'{place}, pictures', 1, 2 ** 31)
    if not isinstance(values['scores'], dict):
        raise InputError(f'{place}, scores: found {short(values["scores"])}, wanted an object')
    curves = {}
    for name, curve in values['scores'].items():
        _check(curve, f'{place}, scores, {name}', {'constant', 'height', 'rival'})
        for key, value in curve.items():
            _check_number(value, f'{place}, scores, {name}, {key}', -1e3, 1e3)
        curves[name] = ScoreCurve(**curve)
    types = values['types']
    if types is not None:
        _check(types, f'{place}, types', {'temperature', 'sure'})
        _check_number(types['temperature'], f'{place}, types, temperature', 1e-2, 1e2)
        _check_number(types['sure'], f'{place}, types, sure', 0, 1)
    return Calibration(int(values['pictures']), curves,
                       None if types is None else TypeCalibration(**types))


def _check(values: Any, place: str, keys: set) -> None:
    if not isinstance(values, dict) or set(values) != keys:
        raise InputError(f'{place}: found {short(values)}, wanted an object with {", ".join(sorted(keys))}')


def _check_number(value: Any, place: str, low: float, high: float) -> None:
    if type(value) not in (int, float) or not low <= value <= high:
        raise InputError(f'{place}: found {short(value)}, wanted a number from {low:g} to {high:g}')
