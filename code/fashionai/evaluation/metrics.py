"""Normalised error (NE) of keypoints, in the two conventions in use. A figure means nothing without its name.

NE = the sum of distance / s over keypoints, divided by the number of those keypoints, pooled over all images, where s
is the distance of the type's normaliser pair in the ground truth: the armpits of upper garments, the waistband of
skirts and trousers. The labelled coordinates count even where occluded. Only keypoints of the row's type count, and
the v of a prediction is ignored: one left at `-1_-1_-1` is measured from (-1, -1).

- `leaderboard` counts occluded and visible keypoints. An image is left out where both normaliser points are absent;
  where one is, its label (-1, -1) is used as it stands.
- `visible` counts visible keypoints only. An image is left out where either normaliser point is absent.

In both, an image whose normaliser points coincide (s = 0) is left out, for nothing can be measured by it;
`warn_of_unmeasured` names these images.

Letters used in shapes: N images; C keypoint columns and T types, those of the table of garments.
"""
import logging
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE, Annotations
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garments

_log = logging.getLogger(__name__)
_NAMED_IN_ERRORS = 3


@dataclass(frozen=True)
class Figure:
    """An error over a number of keypoints; `total` is the sum of distance / s."""

    total: float
    points: int

    @property
    def percent(self) -> Optional[float]:
        """The normalised error in percent; None over no keypoints."""
        return 100 * self.total / self.points if self.points else None

    def to_json(self) -> Dict[str, Any]:
        """`ne` in percent, rounded to two decimals or None, and `points`."""
        return {'ne': None if self.percent is None else round(self.percent, 2), 'points': self.points}


@dataclass(frozen=True)
class Breakdown:
    """The figures of one convention: pooled, and by the types and keypoint names that the truth has."""

    pooled: Figure
    types: Mapping[str, Figure]
    keypoints: Mapping[str, Figure]

    @property
    def ne(self) -> Optional[float]:
        """The pooled normalised error in percent; None over no keypoints."""
        return self.pooled.percent

    def to_json(self) -> Dict[str, Any]:
        """`ne` and `points` of all, then the same for each of `types` and `keypoints`."""
        return {**self.pooled.to_json(),
                'types': {name: figure.to_json() for name, figure in self.types.items()},
                'keypoints': {name: figure.to_json() for name, figure in self.keypoints.items()}}


@dataclass(frozen=True)
class Scores:
    """Both conventions; `status` splits `leaderboard` into its `visible` (v = 1) and `occluded` (v = 0) keypoints,
    `images` splits the convention `visible` by image, in the order of the truth.
    """

    leaderboard: Breakdown
    visible: Breakdown
    status: Mapping[str, Figure]
    images: Tuple[Figure, ...]

    def to_json(self) -> Dict[str, Any]:
        """The figures of both conventions by name; errors in percent, rounded to two decimals."""
        return {'leaderboard': self.leaderboard.to_json(), 'visible': self.visible.to_json()}


@dataclass(frozen=True, eq=False)
class Measured:
    """Every keypoint of N images, measured by itself.

    offsets: (N, C, 2) float64, predicted less true x and y, original pixels. spans: (N,) float64, s in original
    pixels, and 1 where it is 0. labelled, visible: (N, C) bool, what counts in `leaderboard` and in `visible`.
    """

    offsets: np.ndarray
    spans: np.ndarray
    labelled: np.ndarray
    visible: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """(N, C) float64: distance / s."""
        return np.hypot(self.offsets[..., 0], self.offsets[..., 1]) / self.spans[:, None]


def score(truth: Annotations, submission: Annotations) -> Scores:
    """Measure a submission against the ground truth, row by row of the same image id; errors as in `matched`."""
    return score_points(truth.categories, truth.keypoints, matched(truth, submission), truth.garments)


def matched(truth: Annotations, submission: Annotations) -> np.ndarray:
    """(N, C, 3): the submission's keypoints in the order of the truth.

    Rows of the submission that the truth does not have are passed over, with a warning. Raises InputError where rows
    of the truth are missing in the submission, or have another garment type there.
    """
    row_of = {image_id: row for row, image_id in enumerate(submission.image_ids)}
    missing = [image_id for image_id in truth.image_ids if image_id not in row_of]
    if missing:
        slashed = any(image_id.replace('\\', '/') in row_of or image_id.replace('/', '\\') in row_of
                      for image_id in missing)
        advice = ('their ids differ in / and \\ alone' if slashed else
                  'one type alone is measured by run.py --test validate')
        raise InputError(f'{submission.source}: {len(missing)} of the {len(truth)} images of {truth.source} are '
                         f'missing, {_few(missing)}; {advice}')
    if len(submission) > len(truth):
        _log.warning('%s: %d rows are not in %s and are passed over', submission.source,
                     len(submission) - len(truth), truth.source)
    rows = [row_of[image_id] for image_id in truth.image_ids]
    for image_id, row, category in zip(truth.image_ids, rows, truth.categories):
        if submission.categories[row] != category:
            raise InputError(f'{submission.source}: {image_id} is of type {submission.categories[row]}, wanted '
                             f'{category} as in {truth.source}')
    return submission.keypoints[rows]


