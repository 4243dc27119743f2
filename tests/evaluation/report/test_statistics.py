"""Bias, swapped sides and differences of submissions with known errors."""
from typing import Sequence, Tuple

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.evaluation.report.resampling import (
    Difference,
    Estimate,
    differences,
    estimates,
    ne_estimates,
    ratio,
    resampled,
)
from fashionai.evaluation.report.scored_submission import (
    ScoredSubmission,
    errors_by_type,
    score_submission,
    share_within,
)
from fashionai.evaluation.report.systematic_errors import (
    EVERY,
    LEFT,
    RIGHT,
    Bias,
    MeanOffset,
    biases,
    mirror_pairs,
    swapped_pairs,
    unswapped,
)
from fashionai.evaluation.report.words import findings, shift, verdict
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS

BAND = ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right')
COLUMNS = [CSV_KEYPOINTS.index(name) for name in BAND]
SKIRT = np.array([[100, 50, 1], [200, 50, 1], [90, 300, 1], [210, 300, 1]])  # s = 100 pixels


def skirts(rows: Sequence[np.ndarray], source: str = 'truth.csv') -> Annotations:
    """Returns one skirt in each row, from its four points (4, 3)."""
    keypoints: np.ndarray = np.full((len(rows), 24, 3), -1)
    for row, points in enumerate(rows):
        keypoints[row, COLUMNS] = points
    names = tuple(f'{row}.jpg' for row in range(len(rows)))
    return Annotations(names, ('skirt',) * len(rows), keypoints, source)


def measured(predicted: Sequence[np.ndarray]) -> ScoredSubmission:
    return score_submission(skirts([SKIRT] * len(predicted)), skirts(predicted, 'submit.csv'))


def moved(*offsets: Tuple[int, int]) -> np.ndarray:
    """Returns the skirt with an offset for each of its points."""
    return SKIRT + np.array([(*offset, 0) for offset in offsets])


def noisy(images: int, pixels: float, seed: int, shift_xy: Tuple[float, float] = (0, 0)) -> Sequence[np.ndarray]:
    noise = np.random.RandomState(seed).normal(0, pixels, (images, 4, 2)) + shift_xy
    return [SKIRT + np.column_stack([np.rint(one).astype(int), np.zeros(4, int)]) for one in noise]


def named(found: Sequence[Bias], name: str) -> Bias:
    return next(bias for bias in found if bias.name == name)


def test_the_bootstrap_knows_the_error_of_a_mean() -> None:
    """The standard error of the mean of N independent numbers is their deviation / sqrt(N)."""
    numbers = np.random.RandomState(5).normal(3, 2, (400, 1))
    drawn = resampled(numbers, np.ones((400, 1)))
    assert drawn.shape == (2000, 1)
    assert drawn.std() == pytest.approx(numbers.std() / 20, rel=0.06)
    (estimate,) = estimates(ratio(numbers.sum(axis=0), np.array([400])), drawn)
    assert estimate.value == pytest.approx(numbers.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * numbers.std() / 20, rel=0.08)
    assert estimate.sign == 1


def test_images_are_drawn_whole() -> None:
    """Ten keypoints in an image with the same error count as much as one keypoint."""
    numbers = np.random.RandomState(5).normal(3, 2, (400, 1))
    np.testing.assert_allclose(resampled(10 * numbers, np.full((400, 1), 10)), resampled(numbers, np.ones((400, 1))))


def test_nothing_to_measure() -> None:
    assert estimates(ratio(np.zeros(1), np.zeros(1)), resampled(np.zeros((3, 1)), np.zeros((3, 1)))) == [
        Estimate(None, None, None)]


def test_errors_and_shares_by_hand() -> None:
    scored = measured([moved((3, 4), (0, 0), (0, 0), (0, 0)), moved((0, 0), (0, 0), (0, 30), (6, 8))])
    assert np.sort(errors_by_type(scored)['skirt']).tolist() == pytest.approx([0, 0, 0, 0, 0, 5, 10, 30])
    assert share_within(errors_by_type(scored)['all'], 10) == 87.5
    found = ne_estimates(scored)['leaderboard'][0]
    assert found.value == pytest.approx(45 / 8)
    assert (found.low, found.high) == (pytest.approx(5 / 4), pytest.approx(10))  # one image drawn twice


