"""Calibrates a network on labelled pictures that were in no training of it, and measures what that gains.

All figures are cross-fitted: a picture is judged by a calibration that was fitted without it.
"""
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations
from fashionai.calibration.calibration import NEAR, Calibration
from fashionai.calibration.fitting import cross_fitted_scores, cross_fitted_types, fitted_curve, fitted_types
from fashionai.calibration.statistics import Bin, brier, calibration_error, log_loss, reliability, roc_area
from fashionai.errors import InputError
from fashionai.inference.config import PRESETS, InferenceOptions
from fashionai.inference.garment_predictor import load_predictor
from fashionai.inference.held_out import PointAnswers, point_answers, type_answers
from fashionai.inference.scoring import SURE
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import VISIBILITY


@dataclass(frozen=True)
class Quality:
    """How good probabilities are; see calibration/statistics.py."""

    brier: float
    log_loss: float
    calibration_error: float
    bins: Sequence[Bin]

    @classmethod
    def of(cls, probabilities: np.ndarray, outcomes: np.ndarray) -> 'Quality':
        """Returns the quality of probabilities (N,) of outcomes (N,) bool."""
        return cls(brier(probabilities, outcomes), log_loss(probabilities, outcomes),
                   calibration_error(probabilities, outcomes), reliability(probabilities, outcomes))


@dataclass(frozen=True)
class ScoreReport:
    """The scores of a preset. near: the share of the points that lie within NEAR. heights, scores: the quality of the
    heights of peaks, taken as probabilities, and of the scores; visible: that of the scores of visible points."""

    points: int
    near: float
    heights: Quality
    scores: Quality
    visible: Quality


@dataclass(frozen=True)
class TypeReport:
    """The types. right: the share of pictures. before, after: mean logarithmic loss. plain, calibrated: the share of
    the pictures whose type is sure, and the share of those that is right, without the calibration and with it."""

    right: float
    before: float
    after: float
    plain: Tuple[float, float]
    calibrated: Tuple[float, float]


@dataclass(frozen=True)
class StateReport:
    """A state of keypoints. count: labelled points. area: under the ROC curve. recall: the share of the labelled points
    that are told so. precision: the share of those told so that are labelled so."""

    count: int
    area: float
    recall: float
    precision: float


@dataclass(frozen=True)
class Report:
    """What a calibration gains. types, states: None if the network does not tell them."""

    pictures: int
    scores: Mapping[str, ScoreReport]
    types: Optional[TypeReport]
    states: Optional[Mapping[str, StateReport]]


def calibrated(model: ModelFile, truth: Annotations, folder: Path, presets: Sequence[str] = tuple(PRESETS),
               threads: int = 0, progress: Callable[[Iterator], Iterator] = iter) -> Tuple[Calibration, Report]:
    """Returns the calibration of a network, and what it gains. It keeps the curves of other presets that the contract
    has. Call `graph_mode` before.

    Args:
        model: a network with a contract.
        truth: labelled pictures that were in no training of the network.
        folder: the image ids start from it.
        presets: names of PRESETS; scores get a curve for each.
        threads: of the network; 0: one for each core.
        progress: as in `held_out.point_answers`.

    Raises InputError if an image cannot be read, if there are fewer than two pictures, or if no point has an error.
    """
    if len(truth) < 2:
        raise InputError(f'{truth.source} has {len(truth)} pictures: a calibration needs hundreds')
    bare = _uncalibrated(model)
    curves, scores = {}, {}
    types: Optional[Tuple[np.ndarray, np.ndarray]] = None
    answers: Optional[PointAnswers] = None
    assert model.contract is not None, 'the command looks for it'
    for preset in presets:
        config = InferenceOptions(preset=preset).config([model.trained_hw], model.garments)
        with load_predictor([bare], model.contract.tag, config, threads, model.garments) as predictor:
            answers = point_answers(predictor, truth, folder, progress=progress)
            if types is None and predictor.types:
                types = type_answers(predictor, truth, folder)
        near = _near(answers, truth)
        curves[preset] = fitted_curve(answers.heights[near], answers.rivals[near], answers.errors[near] < NEAR)
        scores[preset] = _score_report(answers, near)
    assert answers is not None, 'there is a preset'
    before = model.contract.calibration.scores if model.contract.calibration else {}
    return (Calibration(len(truth), {**before, **curves}, fitted_types(*types) if types else None),
            Report(len(truth), scores, _type_report(*types) if types else None, state_report(answers)))


