"""The normalised error in both conventions, compared with values computed by hand."""
import logging
from typing import Dict, List, Sequence, Tuple

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.errors import InputError
from fashionai.evaluation.metrics import format_scores, score, score_points, warn_of_unmeasured
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS

Cells = Dict[str, Tuple[int, int, int]]


def table(rows: Sequence[Tuple[str, str, Cells]], source: str = 'truth.csv') -> Annotations:
    """Returns annotations of (image id, type, keypoints by name); all other keypoints are absent."""
    keypoints: np.ndarray = np.full((len(rows), 24, 3), -1, np.int32)
    for i, (_, _, cells) in enumerate(rows):
        for name, cell in cells.items():
            keypoints[i, CSV_KEYPOINTS.index(name)] = cell
    return Annotations(tuple(row[0] for row in rows), tuple(row[1] for row in rows), keypoints, source)


SKIRT: Cells = {'waistband_left': (100, 50, 1), 'waistband_right': (200, 50, 0), 'hemline_left': (90, 300, 1)}
TROUSERS: Cells = {'waistband_left': (10, 10, 1), 'waistband_right': (10, 60, 1), 'crotch': (30, 100, 0)}


def test_by_hand() -> None:
    truth = table([('s', 'skirt', SKIRT), ('t', 'trousers', TROUSERS)])
    submission = table([
        ('t', 'trousers', {'waistband_left': (10, 10, 1), 'waistband_right': (10, 70, 1), 'crotch': (33, 104, 1)}),
        ('s', 'skirt', {'waistband_left': (103, 54, 1), 'waistband_right': (200, 60, -1), 'hemline_left': (90, 300, 0),
                        'hemline_right': (1, 2, 1), 'crotch': (5, 5, 1)})])
    scores = score(truth, submission)
    # skirt, s = 100: 0.05 visible, 0.10 occluded, 0 visible; trousers, s = 50: 0 and 0.20 visible, 0.10 occluded
    assert scores.to_json() == {
        'leaderboard': {
            'ne': 7.5, 'points': 6,
            'types': {'skirt': {'ne': 5.0, 'points': 3}, 'trousers': {'ne': 10.0, 'points': 3}},
            'keypoints': {
                'waistband_left': {'ne': 2.5, 'points': 2}, 'waistband_right': {'ne': 15.0, 'points': 2},
                'hemline_left': {'ne': 0.0, 'points': 1}, 'hemline_right': {'ne': None, 'points': 0},
                'crotch': {'ne': 10.0, 'points': 1}, 'bottom_left_in': {'ne': None, 'points': 0},
                'bottom_left_out': {'ne': None, 'points': 0}, 'bottom_right_in': {'ne': None, 'points': 0},
                'bottom_right_out': {'ne': None, 'points': 0}}},
        'visible': {
            'ne': 6.25, 'points': 4,
            'types': {'skirt': {'ne': 2.5, 'points': 2}, 'trousers': {'ne': 10.0, 'points': 2}},
            'keypoints': {
                'waistband_left': {'ne': 2.5, 'points': 2}, 'waistband_right': {'ne': 20.0, 'points': 1},
                'hemline_left': {'ne': 0.0, 'points': 1}, 'hemline_right': {'ne': None, 'points': 0},
                'crotch': {'ne': None, 'points': 0}, 'bottom_left_in': {'ne': None, 'points': 0},
                'bottom_left_out': {'ne': None, 'points': 0}, 'bottom_right_in': {'ne': None, 'points': 0},
                'bottom_right_out': {'ne': None, 'points': 0}}}}
    assert {name: (figure.percent, figure.points) for name, figure in scores.status.items()} == {
        'visible': (pytest.approx(6.25), 4), 'occluded': (pytest.approx(10), 2)}


