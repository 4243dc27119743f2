"""Generated garments: labels fit the picture, are the same for the same seed, and resemble real labels on average."""
from typing import Dict

import numpy as np
import pytest

from fashionai.garments.shapes import shape_of
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS
from fashionai.images.geometry import transform_points
from fashionai.synthetic.canvas import BACKDROP, BODY, FOREIGN, Canvas
from fashionai.synthetic.pose import TRUNCATION, sample_pose
from fashionai.synthetic.render import draw_garment, label

TAGS = list(GARMENTS)


@pytest.fixture(scope='module')
def drawn() -> Dict[str, list]:
    """Some pictures of each type, small, with their labels."""
    return {tag: [draw_garment(np.random.default_rng([7, number]), tag, 160) for number in range(12)] for tag in TAGS}


@pytest.mark.parametrize('tag', TAGS)
def test_labels_are_of_the_type_and_inside(drawn: Dict[str, list], tag: str) -> None:
    foreign = [CSV_KEYPOINTS.index(name) for name in CSV_KEYPOINTS if name not in GARMENTS[tag].keypoints]
    for image, keypoints in drawn[tag]:
        assert image.dtype == np.uint8 and image.shape[2] == 3 and max(image.shape) == 160
        assert keypoints.shape == (24, 3) and keypoints.dtype == np.int32
        assert np.all(keypoints[foreign] == -1)
        absent = keypoints[:, 2] == -1
        assert np.all(keypoints[absent] == -1)
        assert set(keypoints[~absent, 2]) <= {0, 1}
        assert np.all(keypoints[~absent, :2] >= 0)
        assert np.all(keypoints[~absent, :2] < image.shape[1::-1])


@pytest.mark.parametrize('tag', TAGS)
def test_left_is_image_left(drawn: Dict[str, list], tag: str) -> None:
    left, right = ([CSV_KEYPOINTS.index(name.replace('left', side)) for name in GARMENTS[tag].normaliser
                    if 'left' in name][0] for side in ('left', 'right'))
    for _, keypoints in drawn[tag]:
        if min(keypoints[[left, right], 2]) >= 0:
            assert keypoints[left, 0] < keypoints[right, 0]


def test_the_same_generator_draws_the_same_picture() -> None:
    first, second, other = (draw_garment(np.random.default_rng(seed), 'dress', 128) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert first[0].shape != other[0].shape or np.any(first[0] != other[0])


def test_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match='sock'):
        draw_garment(np.random.default_rng(0), 'sock')


@pytest.mark.parametrize('tag', TAGS)
def test_visibility_is_like_that_of_the_labels(tag: str) -> None:
    """Over many garments, rates of visible and absent keypoints are near those of the real labels."""
    shape = shape_of(tag)
    columns = [CSV_KEYPOINTS.index(name) for name in shape.keypoints]
    labels = [draw_garment(np.random.default_rng([1, number]), tag, 64)[1] for number in range(60)]
    states = np.array(labels)[:, columns, 2]
    assert np.mean(states == 1) == pytest.approx(shape.visible_rate.mean(), abs=0.15)
    assert np.mean(states == -1) == pytest.approx(shape.absent_rate.mean(), abs=0.07)


@pytest.mark.parametrize('tag', TAGS)
def test_shapes_stay_near_the_model(tag: str) -> None:
    """Without its place and size, a garment is a shape within the truncated model."""
    shape = shape_of(tag)
    for number in range(20):
        pose = sample_pose(np.random.default_rng(number), tag, 512, fills_picture=False)
        points = np.stack([pose.points[name] for name in shape.keypoints])
        aligned = points / np.sqrt(np.sum(points ** 2)) * np.sqrt(1 + np.sum(shape.std ** 2))
        coefficients = np.tensordot(shape.components, aligned - shape.mean_xy, 2)
        assert np.all(np.abs(coefficients) < 1.35 * TRUNCATION * shape.std + 0.1)


def test_a_covered_corner_is_occluded_and_a_bare_one_visible() -> None:
    pose = sample_pose(np.random.default_rng(0), 'skirt', 256, fills_picture=True)
    canvas = Canvas(np.zeros(pose.size_hw + (3,), np.uint8), pose.frame)
    corners = np.stack([pose.points[name] for name in
                        ('waistband_left', 'waistband_right', 'hemline_right', 'hemline_left')])
    canvas.fill(corners, (200, 10, 10), BODY)
    bare = label(pose, canvas)
    canvas.fill(pose.points['waistband_left'] + np.array([[-9, -9], [9, -9], [9, 9], [-9, 9]]), (0, 0, 0), FOREIGN)
    covered = label(pose, canvas)
    columns = [CSV_KEYPOINTS.index(name) for name in GARMENTS['skirt'].keypoints]
    assert bare[columns, 2].tolist() == [1, 1, 1, 1]
    assert sorted(covered[columns, 2].tolist()) == [0, 1, 1, 1]
    np.testing.assert_array_equal(bare[:, :2], covered[:, :2])


def test_fill_puts_corners_at_pixel_centres() -> None:
    """A square with corners at pixel centres covers exactly those pixels, so that labels sit on the drawn corners."""
    canvas = Canvas(np.zeros((20, 20, 3), np.uint8), np.array([[1, 0, 2], [0, 1, 3]], float))
    canvas.fill(np.array([[2, 2], [9, 2], [9, 9], [2, 9]], float), (255, 255, 255), BODY)
    rows, columns = np.nonzero(canvas.owner != BACKDROP)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (5, 12, 4, 11)
    np.testing.assert_array_equal(transform_points(canvas.frame, np.array([2, 2])), [4, 5])
