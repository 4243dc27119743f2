"""Fits of scores and types: what is said is what happens, also where the network is too sure or not sure enough."""
import numpy as np
import pytest

from fashionai.calibration.calibration import ScoreCurve, score_features, tempered
from fashionai.calibration.fitting import cross_fitted_scores, cross_fitted_types, fitted_curve, fitted_types
from fashionai.calibration.logistic import probabilities
from fashionai.calibration.statistics import calibration_error


def heights(count: int) -> np.ndarray:
    return np.random.RandomState(1).uniform(0.1, 0.9, (2, count))


def test_a_curve_is_found_again() -> None:
    own, rivals = heights(20000)
    chances = ScoreCurve(1, 1.5, -0.5).scores(own, rivals)
    near = np.random.RandomState(2).uniform(size=20000) < chances
    curve = fitted_curve(own, rivals, near)
    assert (curve.constant, curve.height, curve.rival) == pytest.approx((1, 1.5, -0.5), abs=0.1)
    scores = cross_fitted_scores(own, rivals, near, np.arange(20000) // 10)
    assert calibration_error(scores, near) < 0.02 < calibration_error(own, near)


def test_a_score_grows_with_the_peak_and_falls_with_its_rival_and_is_finite_at_the_ends() -> None:
    scores = ScoreCurve(0, 1, -1).scores(np.array([0, 0.2, 0.5, 1, 1]), np.array([0, 0, 0, 0, 1.]))
    assert (np.diff(scores[:4]) > 0).all() and scores[4] < scores[3] and 0 < scores[0] and scores[3] < 1
    assert scores[0] == pytest.approx(0.5) and score_features(np.zeros(1), np.ones(1)).shape == (1, 2)


def test_the_temperature_undoes_what_made_the_network_too_sure() -> None:
    random = np.random.RandomState(3)
    honest = tempered(random.dirichlet((1, 1, 1), 4000), 1)
    right = np.array([random.choice(3, p=row) for row in honest])
    found = fitted_types(tempered(honest, 0.5), right)  # squared: too sure
    assert found.temperature == pytest.approx(2, rel=0.1)
    np.testing.assert_allclose(tempered(tempered(honest, 0.5), 2), honest, atol=1e-9)


def test_sure_types_are_right_as_often_as_wanted() -> None:
    random = np.random.RandomState(4)
    shares = random.dirichlet((0.2, 0.2, 0.2), 4000)
    right = np.array([random.choice(3, p=row) for row in shares])
    types = fitted_types(shares, right)
    calibrated = types.tempered(shares)
    sure = calibrated.max(axis=1) >= types.sure
    correct = calibrated.argmax(axis=1) == right
    assert correct[sure].mean() >= 0.95 and sure.mean() > 0.3
    least = np.sort(calibrated.max(axis=1)[sure])[0]
    assert correct[calibrated.max(axis=1) >= least - 0.03].mean() < 0.95, 'a lower limit would be too low'
    crossed, crossed_sure = cross_fitted_types(shares, right)
    assert crossed.shape == shares.shape and correct[crossed_sure].mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize('less', [0, 2e-5])
def test_types_that_are_as_sure_count_together(less: float) -> None:
    """The first 60 of 100 types with a probability of 0.7, or little less, are right: too few, wherever they stand."""
    certain, doubtful = [0.98, 0.02], [0.7, 0.3]
    shares = np.array([certain] * 100 + [doubtful] * 60 + [[0.7 - less, 0.3 + less]] * 40)
    right = np.repeat([0, 1], [160, 40])
    types = fitted_types(shares, right)
    sure = types.tempered(shares).max(axis=1) >= types.sure
    assert sure[:100].all() and not sure[100:].any()


def test_if_no_type_is_right_none_is_sure() -> None:
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    types = fitted_types(shares, np.ones(3, int))
    assert not (types.tempered(shares).max(axis=1) >= types.sure).any()
    assert probabilities(np.zeros((1, 1)), np.zeros(2))[0] == 0.5