def test_images_by_hand() -> None:
    blind = {'waistband_left': (0, 0, 1), 'waistband_right': (9, 0, -1)}
    truth = table([('t', 'trousers', TROUSERS), ('n', 'skirt', blind), ('s', 'skirt', SKIRT)])
    predicted = truth.keypoints.copy()
    predicted[0, CSV_KEYPOINTS.index('crotch')] += 100  # occluded
    predicted[2, CSV_KEYPOINTS.index('hemline_left')] += [30, 40, 0]
    images = score_points(truth.categories, truth.keypoints, predicted, GARMENTS).images
    assert [(image.percent, image.points) for image in images] == [(0, 2), (None, 0), (pytest.approx(25), 2)]


def test_pooled_is_no_mean_of_types() -> None:
    truth = table([('a', 'skirt', SKIRT), ('t', 'trousers', {'waistband_left': (0, 0, 1), 'waistband_right': (9, 0, -1),
                                                             'crotch': (0, 0, 1)})])
    predicted = truth.keypoints.copy()
    predicted[0, 15, 0] += 40
    scores = score_points(truth.categories, truth.keypoints, predicted, GARMENTS)
    assert scores.leaderboard.types['skirt'].percent == pytest.approx(40 / 3)
    assert scores.leaderboard.pooled.percent == pytest.approx(40 / 5)


def test_a_prediction_left_out_is_measured_from_minus_one() -> None:
    truth = table([('a', 'skirt', {'waistband_left': (2, 3, 1), 'waistband_right': (12, 3, 1)})])
    scores = score(truth, table([('a', 'skirt', {'waistband_right': (12, 3, 1)})]))
    assert scores.visible.keypoints['waistband_left'].percent == pytest.approx(50)  # (-1, -1) to (2, 3) is 5, s = 10


def test_one_normaliser_point_absent() -> None:
    truth = table([('a', 'blouse', {'armpit_right': (29, 39, 1), 'neckline_left': (10, 0, 1)})])
    scores = score_points(['blouse'], truth.keypoints, truth.keypoints + np.array([5, 0, 0]), GARMENTS)
    assert scores.leaderboard.pooled.points == 2
    assert scores.leaderboard.pooled.percent == pytest.approx(10)  # (-1, -1) to (29, 39) is 50
    assert scores.visible.pooled.points == 0 and scores.visible.pooled.percent is None


def test_images_that_cannot_be_measured_are_left_out() -> None:
    nothing = {'neckline_left': (10, 0, 1)}
    together = {'armpit_left': (7, 7, 1), 'armpit_right': (7, 7, 1), 'neckline_left': (10, 0, 1)}
    truth = table([('a', 'dress', nothing), ('b', 'dress', together)])
    with np.errstate(all='raise'):
        scores = score_points(truth.categories, truth.keypoints, truth.keypoints + 4, GARMENTS)
    assert scores.leaderboard.pooled.points == scores.visible.pooled.points == 0
    assert scores.to_json()['leaderboard']['types'] == {'dress': {'ne': None, 'points': 0}}


