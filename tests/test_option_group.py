"""Flags as fields of dataclasses, and what a run remembers of them."""
import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pytest

from fashionai.errors import InputError
from fashionai.option_group import OptionGroup, at_least, comma_list, option


@dataclass(frozen=True)
class Paint(OptionGroup):
    colour: str = option('red', 'of the wall', choices=('red', 'blue', '/home/me/last errors.csv'))
    coats_of: Optional[int] = option(None, 'how many', parse=at_least(0), allowed=(1, 2))
    gloss: bool = option(False, 'shining')
    drying: Optional[bool] = option(None, 'wait', off='do not wait')
    thickness: float = option(1., 'in millimetres', name='--thick_ness')
    pattern: str = option('plain', 'on the wall', names=('plain', 'striped'))


def parsed(*flags: str) -> Paint:
    parser = argparse.ArgumentParser()
    Paint.add_flags(parser, 'paint')
    return Paint.of(vars(parser.parse_args(flags)))


def test_changes_are_what_is_kept_and_read_again() -> None:
    paint = Paint.of({'coats_of': 2, 'colour': 'red', 'model': 'vgg'})
    assert paint.changes == {'coats_of': 2}
    assert Paint.of(paint.changes) == paint
    assert (Paint().changes, Paint().label) == ({}, '')


def test_a_label_is_fit_for_the_name_of_a_folder() -> None:
    assert Paint(colour='blue', coats_of=2).label == '_colour:blue_coats_of:2'
    assert Paint(colour='/home/me/last errors.csv').label == '_colour:last errors'


def test_flags_give_the_values_of_the_fields() -> None:
    assert parsed() == Paint()
    assert parsed('--coats-of=2', '--gloss', '--no-drying', '--thick_ness=.5') == Paint(
        coats_of=2, gloss=True, drying=False, thickness=0.5)
    assert parsed('--drying').drying is True


@pytest.mark.parametrize('flags', [('--colour=green',), ('--coats-of=-1',), ('--thick_ness=x',), ('--thick-ness=1',)])
def test_argparse_refuses_what_cannot_be_a_value(flags: tuple) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*flags)
    assert ended.value.code == 2


def test_values_that_are_not_allowed_are_refused_from_flags_and_files() -> None:
    for make in (lambda: parsed('--coats-of=3'), lambda: Paint.of({'coats_of': 3})):
        with pytest.raises(InputError, match='--coats-of 3: .*1, 2'):
            make()


def test_a_name_or_a_file_that_is_found(tmp_path: Path) -> None:
    def find(text: str) -> Path:
        if text != 'flowers.csv':
            raise InputError(f'{text} does not exist')
        return tmp_path / text

    parser = argparse.ArgumentParser()
    Paint.add_flags(parser, only=('pattern',), find=find)
    assert parser.parse_args(['--pattern=striped']).pattern == 'striped'
    assert parser.parse_args(['--pattern=flowers.csv']).pattern == str(tmp_path / 'flowers.csv')
    assert vars(parser.parse_args([])) == {'pattern': 'plain'}, 'the other flags are not asked for'
    with pytest.raises(SystemExit):
        parser.parse_args(['--pattern=nothing.csv'])


def test_values_with_commas_between_them() -> None:
    assert comma_list(' yolo, coco,,') == ['yolo', 'coco'] and comma_list(' ') == []
