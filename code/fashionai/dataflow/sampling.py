"""Selects the training rows, and draws each of them more or less often in an epoch.

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
"""(epoch, row); or (epoch, row, number of earlier draws) if the epoch has drawn the row before."""

LEAST, MOST = 1 / 4, 4.
"""Limits of weights that come from errors, relative to the mean: every row is drawn, and no row dominates."""

_GRAIN = 4096
"""The integer length of one draw. With integers, equal weights give exactly equal draws, without rounding errors."""


def _balanced(rows: Annotations) -> np.ndarray:
    """Every garment type is drawn equally often."""
    _, types, counts = np.unique(rows.categories, return_inverse=True, return_counts=True)
    return len(rows) / len(counts) / counts[types]


def _uniform(rows: Annotations) -> np.ndarray:
    """Every row is drawn once per epoch."""
    return np.ones(len(rows))


SAMPLINGS: Mapping[str, Callable[[Annotations], np.ndarray]] = MappingProxyType(
    {'balanced': _balanced, 'uniform': _uniform})
"""Functions that return the weights of rows, by the value of `--sampling`, which may also be a file of image errors."""


def row_weights(sampling: str, rows: Annotations) -> np.ndarray:
    """Returns (N,) float64: the weight of each row; rows are drawn in proportion to their weights.

    `sampling` is a name of SAMPLINGS, or a file that `evaluate.py --errors` wrote. With a file, the weight of a row is
    its error relative to the mean error, see `relative_weights`; rows that are not in the file have the weight 1.
    Raises InputError if the file has no error for any of the rows.
    """
    if sampling in SAMPLINGS:
        return SAMPLINGS[sampling](rows)
    errors = read_image_errors(sampling)
    try:
        return relative_weights([errors.get(image_id) for image_id in rows.image_ids])
    except InputError:
        raise InputError(f'{sampling} has no error for any of the {len(rows)} training rows of {rows.source}: give a '
                         'file that evaluate.py --errors wrote for predictions of these rows') from None


def check_folders(sampling: str, tables: Sequence[Annotations]) -> None:
    """Raises InputError if `sampling` is a file with errors of rows of a data folder that is not the first.

    In training, image ids of these folders begin with the path to their images, so `row_weights` would not find them.
    A file with errors of the first folder is fine: rows of the others have the weight 1.
    """
    if sampling in SAMPLINGS or len(tables) < 2:
        return
    others = set(read_image_errors(sampling)).difference(tables[0].image_ids)
    for table in tables[1:]:
        found = [image_id for image_id in table.image_ids if image_id in others]
        if found:
            raise InputError(f'--sampling {sampling} has errors of {len(found)} images of {table.source}, such as '
                             f'{found[0]}: of several data folders, only the first may have errors in the file; wanted '
                             'its folder first, or one data folder')


def relative_weights(values: Sequence[Optional[float]]) -> np.ndarray:
    """Returns the values, which are 0 or more, divided by their mean, and limited to LEAST to MOST.

    None becomes 1 and does not count in the mean. Raises InputError if all values are None.
    """
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        raise InputError('no value is known')
    ratios = np.ones(len(numbers))
    ratios[known] = np.clip(numbers[known] / (numbers[known].mean() or 1), LEAST, MOST)
    return ratios


def fewer_rows(rows: Annotations, count: Optional[int]) -> Annotations:
    """Returns `count` random rows, as equally often of every type as possible. Returns all rows if `count` is None.

    The choice is always the same, and a larger choice contains every smaller one. Raises InputError if there are fewer
    rows.
    """
    if count is None:
        return rows
    if count > len(rows):
        raise InputError(f'--rows {count}: {rows.source} has only {len(rows)} rows of the type')
    shuffled = np.random.RandomState(0).permutation(len(rows))
    types = np.array(rows.categories)[shuffled]
    turns = np.zeros(len(rows), np.int64)
    for name in np.unique(types):
        turns[types == name] = np.arange((types == name).sum())
    return rows.select(np.sort(shuffled[np.argsort(turns, kind='stable')[:count]]))


def check_batch(rows: Annotations, tag: str, batch_size: int) -> None:
    """Raises InputError if the rows of a tag are fewer than a batch needs."""
    if len(rows) < batch_size:
        raise InputError(f'{rows.source} has {len(rows)} images of {tag}, fewer than --batchsize {batch_size}: give a '
                         'smaller --batchsize')


def draw_rows(weights: np.ndarray, rng: np.random.RandomState) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the draws of an epoch: N row numbers in random order, and how often each was drawn before; (N,) int each.

    This is systematic sampling. Each row gets a section of a line, as long as its weight. N marks are set on the line
    at equal distances, with one random offset. A row is drawn once for every mark in its section. So a row is drawn as
    often as its share of N, rounded up or down; with equal weights every row is drawn once. Rows of equal weight are
    next to each other, in random order: so rows of similar error, or of one type, also get their share together, to
    within one draw.
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
    """Yields an endless stream of keys. It starts after the first `passed` keys.

    An epoch has as many draws as there are rows. `weights` (N,) define how often each row is drawn, and the seed
    defines the order. With equal weights, every row is drawn once per epoch.
    """
    first_epoch, first = divmod(passed, len(weights))
    for epoch in itertools.count(first_epoch):
        drawn, earlier = draw_rows(weights, np.random.RandomState([seed, epoch]))
        start = first if epoch == first_epoch else 0
        for row, repeat in zip(drawn[start:].tolist(), earlier[start:].tolist()):
            yield (epoch, row, repeat) if repeat else (epoch, row)
