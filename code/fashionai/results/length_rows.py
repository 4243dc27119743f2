"""Tables of lengths: a row for each garment, and columns for each length of a table of types.

Rows are made from the JSON objects of predictions, so that both say the same.
"""
from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Sequence

from fashionai.errors import InputError
from fashionai.garments.grades import CM, PIXELS, Grader, MeasuredGarment, MeasuredLength, SizeCheck
from fashionai.garments.measurements import lengths_of
from fashionai.garments.table import Garments
from fashionai.inference.garment_predictor import LOW

PATH, FRAME, GARMENT = START = ('path', 'frame', 'garment')
"""The first columns, which name the picture, and the garment in it if boxes were given."""

_GARMENT = ('type', 'type_doubt', 'unit', 'cm_per_pixel')
_SIZE = ('size', 'passes', 'size_doubt')
_AGAINST = ('expected', 'difference', 'within')

Cell = Optional[str]


def measured_garment(said: Mapping[str, Any], unit: str) -> MeasuredGarment:
    """Returns the lengths that the JSON object of a prediction has, in a unit, with every reason for doubt.

    A length is doubtful if it was not found, if others contradict it, if a point has a score below LOW, or if it is
    wanted in cm and the picture has no scale.
    """
    key = 'cm' if unit == CM else 'pixels'
    lengths = {name: MeasuredLength(length[key], _doubt(length, said['cm_per_pixel'], unit))
               for name, length in said['measurements'].items()}
    probability = said['type_probabilities'].get(said['type'])
    return MeasuredGarment(said['type'], '' if said['type_sure'] else f'its probability is {probability:.2f}', lengths)


def columns(garments: Garments, grader: Optional[Grader] = None, last: Sequence[str] = ()) -> Sequence[str]:
    """Returns the names of the columns; those of `last` come last. Raises InputError if a length makes a column twice.
    """
    graded = grader.table.lengths if grader else ()
    names = [*START, *_GARMENT, *(_SIZE if grader else ())]
    for name in _names(garments):
        names += [name, f'{name}_doubt', *(f'{name}_{what}' for what in _AGAINST if name in graded)]
    names += last
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f'a table of lengths would have two columns {twice[0]}: wanted another name of the length')
    return names


def cells(said: Mapping[str, Any], unit: str, check: Optional[SizeCheck] = None) -> Dict[str, Cell]:
    """Returns the cells of a row by column, without those of START. A cell that is missing or None is empty."""
    garment = measured_garment(said, unit)
    scale = said['cm_per_pixel']
    row: Dict[str, Cell] = {'type': garment.type, 'type_doubt': garment.type_doubt, 'unit': unit,
                            'cm_per_pixel': None if scale is None else f'{scale:.6g}'}
    for name, length in garment.lengths.items():
        row.update({name: _number(length.value), f'{name}_doubt': length.doubt})
    if check:
        row.update({'size': check.size, 'passes': yes_or_no(check.passes), 'size_doubt': check.reason})
        for name in check.grades:
            row.update({f'{name}_expected': _number(check.grades[name].expected),
                        f'{name}_difference': _number(check.difference(name)),
                        f'{name}_within': yes_or_no(check.within(name))})
    return row


def garment_of_row(row: Mapping[str, str], garments: Garments) -> MeasuredGarment:
    """Returns the garment of a row that `cells` made."""
    lengths = {name: MeasuredLength(float(row[name]) if row[name] else None, row[f'{name}_doubt'])
               for name in lengths_of(garments[row['type']])}
    return MeasuredGarment(row['type'], row['type_doubt'], lengths)


def size_json(check: SizeCheck, unit: str) -> Dict[str, Any]:
    """Returns the JSON object of a size check."""
    return {'size': check.size, 'given': check.given, 'doubt': check.reason or None, 'passes': check.passes,
            'unit': unit, 'misfits': {name: round(misfit, 2) for name, misfit in check.misfits.items()},
            'lengths': {name: {'measured': length.value, 'doubt': length.doubt or None,
                               'expected': grade.expected if grade else None,
                               'tolerance': grade.tolerance if grade else None,
                               'difference': check.difference(name), 'within': check.within(name)}
                        for name, length, grade in ((name, length, check.grades.get(name))
                                                    for name, length in check.lengths.items())}}


def yes_or_no(value: Optional[bool]) -> Cell:
    """Returns a truth as a cell; None if it is not known."""
    return None if value is None else 'yes' if value else 'no'


def _names(garments: Garments) -> List[str]:
    return list(dict.fromkeys(name for garment in garments.values() for name in lengths_of(garment)))


def _doubt(length: Mapping[str, Any], scale: Optional[float], unit: str) -> str:
    if length['pixels'] is None:
        return 'a point was not found'
    if unit != PIXELS and scale is None:
        return 'the scale of the picture is not known'
    low = [f'the score is {length["score"]:g}'] if length['score'] < LOW else []
    return '; '.join([*([length['doubtful']] if length['doubtful'] else []), *low])


def _number(value: Optional[float]) -> Cell:
    return None if value is None else f'{value:.6f}'.rstrip('0').rstrip('.')