def score_points(categories: Sequence[str], truth: np.ndarray, predicted: np.ndarray,
                 garments: Garments = GARMENTS) -> Scores:
    """Measure predicted points that are in the order of the truth already; shapes as in `measure`."""
    return summed_up(categories, truth, measure(categories, truth, predicted, garments), garments)


def measure(categories: Sequence[str], truth: np.ndarray, predicted: np.ndarray,
            garments: Garments = GARMENTS) -> Measured:
    """Measure every keypoint by itself.

    categories: the garment type of each of the N images. truth: (N, C, 3) integers x, y, v in original pixels.
    predicted: (N, C, 2 or more) x, y, ... in original pixels, of any number type; only x and y are used.
    """
    names, columns = list(garments), garments.csv_keypoints
    type_numbers = np.array([names.index(category) for category in categories], np.int64)
    belongs = np.array([[name in garment.keypoints for name in columns] for garment in garments.values()])
    ends = normaliser_ends(categories, truth, garments)
    spans = np.hypot(ends[:, 0, 0] - ends[:, 1, 0], ends[:, 0, 1] - ends[:, 1, 1], dtype=np.float64)
    offsets = np.asarray(predicted[..., :2] - truth[..., :2], np.float64)

    status, end_present = truth[..., 2], ends[..., 2] != ABSENT
    measurable = belongs[type_numbers] & (spans > 0)[:, None]
    labelled = measurable & (status != ABSENT) & end_present.any(axis=1)[:, None]
    visible = measurable & (status == VISIBLE) & end_present.all(axis=1)[:, None]
    return Measured(offsets, np.where(spans > 0, spans, 1), labelled, visible)


def normaliser_ends(categories: Sequence[str], truth: np.ndarray, garments: Garments = GARMENTS) -> np.ndarray:
    """(N, 2, 3): x, y, v of the normaliser pair of each of the N images; `truth` is (N, C, 3)."""
    columns = [[garments.csv_keypoints.index(name) for name in garments[category].normaliser]
               for category in categories]
    return truth[np.arange(len(truth))[:, None], np.array(columns, np.int64).reshape(-1, 2)]


def warn_of_unmeasured(truth: Annotations) -> None:
    """Log the rows that no error can be measured of, since both normaliser points lie on one place."""
    ends = normaliser_ends(truth.categories, truth.keypoints, truth.garments)
    rows = np.flatnonzero((ends[..., 2] != ABSENT).all(axis=1) & (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1))
    if len(rows):
        _log.warning('%d of %d images are not measured, since their normaliser has no length: %s', len(rows),
                     len(truth), _few([truth.place(row) for row in rows], '; '))


def check_measured(scores: Scores, truth: Annotations) -> None:
    """Raises InputError, naming the labels, if there is not one keypoint that an error can be measured of."""
    if not scores.leaderboard.pooled.points:
        raise InputError(f'{truth.source}: no error can be measured: none of {len(truth)} images has a labelled '
                         'keypoint and a normaliser of some length')


def summed_up(categories: Sequence[str], truth: np.ndarray, measured: Measured,
              garments: Garments = GARMENTS) -> Scores:
    """The figures of what `measure` gave for these categories and this truth."""
    errors, labelled, status = measured.errors, measured.labelled, truth[..., 2]
    return Scores(_break_down(categories, errors, labelled, garments),
                  _break_down(categories, errors, measured.visible, garments),
                  {'visible': _figure(errors, labelled & (status == VISIBLE)),
                   'occluded': _figure(errors, labelled & (status == OCCLUDED))},
                  tuple(map(_figure, errors, measured.visible)))


def format_scores(scores: Scores) -> str:
    """A table for people: both conventions side by side, in percent, and how many keypoints each figure is over."""
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
    """Sum errors (N, C) where counted (N, C)."""
    of_row = np.array(categories, str)
    present = [name for name in garments if name in categories]
    types = {name: _figure(errors[of_row == name], counted[of_row == name]) for name in present}
    keypoints = {name: _figure(errors[:, column], counted[:, column])
                 for column, name in enumerate(garments.csv_keypoints)
                 if any(name in garments[garment].keypoints for garment in present)}
    return Breakdown(_figure(errors, counted), types, keypoints)


def _figure(errors: np.ndarray, counted: np.ndarray) -> Figure:
    return Figure(float(errors[counted].sum()), int(counted.sum()))


def _line(name: str, figures: List[Figure], width: int) -> str:
    cells = ('-' if figure.percent is None else f'{figure.percent:.2f}' for figure in figures)
    return f'{name:{width}}' + ''.join(f'{cell:>10}{figure.points:>10}' for cell, figure in zip(cells, figures))


def _few(names: Sequence[str], separator: str = ', ') -> str:
    more = f'{separator}...' if len(names) > _NAMED_IN_ERRORS else ''
    return f'such as {separator.join(names[:_NAMED_IN_ERRORS])}{more}'
