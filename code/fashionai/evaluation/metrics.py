"""Normalised error (NE) of keypoints, in the two conventions in use. Always give the convention with a value of NE.

NE is the sum of distance / s over keypoints, divided by the number of these keypoints, pooled over all images. s is the
distance between the two normaliser keypoints of the type in the ground truth: the armpits of upper garments, the ends
of the waistband of skirts and trousers. Labels of occluded keypoints count. Only keypoints of the row's type count. The
v of a prediction is ignored: a prediction of `-1_-1_-1` is measured from (-1, -1).

- `leaderboard` counts visible and occluded keypoints. An image is left out if both normaliser keypoints are absent; if
  one is absent, its label (-1, -1) is used as it is.
- `visible` counts visible keypoints only. An image is left out if a normaliser keypoint is absent.

Both conventions leave out an image whose normaliser keypoints are at the same point (s = 0), since nothing can be
measured; `warn_of_unmeasured` names these images.

Letters used in shapes: N images; C keypoint columns and T types of the garment table.
"""
import logging
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE, Annotations
from fashionai.errors import InputError
from fashionai.garments.table import Garments

_log = logging.getLogger(__name__)
_NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class PooledError:
    """An error over a number of keypoints: `total` is the sum of distance / s over `points` keypoints."""

    total: float
    points: int

    @property
    def percent(self) -> Optional[float]:
        """The normalised error in percent; None if there are no keypoints."""
        return 100 * self.total / self.points if self.points else None

    def to_json(self) -> Dict[str, Any]:
        """Returns `ne` in percent, rounded to two decimals, or None; and `points`."""
        return {'ne': None if self.percent is None else round(self.percent, 2), 'points': self.points}


@dataclass(frozen=True)
class Breakdown:
    """The errors in one convention: over all keypoints, by type, and by keypoint, for the types in the truth."""

    pooled: PooledError
    types: Mapping[str, PooledError]
    keypoints: Mapping[str, PooledError]

    @property
    def ne(self) -> Optional[float]:
        """The normalised error over all keypoints, in percent; None if there are no keypoints."""
        return self.pooled.percent

    def to_json(self) -> Dict[str, Any]:
        """Returns `ne` and `points` over all keypoints, then the same for each of `types` and `keypoints`."""
        return {**self.pooled.to_json(),
                'types': {name: figure.to_json() for name, figure in self.types.items()},
                'keypoints': {name: figure.to_json() for name, figure in self.keypoints.items()}}


@dataclass(frozen=True)
class Scores:
    """The errors of a submission.

    leaderboard, visible: the errors in each convention.
    status: `leaderboard` split into `visible` (v = 1) and `occluded` (v = 0) keypoints.
    images: the convention `visible` for each image, in the order of the truth.
    """

    leaderboard: Breakdown
    visible: Breakdown
    status: Mapping[str, PooledError]
    images: Tuple[PooledError, ...]

    def to_json(self) -> Dict[str, Any]:
        """Returns the errors in both conventions by name, in percent, rounded to two decimals."""
        return {'leaderboard': self.leaderboard.to_json(), 'visible': self.visible.to_json()}


@dataclass(frozen=True, eq=False)
class KeypointErrors:
    """The error of every keypoint of N images.

    offsets: (N, C, 2) float64, predicted less true x and y, in original pixels.
    normalisers: (N,) float64, s in original pixels, but 1 if s is 0.
    labelled, visible: (N, C) bool, the keypoints that count in `leaderboard` and in `visible`.
    """

    offsets: np.ndarray
    normalisers: np.ndarray
    labelled: np.ndarray
    visible: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """(N, C) float64: distance / s."""
        return np.hypot(self.offsets[..., 0], self.offsets[..., 1]) / self.normalisers[:, None]


def score(truth: Annotations, submission: Annotations) -> Scores:
    """Measures a submission against the ground truth; rows are matched by image id. Errors as in `match_rows`."""
    return score_points(truth.categories, truth.keypoints, match_rows(truth, submission), truth.garments)


def match_rows(truth: Annotations, submission: Annotations) -> np.ndarray:
    """Returns the submission's keypoints in the order of the truth, (N, C, 3).

    Rows of the submission that the truth does not have are skipped with a warning. Raises InputError if rows of the
    truth are missing in the submission or have another garment type there.
    """
    row_of = {image_id: row for row, image_id in enumerate(submission.image_ids)}
    missing = [image_id for image_id in truth.image_ids if image_id not in row_of]
    if missing:
        slashed = any(image_id.replace('\\', '/') in row_of or image_id.replace('/', '\\') in row_of
                      for image_id in missing)
        advice = ('the ids differ only in / and \\' if slashed else
                  'to measure the submission of one type, give evaluate.py --tag TYPE')
        raise InputError(f'{submission.source}: {len(missing)} of the {len(truth)} images of {truth.source} are '
                         f'missing, {_few(missing)}; {advice}')
    if len(submission) > len(truth):
        _log.warning('%s: %d rows are not in %s and are skipped', submission.source, len(submission) - len(truth),
                     truth.source)
    rows = [row_of[image_id] for image_id in truth.image_ids]
    for image_id, row, category in zip(truth.image_ids, rows, truth.categories):
        if submission.categories[row] != category:
            raise InputError(f'{submission.source}: {image_id} is of type {submission.categories[row]}, wanted '
                             f'{category} as in {truth.source}')
    return submission.keypoints[rows]


def score_points(categories: Sequence[str], truth: np.ndarray, predicted: np.ndarray, garments: Garments) -> Scores:
    """Measures predicted points that are in the order of the truth already. Shapes as in `keypoint_errors`."""
    return summarise(categories, truth, keypoint_errors(categories, truth, predicted, garments), garments)


