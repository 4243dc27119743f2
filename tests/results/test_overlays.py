"""Predictions drawn over their pictures: dots for points, rings for doubtful points, and the names of files."""
from dataclasses import replace
from pathlib import Path
from typing import Sequence, Tuple

import cv2
import numpy as np
import pytest

from fashionai.garments.table import GARMENTS
from fashionai.images.crops import crop_around
from fashionai.inference.garment_predictor import LOW, GarmentPrediction
from fashionai.results import overlay_labels
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
    small = overlays.draw('clip.mp4', 1, GREY[:120, :90].copy(), crowded('dress', 1, (120, 90)))
    assert cv2.imread(str(small)).shape == (120, 90, 3), 'frames keep their size'

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
    assert draw_prediction(np.zeros(shape, np.uint8), small, True, strip=False).shape == shape
    assert draw_prediction(np.zeros(shape, np.uint8), small, True).shape[1:] == shape[1:]


def crowded(garment: str, seed: int, size_hw: Tuple[int, int]) -> GarmentPrediction:
    """A garment whose points are anywhere in a picture."""
    random, count = np.random.default_rng(seed), len(GARMENTS[garment].keypoints)
    points = random.uniform(0, 1, (count, 2)) * (size_hw[1] - 1, size_hw[0] - 1)
    return prediction(garment=GARMENTS[garment], points_xy=points, scores=random.uniform(0, 1, count),
                      found=np.ones(count, bool), image_hw=size_hw, visibility=random.uniform(0, 1, (count, 3)))


def written(monkeypatch: pytest.MonkeyPatch) -> Tuple[list, list]:
    """Two lists, which a drawing fills: the boxes of texts on the picture, and all its texts."""
    boxes, texts = [], []
    write_box, write_text = overlay_labels._write_box, overlay_labels.write_text

    def note_box(picture: np.ndarray, lines: Sequence, place: tuple, scale: float) -> None:
        boxes.append(place)
        write_box(picture, lines, place, scale)

    def note_text(picture: np.ndarray, text: str, *more: object) -> None:
        texts.append(text)
        write_text(picture, text, *more)
    monkeypatch.setattr(overlay_labels, '_write_box', note_box)
    monkeypatch.setattr(overlay_labels, 'write_text', note_text)
    return boxes, texts


@pytest.mark.parametrize('strip', [True, False])
@pytest.mark.parametrize('size_hw', [(200, 150), (288, 384), (1200, 1600)])
@pytest.mark.parametrize('garments', [('dress',), ('outwear',), ('blouse', 'trousers')])
def test_no_text_leaves_the_picture_or_covers_a_point_or_a_text(
        garments: Tuple[str, ...], size_hw: Tuple[int, int], strip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, _ = written(monkeypatch)
    found = [crowded(name, seed, size_hw) for seed, name in enumerate(garments)]
    picture = draw_prediction(np.full((*size_hw, 3), 128, np.uint8), found, with_doubts=True, strip=strip)
    assert boxes and picture.shape[1] == size_hw[1]
    assert picture.shape[0] == size_hw[0] or strip
    radius, points = max(3, max(size_hw) / 100), np.vstack([each.points_xy for each in found])
    times = np.zeros(size_hw, int)
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size_hw[1] and 0 <= top < bottom <= size_hw[0]
        times[top:bottom, left:right] += 1
        nearest = np.clip(points, (left, top), (right - 1, bottom - 1))
        assert np.hypot(*(nearest - points).T).min() >= radius
    assert times.max() == 1


def test_names_without_room_become_numbers_and_a_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    dress = crowded('dress', 3, (200, 150))
    grey = np.full((200, 150, 3), 128, np.uint8)
    _, texts = written(monkeypatch)
    assert draw_prediction(grey, dress).shape[0] > 200
    names = [text.split(' ', 1)[1] for text in texts if text.split(' ')[0].isdigit() and ' ' in text]
    assert [name.split(':')[0] for name in names] == list(dress.keypoints)
    assert {str(number) for number in range(1, 16)} >= {text for text in texts if text.isdigit()} != set()
    texts.clear()
    large = np.full((2000, 1500, 3), 128, np.uint8)
    roomy = crowded('dress', 3, (2000, 1500))
    assert draw_prediction(large, roomy).shape == large.shape
    assert {text.split(':')[0] for text in texts} >= set(roomy.keypoints) and not any(map(str.isdigit, texts))


def test_texts_can_be_read_in_small_pictures_and_grow_with_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, _ = written(monkeypatch)
    heights = []
    for side in (200, 400, 1000, 4000):
        boxes.clear()
        draw_prediction(np.full((side, side, 3), 128, np.uint8), crowded('skirt', 1, (side, side)))
        heights.append(boxes[-1][3] - boxes[-1][1])
    assert heights[0] == heights[1] >= 11 and heights[1] < heights[2] < heights[3] and 60 < heights[3] < 160


def test_several_garments_of_a_picture_are_drawn_together(monkeypatch: pytest.MonkeyPatch) -> None:
    left = prediction(points_xy=np.array([[80., 180], [180, 180], [60, 720], [220, 720]]))
    right = prediction(points_xy=left.points_xy + (300, 0), type_probabilities={'skirt': 0.9})
    boxes, texts = written(monkeypatch)
    picture = draw_prediction(GREY, [left, right])
    assert (picture[180, 80] != 128).any() and (picture[180, 380] != 128).any()
    assert texts.count('waistband_left') == 2 and {'1: skirt', '2: skirt 0.90'} <= set(texts)
    titles = sorted(boxes[:2])
    assert titles[0][0] < 250 < titles[1][0], 'each type is near its garment'
    np.testing.assert_array_equal(draw_prediction(GREY, []), GREY)
    np.testing.assert_array_equal(draw_prediction(GREY, [left]), draw_prediction(GREY, left))


def test_the_box_of_a_garment_is_drawn_with_its_type_in_its_corner(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, _ = written(monkeypatch)
    picture = draw_prediction(GREY, prediction(crop=crop_around((60, 120, 500, 660), (900, 600))))
    sides = picture[450, 60], picture[450, 559], picture[120, 400], picture[779, 300]
    assert min(side.min() for side in sides) > 180 and boxes[0][:2] == pytest.approx((60, 120), abs=40)
    assert (draw_prediction(GREY, prediction())[450, 60] == 128).all()


def test_the_outline_is_drawn_and_not_the_limbs() -> None:
    skirt = prediction(scores=np.ones(4))
    picture = draw_prediction(GREY, skirt)
    assert (picture[450, 330] == 128).all(), 'a limb for training goes from the waistband to the other end of the hem'
    assert (picture[720, 300] != 128).any(), 'the hem'
