"""The table for people: aligned columns, names that fit, lengths with their doubts."""
import re
from typing import Any, Dict

import pytest

from fashionai.results.text_table import TextTable, _columns, _fitted


def said(**changed: Any) -> Dict[str, Any]:
    points = {f'point_{number}': {'score': score, 'found': found}
              for number, (score, found) in enumerate([(0.9, True), (0.5, True), (0.4, True), (0.1, False)])}
    return {'type': 'skirt', 'type_sure': True, 'type_probabilities': {'skirt': 0.953, 'dress': 0.047},
            'keypoints': points, **changed}


def length(pixels: Any = None, cm: Any = None, doubtful: Any = None) -> Dict[str, Any]:
    return {'pixels': pixels, 'cm': cm, 'score': None, 'doubtful': doubtful}


@pytest.mark.parametrize('width', [60, 80, 120])
def test_columns_are_aligned_and_fit_the_width(width: int) -> None:
    table = TextTable(width)
    names = ['a.jpg', 'a/very/long/folder/' * 9 + 'photograph.jpg', 'x' * 200]
    lines = [table.header(), *(table.rows(name, said())[0] for name in names)]
    assert {len(line) for line in lines} == {width}
    place = lines[0].index('type')
    assert all(line[place:].split() == ['skirt', '95', '%', '3', 'of', '4', '2'] for line in lines[1:])
    assert all(line[place - 1] == ' ' for line in lines)
    assert lines[1].startswith('a.jpg ') and lines[2].startswith('a/very') and 'graph.jpg ' in lines[2]


def test_what_is_unsure_has_a_question_mark_and_what_is_given_no_probability() -> None:
    row, = TextTable().rows('a.jpg', said(type_sure=False, type_probabilities={'skirt': 0.4}))
    assert 'skirt? 40 %' in row
    row, = TextTable().rows('a.jpg', said(type_probabilities={}, keypoints={'a': {'score': 1, 'found': True}}))
    assert row.split() == ['a.jpg', 'skirt', '1', 'of', '1', '-']


def test_lengths_are_in_cm_if_they_are_known_and_doubts_are_below() -> None:
    lengths = {'waist': length(100.4, 30.06), 'hem': length(200.6), 'side': length(), 'body_length': length(
        9000, 1200, 'too long; and not straight')}
    row, first, second, *doubts = TextTable(80).rows('a.jpg', said(measurements=lengths))
    assert re.split(r'\s{2,}', first.strip()) == ['waist', '30.1 cm', 'hem', '201 px', 'side', '-']
    assert second.split() == ['body_length', '1200.0', 'cm', '?']
    assert [line.strip() for line in doubts] == ['? too long', '? and not straight']
    assert all(len(line) <= 80 for line in (row, first, second))
    assert first.index('waist') == second.index('body_length')


def test_colours_take_no_room() -> None:
    lengths = {'waist': length(1, None, 'odd')}
    plain, coloured = (TextTable(80, colour).rows('a.jpg', said(type_sure=False, measurements=lengths))
                       for colour in (False, True))
    assert plain != coloured and [re.sub('\033\\[\\d+m', '', line) for line in coloured] == plain


@pytest.mark.parametrize('name, shown', [
    ('abc', 'abc       '), ('abcdefghij', 'abcdefghij'), ('abcdefghijk', 'abc...hijk'), ('a\nb\033c', 'a?b?c     '),
    ('衣服' * 4, '衣...衣服 ')])
def test_names_take_the_width_that_they_have(name: str, shown: str) -> None:
    assert _fitted(name, 10) == shown and _columns(shown) == 10