def keypoint_errors(categories: Sequence[str], truth: np.ndarray, predicted: np.ndarray,
                    garments: Garments) -> KeypointErrors:
    """Returns the error of every keypoint.

    Args:
        categories: the garment type of each of the N images.
        truth: (N, C, 3) integers x, y, v in original pixels.
        predicted: (N, C, 2 or more) x, y, ... in original pixels, of any number type; only x and y are used.
        garments: the garment table.
    """
    names, columns = list(garments), garments.csv_keypoints
    type_numbers = np.array([names.index(category) for category in categories], np.int64)
    belongs = np.array([[name in garment.keypoints for name in columns] for garment in garments.values()])
    ends = normaliser_ends(categories, truth, garments)
    normalisers = np.hypot(ends[:, 0, 0] - ends[:, 1, 0], ends[:, 0, 1] - ends[:, 1, 1], dtype=np.float64)
    offsets = np.asarray(predicted[..., :2] - truth[..., :2], np.float64)

    status, end_present = truth[..., 2], ends[..., 2] != ABSENT
    measurable = belongs[type_numbers] & (normalisers > 0)[:, None]
    labelled = measurable & (status != ABSENT) & end_present.any(axis=1)[:, None]
    visible = measurable & (status == VISIBLE) & end_present.all(axis=1)[:, None]
    return KeypointErrors(offsets, np.where(normalisers > 0, normalisers, 1), labelled, visible)


def normaliser_ends(categories: Sequence[str], truth: np.ndarray, garments: Garments) -> np.ndarray:
    """Returns x, y, v of the two normaliser keypoints of each image, (N, 2, 3); `truth` is (N, C, 3)."""
    columns = [[garments.csv_keypoints.index(name) for name in garments[category].normaliser]
               for category in categories]
    return truth[np.arange(len(truth))[:, None], np.array(columns, np.int64).reshape(-1, 2)]


def warn_of_unmeasured(truth: Annotations) -> None:
    """Logs the rows that cannot be measured since both normaliser keypoints are at the same point."""
    ends = normaliser_ends(truth.categories, truth.keypoints, truth.garments)
    rows = np.flatnonzero((ends[..., 2] != ABSENT).all(axis=1) & (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1))
    if len(rows):
        _log.warning('%d of %d images are not measured, since both normaliser keypoints are at the same point: %s',
                     len(rows), len(truth), _few([truth.place(row) for row in rows], '; '))


def check_measured(scores: Scores, truth: Annotations) -> None:
    """Raises InputError that names the labels if no keypoint can be measured."""
    if not scores.leaderboard.pooled.points:
        raise InputError(f'{truth.source}: no error can be measured: none of {len(truth)} images has a labelled '
                         'keypoint and two normaliser keypoints at different points')


def summarise(categories: Sequence[str], truth: np.ndarray, measured: KeypointErrors, garments: Garments) -> Scores:
    """Returns the scores from what `keypoint_errors` returned for these categories and this truth."""
    errors, labelled, status = measured.errors, measured.labelled, truth[..., 2]
    return Scores(_break_down(categories, errors, labelled, garments),
                  _break_down(categories, errors, measured.visible, garments),
                  {'visible': _figure(errors, labelled & (status == VISIBLE)),
                   'occluded': _figure(errors, labelled & (status == OCCLUDED))},
                  tuple(map(_figure, errors, measured.visible)))


def format_scores(scores: Scores) -> str:
    """Returns a text table: both conventions side by side, errors in percent and the number of keypoints of each."""
    board, visible = scores.leaderboard, scores.visible
    width = max(map(len, [*board.types, *board.keypoints, *scores.status])) + 4
    lines = [f'{"":{width}}{"leaderboard":>20}{"visible":>20}', f'{"":{width}}' + f'{"NE %":>10}{"points":>10}' * 2,
             _line('all', [board.pooled, visible.pooled], width), 'by type']
    lines += [_line(f'  {name}', [board.types[name], visible.types[name]], width) for name in board.types]
    lines += ['by keypoint']
    lines += [_line(f'  {name}', [board.keypoints[name], visible.keypoints[name]], width) for name in board.keypoints]
    lines += ['by status'] + [_line(f'  {name}', [figure], width) for name, figure in scores.status.items()]
    return '\n'.join(lines)


def _break_down(categories: Sequence[str], errors: np.ndarray, counted: np.ndarray, garments: Garments) -> Breakdown:
    """Sums the errors (N, C) of the keypoints that count, (N, C) bool."""
    of_row = np.array(categories, str)
    present = [name for name in garments if name in categories]
    types = {name: _figure(errors[of_row == name], counted[of_row == name]) for name in present}
    keypoints = {name: _figure(errors[:, column], counted[:, column])
                 for column, name in enumerate(garments.csv_keypoints)
                 if any(name in garments[garment].keypoints for garment in present)}
    return Breakdown(_figure(errors, counted), types, keypoints)


def _figure(errors: np.ndarray, counted: np.ndarray) -> PooledError:
    return PooledError(float(errors[counted].sum()), int(counted.sum()))


def _line(name: str, figures: List[PooledError], width: int) -> str:
    cells = ('-' if figure.percent is None else f'{figure.percent:.2f}' for figure in figures)
    return f'{name:{width}}' + ''.join(f'{cell:>10}{figure.points:>10}' for cell, figure in zip(cells, figures))


def _few(names: Sequence[str], separator: str = ', ') -> str:
    more = f'{separator}...' if len(names) > _NAMED_IN_ERRORS else ''
    return f'such as {separator.join(names[:_NAMED_IN_ERRORS])}{more}'
