"""The test set of photographs: whole, and labelled in a way that the measures can use."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fashionai.annotations import image_path, read_annotations
from fashionai.evaluation.metrics import normaliser_ends, score
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, mirror_name
from fashionai.images.decoder import read_image, read_upright

FOLDER = Path(__file__).resolve().parents[1] / 'data' / 'photographs'
ALWAYS_THERE = {
    'blouse': ('neckline', 'center_front', 'armpit', 'top_hem'),
    'dress': ('neckline', 'center_front', 'armpit', 'hemline'),
    'outwear': ('neckline', 'shoulder', 'armpit', 'top_hem'),
    'skirt': ('waistband', 'hemline'),
    'trousers': ('waistband', 'crotch', 'bottom')}
"""Of each type, how the names of the points start that every garment has."""


@pytest.fixture(scope='module')
def photographs():
    return read_annotations(FOLDER / 'val.csv')


def points_of(photographs):
    """The image id, type and labelled points of each photograph."""
    for image_id, category, points in zip(photographs.image_ids, photographs.categories, photographs.keypoints):
        yield image_id, category, {name: point for name, point in zip(CSV_KEYPOINTS, points) if point[2] != -1}


def test_there_are_eight_of_each_type_and_no_other_picture(photographs):
    assert Counter(photographs.categories) == dict.fromkeys(GARMENTS, 8)
    files = [path.relative_to(FOLDER).as_posix() for path in (FOLDER / 'Images').rglob('*') if path.is_file()]
    assert sorted(files) == sorted(photographs.image_ids)
    assert all(image_id.split('/')[1] == category
               for image_id, category in zip(photographs.image_ids, photographs.categories))


def test_pictures_are_whole_small_and_upright_as_stored(photographs):
    for image_id in photographs.image_ids:
        path = image_path(FOLDER, image_id)
        image = read_image(path)
        assert max(image.shape[:2]) <= 384 and path.stat().st_size < 40_000, image_id
        assert b'Exif' not in path.read_bytes(), image_id
        np.testing.assert_array_equal(image, read_upright(path), image_id)


def test_labels_lie_inside_and_belong_to_the_type(photographs):
    for image_id, category, points in points_of(photographs):
        height, width = read_image(image_path(FOLDER, image_id)).shape[:2]
        for name, (x, y, _) in points.items():
            assert 0 <= x < width and 0 <= y < height, (image_id, name)
        assert set(points) <= set(GARMENTS[category].keypoints), image_id
        wanted = {name for name in GARMENTS[category].keypoints if name.startswith(ALWAYS_THERE[category])}
        assert wanted <= set(points), image_id


def test_points_come_in_pairs_left_of_right_and_top_above_bottom(photographs):
    for image_id, _, points in points_of(photographs):
        for name, point in points.items():
            other = mirror_name(name)
            assert other in points, (image_id, name)
            if 'left' in name:
                assert point[0] < points[other][0], (image_id, name)
        for upper, lower in (('neckline', 'armpit'), ('armpit', 'top_hem'), ('armpit', 'waistline'),
                             ('waistline', 'hemline'), ('waistband', 'hemline')):
            for side in ('left', 'right'):
                above, below = (points.get(f'{name}_{side}') for name in (upper, lower))
                assert above is None or below is None or above[1] < below[1], (image_id, upper, lower, side)
        for name in ('bottom_left', 'bottom_right'):
            if f'{name}_in' in points:
                towards_the_middle = 1 if 'left' in name else -1
                assert (points[f'{name}_in'][0] - points[f'{name}_out'][0]) * towards_the_middle > 0, (image_id, name)


def test_every_photograph_can_be_measured(photographs):
    ends = normaliser_ends(photographs.categories, photographs.keypoints, photographs.garments)
    spans = np.hypot(*(ends[:, 0, :2] - ends[:, 1, :2]).T)
    assert (ends[..., 2] != -1).all() and spans.min() > 50
    pooled = score(photographs, photographs).leaderboard.pooled
    assert pooled.percent == 0 and pooled.points > 350