def direct(categories: Sequence[str], truth: np.ndarray, predicted: np.ndarray) -> List[Tuple[float, int]]:
    """Returns (NE in percent, points) of `leaderboard` and `visible`, computed point by point."""
    sums, counts = [0., 0.], [0, 0]
    for category, label, guess in zip(categories, truth.tolist(), predicted.tolist()):
        (ax, ay, av), (bx, by, bv) = (label[CSV_KEYPOINTS.index(name)] for name in GARMENTS[category].normaliser)
        span = ((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5
        for name in GARMENTS[category].keypoints:
            x, y, v = label[CSV_KEYPOINTS.index(name)]
            px, py = guess[CSV_KEYPOINTS.index(name)][:2]
            error = ((x - px) ** 2 + (y - py) ** 2) ** 0.5 / span if span else 0
            for i, counts_here in enumerate([v != -1 and (av != -1 or bv != -1), v == 1 and av != -1 and bv != -1]):
                if counts_here and span:
                    sums[i] += error
                    counts[i] += 1
    return [(100 * total / count, count) for total, count in zip(sums, counts)]


def test_equals_a_direct_evaluation() -> None:
    random = np.random.RandomState(3)
    truth = random.randint(0, 40, (300, 24, 3))
    truth[..., 2] = random.choice([1, 1, 0, -1], (300, 24))
    truth[truth[..., 2] == -1] = -1
    predicted = truth[..., :2] + random.normal(0, 5, (300, 24, 2))
    categories = [list(GARMENTS)[i % 5] for i in range(300)]
    scores = score_points(categories, truth, predicted, GARMENTS)
    for breakdown, (ne, points) in zip([scores.leaderboard, scores.visible], direct(categories, truth, predicted)):
        assert breakdown.pooled.points == points
        assert breakdown.pooled.percent == pytest.approx(ne)
        for parts in (breakdown.types, breakdown.keypoints):
            assert sum(figure.points for figure in parts.values()) == points
            assert sum(figure.total for figure in parts.values()) == pytest.approx(ne * points / 100)


def test_missing_rows_and_other_types_are_errors() -> None:
    truth = table([(name, 'skirt', SKIRT) for name in 'abcde'])
    with pytest.raises(InputError, match=r'submit.csv: 4 of the 5 images of truth.csv .*b, c, d, \.\.\..*--tag'):
        score(truth, table([('a', 'skirt', SKIRT)], 'submit.csv'))
    with pytest.raises(InputError, match='submit.csv: c .*dress, wanted skirt .*truth.csv'):
        score(truth, table([(name, 'dress' if name == 'c' else 'skirt', SKIRT) for name in 'abcde'], 'submit.csv'))


def test_rows_of_no_interest_are_passed_over_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scores = score(table([('a', 'skirt', SKIRT)]), table([(name, 'skirt', SKIRT) for name in 'xay'], 'submit.csv'))
    assert scores.leaderboard.pooled.points == 3
    assert 'submit.csv: 2 rows are not in truth.csv' in caplog.text


def test_table_for_people_is_aligned() -> None:
    truth = table([('s', 'skirt', SKIRT), ('t', 'trousers', TROUSERS)])
    lines = format_scores(score_points(truth.categories, truth.keypoints, truth.keypoints + 3, GARMENTS)).split('\n')
    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows['all'] == ['6.36', '6', '6.36', '4']  # 3 * sqrt(2): half the points over 100, half over 50
    assert rows['skirt'] == ['4.24', '3', '4.24', '2']
    assert rows['crotch'] == ['8.49', '1', '-', '0']
    assert rows['occluded'] == ['6.36', '2']
    assert len({len(line) for line in lines if line.split()[0] in ('all', 'skirt', 'crotch', 'hemline_left')}) == 1


def test_rows_whose_normaliser_has_no_length_are_named(caplog: pytest.LogCaptureFixture) -> None:
    flat: Cells = {**SKIRT, 'waistband_right': (100, 50, 0)}
    absent: Cells = {'crotch': (1, 2, 1)}  # both normaliser keypoints are absent, so they are not at the same point
    warn_of_unmeasured(table([('a', 'skirt', SKIRT), ('b', 'trousers', absent)]))
    assert not caplog.records
    warn_of_unmeasured(table([('a', 'skirt', SKIRT), ('b', 'skirt', flat), ('c', 'trousers', absent)]))
    said, = caplog.records
    assert said.levelno == logging.WARNING and "truth.csv, image 'b'" in said.getMessage()
    assert '1 of 3' in said.getMessage()


def test_ids_that_differ_in_their_slashes_are_told_as_the_reason() -> None:
    truth, submission = table([('Images/a', 'skirt', SKIRT)]), table([('Images\\a', 'skirt', SKIRT)], 'submit.csv')
    for one, other in ((truth, submission), (submission, truth)):
        with pytest.raises(InputError, match=r'1 of the 1 images .*\\'):
            score(one, other)
