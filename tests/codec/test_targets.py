"""The vectorised targets are compared with the formulas, evaluated pixel by pixel in double precision.

benchmarks/original_samples.py computes the pixels; it shares no code with the code under test.
"""
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from fashionai.codec.fields import encode_fields
from fashionai.codec.heatmaps import encode_heatmaps, input_to_cells, peaks
from fashionai.codec.targets import encode_targets
from fashionai.garments.table import GARMENTS

ROOT = Path(__file__).resolve().parents[2]
HW = (48, 72)
STRIDE = 8
WHOLE = (-0.5, -0.5, 71.5, 47.5)

_spec = importlib.util.spec_from_file_location('benchmark_original', str(ROOT / 'benchmarks' / 'original_samples.py'))
original = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(original)


def block_means(pixels):
    height, width = pixels.shape
    return np.array([[pixels[r:r + 8, c:c + 8].mean() for c in range(0, width, 8)] for r in range(0, height, 8)])


def direct_gaussian(x, y):
    picture = np.zeros(HW)
    original.draw_gaussian(picture, x, y)
    return picture


def direct_limb(start, end, view=WHOLE):
    picture = np.zeros(HW + (2,))
    original.draw_limb(picture, start, end, view)
    return picture.transpose(2, 0, 1)


@pytest.mark.parametrize('points', [
    [(30.3, 20.7), (40.1, 25.2)],
    [(0.0, 0.0), (71.4, 47.3)],
    [(3.5, 3.5), (-6.0, 60.0)],
    [(35.9, 11.1), (36.0, 11.0)]])
def test_heatmaps_equal_the_formula(points):
    found = encode_heatmaps(np.array(points), np.array([True, True]), HW, STRIDE)
    gaussians = [direct_gaussian(*point) for point in points]
    for channel in (0, 1):
        np.testing.assert_allclose(found[:, :, channel], block_means(gaussians[channel]), atol=1e-6)
    np.testing.assert_allclose(found[:, :, 2], block_means(1 - np.maximum(*gaussians)), atol=1e-6)


def test_a_point_that_is_not_drawn_leaves_no_trace():
    found = encode_heatmaps(np.array([[20., 20.], [50., 30.]]), np.array([False, True]), HW, STRIDE)
    assert not found[:, :, 0].any()
    np.testing.assert_allclose(found[:, :, 2], 1 - found[:, :, 1], atol=1e-6)


@pytest.mark.parametrize('start, end', [
    ((10.2, 9.1), (60.4, 40.3)), ((60.4, 40.3), (10.2, 9.1)), ((20.3, 5.1), (20.3, 44.9)), ((5.2, 20.4), (66.1, 20.4)),
    ((-20.1, -3.3), (30.2, 70.7)), ((33.3, 22.2), (33.9, 22.6)), ((68.2, 3.1), (90.5, -10.2))])
def test_fields_equal_the_formula(start, end):
    found = encode_fields(np.array([start]), np.array([end]), np.array([True]), WHOLE, HW, STRIDE)
    for axis, pixels in enumerate(direct_limb(start, end)):
        np.testing.assert_allclose(found[:, :, axis], block_means(pixels), atol=1e-6)


def test_limbs_without_length_or_not_drawn_have_no_field():
    starts, ends = np.array([[20., 20.], [5., 5.]]), np.array([[20., 20.], [50., 40.]])
    assert not encode_fields(starts, ends, np.array([True, False]), WHOLE, HW, STRIDE).any()


def test_a_round_trip_is_within_half_a_cell_up_to_the_borders():
    rng = np.random.RandomState(0)
    corners = np.array([[-.5, -.5], [71.5, -.5], [-.5, 47.5], [71.5, 47.5]])
    points = np.concatenate([corners, rng.uniform(-0.5, [71.5, 47.5], (300, 2))])
    cells, scores = peaks(encode_heatmaps(points, np.ones(len(points), bool), HW, STRIDE)[:, :, :-1])
    assert np.abs(cells - input_to_cells(points, STRIDE)).max() <= 0.5 + 1e-9
    assert scores.min() > 0.5


def test_channels_count_as_the_labels_say():
    skirt = GARMENTS['skirt']
    points = np.array([[10., 10.], [40., 10.], [10., 40.], [60., 40.]])
    targets = encode_targets(skirt, points, np.array([1, 0, -1, 1]), (-0.5, -0.5, 55.5, 47.5), HW, STRIDE)
    assert targets.heatmap_weights.tolist() == [1, 0, 0, 1, 1], 'visible points and the background'
    counted = dict(zip(skirt.limbs, targets.field_weights.reshape(-1, 2).tolist()))
    assert counted.pop(('waistband_left', 'hemline_right')) == [1, 1]
    assert all(weights == [0, 0] for weights in counted.values())
    drawn = targets.heatmaps.max(axis=(0, 1)) > 0.3
    assert drawn[:4].tolist() == [True, True, False, False], 'occluded: drawn; absent, out of view: not'
    fields = np.abs(targets.fields).max(axis=(0, 1)).reshape(-1, 2).max(axis=1) > 0
    assert [limb for limb, there in zip(skirt.limbs, fields) if there] == [
        ('waistband_left', 'waistband_right'), ('waistband_right', 'hemline_right'),
        ('waistband_left', 'hemline_right')], 'limbs with two labelled ends, as far as they are in view'


