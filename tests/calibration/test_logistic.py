"""Logistic regression: against the equations that define its solution, and fits that do not see what they judge."""
import numpy as np

from fashionai.calibration.logistic import cross_fitted, fitted, probabilities


def test_probabilities() -> None:
    found = probabilities(np.array([[0., 1], [2, 0], [1000, 0]]), np.array([0.5, 1, -2]))
    np.testing.assert_allclose(found, [1 / (1 + np.exp(1.5)), 1 / (1 + np.exp(-2.5)), 1])


def test_the_fit_solves_the_equations_of_the_likelihood() -> None:
    random = np.random.RandomState(0)
    features = random.randn(400, 2) * (1, 3)
    outcomes = random.uniform(size=400) < probabilities(features, np.array([-0.5, 2, -0.3]))
    weights = fitted(features, outcomes, penalty=0)
    rest = outcomes - probabilities(features, weights)
    np.testing.assert_allclose([rest.sum(), *(features.T @ rest)], 0, atol=1e-3)
    assert np.abs(weights - [-0.5, 2, -0.3]).max() < 0.5


def test_one_binary_feature_gives_the_shares() -> None:
    features = np.array([0.] * 10 + [1.] * 10)[:, np.newaxis]
    outcomes = np.array([True] * 2 + [False] * 8 + [True] * 7 + [False] * 3)
    np.testing.assert_allclose(probabilities(np.array([[0.], [1]]), fitted(features, outcomes, penalty=0)),
                               [0.2, 0.7], atol=1e-6)


def test_what_can_be_separated_has_finite_weights() -> None:
    features = np.arange(10.)[:, np.newaxis]
    assert np.isfinite(fitted(features, features[:, 0] > 4)).all()
    assert probabilities(features, fitted(features, np.ones(10, bool))).min() > 0.99


def test_no_group_is_in_the_fit_that_judges_it() -> None:
    groups, judged = np.repeat(np.arange(23), 3), []

    def fit_and_apply(seen: np.ndarray, left: np.ndarray) -> np.ndarray:
        assert not set(groups[seen]) & set(groups[left]) and (seen | left).all()
        judged.extend(groups[left])
        return 10. * groups[left]

    np.testing.assert_array_equal(cross_fitted(fit_and_apply, groups), 10. * groups)
    assert sorted(judged) == groups.tolist(), 'each once'
