"""Which rows are trained on, and how often each is drawn in an epoch.

Letters used in shapes: N rows.
"""
import itertools
from types import MappingProxyType
from typing import Callable, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations
from fashionai.errors import InputError
from fashionai.evaluation.error_files import read_image_errors

Key = Tuple[int, ...]
"""(epoch, row), and where an epoch draws the row again, how often it did before: 1 or more."""

LEAST, MOST = 1 / 4, 4.
"""Bounds of what follows from errors, as parts of their mean: nothing is forgotten, and nothing takes all."""

_GRAIN = 4096
"""Draws are measured out in whole parts of this size, so that equal weights give equal draws, without rounding."""


def _balanced(rows: Annotations) -> np.ndarray:
    """Every garment type as often as the others."""
    _, types, counts = np.unique(rows.categories, return_inverse=True, return_counts=True)
    return len(rows) / len(counts) / counts[types]


def _uniform(rows: Annotations) -> np.ndarray:
    """Every row once an epoch."""
    return np.ones(len(rows))


SAMPLINGS: Mapping[str, Callable[[Annotations], np.ndarray]] = MappingProxyType(
    {'balanced': _balanced, 'uniform': _uniform})
"""The weights of rows by the name `--sampling` takes; a file of image errors is the other choice."""


def row_weights(sampling: str, rows: Annotations) -> np.ndarray:
    """(N,) float64: how often each row is to be drawn, in proportion.

    `sampling` is a name of SAMPLINGS, or a file that `evaluate.py --errors` wrote: then a row's weight is its error,
    and the mean error where the file has none. Raises InputError where it has none for any row.
    """
    if sampling in SAMPLINGS:
        return SAMPLINGS[sampling](rows)
    errors = read_image_errors(sampling)
    try:
        return relative_weights([errors.get(image_id) for image_id in rows.image_ids])
    except InputError:
        raise InputError(f'{sampling}: has no error of any of the {len(rows)} training rows of {rows.source}: wanted '
                         'what evaluate.py --errors writes of predictions for these') from None


def relative_weights(values: Sequence[Optional[float]]) -> np.ndarray:
    """Values, from 0 on, over their mean, held between LEAST and MOST; 1 for None, which has no part in the mean.

    Raises InputError where all are None.
    """
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        raise InputError('no value is known')
    ratios = np.ones(len(numbers))
    ratios[known] = np.clip(numbers[known] / (numbers[known].mean() or 1), LEAST, MOST)
    return ratios


def fewer_rows(rows: Annotations, count: Optional[int]) -> Annotations:
    """`count` of the rows, by chance but for the types, which it takes as equally often as it can; all rows for None.

    Always the same ones, and more rows are those of fewer and others. Raises InputError where there are not as many.
    """
    if count is None:
        return rows
    if count > len(rows):
        raise InputError(f'--rows {count}: {rows.source} has {len(rows)} of the type')
    shuffled = np.random.RandomState(0).permutation(len(rows))
    types = np.array(rows.categories)[shuffled]
    turns = np.zeros(len(rows), np.int64)
    for name in np.unique(types):
        turns[types == name] = np.arange((types == name).sum())
    return rows.select(np.sort(shuffled[np.argsort(turns, kind='stable')[:count]]))


def check_batch(rows: Annotations, tag: str, batch_size: int) -> None:
    """Raise InputError if there are fewer rows, which are those of a tag, than a batch has."""
    if len(rows) < batch_size:
        raise InputError(f'{rows.source} has {len(rows)} images of {tag}, fewer than --batchsize {batch_size}: wanted '
                         'a smaller batch')


def draw_rows(weights: np.ndarray, rng: np.random.RandomState) -> Tuple[np.ndarray, np.ndarray]:
    """An epoch: N row numbers in random order, and of each how often it was drawn before; (N,) int each.

    Systematic sampling: rows get stretches of a line as long as their weights, N marks at equal distances and with one
    random offset are set on it, and a row is drawn once for every mark on its stretch. So a row's draws are its share
    of N, rounded up or down, and with equal weights every row is drawn once. Rows of equal weight lie together, in
    random order: rows of like error, or of one type, together get their share too, to one draw.
    """
    count = len(weights)
    order = rng.permutation(count)
    line = np.lexsort((rng.permutation(count), weights))
    ends = np.cumsum(weights[line])
    ends = np.rint(ends / ends[-1] * count * _GRAIN).astype(np.int64)
    marks = rng.randint(_GRAIN) + _GRAIN * np.arange(count)
    drawn = np.sort(line[np.searchsorted(ends, marks, side='right')])
    earlier = np.arange(count) - np.searchsorted(drawn, drawn)
    return drawn[order], earlier[order]


def draw_keys(weights: np.ndarray, seed: int, passed: int = 0) -> Iterator[Key]:
    """An endless stream of keys, which begins after `passed` of them.

    An epoch has as many draws as there are rows; `weights` (N,) say how often each is drawn, and the seed in which
    order. With equal weights, every row is drawn once an epoch.
    """
    first_epoch, first = divmod(passed, len(weights))
    for epoch in itertools.count(first_epoch):
        drawn, earlier = draw_rows(weights, np.random.RandomState([seed, epoch]))
        start = first if epoch == first_epoch else 0
        for row, repeat in zip(drawn[start:].tolist(), earlier[start:].tolist()):
            yield (epoch, row, repeat) if repeat else (epoch, row)
