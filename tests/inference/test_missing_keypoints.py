"""Points that heat maps do not show follow the mean shape."""
from dataclasses import replace

import numpy as np
import pytest

from fashionai.garments.shapes import shape_of
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, Garment
from fashionai.inference.missing_keypoints import fill_in, fillable, submission_keypoints, usual_points


def turned_mean(tag: str) -> np.ndarray:
    """The mean shape in channel order, 200 pixels large, turned by 0.3, about (250, 300)."""
    shape = shape_of(tag)
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    places = dict(zip(shape.keypoints, shape.mean_xy @ turn.T * 200 + (250, 300)))
    return np.array([places[name] for name in GARMENTS[tag].keypoints])


@pytest.mark.parametrize('tag, names', [
    ('dress', {'waistline_left', 'waistline_right', 'hemline_left', 'hemline_right'}),
    ('outwear', {'waistline_left', 'waistline_right'}), ('blouse', set()), ('skirt', set()), ('trousers', set())])
def test_which_points_are_filled_in(tag: str, names: set) -> None:
    garment = GARMENTS[tag]
    assert {name for name, is_filled in zip(garment.keypoints, fillable(garment)) if is_filled} == names


@pytest.mark.parametrize('tag', ['dress', 'outwear'])
def test_a_shape_is_completed_exactly(tag: str) -> None:
    garment, truth = GARMENTS[tag], turned_mean(tag)
    lost = fillable(garment)
    points = np.where(lost[:, None], 0, truth)
    np.testing.assert_allclose(fill_in(points, ~lost, garment, (512, 512)), truth, atol=1e-6)


def test_two_valid_points_are_enough_and_fewer_use_the_statistics() -> None:
    garment, truth = GARMENTS['dress'], turned_mean('dress')
    valid = np.zeros(len(truth), bool)
    valid[[2, 6]] = True
    np.testing.assert_allclose(fill_in(truth * valid[:, None], valid, garment, (512, 512))[fillable(garment)],
                               truth[fillable(garment)], atol=1e-6)
    for count in (0, 1):
        valid = np.arange(len(truth)) < count
        filled = fill_in(truth, valid, garment, (512, 400))
        np.testing.assert_array_equal(filled[fillable(garment)], usual_points(garment, (512, 400))[fillable(garment)])


def test_coincident_points_fall_back_on_the_statistics() -> None:
    garment = GARMENTS['outwear']
    points = np.full((14, 2), 77.)
    filled = fill_in(points, ~fillable(garment), garment, (512, 512))
    np.testing.assert_array_equal(filled[fillable(garment)], usual_points(garment, (512, 512))[fillable(garment)])


def test_valid_and_other_invalid_points_stay() -> None:
    garment, truth = GARMENTS['dress'], turned_mean('dress')
    points, valid = truth + 30, np.ones(len(truth), bool)
    valid[[0, 7]] = False  # neckline_left stays, waistline_left moves
    moved = (fill_in(points, valid, garment, (512, 512)) != points).any(axis=1)
    assert np.flatnonzero(moved).tolist() == [7] or not moved.any()
    points[7] = 0
    assert np.flatnonzero((fill_in(points, valid, garment, (512, 512)) != points).any(axis=1)).tolist() == [7]


@pytest.mark.parametrize('tag', list(GARMENTS))
def test_usual_points_lie_in_the_middle_of_the_image(tag: str) -> None:
    points = usual_points(GARMENTS[tag], (512, 512))
    assert (points >= 0).all() and (points <= 511).all()
    assert np.abs(points.mean(axis=0) - 255.5).max() < 15
    assert np.ptp(points[:, 1]) > 100


def test_a_row_has_the_types_points_and_no_others() -> None:
    garment = GARMENTS['skirt']
    row = submission_keypoints(np.array([(1.4, 2.6), (3, 4), (5, 6), (7.51, 8)]), garment)
    cells = {name: tuple(row[CSV_KEYPOINTS.index(name)]) for name in CSV_KEYPOINTS}
    assert {name: cells.pop(name) for name in garment.keypoints} == {
        'waistband_left': (1, 3, 1), 'waistband_right': (3, 4, 1), 'hemline_left': (5, 6, 1),
        'hemline_right': (8, 8, 1)}
    assert set(cells.values()) == {(-1, -1, -1)} and row.dtype == np.int32


def test_a_type_without_a_mean_shape() -> None:
    names = ('waistline_left', 'waistline_right', 'seat')
    dress = Garment('dress', names, (names[:2],), names[:2], names)  # a user's own, of the name of a built-in one
    points, invalid = np.arange(6.).reshape(3, 2), np.zeros(3, bool)
    np.testing.assert_array_equal(fill_in(points, invalid, dress, (50, 40)), points)
    np.testing.assert_array_equal(usual_points(dress, (51, 41)), [[20, 25]] * 3)
    skirt = replace(GARMENTS['skirt'], csv_keypoints=CSV_KEYPOINTS[::-1])  # the built-in one in a table of one's own
    np.testing.assert_array_equal(usual_points(skirt, (512, 400)), usual_points(GARMENTS['skirt'], (512, 400)))
