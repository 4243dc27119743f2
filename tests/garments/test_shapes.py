"""The shape model: its numbers, and the properties of a shape model."""
import numpy as np
import pytest

from fashionai.garments.shapes import shape_of
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
