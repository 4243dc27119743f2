"""Weights of the keypoints' heat maps in the loss: constants, from the labels or from measured errors."""
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import numpy as np

from fashionai.annotations import VISIBLE, Annotations
from fashionai.dataflow.sampling import relative_weights
from fashionai.errors import InputError
from fashionai.evaluation.error_files import read_keypoint_errors
from fashionai.garments.table import Garment


def _rarity(rows: Annotations, garment: Garment) -> np.ndarray:
    """Returns (K,): weights from 1 / the number of rows in which a keypoint is visible; 1 if it never is."""
    visible = (rows.keypoints[:, garment.csv_indices, 2] == VISIBLE).sum(axis=0)
    return relative_weights([1 / count if count else None for count in visible.tolist()])


WEIGHTINGS: Mapping[str, Callable[[Annotations, Garment], np.ndarray]] = MappingProxyType({'frequency': _rarity})
"""Functions that compute the weights, by the value of `--keypoint-weights`, which may also be a file of errors."""


def keypoint_weights(choice: Optional[str], rows: Annotations, garment: Garment) -> Tuple[float, ...]:
    """Returns the weight of each of the garment's K heat maps; their mean is about 1. Returns () if `choice` is None.

    Every keypoint has a value: with `frequency`, 1 / the number of training rows in which it is visible; with a file
    that `evaluate.py --json` wrote, its error. The weight is the value divided by the mean value, limited to 1/4 to 4.
    The weight is 1 for a keypoint without a value.

    Raises InputError if the file lacks keypoints of the garment, or has no error for any of them.
    """
    if choice is None:
        return ()
    if choice in WEIGHTINGS:
        return tuple(WEIGHTINGS[choice](rows, garment).tolist())
    errors = read_keypoint_errors(choice, garment.keypoints)
    try:
        return tuple(relative_weights(list(errors.values())).tolist())
    except InputError:
        raise InputError(f'{choice} has no error for any keypoint of {garment.name} (all are null)') from None
