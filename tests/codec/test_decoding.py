"""Peaks between places: Gaussians with known centres are found with the accuracy of each decoder."""
from typing import Tuple

import numpy as np
import pytest

from fashionai.codec.decoding import DECODERS, blurred
from fashionai.codec.heatmaps import peaks

MIDDLES = [(7.0, 9.0), (7.3, 9.4), (6.6, 8.55), (7.49, 8.51)]


def gaussian(middle_xy: Tuple[float, float], sigma: float = 1.0, size: int = 16) -> np.ndarray:
    """Returns a map (size, size, 1) like the canvas: the sigmoid of a Gaussian."""
    y, x = np.mgrid[0:size, 0:size]
    heat = np.exp(-((x - middle_xy[0]) ** 2 + (y - middle_xy[1]) ** 2) / (2 * sigma ** 2))
    return (1 / (1 + np.exp(-heat)))[..., None].astype(np.float32)


@pytest.mark.parametrize('decode, within', [('plain', 0.5), ('quarter', 0.3), ('bicubic', 0.1), ('dark', 0.03)])
@pytest.mark.parametrize('middle', MIDDLES)
def test_peaks_between_places(decode: str, within: float, middle: Tuple[float, float]) -> None:
    maps = gaussian(middle)
    places = peaks(maps)[0]
    found = places + DECODERS[decode].refine(maps, places, 1.0)
    np.testing.assert_allclose(found[0], middle, atol=within)


def test_the_quarter_goes_to_the_higher_neighbour() -> None:
    maps = gaussian((7.2, 8.9))
    offsets = DECODERS['quarter'].refine(maps, np.array([[7, 9]]), 1.0)
    np.testing.assert_array_equal(offsets, [[0.25, -0.25]])


def test_dark_is_the_top_of_a_long_slanting_gaussian() -> None:
    """The axes of the Gaussian are not those of the grid, so the mixed derivative counts."""
    y, x = np.mgrid[0:31, 0:31].astype(float)
    precision = np.array([[0.06, 0.04], [0.04, 0.08]])
    dx, dy = x - 15.4, y - 14.7
    squared = precision[0, 0] * dx ** 2 + 2 * precision[0, 1] * dx * dy + precision[1, 1] * dy ** 2
    maps = np.exp(-squared / 2)[..., None]
    places = peaks(maps)[0]
    np.testing.assert_allclose(places[0] + DECODERS['dark'].refine(maps, places, 1.0)[0], (15.4, 14.7), atol=0.02)


def test_a_flat_map_stays_where_it_is() -> None:
    maps = np.full((9, 9, 1), 0.5, np.float32)
    for name, decoder in DECODERS.items():
        np.testing.assert_array_equal(decoder.refine(maps, np.array([[4, 4]]), 1.0), [[0, 0]], name)


@pytest.mark.parametrize('decode', DECODERS)
def test_no_peak_at_all(decode: str) -> None:
    """All peaks of an image may be on its border; these are not refined."""
    offsets = DECODERS[decode].refine(np.zeros((9, 9, 0), np.float32), np.zeros((0, 2), int), 1.0)
    assert offsets.shape == (0, 2)


def test_blur_is_a_gaussian() -> None:
    canvas = np.zeros((1, 41, 41), np.float32)
    canvas[0, 20, 20] = 1
    distance = np.arange(-20, 21)
    line = np.exp(-distance ** 2 / 8) / np.exp(-distance ** 2 / 8).sum()
    np.testing.assert_allclose(blurred(canvas, 2.)[0], np.outer(line, line), atol=1e-4)
    assert blurred(canvas, 0) is canvas
