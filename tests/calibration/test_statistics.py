"""Statistics of probabilities, computed by hand."""
import math
from typing import Callable

import numpy as np
import pytest

from fashionai.calibration.statistics import Bin, brier, calibration_error, log_loss, reliability, roc_area

SAID = np.array([0.15, 0.11, 0.62, 0.66, 0.64, 1.])
TRUE = np.array([False, True, True, False, True, True])


def test_brier_and_log_loss() -> None:
    assert brier(SAID, TRUE) == pytest.approx((0.15 ** 2 + 0.89 ** 2 + 0.38 ** 2 + 0.66 ** 2 + 0.36 ** 2) / 6)
    assert log_loss(np.array([0.25, 0.5]), np.array([True, False])) == pytest.approx(1.5 * math.log(2))
    assert math.isfinite(log_loss(np.array([0.]), np.array([True])))


def test_the_classes_of_a_reliability_diagram() -> None:
    bins = reliability(SAID, TRUE)
    assert [(one.share, one.count) for one in bins] == [(0.5, 2), (pytest.approx(2 / 3), 3), (1, 1)]
    assert [one.probability for one in bins] == pytest.approx([0.13, 0.64, 1])
    assert isinstance(bins[0], Bin)
    assert calibration_error(SAID, TRUE) == pytest.approx((0.37 * 2 + (2 / 3 - 0.64) * 3) / 6)


def test_the_area_under_the_roc_curve_counts_pairs() -> None:
    area = roc_area(np.array([1., 2, 3, 3]), np.array([False, True, False, True]))
    assert area == pytest.approx((1 + 0 + 1 + .5) / 4)
    assert math.isnan(roc_area(np.array([1., 2]), np.array([True, True])))


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('statistic', [brier, log_loss, calibration_error, roc_area])
def test_no_samples_have_no_quality(statistic: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """As if every measured point was occluded, and the visible ones are asked about."""
    assert math.isnan(statistic(np.zeros(0), np.zeros(0, bool)))
    assert reliability(np.zeros(0), np.zeros(0, bool)) == []
