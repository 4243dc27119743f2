"""Rows of lengths: what a cell says, and that a row is read as it was written."""
from dataclasses import replace
from typing import Any, Dict

import pytest

from fashionai.errors import InputError
from fashionai.garments.grades import Grade, MeasuredLength, SizeCheck
from fashionai.garments.table import GARMENTS, Garments
from fashionai.results.length_rows import cells, columns, garment_of_row, measured_garment

SAID: Dict[str, Any] = {
    'type': 'skirt', 'type_sure': False, 'type_probabilities': {'skirt': 0.512, 'dress': 0.488}, 'cm_per_pixel': 0.1,
    'measurements': {
        'waist': {'pixels': 380.0, 'cm': 38.0, 'score': 0.9, 'doubtful': None},
        'hem': {'pixels': 541.26, 'cm': 54.13, 'score': 0.4, 'doubtful': 'hem is 9.00 x waist: 1.00 to 2.00 is usual'},
        'side': {'pixels': None, 'cm': None, 'score': None, 'doubtful': None},
        'body_length': {'pixels': 600.5, 'cm': 60.05, 'score': 0.499, 'doubtful': None}}}


def test_every_reason_for_doubt_is_given() -> None:
    garment = measured_garment(SAID, 'cm')
    assert garment.type_doubt == 'its probability is 0.51'
    assert garment.lengths['waist'] == MeasuredLength(38.0) and garment.lengths['side'].value is None
    assert garment.lengths['hem'].value == 54.13 and '9.00' in garment.lengths['hem'].doubt
    assert '0.4' in garment.lengths['hem'].doubt and 'not found' in garment.lengths['side'].doubt
    assert '0.499' in garment.lengths['body_length'].doubt
    assert measured_garment(SAID, 'px').lengths['hem'].value == 541.26
    assert measured_garment({**SAID, 'type_sure': True}, 'cm').type_doubt == ''


def test_a_row_is_read_as_it_was_written() -> None:
    for unit in ('cm', 'px'):
        row = {name: cells(SAID, unit).get(name) or '' for name in columns(GARMENTS)}
        assert garment_of_row(row, GARMENTS) == measured_garment(SAID, unit) and row['unit'] == unit
    assert row['hem'] == '541.26' and row['waist'] == '380' and row['chest'] == ''


def test_a_size_adds_what_was_expected() -> None:
    lengths = measured_garment(SAID, 'cm').lengths
    check = SizeCheck('M', '', False, {'M': 1.}, {name: lengths[name] for name in ('waist', 'hem', 'side')},
                      {'waist': Grade(38.5, 1), 'hem': Grade(50, 2), 'side': Grade(60, 2)})
    row = cells(SAID, 'cm', check)
    assert (row['waist_expected'], row['waist_difference'], row['waist_within']) == ('38.5', '-0.5', 'yes')
    assert (row['hem_difference'], row['hem_within'], row['passes']) == ('4.13', 'no', None)
    assert row['side_expected'] == '60' and row['side_difference'] is row['side_within'] is None


def test_no_column_occurs_twice() -> None:
    named = Garments((GARMENTS['skirt'],))
    assert list(columns(named))[:9] == ['path', 'frame', 'garment', 'type', 'type_doubt', 'unit', 'cm_per_pixel',
                                        'waist', 'waist_doubt']
    own = replace(GARMENTS['skirt'], lengths=(('unit', ('a > b',)),))
    with pytest.raises(InputError, match='unit'):
        columns(Garments((own,)))
