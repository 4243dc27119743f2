"""What a run remembers of its flags."""
from dataclasses import dataclass
from typing import Optional

import pytest

from fashionai.option_group import OptionGroup


@dataclass(frozen=True)
class Paint(OptionGroup):
    colour: str = 'red'
    coats_of: Optional[int] = None


def test_changes_are_what_is_kept_and_read_again() -> None:
    paint = Paint.of({'coats_of': 2, 'colour': 'red', 'model': 'vgg'})
    assert paint.changes == {'coats_of': 2}
    assert Paint.of(paint.changes) == paint
    assert (Paint().changes, Paint().label) == ({}, '')


def test_a_label_is_fit_for_the_name_of_a_folder() -> None:
    assert Paint(colour='blue', coats_of=2).label == '_colour:blue_coats_of:2'
    assert Paint(colour='/home/me/last errors.csv').label == '_colour:last errors'


def test_check_names_the_flag() -> None:
    Paint().check(coats_of=(1, 2))
    with pytest.raises(ValueError, match='--coats-of 3: wanted one of 1, 2'):
        Paint(coats_of=3).check(colour=('red',), coats_of=(1, 2))
