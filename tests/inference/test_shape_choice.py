"""Among the peaks of a heat map, the one that makes a usual shape is chosen; without a shape, the highest one."""
from typing import Dict, Tuple

import numpy as np
import pytest

from fashionai.codec.heatmaps import peaks
from fashionai.garments.shapes import ShapePrior, mean_shape
from fashionai.garments.table import GARMENTS, Garment
from fashionai.inference.shape_choice import choose_by_shape

GRID = 96
Places = Dict[str, Tuple[int, int]]


def usual_places(garment: Garment) -> Places:
    """Returns the places (x, y) of the points of the mean shape in the middle of the grid, by name."""
    shape = mean_shape(garment)
    enlarged = 60 / np.ptp(shape, axis=0).max()
    return {name: tuple(np.rint(xy * enlarged + GRID / 2).astype(int)) for name, xy in zip(garment.keypoints, shape)}


def sigmoids(garment: Garment, *bumps: Tuple[Places, float]) -> np.ndarray:
    """Returns maps (GRID, GRID, K) that show a Gaussian of some height at the places of each of the `bumps`."""
    rows, columns = np.mgrid[:GRID, :GRID]
    maps = np.zeros((GRID, GRID, len(garment.keypoints)), np.float32)
    for places, height in bumps:
        for name, (x, y) in places.items():
            bump = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
            channel = garment.keypoints.index(name)
            maps[..., channel] = np.maximum(maps[..., channel], bump)
    return 1 / (1 + np.exp(-maps))


def chosen(garment: Garment, maps: np.ndarray, counted: np.ndarray) -> Places:
    places, heights = choose_by_shape(maps, counted, ShapePrior(garment))
    np.testing.assert_array_equal(heights, maps[places[:, 1], places[:, 0], np.arange(len(places))])
    return {name: tuple(place) for name, place in zip(garment.keypoints, places)}


@pytest.mark.parametrize('tag, point, wrong', [
    ('blouse', 'cuff_left_in', 'neckline_right'), ('blouse', 'cuff_right_out', 'cuff_left_out'),
    ('dress', 'hemline_left', 'hemline_right'), ('trousers', 'bottom_left_out', 'waistband_right')])
def test_a_lower_peak_wins_if_the_highest_makes_an_unusual_shape(tag: str, point: str,
                                                                 wrong: str) -> None:
    garment = GARMENTS[tag]
    usual, counted = usual_places(garment), np.ones(len(garment.keypoints), bool)
    maps = sigmoids(garment, (usual, 0.7), ({point: usual[wrong]}, 0.8))
    highest = peaks(maps)[0][garment.keypoints.index(point)]
    assert tuple(highest) == usual[wrong]
    assert chosen(garment, maps, counted) == usual


def test_the_highest_peak_stays_if_both_places_are_usual() -> None:
    garment = GARMENTS['skirt']
    usual, counted = usual_places(garment), np.ones(4, bool)
    x, y = usual['hemline_left']
    maps = sigmoids(garment, (usual, 0.7), ({'hemline_left': (x - 8, y)}, 0.9))
    assert chosen(garment, maps, counted) == {**usual, 'hemline_left': (x - 8, y)}


def test_a_faint_peak_does_not_win() -> None:
    garment = GARMENTS['skirt']
    usual, counted = usual_places(garment), np.ones(4, bool)
    other = {'hemline_left': (usual['hemline_left'][0] - 14, usual['hemline_left'][1])}
    maps = sigmoids(garment, ({**usual, **other}, 0.9), ({'hemline_left': usual['hemline_left']}, 0.02))
    assert chosen(garment, maps, counted) == {**usual, **other}


def test_points_that_do_not_count_keep_their_highest_peak() -> None:
    garment = GARMENTS['blouse']
    usual, counted = usual_places(garment), np.ones(len(garment.keypoints), bool)
    counted[garment.keypoints.index('cuff_left_in')] = False
    maps = sigmoids(garment, (usual, 0.7), ({'cuff_left_in': usual['top_hem_left']}, 0.8))
    assert chosen(garment, maps, counted)['cuff_left_in'] == usual['top_hem_left']


def test_few_points_are_no_shape() -> None:
    garment = GARMENTS['blouse']
    usual, counted = usual_places(garment), np.zeros(len(garment.keypoints), bool)
    counted[:3] = True
    maps = sigmoids(garment, (usual, 0.7), ({'neckline_left': usual['cuff_left_in']}, 0.8))
    assert chosen(garment, maps, counted)['neckline_left'] == usual['cuff_left_in']


def test_maps_without_peaks_give_places_in_the_grid() -> None:
    garment = GARMENTS['dress']
    places, heights = choose_by_shape(np.full((GRID, GRID, len(garment.keypoints)), 0.5, np.float32),
                                      np.ones(len(garment.keypoints), bool), ShapePrior(garment))
    assert places.shape == (len(garment.keypoints), 2) and (places >= 0).all() and (places < GRID).all()
    np.testing.assert_array_equal(heights, 0.5)
