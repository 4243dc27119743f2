"""Affine maps: points and pictures must go to the same place."""
from typing import Tuple

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from fashionai.images.geometry import (
    compose,
    invert,
    mirroring,
    rotation,
    scaling,
    similarity,
    transform_points,
    translation,
    warp_image,
)


def dot(size_hw: Tuple[int, int], centre_xy: Tuple[float, float], sigma: float) -> np.ndarray:
    """A picture (h, w, 3) float32 of a round spot whose centre of mass is the given point."""
    y, x = np.mgrid[:size_hw[0], :size_hw[1]]
    spot = np.exp(-((x - centre_xy[0]) ** 2 + (y - centre_xy[1]) ** 2) / (2 * sigma ** 2))
    return np.repeat(spot[..., None], 3, axis=2).astype(np.float32)


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:image.shape[0], :image.shape[1]]
    weight: np.ndarray = image[..., 0].astype(np.float64)
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.mark.parametrize('affine', [
    translation(7.25, -3.5),
    scaling(1.5, 1.5),
    scaling(0.8, 1.2),
    rotation(33, (60, 45)),
    mirroring(121),
    compose(rotation(-15, (60, 45)), scaling(1.3, 1.1), translation(-20, -9.75)),
    scaling(0.5, 0.5),
    scaling(0.29, 0.29),
    compose(scaling(0.21, 0.24), rotation(20, (15, 10)), translation(5, 4)),
], ids=['move', 'enlarge', 'squeeze', 'turn', 'mirror', 'all', 'half', 'shrink', 'shrink-turn'])
def test_a_warped_dot_lies_where_its_point_goes(affine: np.ndarray) -> None:
    point = (52.3, 38.6)
    warped = warp_image(affine, dot((97, 121), point, sigma=6), (160, 200))
    assert warped.shape == (160, 200, 3)
    np.testing.assert_allclose(centre_of_mass(warped), transform_points(affine, np.array(point)), atol=0.06)


def test_enlarging_keeps_pixel_centres_half_a_pixel_inside() -> None:
    cells = np.array([[0., 0.], [1., 0.], [5., 45.]])
    np.testing.assert_allclose(transform_points(scaling(8, 8), cells), [[3.5, 3.5], [11.5, 3.5], [43.5, 363.5]])
    np.testing.assert_allclose(transform_points(scaling(3, 0.25), np.array([-0.5, -0.5])), [-0.5, -0.5])


def test_halving_averages_each_two_by_two_pixels() -> None:
    image = np.random.RandomState(2).uniform(0, 255, (6, 10, 3)).astype(np.float32)
    means = (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
    np.testing.assert_allclose(warp_image(scaling(0.5, 0.5), image, (3, 5)), means, rtol=1e-5)


def test_mirror_is_numpys_mirror_and_undoes_itself() -> None:
    image = np.random.RandomState(0).randint(0, 256, (5, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(warp_image(mirroring(8), image, (5, 8)), image[:, ::-1])
    np.testing.assert_allclose(compose(mirroring(8), mirroring(8)), np.eye(3)[:2])
    np.testing.assert_allclose(transform_points(mirroring(8), np.array([0, 2])), [7, 2])


def test_positive_angles_turn_clockwise_on_the_screen() -> None:
    quarter = rotation(90, (10, 20))
    points = np.array([[10, 20], [13, 20]])
    np.testing.assert_allclose(transform_points(quarter, points), [[10, 20], [10, 23]], atol=1e-12)


def test_maps_compose_in_the_order_given() -> None:
    point = np.array([2., 3.])
    np.testing.assert_allclose(transform_points(compose(translation(1, 0), scaling(2, 2)), point), [6.5, 6.5])
    np.testing.assert_allclose(transform_points(compose(scaling(2, 2), translation(1, 0)), point), [5.5, 6.5])
    np.testing.assert_allclose(compose(), np.eye(3)[:2])


def test_an_inverse_undoes_its_map() -> None:
    affine = compose(rotation(25, (3, 4)), scaling(0.7, 1.9), translation(-8, 2), mirroring(30))
    np.testing.assert_allclose(compose(affine, invert(affine)), np.eye(3)[:2], atol=1e-12)
    points = np.random.RandomState(1).uniform(-50, 400, (4, 6, 2))
    back = transform_points(invert(affine), transform_points(affine, points))
    assert back.shape == points.shape
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_what_the_picture_leaves_bare_is_border() -> None:
    warped = warp_image(translation(3, 2), np.full((4, 4, 3), 9, np.uint8), (8, 8), border=128)
    assert (warped[2:6, 3:7] == 9).all()
    assert (warped[:2] == 128).all() and (warped[:, :3] == 128).all() and (warped[6:] == 128).all()


@pytest.mark.parametrize('count', [2, 3, 15])
def test_the_similarity_is_that_of_scikit_image(count: int) -> None:
    random = np.random.RandomState(count)
    source, target = random.normal(size=(count, 2)) * 100, random.normal(size=(count, 2)) * 50
    reference = SimilarityTransform()
    assert reference.estimate(source, target)
    assert similarity(source, target) == pytest.approx(reference.params[:2], abs=1e-9)


def test_a_similarity_comes_back() -> None:
    affine = compose(rotation(170, (3, 4)), scaling(2.5, 2.5))
    points = np.array([[0., 0], [10, 0], [3, 7]])
    assert similarity(points, transform_points(affine, points)) == pytest.approx(affine)


def test_too_few_points_determine_no_similarity() -> None:
    assert similarity(np.ones((1, 2)), np.zeros((1, 2))) is None
    assert similarity(np.ones((3, 2)), np.arange(6.).reshape(3, 2)) is None
