"""Pictures go through a predictor in order, a few batches at a time; unreadable pictures are reported."""
import threading
import time
from pathlib import Path
from typing import List, Sequence

import cv2
import numpy as np
import pytest

from fashionai.images.sources import MediaFile, Picture
from fashionai.inference.batch_inference import Failure, in_order, predict_pictures
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.loading import in_turn
from fashionai.inference.predictor import KeypointPrediction


def test_results_come_in_order_whichever_is_ready_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number ** 2
    assert list(in_order(work, range(20), 3)) == [number ** 2 for number in range(20)]
    assert list(in_order(work, [], 3)) == []


def test_as_many_as_allowed_are_worked_on_together() -> None:
    """Three items wait for each other: with two at a time, none would end."""
    meeting = threading.Barrier(3)
    assert len(list(in_order(lambda number: meeting.wait(timeout=20), range(6), 3))) == 6


def test_no_more_than_allowed_are_ahead() -> None:
    begun: List[int] = []
    results = in_order(begun.append, range(100), 3)
    for taken in range(1, 50):
        next(results)
        time.sleep(0.002)
        assert len(begun) <= taken + 3
    results.close()
    assert len(begun) < 60


def test_an_error_is_raised_in_its_place_and_ends_the_work() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 5:
            raise ValueError('five')
        return number

    results = []
    with pytest.raises(ValueError, match='five'):
        for result in in_order(work, range(1000), 3):
            results.append(result)
    assert results == [0, 1, 2, 3, 4] and max(begun) < 20


def test_networks_that_share_a_turn_compute_one_at_a_time() -> None:
    computing = []

    def forward(images: np.ndarray) -> np.ndarray:
        computing.append(1)
        alone = len(computing) == 1
        time.sleep(0.005)
        computing.pop()
        return images + alone

    turn = threading.Lock()
    networks = [in_turn(forward, turn), in_turn(forward, turn)]
    results = in_order(lambda number: networks[number % 2](np.zeros(1)), range(12), 4)
    np.testing.assert_array_equal(np.concatenate(list(results)), 1)


class Width:
    """A stand-in predictor: all points are at the width of the picture."""

    def __init__(self) -> None:
        self.batches: List[int] = []

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        self.batches.append(len(images))
        return [KeypointPrediction(np.full((4, 2), float(image.shape[1])), np.ones(4), np.ones(4, bool),
                                   np.ones((4, 8, 8))) for image in images]


def test_pictures_come_back_in_order_and_bad_ones_as_failures(tmp_path: Path) -> None:
    pictures = []
    for number in range(7):
        path = tmp_path / f'{number}.png'
        cv2.imwrite(str(path), np.zeros((5, 10 + number, 3), np.uint8))
        pictures.append(Picture(MediaFile(str(path), path.name)))
    (tmp_path / '2.png').write_text('no picture')
    pictures[4] = Picture(pictures[4].source, 3, np.zeros((5, 99, 3), np.uint8))
    width = Width()
    results = list(predict_pictures(GarmentPredictor({'skirt': width}, (), []), enumerate(pictures, 1), 'skirt', 3))
    assert sorted(width.batches) == [1, 2, 3], '7 in threes, one of which has no picture'
    failure = results.pop(2)
    assert isinstance(failure, Failure) and str(tmp_path / '2.png') in failure.reason
    results = [outcome for outcome, in results]
    assert [result.number for result in results] == [1, 2, 4, 5, 6, 7]
    assert [result.prediction.points_xy[0, 0] for result in results] == [10, 11, 13, 99, 15, 16]
    assert [result.image.shape[1] for result in results] == [10, 11, 13, 99, 15, 16]
