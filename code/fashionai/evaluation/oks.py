"""COCO's measure of keypoints: object keypoint similarity (OKS), average precision (AP) over it, and end-point error.

OKS of a garment is the mean over its labelled keypoints, visible and occluded, of exp(-d^2 / (2 s^2 k^2)): d is the
distance in pixels, s^2 the area of the box of the labelled keypoints, and k twice the sigma of the keypoint
(https://cocodataset.org/#keypoints-eval). AP is the mean over the OKS thresholds 0.50, 0.55 ... 0.95 of the
interpolated precision at 101 recalls, and over the types. Types are given, not predicted, and every picture has one
garment with one prediction, so that a miss is an OKS below the threshold.

Letters used in shapes: N images; C keypoint columns of the garment table.
"""
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE, Annotations
from fashionai.errors import InputError, shown
from fashionai.files import read_json
from fashionai.garments.boxes import box_of
from fashionai.garments.table import Garments, mirror_name

_SIDED = MappingProxyType({
    'neckline_left': .0162, 'center_front': .0184, 'shoulder_left': .0239, 'armpit_left': .0465,
    'waistline_left': .0521, 'cuff_left_in': .0341, 'cuff_left_out': .0382, 'top_hem_left': .0471,
    'waistband_left': .0279, 'hemline_left': .0602, 'crotch': .0420, 'bottom_left_in': .0372,
    'bottom_left_out': .0422})

SIGMAS: Mapping[str, float] = MappingProxyType(
    {name: sigma for left, sigma in _SIDED.items() for name in (left, mirror_name(left))})
"""The sigma of each keypoint of FashionAI: the mean of those that DeepFashion2's evaluation has for the landmarks that
mark the same point (`keypoint_mapping.DEEPFASHION2`), over its categories and both sides."""

DEFAULT_SIGMA = .0382
"""The sigma of a keypoint of another table: the median of SIGMAS."""

THRESHOLDS = np.linspace(.5, .95, 10)
_RECALLS = np.linspace(0, 1, 101)
_ANY_SIZE = (np.inf, np.inf)


@dataclass(frozen=True)
class CocoFigures:
    """The figures of a type, or their mean over the types.

    garments: the number of garments with an OKS.
    ap, ap50, ap75: average precision over all thresholds, at 0.50 and at 0.75; ar: average recall. All 0 to 1.
    oks: mean OKS.
    end_point: mean distance in original pixels over labelled keypoints, visible and occluded.
    end_point_visible: the same over visible keypoints; None if there are none.
    """

    garments: int
    ap: float
    ap50: float
    ap75: float
    ar: float
    oks: float
    end_point: Optional[float]
    end_point_visible: Optional[float]

    def to_json(self) -> Dict[str, Any]:
        """Returns the figures by name, rounded to four decimals."""
        return {name: None if value is None else round(value, 4) for name, value in vars(self).items()}


@dataclass(frozen=True)
class CocoScores:
    """The figures of a submission: the mean over the types (end-point errors over all keypoints), and of each type.

    left_out: the number of garments without OKS: fewer than two of their keypoints are labelled at different points.
    scored: whether the submission has scores; without them, AP takes all garments as equally sure.
    """

    overall: CocoFigures
    types: Mapping[str, CocoFigures]
    left_out: int
    scored: bool

    def to_json(self) -> Dict[str, Any]:
        """Returns the overall figures, `types`, `left_out` and `scored`."""
        return {**self.overall.to_json(), 'types': {name: figures.to_json() for name, figures in self.types.items()},
                'left_out': self.left_out, 'scored': self.scored}


def read_sigmas(path: Path, garments: Garments) -> Dict[str, float]:
    """Reads a JSON file of sigmas by keypoint; the others keep theirs. Raises InputError that names file and key."""
    values = read_json(path)
    if not isinstance(values, dict):
        raise InputError(f'{path}: {shown(values)}, wanted sigmas by keypoint')
    for name, sigma in values.items():
        if name not in garments.csv_keypoints:
            raise InputError(f'{path}, {shown(name)}: not a keypoint of the table')
        if not isinstance(sigma, (int, float)) or not 0 < sigma <= 1:
            raise InputError(f'{path}, {name}: {shown(sigma)}, wanted a sigma above 0, 1 at most')
    return {name: float(sigma) for name, sigma in values.items()}


def sigmas_of(garments: Garments, given: Mapping[str, float]) -> np.ndarray:
    """Returns the (C,) sigmas of the keypoint columns."""
    return np.array([given.get(name, SIGMAS.get(name, DEFAULT_SIGMA)) for name in garments.csv_keypoints])


