"""The shape model: its numbers, and the properties of a shape model."""
from typing import Tuple

import numpy as np
import pytest

from fashionai.garments.shapes import ShapePrior, mean_shape, sampled_shapes, shape_of
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_model_fits_the_keypoint_table(tag: str) -> None:
    shape = shape_of(tag)
    assert set(shape.keypoints) == set(GARMENTS[tag].keypoints)
    assert list(shape.keypoints) == sorted(shape.keypoints, key=CSV_KEYPOINTS.index)
    for rates in (shape.visible_rate, shape.occluded_rate, shape.absent_rate):
        assert rates.shape == (len(shape.keypoints),)
    np.testing.assert_allclose(shape.visible_rate + shape.occluded_rate + shape.absent_rate, 1, atol=2e-4)


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_mean_is_aligned_and_components_are_orthonormal(tag: str) -> None:
    shape = shape_of(tag)
    np.testing.assert_allclose(shape.mean_xy.sum(axis=0), 0, atol=1e-4)
    assert np.sum(shape.mean_xy ** 2) == pytest.approx(1, abs=1e-4)
    flat = shape.components.reshape(len(shape.std), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(shape.std)), atol=2e-4)
    assert np.all(np.diff(shape.std) < 0) and np.all(shape.std > 0)


def test_figures_of_the_labels() -> None:
    blouse, outwear, trousers = shape_of('blouse'), shape_of('outwear'), shape_of('trousers')
    assert blouse.size_mean_std == (531.7, 169.8)
    assert blouse.std[0] == 0.25155
    np.testing.assert_array_equal(blouse.mean_xy[0], [-0.08284, -0.2785])
    assert dict(zip(outwear.keypoints, outwear.absent_rate))['waistline_left'] == 0.8442
    np.testing.assert_array_equal(trousers.centre_mean_xy, [235.6, 304.4])
    assert trousers.tilt_std_deg == 6.69


def test_unknown_type_is_named() -> None:
    with pytest.raises(ValueError, match="'sock'.*blouse"):
        shape_of('sock')


def turned(points_xy: np.ndarray, degrees: float, size: float, shift_xy: Tuple[float, float]) -> np.ndarray:
    """Returns points (K, 2) after a rotation, a scaling and a translation."""
    angle = np.radians(degrees)
    return size * points_xy @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + shift_xy


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_the_mean_shape_is_at_distance_zero_in_any_pose(tag: str) -> None:
    mean = mean_shape(GARMENTS[tag])
    poses = np.array([mean, turned(mean, 30, 200, (50, 70)), turned(mean, -80, 0.1, (-3, 0))])
    distances = ShapePrior(GARMENTS[tag]).distances(poses, np.ones(len(mean), bool))
    np.testing.assert_allclose(distances, 0, atol=1e-9)


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_labelled_shapes_are_nearer_than_shapes_with_a_point_at_another_place(tag: str) -> None:
    """Samples of the labels' own distribution, then the same with two points exchanged."""
    garment, shape = GARMENTS[tag], shape_of(tag)
    order = [shape.keypoints.index(name) for name in garment.keypoints]
    usual = sampled_shapes(shape, 200, np.random.RandomState(0))[:, order]
    wrong = usual.copy()
    wrong[:, [0, -1]] = wrong[:, [-1, 0]]
    prior, every = ShapePrior(garment), np.ones(len(order), bool)
    assert np.mean(prior.distances(usual, every) < prior.distances(wrong, every)) > 0.99
    assert prior.distances(usual, every).mean() < 2 * len(order)  # each coordinate adds 1 at most, in the mean


def test_points_that_do_not_count_may_lie_anywhere() -> None:
    garment = GARMENTS['blouse']
    points, counted = mean_shape(garment), np.ones(len(garment.keypoints), bool)
    points[4], counted[4] = (40., -7.), False
    prior = ShapePrior(garment)
    assert prior.distances(points[None], counted)[0] == pytest.approx(0, abs=1e-9)
    assert prior.distances(points[None], ~np.zeros_like(counted))[0] > 100


def test_points_at_one_place_are_infinitely_far() -> None:
    garment = GARMENTS['skirt']
    assert np.isinf(ShapePrior(garment).distances(np.ones((1, len(garment.keypoints), 2)),
                                                  np.ones(len(garment.keypoints), bool)))