def test_occluded_points_count_where_they_are_asked_to():
    skirt = GARMENTS['skirt']
    points = np.array([[10., 10.], [40., 10.], [10., 40.], [60., 40.]])
    masked, counted = (encode_targets(skirt, points, np.array([1, 0, -1, 1]), WHOLE, HW, STRIDE, choice)
                       for choice in (False, True))
    assert counted.heatmap_weights.tolist() == [1, 1, 0, 1, 1]
    counts = dict(zip(skirt.limbs, counted.field_weights.reshape(-1, 2).tolist()))
    assert [limb for limb in skirt.limbs if counts[limb] == [1, 1]] == [
        limb for limb in skirt.limbs if 'hemline_left' not in limb]
    np.testing.assert_array_equal(counted.heatmaps, masked.heatmaps)
    np.testing.assert_array_equal(counted.fields, masked.fields)


def test_the_joint_network_learns_nothing_from_points_a_type_has_not():
    joint = GARMENTS.of('all')
    visibility = np.full(24, -1)
    visibility[joint.keypoints.index('crotch')] = 1
    targets = encode_targets(joint, np.full((24, 2), 20.), visibility, WHOLE, HW, STRIDE)
    assert targets.heatmap_weights.sum() == 2
    assert not targets.field_weights.any()


def test_an_input_that_is_no_multiple_of_the_stride_is_refused():
    with pytest.raises(ValueError, match='8'):
        encode_heatmaps(np.zeros((1, 2)), np.array([True]), (100, 96), 8)


def test_fields_end_where_the_view_ends():
    start, end, view = (10.2, 9.1), (60.4, 40.3), (5.3, 12.2, 40.6, 30.1)
    found = encode_fields(np.array([start]), np.array([end]), np.array([True]), view, HW, STRIDE)
    for axis, pixels in enumerate(direct_limb(start, end, view)):
        np.testing.assert_allclose(found[:, :, axis], block_means(pixels), atol=1e-6)


def test_the_mean_of_the_cells_at_stride_4_is_the_target_at_stride_8():
    """So a stage of stride 8 before a refine net has the same targets as without one."""
    points, view = np.random.RandomState(3).uniform(-6, [78, 54], (4, 2)), (3.3, -0.5, 60.2, 47.5)
    fine, coarse = (encode_targets(GARMENTS['skirt'], points, np.array([1, 1, 0, 1]), view, HW, stride)
                    for stride in (4, 8))
    for name in ('heatmaps', 'fields'):
        maps = getattr(fine, name)
        assert maps.shape[:2] == (12, 18) and np.abs(maps).max() > 0.2
        pooled = (maps[0::2, 0::2] + maps[0::2, 1::2] + maps[1::2, 0::2] + maps[1::2, 1::2]) / 4
        np.testing.assert_allclose(pooled, getattr(coarse, name), atol=1e-6)
    np.testing.assert_array_equal(fine.heatmap_weights, coarse.heatmap_weights)
    np.testing.assert_array_equal(fine.field_weights, coarse.field_weights)


@pytest.mark.parametrize('outside, drawn', [(0.4, True), (3.0, False)])
@pytest.mark.parametrize('side', range(4))
def test_a_point_leaves_the_view_within_a_pixel(outside, drawn, side):
    view = (8.5, 8.5, 55.5, 39.5)
    point = [30., 20.]
    point[side % 2] = view[side] + (-outside if side < 2 else outside)
    points = np.array([point, [20., 20.], [20., 30.], [40., 30.]])
    targets = encode_targets(GARMENTS['skirt'], points, np.ones(4, int), view, HW, STRIDE)
    assert targets.heatmaps[:, :, 0].any() == drawn


@pytest.mark.parametrize('type_name', sorted(GARMENTS))
def test_targets_are_those_of_the_original_way(type_name):
    garment, random, input_hw = GARMENTS[type_name], np.random.RandomState(5), (64, 96)
    points = random.uniform(-6, [102, 70], (len(garment.keypoints), 2))
    arguments = (garment, points, random.choice([1, 1, 0, -1], len(points)), (5.5, -0.5, 80.5, 60.5), input_hw, 8)
    found, wanted = encode_targets(*arguments), original.original_targets(*arguments)
    for name in ('heatmaps', 'fields', 'heatmap_weights', 'field_weights'):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-6, err_msg=name)
        assert getattr(found, name).dtype == getattr(wanted, name).dtype == np.float32
