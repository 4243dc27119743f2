"""The best assembly is compared with all assemblies, scored by loops; examples show its use."""
from itertools import product
from typing import List, Tuple

import numpy as np
import pytest

from fashionai.codec.assembly import LIMB_WEIGHT, assemble
from fashionai.codec.fields import encode_fields
from fashionai.codec.heatmaps import encode_heatmaps, peaks
from fashionai.garments.table import GARMENTS

STRIDE = 4
INPUT_HW = (256, 192)
VIEW = (-0.5, -0.5, 191.5, 255.5)


def looped_peaks(plane: np.ndarray, count: int) -> List[Tuple[int, int]]:
    """Returns the `count` highest pixels (x, y) that are above all their neighbours."""
    height, width = plane.shape
    found = []
    for y, x in product(range(height), range(width)):
        around = [plane[v, u] for v in range(max(y - 1, 0), min(y + 2, height))
                  for u in range(max(x - 1, 0), min(x + 2, width)) if (u, v) != (x, y)]
        if plane[y, x] > max(around):
            found.append((x, y))
    return sorted(found, key=lambda xy: -plane[xy[1], xy[0]])[:count]


def looped_limb_score(field: np.ndarray, start: Tuple[int, int], end: Tuple[int, int]) -> float:
    """Returns the score of a limb by equation 11 at 16 points."""
    vector = np.subtract(end, start)
    length = np.linalg.norm(vector)
    total = 0.
    for sample in range(16):
        x, y = np.rint(start + vector * sample / 15).astype(int)
        total += float(np.dot(field[y, x], vector / length)) if length else 0.
    return total / 16


def best_of_all(heatmaps: np.ndarray, fields: np.ndarray, limbs: np.ndarray, count: int, weight: float) -> np.ndarray:
    """Returns (K, 2) places of the assembly with the largest sum, found by trying all of them."""
    places = [looped_peaks(heatmaps[:, :, k], count) for k in range(heatmaps.shape[2])]
    choices = np.indices([len(candidates) for candidates in places], np.uint8).reshape(len(places), -1)
    totals = np.zeros(choices.shape[1])
    for k, candidates in enumerate(places):
        totals += np.array([heatmaps[y, x, k] for x, y in candidates])[choices[k]]
    for limb, (a, b) in enumerate(limbs):
        field = fields[:, :, 2 * limb:2 * limb + 2]
        scores = np.array([[looped_limb_score(field, start, end) for end in places[b]] for start in places[a]])
        totals += weight * scores[choices[a], choices[b]]
    return np.array([places[k][choice] for k, choice in enumerate(choices[:, totals.argmax()])])


@pytest.mark.parametrize('limbs', [
    [], [(0, 1)], [(0, 1), (1, 2), (2, 3)], [(1, 0), (2, 1), (0, 3), (3, 2)],
    [(0, 1), (2, 0), (0, 3), (1, 2), (3, 1), (2, 3)]])
