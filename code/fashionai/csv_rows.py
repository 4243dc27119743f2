"""The rows of any CSV file here, under a header that is known, with faults told by file, row and column."""
import csv
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple, Union

from fashionai.errors import InputError, shown

PathLike = Union[str, Path]


def data_rows(path: PathLike, names: Sequence[str], more: bool = True) -> Iterator[Tuple[int, List[str]]]:
    """Row number and cells of each row, as many as the header has: columns of those names first and, where `more` may
    be, others. Raises InputError, naming file and row, for other headers and rows."""
    row_number = width = 0
    with open(path, encoding='utf-8-sig') as file:
        try:
            for row_number, line in enumerate(file, 1):
                # these files hardly ever have quotes, and plain splitting is several times as fast as the csv module
                row = next(csv.reader([line])) if '"' in line else line.rstrip('\n').split(',')
                if not width:
                    width = _checked_width(path, row, names, more)
                elif len(row) == width:
                    yield row_number, row
                elif line.strip():
                    raise InputError(f'{path}, row {row_number}: {len(row)} columns, wanted {width}')
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f'{path}: not a CSV file in UTF-8, after row {row_number}: {error}') from error
    if not width:
        raise InputError(f'{path}: empty file; wanted a header {",".join(names[:3])}... and one row an image')


def _checked_width(path: PathLike, found: List[str], wanted: Sequence[str], more: bool) -> int:
    """The number of columns. Raises InputError where a header has other names, or more of them where none may be."""
    for column, name in enumerate(wanted):
        if column >= len(found) or found[column] != name:
            there = shown(found[column]) if column < len(found) else 'nothing'
            raise InputError(f'{path}, row 1: column {column + 1} of the header is {there}, wanted {name!r}')
    if len(found) > len(wanted) and not more:
        raise InputError(f'{path}, row 1: {len(found)} columns in the header, wanted {len(wanted)}')
    return len(found)
