"""Reads tables of sizes, and the sizes that pictures should have, from CSV files that a user writes.

A table of sizes is a CSV file. It has a row for each length of each size:

    type,size,length,expected,tolerance
    blouse,M,chest,50,1

or, with `min` and `max` in place of `expected` and `tolerance`, the ends of the range; what is expected is then the
middle. A column `unit`, cm or px, is optional: the default is cm.
"""
import csv
import math
from pathlib import Path
from types import MappingProxyType
from typing import Dict, List, Mapping, Sequence, Tuple, Union

from fashionai.errors import InputError, shown
from fashionai.garments.grades import CM, UNITS, Grade, GradeTable
from fashionai.garments.measurements import lengths_of
from fashionai.garments.picture_names import plain_name
from fashionai.garments.table import Garments

_KEYS = ('type', 'size', 'length')
_RANGES = (('expected', 'tolerance'), ('min', 'max'))


def read_grades(path: Union[str, Path], garments: Garments) -> GradeTable:
    """Reads a table of sizes. Commas or semicolons are between its columns; with semicolons, numbers may have a decimal
    comma.

    Raises InputError that names file, row and column if a column is missing, a type, length, unit or number is not
    valid, a length occurs twice, the sizes of a type have different lengths, or the units differ.
    """
    header, rows = _table_rows(path)
    ends = next((pair for pair in _RANGES if set(pair) <= set(header)), None)
    missing = [name for name in _KEYS if name not in header]
    if missing or ends is None or set(header) - {*_KEYS, *ends, 'unit'}:
        raise InputError(f'{path}, row 1: the columns are {shown(", ".join(header))}; wanted type, size, length, and '
                         'expected and tolerance, or min and max; unit is optional')
    sizes: Dict[str, Dict[str, Dict[str, Grade]]] = {}
    unit = None
    for place, row in rows:
        kind, size, length = (row[name] for name in _KEYS)
        _check_names(place, row, garments)
        own_unit = row.get('unit') or CM
        if own_unit not in UNITS or own_unit != (unit or own_unit):
            raise InputError(f'{place}, column unit: {shown(own_unit)}, wanted {unit or " or ".join(UNITS)}'
                             + (', as in the rows before' if unit else ''))
        unit = own_unit
        grades = sizes.setdefault(kind, {}).setdefault(size, {})
        if length in grades:
            raise InputError(f'{place}: {length} of size {size} of {kind} occurs already')
        grades[length] = _grade(place, row, ends)
    _check_alike(path, sizes)
    return GradeTable(str(path), unit or CM, MappingProxyType(sizes))


def read_sizes(path: Union[str, Path]) -> Mapping[str, str]:
    """Reads the size of each picture from a CSV file with the columns `path` and `size`; an empty size means that it is
    to be chosen. Raises InputError that names file and row if a column is missing or a picture occurs twice."""
    header, rows = _table_rows(path)
    if not {'path', 'size'} <= set(header):
        raise InputError(f'{path}, row 1: the columns are {shown(", ".join(header))}; wanted path and size')
    sizes: Dict[str, str] = {}
    for place, row in rows:
        name = plain_name(row['path'])
        if not name or name in sizes:
            raise InputError(f'{place}, column path: {shown(name)}, wanted a picture that no other row has')
        sizes[name] = row['size']
    return sizes


def _table_rows(path: Union[str, Path]) -> Tuple[Sequence[str], Sequence[Tuple[str, Mapping[str, str]]]]:
    """Returns the header of a CSV file, and its rows by the names of the columns, each with its place for messages."""
    try:
        text = Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError:
        raise InputError(f'{path} is not a text in UTF-8: wanted a CSV file') from None
    first = text.split('\n', 1)[0]
    semicolons = first.count(';') > first.count(',')
    try:
        lines = [(number, [cell.strip() for cell in cells]) for number, cells in enumerate(
            csv.reader(text.splitlines(), delimiter=';' if semicolons else ','), 1) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise InputError(f'{path} is not a CSV file: {error}') from None
    if len(lines) < 2:
        raise InputError(f'{path}: {len(lines)} rows, wanted a header and one row or more')
    header = lines[0][1]
    if len(set(header)) < len(header):
        raise InputError(f'{path}, row 1: the columns are {shown(", ".join(header))}; wanted each once')
    rows: List[Tuple[str, Mapping[str, str]]] = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise InputError(f'{path}, row {number}: {len(cells)} columns, wanted {len(header)}')
        row = dict(zip(header, cells))
        rows.append((f'{path}, row {number}', {name: cell.replace(',', '.') if semicolons and name in _RANGES[0] +
                                               _RANGES[1] else cell for name, cell in row.items()}))
    return header, rows


def _check_names(place: str, row: Mapping[str, str], garments: Garments) -> None:
    kind, length = row['type'], row['length']
    if kind not in garments:
        raise InputError(f'{place}, column type: {shown(kind)} is not a garment type, wanted one of {garments}')
    if not row['size']:
        raise InputError(f'{place}, column size: empty, wanted the name of a size')
    known = lengths_of(garments[kind])
    if length not in known:
        raise InputError(f'{place}, column length: {shown(length)} is not a length of {kind}, wanted one of '
                         f'{", ".join(known) or "none: it has no lengths"}')


def _grade(place: str, row: Mapping[str, str], ends: Tuple[str, str]) -> Grade:
    first, second = (_number(f'{place}, column {name}', row[name]) for name in ends)
    if ends == _RANGES[0]:
        if second <= 0:
            raise InputError(f'{place}, column tolerance: {second:g}, wanted a number above 0')
        return Grade(first, second)
    if second <= first:
        raise InputError(f'{place}, column max: {second:g}, wanted more than min, {first:g}')
    return Grade(round((first + second) / 2, 6), round((second - first) / 2, 6))


def _number(place: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputError(f'{place}: {shown(text)}, wanted a number from 0 on')
    return number


def _check_alike(path: Union[str, Path], sizes: Mapping[str, Mapping[str, Mapping[str, Grade]]]) -> None:
    """Raises InputError if sizes of a type have different lengths: their misfits could not be compared."""
    for kind, grades in sizes.items():
        first = next(iter(grades))
        for size, lengths in grades.items():
            odd = set(lengths) ^ set(grades[first])
            if odd:
                raise InputError(f'{path}: only one of the sizes {first} and {size} of {kind} has '
                                 f'{", ".join(sorted(odd))}; wanted the same lengths in each')