def test_bias_by_hand() -> None:
    scored = measured([moved((2, 0), (4, -1), (40, 0), (6, 0)), moved((4, 0), (4, -3), (40, 0), (8, 0))])
    found = biases(scored)
    assert [bias.name for bias in found] == [EVERY, LEFT, RIGHT, *BAND]
    left = named(found, 'waistband_left')
    assert left.points == 2
    assert left.pixels[0] == MeanOffset(3, pytest.approx(0.5 ** 0.5, rel=0.05), 2)  # two values drawn from 2 and 4
    assert left.percent[0].mean == 3 and left.percent[0].sign == 0, 'two points prove nothing'
    assert named(found, 'waistband_right').pixels[1].mean == -2
    hem = named(found, 'hemline_left')
    assert hem.pixels[0].mean == 40 and hem.close[0].points == 0 and np.isnan(hem.close[0].mean)
    assert named(found, EVERY).close[0].mean == pytest.approx(28 / 6)
    assert named(found, RIGHT).pixels[0].mean == pytest.approx(22 / 4)


def test_a_shifted_convention_shows_in_spite_of_gross_errors() -> None:
    rows = list(noisy(200, 2, 1, (1.5, 0)))
    rows[::5] = noisy(40, 150, 4)
    found = biases(measured(rows))
    assert not named(found, EVERY).pixels[0].sign
    close = named(found, EVERY).close
    assert close[0].sign == 1 and close[0].mean == pytest.approx(1.5, abs=0.2) and close[1].sign == 0
    said = shift(found)
    assert f'{close[0].mean:.2f} pixels to the right' in said and '4 of 4 keypoints' in said
    assert 'pixels' not in shift(biases(measured(noisy(200, 2, 2))))


def test_swapped_sides() -> None:
    crossed = SKIRT[[1, 0, 2, 3]]
    truth = moved((0, 0), (0, 0), (0, 0), (0, 0))
    rows = [truth, crossed, SKIRT[[1, 0, 3, 2]], moved((90, 0), (0, 0), (0, 0), (0, 0))]
    rows[0][3, :2] = -1  # not predicted
    scored = measured(rows)
    both, swapped = swapped_pairs(scored)
    assert (both.sum(), swapped.sum()) == (7, 3)
    assert swapped.any(axis=1).tolist() == [False, True, True, False], 'one wrong point alone is not a swap'
    corrected = unswapped(scored.points, swapped, mirror_pairs(GARMENTS))
    np.testing.assert_array_equal(corrected[1:3, COLUMNS], [SKIRT, SKIRT])


def test_swapped_sides_in_words() -> None:
    rows = [SKIRT[[1, 0, 3, 2]]] * 30 + list(noisy(10, 2, 3))
    scored = measured(rows)
    both, swapped = swapped_pairs(scored)
    text = ' '.join(findings(scored, ne_estimates(scored), biases(scored), int(both.sum()), int(swapped.sum())))
    assert '60 of 80 pairs' in text and '75.0 %' in text and 'wearer' in text
    assert 'towards each other' in text
    assert 'hemline_left 90.' in text or 'hemline_left 89.' in text  # three quarters of 120 % of the normaliser


def test_what_is_missing_is_said() -> None:
    blind = SKIRT.copy()
    blind[0] = -1
    gone = SKIRT.copy()
    gone[2, :2] = -1
    truth = skirts([SKIRT] * 3 + [np.full((4, 3), -1)])
    scored = score_submission(truth, skirts([SKIRT, SKIRT, gone, SKIRT], 'submit.csv'))
    text = ' '.join(findings(scored, ne_estimates(scored), biases(scored), 5, 0))
    assert '1 of 12 labelled keypoints' in text and '1 of 4 images' in text and 'None of 5 pairs' in text


def test_a_difference_is_paired() -> None:
    """Differences between images do not count: they are large, and the second is 3 pixels worse on every point."""
    first = [moved((error, 0), (error, 0), (error, 0), (error, 0)) for error in range(60)]
    second = [moved((error + 3, 0), (error + 3, 0), (error + 3, 0), (error + 3, 0)) for error in range(60)]
    found = differences(measured(first), measured(second))
    assert [(one.name, one.convention) for one in found] == [
        ('all', 'visible'), ('skirt', 'visible'), ('all', 'leaderboard'), ('skirt', 'leaderboard')]
    assert (found[0].first, found[0].second) == (pytest.approx(29.5), pytest.approx(32.5))
    assert (found[0].estimate.value, found[0].estimate.low, found[0].estimate.high) == pytest.approx((-3, -3, -3))
    said = verdict(found[0])
    assert all(value in said for value in ('visible', 'first is better', '3.00', '29.50', '32.50'))


def test_a_difference_by_chance() -> None:
    found = differences(measured(noisy(50, 5, 8)), measured(noisy(50, 5, 9)))
    assert found[0].estimate.sign == 0 and 'chance' in verdict(found[0])
    nothing = Difference('all', 'visible', None, None, Estimate(None, None, None))
    assert 'visible' in verdict(nothing) and '%' not in verdict(nothing)
