"""How much each keypoint's heat map counts: a constant vector, from the labels or from the errors made last."""
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import numpy as np

from fashionai.annotations import VISIBLE, Annotations
from fashionai.dataflow.sampling import relative_weights
from fashionai.errors import InputError
from fashionai.evaluation.error_files import read_keypoint_errors
from fashionai.garments.table import Garment


def _rarity(rows: Annotations, garment: Garment) -> np.ndarray:
    """One over the number of rows in which each keypoint is visible; (K,), 1 where it never is."""
    visible = (rows.keypoints[:, garment.csv_indices, 2] == VISIBLE).sum(axis=0)
    return relative_weights([1 / count if count else None for count in visible.tolist()])


WEIGHTINGS: Mapping[str, Callable[[Annotations, Garment], np.ndarray]] = MappingProxyType({'frequency': _rarity})
"""By the name `--keypoint-weights` takes; a file of keypoint errors is the other choice."""


def keypoint_weights(choice: Optional[str], rows: Annotations, garment: Garment) -> Tuple[float, ...]:
    """The weight of each of the garment's K heat maps, about 1 in the mean; () where there is no choice.

    A weight is a value over the mean of the K, held between 1/4 and 4, and 1 where there is no value: one over the
    number of training rows in which the keypoint is visible (`frequency`), or its error in a file that
    `evaluate.py --json` wrote.

    Raises InputError where the file lacks keypoints of the garment, or has an error of none.
    """
    if choice is None:
        return ()
    if choice in WEIGHTINGS:
        return tuple(WEIGHTINGS[choice](rows, garment).tolist())
    errors = read_keypoint_errors(choice, garment.keypoints)
    try:
        return tuple(relative_weights(list(errors.values())).tolist())
    except InputError:
        raise InputError(f'{choice}: has an error of no keypoint of {garment.name}, null for all') from None