@pytest.mark.parametrize('seed', range(4))
def test_it_is_the_best_of_all_assemblies(limbs: List[Tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    heatmaps, fields = rng.random((11, 14, 4), np.float32), rng.normal(size=(11, 14, 2 * len(limbs)))
    links = np.array(limbs, int).reshape(-1, 2)
    places, scores = assemble(heatmaps, fields, links, candidates=5, limb_weight=0.7)
    np.testing.assert_array_equal(places, best_of_all(heatmaps, fields, links, 5, 0.7))
    np.testing.assert_array_equal(scores, [heatmaps[y, x, k] for k, (x, y) in enumerate(places)])


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_the_limbs_of_a_garment(tag: str) -> None:
    rng, limbs = np.random.default_rng(7), GARMENTS[tag].limb_indices
    heatmaps = rng.random((12, 12, len(GARMENTS[tag].keypoints)), np.float32)
    fields = rng.normal(size=(12, 12, 2 * len(limbs)))
    np.testing.assert_array_equal(assemble(heatmaps, fields, limbs, candidates=2)[0],
                                  best_of_all(heatmaps, fields, limbs, 2, LIMB_WEIGHT))


def skirt_maps(points: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns ideal outputs for the four points of a skirt: heat maps without background, and fields."""
    starts, ends = GARMENTS['skirt'].limb_indices.T
    return (encode_heatmaps(points, np.ones(4, bool), INPUT_HW, STRIDE)[:, :, :-1],
            encode_fields(points[starts], points[ends], np.ones(len(starts), bool), VIEW, INPUT_HW, STRIDE))


POINTS = np.array([(61.5, 41.5), (133.5, 41.5), (41.5, 201.5), (153.5, 201.5)])
CELLS = [[15, 10], [33, 10], [10, 50], [38, 50]]


def test_a_higher_peak_that_no_limb_leads_to_loses() -> None:
    heatmaps, fields = skirt_maps(POINTS)
    heatmaps *= 0.7
    wrong = POINTS.copy()
    wrong[3] = (101.5, 121.5)
    heatmaps[:, :, 3] = np.maximum(heatmaps[:, :, 3], skirt_maps(wrong)[0][:, :, 3])
    assert peaks(heatmaps)[0].tolist() == CELLS[:3] + [[25, 30]]
    places, scores = assemble(heatmaps, fields, GARMENTS['skirt'].limb_indices, limb_weight=0.2)
    assert places.tolist() == CELLS
    np.testing.assert_allclose(scores, 0.7 * skirt_maps(POINTS)[0].max(axis=(0, 1)), rtol=1e-6)
    without, _ = assemble(heatmaps, fields, GARMENTS['skirt'].limb_indices, limb_weight=0)
    assert without.tolist() == CELLS[:3] + [[25, 30]]


def test_sides_that_both_maps_show_are_told_apart_by_the_direction_of_the_limb() -> None:
    heatmaps, fields = skirt_maps(POINTS)
    both = np.maximum(heatmaps[:, :, 0], heatmaps[:, :, 1])
    confused = np.stack([both, both, heatmaps[:, :, 2], heatmaps[:, :, 3]], axis=2)
    assert assemble(confused, fields, GARMENTS['skirt'].limb_indices)[0].tolist() == CELLS


def test_candidates_near_a_higher_one_are_suppressed() -> None:
    """In a grid of 64, pixels nearer than two pixels are not candidates. The field chooses one two pixels off."""
    heatmaps, fields = np.zeros((64, 64, 2), np.float32), np.zeros((64, 64, 2), np.float32)
    heatmaps[20, [10, 12], 0] = 1, 0.9
    heatmaps[20, 50, 1] = 1
    limb = np.array([(0, 1)])
    assert assemble(heatmaps, fields, limb)[0].tolist() == [[10, 20], [50, 20]]
    fields[20, 12:51, 0] = 1
    assert assemble(heatmaps, fields, limb, limb_weight=2)[0].tolist() == [[12, 20], [50, 20]]
    heatmaps = np.concatenate([heatmaps, np.zeros((64, 64, 2), np.float32)], axis=1)  # width 128: nearer than four
    fields = np.concatenate([fields, np.zeros((64, 64, 2), np.float32)], axis=1)
    assert assemble(heatmaps[..., :2], fields, limb, limb_weight=2)[0].tolist() == [[10, 20], [50, 20]]


@pytest.mark.parametrize('value', [0., 0.5, 1., np.nan])
def test_flat_maps_give_their_arg_max(value: float) -> None:
    heatmaps = np.full((9, 7, 3), value, np.float32)
    heatmaps[:, :, 2] = 0
    heatmaps[4, 5, 2] = 2
    places, scores = assemble(heatmaps, np.zeros((9, 7, 2)), np.array([(0, 1)]))
    assert places.tolist() == [[0, 0], [0, 0], [5, 4]]
    np.testing.assert_array_equal(scores, [value, value, 2])


def test_without_limbs_it_is_the_arg_max_plateaus_and_borders_included() -> None:
    heatmaps = np.random.default_rng(3).integers(0, 4, (20, 30, 16)).astype(np.float32)
    places, scores = assemble(heatmaps, np.zeros((20, 30, 0)), np.zeros((0, 2), int))
    expected_places, expected_scores = peaks(heatmaps)
    np.testing.assert_array_equal(places, expected_places)
    np.testing.assert_array_equal(scores, expected_scores)


def test_all_types_joined() -> None:
    garment, rng = GARMENTS.joint, np.random.default_rng(5)
    points = rng.uniform(20, (172, 236), (24, 2))
    starts, ends = garment.limb_indices.T
    fields = encode_fields(points[starts], points[ends], np.ones(len(starts), bool), VIEW, INPUT_HW, STRIDE)
    heatmaps = encode_heatmaps(points, np.ones(24, bool), INPUT_HW, STRIDE)[:, :, :-1]
    np.testing.assert_array_equal(assemble(heatmaps, fields, garment.limb_indices)[0], peaks(heatmaps)[0])
