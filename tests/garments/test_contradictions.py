"""Lengths that contradict each other: the side that counts, the reasons, and limits that come from the labels."""
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Dict, Mapping, Sequence, Tuple

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.garments import contradictions
from fashionai.garments.contradictions import CLEARLY, PAIRS, Length, Limits, believed, doubts, limits_of, merged
from fashionai.garments.measurements import LENGTHS, Points, measure
from fashionai.garments.shapes import sampled_shapes, shape_of
from fashionai.garments.table import GARMENTS

BENCHMARKS = Path(__file__).resolve().parents[2] / 'benchmarks'
LONG, SHORT = Length(307, 0.8), Length(109, 0.8)


def garment_points(tag: str, scores: float = 0.8) -> Dict[str, Tuple[float, float, float]]:
    """Returns x, y and score of each keypoint of the mean shape, 600 pixels large, which has no contradictions."""
    shape = shape_of(tag)
    return {name: (300 + 600 * x, 300 + 600 * y, scores) for name, (x, y) in zip(shape.keypoints, shape.mean_xy)}


def points_of(tag: str, places: Dict[str, Tuple[float, float, float]]) -> Points:
    rows = np.array([places[name] for name in GARMENTS[tag].keypoints])
    return Points(GARMENTS[tag], rows[:, :2], rows[:, 2], np.ones(len(rows), bool))


def flagged(lengths: Mapping[str, Sequence[Length]], limits: Limits) -> Dict[str, Tuple[str, ...]]:
    return {name: reasons for name, reasons in doubts(lengths, limits).items() if reasons}


def test_a_clearly_better_scored_side_counts_alone() -> None:
    better = replace(LONG, score=SHORT.score + CLEARLY + 0.01)
    assert believed([better, SHORT]) == believed([SHORT, better]) == [better]
    assert believed([LONG, SHORT]) == [LONG, SHORT] and believed([SHORT]) == [SHORT] and believed([]) == []
    assert merged([LONG, replace(SHORT, score=0.7)]) == Length(208, 0.7) and merged([]) is None


def test_sides_that_differ_too_much_are_doubtful() -> None:
    limits = Limits({'sleeve': 2.5}, ())
    reason, = doubts({'sleeve': [LONG, SHORT]}, limits)['sleeve']
    assert '2.82 x' in reason and '2.50' in reason
    assert not flagged({'sleeve': [Length(250, 0.8), Length(100, 0.8)]}, limits), 'the limit itself is allowed'
    assert not flagged({'sleeve': [LONG]}, limits) and not flagged({'sleeve': []}, limits)


def test_two_lengths_that_do_not_go_together_are_both_doubtful_or_the_worse_scored() -> None:
    limits = Limits({}, [('side', 'body_length', 0.3, 0.8)])
    both = flagged({'side': [Length(586, 0.8)], 'body_length': [Length(420, 0.6)]}, limits)
    assert set(both) == {'side', 'body_length'} and all('1.40 x' in reason for reason, in both.values())
    assert set(flagged({'side': [Length(586, 0.8)], 'body_length': [Length(420, 0.3)]}, limits)) == {'body_length'}
    assert set(flagged({'side': [Length(100, 0.3)], 'body_length': [Length(420, 0.8)]}, limits)) == {'side'}
    assert not flagged({'side': [Length(300, 0.8)], 'body_length': [Length(420, 0.8)]}, limits)
    assert not flagged({'side': [], 'body_length': [Length(420, 0.8)]}, limits)
    assert flagged({'side': [Length(300, 0.8)], 'body_length': [Length(0, 0.8)]}, limits), 'nothing is divided by 0'


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_the_mean_shape_contradicts_nothing(tag: str) -> None:
    lengths = measure(points_of(tag, garment_points(tag)))
    assert [name for name, length in lengths.items() if length.doubtful] == []


