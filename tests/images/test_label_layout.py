"""Places of labels: inside the picture, apart from each other, over no point, and beside the garment if they can."""
from itertools import combinations
from typing import Sequence, Tuple

import cv2
import numpy as np
import pytest

from fashionai.images.label_layout import Obstacles, clear, leaders, place_block, place_labels

RADIUS = 6.


def obstacles(size_hw: Tuple[int, int], points: np.ndarray, garment: Tuple[slice, slice] = (slice(0), slice(0)),
              taken: Sequence = ()) -> Obstacles:
    mask = np.zeros(size_hw, np.uint8)
    mask[garment] = 1
    return Obstacles(size_hw, points, RADIUS, cv2.integral(mask), taken)


def pixels(place: Tuple[int, int, int, int]) -> set:
    left, top, right, bottom = place
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


@pytest.mark.parametrize('seed', range(30))
def test_labels_are_inside_the_picture_apart_and_over_no_point(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = random.integers(60, 400, 2)
    points = random.uniform(0, 1, (random.integers(1, 16), 2)) * (width - 1, height - 1)
    if seed % 3 == 0:
        points = (points * 0.1).round()  # crowded in a corner
    sizes = np.column_stack([random.integers(10, 80, len(points)), random.integers(9, 13, len(points))])
    taken = (0, 0, 50, 14)
    places = place_labels(points, sizes, obstacles((height, width), points, taken=(taken,)))
    assert len(places) == len(points)
    for place, size in zip(places, sizes):
        if place:
            left, top, right, bottom = place
            assert (right - left, bottom - top) == tuple(size)
            assert 0 <= left and 0 <= top and right <= width and bottom <= height
            assert not pixels(place) & pixels(taken)
            x, y = np.array(list(pixels(place))).T
            assert np.hypot(x - points[:, :1], y - points[:, 1:]).min() >= RADIUS
    for one, other in combinations(filter(None, places), 2):
        assert not pixels(one) & pixels(other)


def test_every_label_has_a_place_where_there_is_room() -> None:
    random = np.random.default_rng(7)
    for _ in range(10):
        points = random.uniform(200, 600, (15, 2))
        places = place_labels(points, np.full((15, 2), (90, 14)), obstacles((800, 800), points))
        assert None not in places
        assert clear(points, places, (800, 800)) or None in places


def test_a_label_is_near_its_point_and_beside_the_garment() -> None:
    points = np.array([[100., 100], [300, 100], [100, 300], [300, 300]])
    places = place_labels(points, np.full((4, 2), (60, 12)), obstacles((400, 400), points, (slice(100, 301),) * 2))
    for (x, y), place in zip(points, places):
        left, top, right, bottom = place
        assert right <= 100 or left > 300 or bottom <= 100 or top > 300
        assert max(left - x, x - right, 0) + max(top - y, y - bottom, 0) < 30


def test_labels_without_room_are_left_out_and_that_is_not_clear() -> None:
    points = np.array([[10., 10], [30, 10], [50, 10]])
    crowded = obstacles((20, 60), points)
    assert place_labels(points, np.full((3, 2), (80, 9)), crowded) == [None] * 3
    assert not clear(points, [None] * 3, (20, 60))
    assert place_labels(np.zeros((0, 2)), np.zeros((0, 2)), crowded) == []


def test_crossed_lines_and_labels_that_cover_the_picture_are_not_clear() -> None:
    points = np.array([[50., 50], [50, 80]])
    straight, crossed = [(80, 44, 99, 56), (80, 74, 99, 86)], [(80, 74, 99, 86), (80, 44, 99, 56)]
    assert clear(points, straight, (150, 150)) and not clear(points, crossed, (150, 150))
    assert not clear(points, straight, (20, 80)), 'two labels of 228 pixels are more than a quarter of it'


def test_a_line_ends_at_the_nearest_edge_of_its_label() -> None:
    lines = leaders(np.array([50., 50]), np.array([[60., 44, 90, 56], [10, 44, 40, 56], [30, 70, 80, 82]]))
    np.testing.assert_allclose(lines, [[50, 50, 60, 50], [50, 50, 39, 50], [50, 50, 50, 70]])


def test_a_block_is_in_the_corner_unless_a_point_or_the_garment_is_there() -> None:
    nothing = np.full((1, 2), 390.)
    assert place_block((80, 20), obstacles((400, 400), nothing)) == (0, 0, 80, 20)
    moved = place_block((80, 20), obstacles((400, 400), np.array([[20., 10]])))
    assert moved and not (moved[0] < 20 < moved[2] and moved[1] < 10 < moved[3])
    covered = obstacles((400, 400), nothing, (slice(None), slice(0, 300)))
    assert place_block((80, 20), covered)[0] >= 300 - 20
    assert place_block((80, 20), covered, farthest=0.5) is None
    assert place_block((500, 20), covered) is None
