"""Losses of real trainings, and the result of the watch."""
import pytest

from fashionai.training.loss_watch import DivergedError, LossWatch

EFFICIENTNET_WARMING_UP = [
    400, 220, 122, 84.2, 82.5, 80.7, 75.1, 62.4, 58, 57.7, 55.2, 54.2, 46.6, 47.7, 48.1, 60.2, 52.9, 45.7, 48, 44.1,
    44.7, 53, 41.5, 49.9, 45.2, 46.2, 43.1, 44.4, 49.7, 50.9, 46.3, 44.6, 42.7, 51.5, 43, 42.4]
"""Every 15th step of the 160-pixel recipe."""

MOBILENET_WITHOUT_WARM_UP = [
    141, 136, 123, 110, 134, 117, 133, 118, 101, 94.8, 107, 74.6, 96.4, 80.3, 127, 103, 77, 84.8, 57.5, 79.9, 61,
    55.5, 71.8, 81.6, 52.6, 76.2, 71.9, 76.8, 88.4, 80, 83.4, 82.4, 59.5, 75.4, 69.4, 83.1, 56.1, 80.5, 81.3, 81.8,
    66.3, 51.9, 67.2, 61.4, 65.9, 67.7, 70.5, 56.1, 88, 60.8, 64.9, 47.4, 74.4, 70.1, 72.4, 75.6, 55.5, 72.2, 85.5,
    53.4, 63.3, 74.7, 64.4, 73.9, 59, 46.1, 80.4, 48.1, 67, 59.7, 57.1, 47.7, 67.4, 63.2, 72.5, 48.2, 92.4, 54.9,
    61.3, 60, 67.5, 40.7]
"""Every step, with 4 images per step."""

VGG_AT_A_RATE_OF_005 = [202, 2.77e8, 2.43e7, 4.09e10, 7.83e13]

TESTING_AT_A_RATE_OF_5 = [
    45.5, 95.7, 63.9, 101, 83.9, 57.9, 51.1, 54.4, 45.5, 57, 93.7, 47, 84.7, 39.6, 185, 51, 92.3, 76.1, 36.6, 93.9,
    72, 139, 73.6, 212, 81.1, 121, 148, 194, 381, 72.2, 268, 394, 287, 178, 232, 294, 184, 289, 147, 330, 164, 165,
    304, 202, 245, 267, 241, 110, 1020, 394, 238, 139, 866, 365, 198, 3020, 524, 1950, 819, 1250, 2650, 2050, 2180,
    1590, 792, 4650, 8440, 1630, 1250, 1650, 1780, 747, 2190, 1900, 1870, 1220, 8580, 486, 3250, 1870, 1550, 1020,
    828, 3470, 7550, 1370, 8300, 2680, 1200, 1940, 2520, 2530, 898, 1520, 2840, 2360, 1560, 8150, 946, 3980, 3760,
    3980, 2300, 23500]
"""The loss grows over a hundred steps, and the running median grows too."""


def normality(losses):
    watch, normal = LossWatch(), []
    for loss in losses:
        watch.check(float(loss), 1.)
        normal.append(watch.normal)
    return normal


@pytest.mark.parametrize('losses', [EFFICIENTNET_WARMING_UP, MOBILENET_WITHOUT_WARM_UP])
def test_warm_up_and_noise_are_normal(losses):
    assert all(normality(losses))


def test_the_first_steps_of_six_stages_without_warm_up_do_not_stop_the_training():
    """Their losses may be multiplied by tens."""
    normal = normality([100, 900, 4000, 8000, 3000, 900, 300] + [110] * 20)
    assert normal[0] and not normal[3] and normal[-1]


@pytest.mark.parametrize('losses', [VGG_AT_A_RATE_OF_005, TESTING_AT_A_RATE_OF_5])
def test_an_explosion_stops_the_training(losses):
    with pytest.raises(DivergedError, match='lower --lr'):
        normality(losses)


def test_both_figures_are_named():
    with pytest.raises(DivergedError, match=r'\b1e\+12\b.*\b52\b'):
        normality([52] * 30 + [1e12])


@pytest.mark.parametrize('loss, norm', [(float('nan'), 1.), (1., float('inf'))])
def test_what_is_no_number_stops_the_training(loss, norm):
    watch = LossWatch()
    with pytest.raises(DivergedError):
        watch.check(loss, norm)
    assert not watch.normal
