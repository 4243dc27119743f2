"""Photometric augmentation: an affine map of colours, and damages of known strength."""
import colorsys

import cv2
import numpy as np
import pytest

from fashionai.dataflow import photometry
from fashionai.dataflow.photometry import LUMA_BGR, draw_colours, hue_rotation, photometric

GREYS = np.repeat(np.arange(0., 256, 15)[:, None], 3, axis=1)
PICTURE = cv2.GaussianBlur(np.random.RandomState(0).randint(0, 256, (48, 40, 3)).astype(np.uint8), (0, 0), 3)


def changed(colours: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return colours @ affine[:, :3].T + affine[:, 3]


def test_greys_stay_grey_and_the_middle_grey_tells_the_brightness():
    maps = [draw_colours(np.random.RandomState(seed)) for seed in range(500)]
    brightness, contrast, colourless = [], [], 0
    for affine in maps:
        greys = changed(GREYS, affine)
        np.testing.assert_allclose(greys, greys[:, :1] + np.zeros(3), atol=1e-9)
        brightness.append(changed(np.full(3, 127.5), affine)[0] / 127.5)
        contrast.append((greys[-1, 0] - greys[0, 0]) / 255 / brightness[-1])
        colourless += np.ptp(changed(np.array([200., 40, 90]), affine)) < 1e-6
    for found in (brightness, contrast):
        assert 0.8 <= min(found) < 0.81 and 1.19 < max(found) <= 1.2
    assert colourless / len(maps) == pytest.approx(0.1, abs=0.04)


def test_a_turned_hue_is_that_of_the_colour_circle():
    red = hue_rotation(120) @ np.array([0., 0, 255])
    np.testing.assert_allclose(sorted(red), [0, 0, 255], atol=1e-9)
    small = hue_rotation(18) @ np.array([100., 100, 140])
    before, after = (colorsys.rgb_to_hsv(*(bgr[::-1] / 255))[0] for bgr in (np.array([100., 100, 140]), small))
    assert abs((after - before + 0.5) % 1 - 0.5) * 360 == pytest.approx(18, abs=2)


def test_a_colourless_picture_has_the_luma_of_the_coloured():
    class Drawn:
        """Draws the middle of every range, and 0 without a range: the tenth of the pictures that becomes grey."""

        def uniform(self, low=0., high=0.):
            return (low + high) / 2

    affine = draw_colours(Drawn())
    colour = np.array([30., 200, 90])
    np.testing.assert_allclose(changed(colour, affine), np.dot(LUMA_BGR, colour), atol=1e-9)


@pytest.mark.parametrize('shape', [(1, 1, 3), (3, 200, 3), (48, 40, 3)])
def test_any_picture_comes_back_in_its_own_form_and_the_seed_repeats_it(shape):
    image = np.random.RandomState(1).randint(0, 256, shape).astype(np.uint8)
    for seed in range(25):
        varied, again = (photometric(np.random.RandomState(seed), image) for _ in range(2))
        assert varied.shape == shape and varied.dtype == np.uint8
        np.testing.assert_array_equal(varied, again)


def test_blur_takes_of_noise_what_a_gaussian_does():
    """By the sum of squares of its weights: 0.848 of the deviation is left at 0.4 pixels, 1 / (2 sigma root pi) at
    1.4."""
    noise = np.random.RandomState(0).randint(0, 256, (200, 200, 3)).astype(np.uint8)
    left = [photometry._blurred(np.random.RandomState(0), noise, strength).std() / noise.std() for strength in (0., 1.)]
    assert left == pytest.approx([0.848, 0.2015], rel=0.03)


def test_noise_is_even_and_has_no_mean():
    for strength, most in ((0., 4), (1., 20)):
        noise = photometry._noisy(np.random.RandomState(0), PICTURE, strength) - PICTURE.astype(float)
        assert noise.std() == pytest.approx(most / np.sqrt(3), rel=0.05) and np.abs(noise).max() == most
        assert abs(noise.mean()) < 0.3


def test_compression_loses_more_at_full_strength():
    lost = [np.abs(photometry._compressed(np.random.RandomState(0), PICTURE, strength) - PICTURE.astype(float)).mean()
            for strength in (0., 1.)]
    assert 0.2 < lost[0] < lost[1] < 8
