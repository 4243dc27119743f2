"""Batches under way at once: results in order, no more ahead than is allowed, one in the graph."""
import threading
import time
from typing import List

import numpy as np
import pytest

from fashionai.inference.pipeline import in_order, in_turn


def test_results_come_in_order_whichever_is_ready_first() -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number ** 2
    assert list(in_order(work, range(20), 3)) == [number ** 2 for number in range(20)]
    assert list(in_order(work, [], 3)) == []


def test_as_many_as_allowed_are_worked_on_together() -> None:
    """Three that wait for each other: were it two at once, none would go on."""
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