def similarities(truth: Annotations, predicted: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """Returns the (N,) OKS, nan if a garment has none.

    Args:
        truth: the labels.
        predicted: (N, C, 2 or more) x, y, ... in the order of the truth.
        sigmas: (C,).
    """
    distances, labelled = _distances(truth, predicted)
    values = np.full(len(truth), np.nan)
    for row, present in enumerate(labelled):
        points = truth.keypoints[row, present, :2]
        if (points != points[:1]).any():
            _, _, width, height = box_of(points, _ANY_SIZE)
            exponents = distances[row, present] ** 2 / (2 * width * height * (2 * sigmas[present]) ** 2)
            values[row] = np.exp(-exponents).mean()
    return values


def average_precision(values: np.ndarray, scores: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the (10,) interpolated precision and the (10,) recall at the OKS thresholds.

    Garments with equal scores count at once, so that their order does not matter. Args: (n,) OKS, (n,) scores.
    """
    order = np.argsort(-scores, kind='mergesort')
    last_of_equals = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precisions, recalls = [], []
    for threshold in THRESHOLDS:
        found = np.cumsum(values[order] >= threshold)[last_of_equals]
        recall, precision = found / len(values), found / (last_of_equals + 1)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0)
        precisions.append(envelope[np.searchsorted(recall, _RECALLS, side='left')].mean())
        recalls.append(recall[-1])
    return np.array(precisions), np.array(recalls)


def coco_scores(truth: Annotations, predicted: np.ndarray, scores: Optional[np.ndarray],
                sigmas: np.ndarray) -> CocoScores:
    """Returns the figures of predictions.

    Args:
        truth: the labels.
        predicted: (N, C, 2 or more) x, y, ... in the order of the truth.
        scores: (N,) how sure each prediction is; None if it is not known.
        sigmas: (C,).

    Raises InputError that names the labels if no garment has an OKS.
    """
    values, of_row = similarities(truth, predicted, sigmas), np.array(truth.categories)
    measured = ~np.isnan(values)
    if not measured.any():
        raise InputError(f'{truth.source}: none of {len(truth)} images has two keypoints labelled at different points, '
                         'so OKS cannot be measured')
    sure = np.zeros(len(truth)) if scores is None else scores
    errors = _distances(truth, predicted)
    types = {}
    for name in truth.garments:
        rows = measured & (of_row == name)
        if rows.any():
            types[name] = _figures(values[rows], sure[rows], *_end_points(truth, errors, of_row == name))
    every = list(types.values())
    mean = {key: float(np.mean([getattr(figures, key) for figures in every])) for key in ('ap', 'ap50', 'ap75', 'ar')}
    end_point, end_point_visible = _end_points(truth, errors, np.full(len(truth), True))
    overall = CocoFigures(int(measured.sum()), oks=float(values[measured].mean()), **mean, end_point=end_point,
                          end_point_visible=end_point_visible)
    return CocoScores(overall, types, int((~measured).sum()), scores is not None)


def format_coco_scores(scores: CocoScores) -> str:
    """Returns a text table: AP and the like in percent, end-point errors in original pixels."""
    names = ('garments', 'AP', 'AP50', 'AP75', 'AR', 'mean OKS', 'EPE px', 'visible')
    width = max(map(len, [*scores.types, 'all'])) + 4
    lines = [f'{"":{width}}' + ''.join(f'{name:>10}' for name in names), _line('all', scores.overall, width)]
    lines += [_line(f'  {name}', figures, width) for name, figures in scores.types.items()]
    lines.append('OKS with the sigmas of docs/looking.md; the area is that of the box of the labelled keypoints')
    if not scores.scored:
        lines.append('the submission has no scores: AP takes all garments as equally sure')
    if scores.left_out:
        lines.append(f'{scores.left_out} garments have no OKS: fewer than two keypoints are labelled')
    return '\n'.join(lines)


def _line(name: str, figures: CocoFigures, width: int) -> str:
    shares = [figures.ap, figures.ap50, figures.ap75, figures.ar, figures.oks]
    cells = [f'{100 * share:.2f}' for share in shares]
    cells += ['-' if error is None else f'{error:.2f}' for error in (figures.end_point, figures.end_point_visible)]
    return f'{name:{width}}{figures.garments:>10}' + ''.join(f'{cell:>10}' for cell in cells)


def _figures(values: np.ndarray, scores: np.ndarray, end_point: Optional[float],
             end_point_visible: Optional[float]) -> CocoFigures:
    precision, recall = average_precision(values, scores)
    return CocoFigures(len(values), float(precision.mean()), float(precision[0]), float(precision[5]),
                       float(recall.mean()), float(values.mean()), end_point, end_point_visible)


def _distances(truth: Annotations, predicted: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns (N, C) distances in pixels, and which keypoints are labelled and belong to the type of the row."""
    columns = truth.garments.csv_keypoints
    belongs = {name: np.isin(columns, garment.keypoints) for name, garment in truth.garments.items()}
    labelled = np.stack([belongs[name] for name in truth.categories]) & (truth.keypoints[..., 2] != ABSENT)
    offsets = np.asarray(predicted[..., :2] - truth.keypoints[..., :2], np.float64)
    return np.hypot(offsets[..., 0], offsets[..., 1]), labelled


def _end_points(truth: Annotations, errors: Tuple[np.ndarray, np.ndarray],
                rows: np.ndarray) -> List[Optional[float]]:
    """Returns the mean distance over labelled keypoints of these rows, and over visible ones."""
    distances, labelled = errors
    means: List[Optional[float]] = []
    for counted in (labelled, labelled & (truth.keypoints[..., 2] == VISIBLE)):
        found = distances[rows][counted[rows]]
        means.append(float(found.mean()) if len(found) else None)
    return means