def _uncalibrated(model: ModelFile) -> ModelFile:
    assert model.contract is not None, 'the command looks for it'
    return replace(model, contract=replace(model.contract, calibration=None))


def _near(answers: PointAnswers, truth: Annotations) -> np.ndarray:
    """Returns the mask (P,) of the points that have an error."""
    measured = np.isfinite(answers.errors)
    if not measured.any():
        raise InputError(f'{truth.source}: no picture has both ends of its normaliser labelled')
    return measured


def _score_report(answers: PointAnswers, measured: np.ndarray) -> ScoreReport:
    near, heights = answers.errors[measured] < NEAR, answers.heights[measured]
    scores = cross_fitted_scores(heights, answers.rivals[measured], near, answers.pictures[measured])
    visible = answers.labels[measured] == 1
    return ScoreReport(int(measured.sum()), float(near.mean()), Quality.of(heights, near), Quality.of(scores, near),
                       Quality.of(scores[visible], near[visible]))


def _type_report(shares: np.ndarray, right: np.ndarray) -> TypeReport:
    calibrated_shares, sure = cross_fitted_types(shares, right)
    correct = shares.argmax(axis=1) == right
    rows = np.arange(len(right))
    losses = [float(-np.log(np.maximum(each[rows, right], 1e-4)).mean()) for each in (shares, calibrated_shares)]
    return TypeReport(float(correct.mean()), losses[0], losses[1], _sureness(shares.max(axis=1) >= SURE, correct),
                      _sureness(sure, correct))


def _sureness(sure: np.ndarray, correct: np.ndarray) -> Tuple[float, float]:
    return float(sure.mean()), float(correct[sure].mean()) if sure.any() else float('nan')


def state_report(answers: PointAnswers) -> Optional[Dict[str, StateReport]]:
    """Returns how well each state of keypoints is told; None if the network does not tell them."""
    if answers.visibility is None:
        return None
    told, found = answers.visibility.argmax(axis=1), {}
    for place, name in enumerate(VISIBILITY):
        labelled, said = answers.labels == place - 1, told == place
        both = float((labelled & said).sum())
        found[name] = StateReport(int(labelled.sum()), roc_area(answers.visibility[:, place], labelled),
                                  both / max(1, int(labelled.sum())), both / max(1, int(said.sum())))
    return found


def format_report(report: Report) -> str:
    """Returns the tables of a report, for people."""
    lines = [f'{report.pictures} pictures; every figure is cross-fitted, by pictures', '',
             '| preset | points | within 10 % | Brier score, heights / scores | logarithmic loss | calibration error | '
             'Brier score of visible points |', '|---|---|---|---|---|---|---|']
    lines += [f'| `{name}` | {one.points} | {one.near:.1%} | {one.heights.brier:.4f} / {one.scores.brier:.4f} | '
              f'{one.heights.log_loss:.3f} / {one.scores.log_loss:.3f} | {one.heights.calibration_error:.3f} / '
              f'{one.scores.calibration_error:.3f} | {one.visible.brier:.4f} |' for name, one in report.scores.items()]
    return '\n'.join(lines + _type_lines(report.types) + _state_lines(report.states))


def _type_lines(types: Optional[TypeReport]) -> List[str]:
    if types is None:
        return []
    rows = [f'| {name} | {loss:.3f} | {sure:.1%} | {right:.1%} |' for name, loss, (sure, right) in
            (('as the network says', types.before, types.plain), ('calibrated', types.after, types.calibrated))]
    return ['', f'The type is right in {types.right:.1%} of the pictures.', '',
            '| probabilities of types | logarithmic loss | sure, of all pictures | right, of those |',
            '|---|---|---|---|', *rows]


def _state_lines(states: Optional[Mapping[str, StateReport]]) -> List[str]:
    if states is None:
        return []
    rows = [f'| {name} | {one.count} | {one.area:.3f} | {one.recall:.1%} | {one.precision:.1%} |'
            for name, one in states.items()]
    return ['', '| a point is | labelled points | area under the ROC curve | recall | precision |',
            '|---|---|---|---|---|', *rows]
