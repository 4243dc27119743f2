"""Boxes as people and programs give them."""
from typing import Any

import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.garments.boxes import GarmentBox, parse_box


def test_numbers_of_any_kind_are_a_box() -> None:
    assert parse_box([1, 2.126, np.float32(30), np.int64(4)]) == (1, 2.13, 30, 4)
    assert parse_box(np.array([-5, 0, 10, 10.5])) == (-5, 0, 10, 10.5)


@pytest.mark.parametrize('values', [None, 'auto', (1, 2, 3), (1, 2, 3, 'x'), (1, 2, 0, 4), (1, 2, 3, -4), (1, 2, .5, 4),
                                    (float('nan'), 0, 1, 1), (0, 0, float('inf'), 1), (0, 0, True, 1)])
def test_anything_else_is_refused(values: Any) -> None:
    with pytest.raises(InputError):
        parse_box(values)


def test_a_box_is_checked_with_its_picture() -> None:
    GarmentBox((-5, 90, 10, 20), None, 'x.csv, row 2', (100, 50)).check((100, 50))
    for box, size_hw in (((0, 0, 9, 9), (50, 100)), ((50, 0, 9, 9), (100, 50)), ((0, 0, 9, 9), (200, 100))):
        with pytest.raises(InputError, match='x.csv, row 2'):
            GarmentBox(box, None, 'x.csv, row 2', (100, 50)).check(size_hw)