def test_a_measured_coat_says_what_contradicts_what() -> None:
    """One sleeve is 2.8 times as long as the other, and one side ends below the middle of the hem."""
    places = garment_points('outwear')
    x, y, _ = places['shoulder_left']
    short = np.hypot(x - places['cuff_left_out'][0], y - places['cuff_left_out'][1])
    x, y, _ = places['shoulder_right']
    places['cuff_right_out'] = (x, y + 2.8 * short, 0.8)
    lengths = measure(points_of('outwear', places))
    assert lengths['sleeve'].pixels == pytest.approx(1.9 * short) and '2.80 x' in str(lengths['sleeve'].doubtful)
    places['cuff_left_out'] = (*places['cuff_left_out'][:2], 0.2)
    alone = measure(points_of('outwear', places))['sleeve']
    assert alone.pixels == pytest.approx(2.8 * short) and alone.score == 0.8

    places = garment_points('outwear')
    for side in ('left', 'right'):
        for name in (f'waistline_{side}', f'armpit_{side}'):
            places[name] = (places[name][0], places[name][1] - 600, 0.8)
    assert 'body_length' in str(measure(points_of('outwear', places))['side'].doubtful)


def test_other_tables_have_no_limits() -> None:
    own = replace(GARMENTS['skirt'], keypoints=('waistband_left', 'waistband_right'),
                  limbs=(('waistband_left', 'waistband_right'),))
    for garment in (own, replace(GARMENTS['skirt'], name='sock')):
        assert limits_of(garment) == Limits({}, ())


def test_sampled_shapes_have_the_statistics_of_the_labels() -> None:
    """Sampled shapes have the mean, the deviations along the components, and their share of the variance."""
    shape = shape_of('dress')
    offsets = (sampled_shapes(shape, 40_000, np.random.RandomState(1)) - shape.mean_xy).reshape(40_000, -1)
    along = offsets @ shape.components.reshape(len(shape.std), -1).T
    np.testing.assert_allclose(offsets.mean(axis=0), 0, atol=0.002)
    np.testing.assert_allclose(along.std(axis=0), shape.std, rtol=0.02)
    assert along.var(axis=0).sum() / offsets.var(axis=0).sum() == pytest.approx(shape.variance_kept, abs=0.02)


@pytest.fixture(scope='module')
def maker() -> ModuleType:
    """benchmarks/length_limits.py."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location('length_limits', str(BENCHMARKS / 'length_limits.py'))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_limits_are_made_again_from_the_statistics(maker: ModuleType, tag: str,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits nearly agree: the test draws fewer shapes than those in the file."""
    monkeypatch.setattr(maker, 'SHAPES', 50_000)
    made, kept = maker.made_limits(GARMENTS[tag]), limits_of(GARMENTS[tag])
    assert list(made['sides']) == list(kept.sides) == [name for name, paths in LENGTHS[tag].items() if len(paths) == 2]
    for name, most in kept.sides.items():
        assert made['sides'][name] == pytest.approx(most, rel=0.03), name
    assert tuple((first, second) for first, second, *_ in kept.pairs) == PAIRS[tag]
    for (first, second, *found), (*_, low, high) in zip(made['pairs'], kept.pairs):
        assert 1 / found[1] == pytest.approx(1 / high, rel=0.2), (first, second)
        assert found[0] == pytest.approx(low, rel=0.2, abs=0.011), (first, second)


def test_labels_are_held_against_the_limits(maker: ModuleType) -> None:
    """There are two skirts; the waist of the second is wider than its body is long."""
    places = np.array([[100, 0, 1], [200, 0, 1], [80, 300, 1], [220, 300, 0]])
    wide = places * [1, 0.2, 1]
    rows = np.full((2, 24, 3), -1)
    rows[:, GARMENTS['skirt'].csv_indices] = np.round([places, wide])
    lines = maker.outside(GARMENTS['skirt'], Annotations(('a', 'b'), ('skirt', 'skirt'), rows, 'labels'))
    shares = {line.split(' | ')[1]: line.split(' | ')[3:] for line in lines}
    assert shares['waist / body_length'] == ['2', '50.0% |'] and shares['sides of side'] == ['2', '0.0% |']


def test_the_file_is_whole() -> None:
    path = Path(contradictions.__file__).with_name('length_limits.json')
    assert list(json.loads(path.read_text(encoding='utf-8'))) == list(PAIRS) == list(GARMENTS)
    for tag, pairs in PAIRS.items():
        assert {name for pair in pairs for name in pair} <= set(LENGTHS[tag])
