"""Predictions drawn over their pictures: dots for points, rings for doubtful points, and the names of files."""
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionai.garments.table import GARMENTS
from fashionai.inference.garment_predictor import LOW, GarmentPrediction
from fashionai.results.overlays import Overlays, draw_prediction, draw_responses, type_text

GREY = np.full((900, 600, 3), 128, np.uint8)


def prediction(**changed: object) -> GarmentPrediction:
    points = np.array([[180., 180], [420, 180], [120, 720], [480, 720]])
    maps = np.full((4, 50, 50), 0.5, np.float32)
    maps[0, 10:13, 18:21] = 0.9
    usual = GarmentPrediction(GARMENTS['skirt'], {}, True, points, np.array([1, 0.9, LOW - 0.01, 0]),
                    np.array([True, True, True, False]), (900, 600), maps)
    return replace(usual, **changed)


def test_sure_points_are_dots_and_doubtful_ones_rings() -> None:
    picture = draw_prediction(GREY, prediction())
    assert picture.shape == GREY.shape and (GREY == 128).all(), 'the picture itself is not drawn on'
    left, right = picture[180, 180], picture[180, 420]
    assert (left != 128).any() and (right != 128).any() and (left != right).any()
    for x, y in ((120, 720), (480, 720)):
        assert (picture[y + 5, x] == 128).all(), 'the middle of a ring, below the limb, is bare'
        assert (picture[y + 8:y + 11, x] != 128).any()
    assert (picture[:30, :90] != 128).any(), 'the type in the corner'
    assert (picture[170:190, :160] != 128).any() and (picture[170:190, 440:] != 128).any(), 'names beside the points'


def test_heatmaps_are_drawn_where_they_respond() -> None:
    plain, warm = (draw_prediction(GREY, prediction(), with_heatmaps).astype(int) for with_heatmaps in (False, True))
    # places are 18 pixels of the canvas of 900, in whose middle the picture of 600 lies: 18 to 20 are 174 to 227
    assert warm[205, 215, 2] - warm[205, 215, 0] > 60 and abs(warm[450, 300, 2] - warm[450, 300, 0]) < 3
    assert abs(plain[205, 215, 2] - plain[205, 215, 0]) < 3
    np.testing.assert_array_equal(draw_responses(GREY, np.zeros(GREY.shape[:2])), np.full_like(GREY, 96))


def test_doubtful_lengths_are_written_in_the_corner() -> None:
    crossed = prediction(points_xy=np.array([[80., 300], [520, 300], [120, 400], [480, 420]]), found=np.ones(4, bool),
                      scores=np.full(4, 0.9))
    plain, doubted = (draw_prediction(GREY, crossed, with_doubts=with_doubts) for with_doubts in (False, True))
    rows, _ = np.nonzero((plain != doubted).any(axis=2))
    assert len(rows) > 500 and rows.max() < 150, 'waist and body_length contradict each other'
    assert (draw_prediction(GREY, prediction(), with_doubts=True) == draw_prediction(GREY, prediction())).all()


def test_an_own_table_may_have_more_columns_than_the_built_in_one() -> None:
    columns = tuple(f'column_{number}' for number in range(30)) + GARMENTS['skirt'].keypoints
    picture = draw_prediction(GREY, prediction(garment=replace(GARMENTS['skirt'], csv_keypoints=columns)))
    np.testing.assert_array_equal(picture, draw_prediction(GREY, prediction()))


def test_what_is_said_of_the_type() -> None:
    assert type_text(prediction()) == 'skirt'
    assert type_text(prediction(type_probabilities={'skirt': 0.912, 'dress': 0.088})) == 'skirt 0.91'
    assert type_text(prediction(type_probabilities={'skirt': 0.6, 'dress': 0.4}, type_sure=False)) == 'skirt? 0.60'


def test_no_drawing_overwrites_another_or_a_picture(tmp_path: Path) -> None:
    kept = tmp_path / 'new' / 'a.jpg'
    overlays = Overlays(tmp_path, [str(kept)], False)
    drawn = [overlays.draw(name, frame, GREY, [prediction()]) for name, frame in (
        ('new/a.jpg', None), ('new/a.png', None), ('b.png', None), ('clip.mp4', 0), ('clip.mp4', 12))]
    assert [str(path.relative_to(tmp_path)) for path in drawn] == [
        str(Path('new/a_2.jpg')), str(Path('new/a_3.jpg')), 'b.jpg', 'clip_000000.jpg', 'clip_000012.jpg']
    assert not kept.exists() and all(cv2.imread(str(path)).shape == GREY.shape for path in drawn)


def test_a_folder_that_cannot_be_made_is_told_of_before_anything_is_drawn(tmp_path: Path) -> None:
    (tmp_path / 'taken').write_text('')
    with pytest.raises(OSError, match='taken'):
        Overlays(tmp_path / 'taken', [], False)


@pytest.mark.parametrize('shape', [(1, 1, 3), (3, 400, 3)])
def test_any_picture_can_be_drawn_on(shape: tuple) -> None:
    small = prediction(points_xy=np.zeros((4, 2)), image_hw=shape[:2])
    assert draw_prediction(np.zeros(shape, np.uint8), small, True).shape == shape
