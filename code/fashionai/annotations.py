"""Reads and writes the CSV files: annotations, test lists and submissions.

The header is `image_id,image_category` and the keypoint names, 24 in FashionAI. A cell is `x_y_v`, three integers: x
and y in original pixels, v = 1 visible, 0 occluded, -1 absent (`-1_-1_-1`). A submission has the same form; a test list
has only the first two columns. Rows are numbered as an editor shows them: the header is row 1.

Letters used in shapes: N images; C keypoint columns of the garment table; 3 values x, y, v.
"""
import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, Type, TypeVar

import numpy as np

from fashionai.errors import InputError, shown
from fashionai.files import PathLike, naming, replacing
from fashionai.garments.table import GARMENTS, JOINT, Garments

START = ('image_id', 'image_category')
"""The columns before the keypoints; a test list needs only these."""

VISIBLE, OCCLUDED, ABSENT = 1, 0, -1
"""The values of v of a keypoint."""
MAX_COORDINATE = 65535
"""Largest absolute value of a coordinate, in pixels: the longest side that a JPEG can have."""

_CELL = '-?[0-9]{1,6}_-?[0-9]{1,6}_(?:-1|0|1)'
_ONE_CELL = re.compile(_CELL)
_ROWS_A_CHUNK = 2048

_ABSOLUTE = re.compile(r'[/\\]|[A-Za-z]:')
"""The start of an absolute path, on Windows as well."""

_AnyTable = TypeVar('_AnyTable', bound='_Table')
_Value = TypeVar('_Value')


class _Table:
    """The common base of annotations and test lists: N rows, each with an image id and a garment type."""

    image_ids: Tuple[str, ...]
    categories: Tuple[str, ...]
    source: str
    garments: Garments
    row_numbers: Tuple[int, ...]
    """The number of each row in its file, as an editor shows it; () if the table was not read from a file."""

    def __len__(self) -> int:
        return len(self.image_ids)

    def select(self: _AnyTable, indices: Sequence[int]) -> _AnyTable:
        """Returns the rows with these indices, in this order."""
        raise NotImplementedError

    def of_type(self: _AnyTable, tag: str) -> _AnyTable:
        """Returns the rows of one garment type, or all rows for `all`. Raises InputError if the tag is unknown."""
        name = self.garments.of(tag).name
        return self.select([i for i, category in enumerate(self.categories) if name in (JOINT, category)])

    def place(self, index: int) -> str:
        """Returns the file, the row number and the image of a row, for messages."""
        number = f', row {self.row_numbers[index]}' if self.row_numbers else ''
        return f'{self.source}{number}, image {shown(self.image_ids[index])}'

    def check_inside(self, allow_outside: bool) -> None:
        """Checks that every image id stays inside the image folder; with `allow_outside`, checks nothing.

        Raises InputError that names the row if an id leads out of it: an absolute path, or too many `..`.
        """
        for index, image_id in enumerate(() if allow_outside else self.image_ids):
            if _leads_outside(image_id):
                raise InputError(f'{self.place(index)}: the id leads out of the image folder; to read it anyway, give '
                                 '--allow-outside')


@dataclass(frozen=True, eq=False)
class TestList(_Table):
    """N images to predict; `source` is the file that they were read from."""

    __test__ = False  # pytest would take a class of this name for a test

    image_ids: Tuple[str, ...]
    categories: Tuple[str, ...]
    source: str
    garments: Garments = GARMENTS
    row_numbers: Tuple[int, ...] = ()

    def select(self, indices: Sequence[int]) -> 'TestList':
        """Returns the rows with these indices, in this order."""
        ids, categories = _pick(self.image_ids, indices), _pick(self.categories, indices)
        numbers = _pick(self.row_numbers, indices) if self.row_numbers else ()
        return replace(self, image_ids=ids, categories=categories, row_numbers=numbers)


@dataclass(frozen=True, eq=False)
class Annotations(_Table):
    """N images with labelled or predicted keypoints: (N, C, 3) int32 of x, y, v in original pixels."""

    image_ids: Tuple[str, ...]
    categories: Tuple[str, ...]
    keypoints: np.ndarray
    source: str
    garments: Garments = GARMENTS
    row_numbers: Tuple[int, ...] = ()

    def select(self, indices: Sequence[int]) -> 'Annotations':
        """Returns the rows with these indices, in this order."""
        ids, categories = _pick(self.image_ids, indices), _pick(self.categories, indices)
        numbers = _pick(self.row_numbers, indices) if self.row_numbers else ()
        keypoints = self.keypoints[np.asarray(indices, np.int64)]
        return replace(self, image_ids=ids, categories=categories, row_numbers=numbers, keypoints=keypoints)


def header(garments: Garments = GARMENTS) -> Tuple[str, ...]:
    """Returns the 2 + C column names of annotations and submissions."""
    return START + garments.csv_keypoints


def read_annotations(path: PathLike, garments: Garments = GARMENTS) -> Annotations:
    """Reads annotations or a submission.

    Raises InputError that names file, row and column if an image is repeated, a type is not in the garment table, a row
    does not have C cells of the form `x_y_v`, or a coordinate is beyond MAX_COORDINATE; and if the file has no rows.
    """
    table = _read_rows(path, garments)
    _check_not_empty(path, len(table))
    return table


def read_test_list(path: PathLike, garments: Garments = GARMENTS) -> TestList:
    """Reads a test list. Further columns are ignored, so an annotations file can be read as a list as well.

    Raises InputError that names file and row if an id is repeated or a type is unknown; and if the file has no rows.
    """
    seen: Dict[str, int] = {}
    categories = []
    for row_number, row in data_rows(path, START):
        categories.append(_checked_start(path, row_number, row, seen, garments))
    _check_not_empty(path, len(seen))
    return TestList(tuple(seen), tuple(categories), str(path), garments, tuple(seen.values()))


def image_path(folder: Path, image_id: str) -> Path:
    """Returns the file of an image id in a folder. Backslashes separate folders, as on Windows, unless a file has
    exactly this name."""
    path = folder / image_id
    if '\\' in image_id and not path.exists():
        return folder / image_id.replace('\\', '/')
    return path


def format_row(image_id: str, category: str, keypoints: np.ndarray) -> List[str]:
    """Returns the 2 + C cells of a row; keypoints are (C, 3) integers x, y, v."""
    return [image_id, category] + [f'{x:d}_{y:d}_{v:d}' for x, y, v in np.asarray(keypoints).tolist()]


def write_annotations(path: PathLike, annotations: Annotations) -> None:
    """Writes annotations or a submission. The file appears complete or not at all."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(header(annotations.garments))
        writer.writerows(map(format_row, annotations.image_ids, annotations.categories, annotations.keypoints))


def data_rows(path: PathLike, names: Sequence[str], more: bool = True) -> Iterator[Tuple[int, List[str]]]:
    """Yields the row number and the cells of each row of a CSV file. Every row has as many cells as the header.

    Args:
        path: any CSV file.
        names: the names of the first columns.
        more: whether further columns may follow.

    Raises InputError that names file and row if the header or a row has another form.
    """
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
        raise InputError(f'{path}: empty file; wanted a header {",".join(names[:3])}... and one row for each image')


class SubmissionWriter:
    """Writes a submission row by row. Each row is flushed at once, so an interrupted run keeps its rows.

    With `resume`, the rows already in the file stay and `done` has their ids; an incomplete last line is removed.
    Without it, the file starts empty. Raises InputError if the file to resume is not a submission.
    """

    def __init__(self, path: PathLike, resume: bool, garments: Garments = GARMENTS) -> None:
        self.done: Set[str] = set()
        if resume and _drop_torn_line(path):
            self.done.update(_read_rows(path, garments).image_ids)
        else:
            with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
                csv.writer(file, lineterminator='\n').writerow(header(garments))
        self._path, self._file = path, open(path, 'a', encoding='utf-8', newline='')

    def __enter__(self) -> 'SubmissionWriter':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        with naming(self._path):
            self._file.close()

    def append(self, image_id: str, category: str, keypoints: np.ndarray) -> None:
        """Adds the row of an image; keypoints are (C, 3) integers x, y, v in original pixels."""
        assert image_id not in self.done, f'{image_id} written twice'
        with naming(self._path):
            csv.writer(self._file, lineterminator='\n').writerow(format_row(image_id, category, keypoints))
            self._file.flush()
        self.done.add(image_id)


def _pick(values: Tuple[_Value, ...], indices: Sequence[int]) -> Tuple[_Value, ...]:
    return tuple(values[i] for i in indices)


def _leads_outside(image_id: str) -> bool:
    """Returns whether a path, with either kind of slash, is absolute or leads above the folder it starts from."""
    if _ABSOLUTE.match(image_id):
        return True
    depth = 0
    for part in re.split(r'[/\\]', image_id) if '..' in image_id else ():
        depth += -1 if part == '..' else part not in ('', '.')
        if depth < 0:
            return True
    return False


def _drop_torn_line(path: PathLike) -> bool:
    """Removes an incomplete last line of a file. Returns whether any line is left."""
    if not Path(path).exists():
        return False
    with open(path, 'r+b') as file:
        length = file.read().rfind(b'\n') + 1
        file.truncate(length)
    return length > 0


def _read_rows(path: PathLike, garments: Garments) -> Annotations:
    """Returns all rows of an annotations file; there may be none."""
    names, columns = header(garments), len(garments.csv_keypoints)
    all_cells = re.compile(','.join([_CELL] * columns))
    seen: Dict[str, int] = {}
    categories: List[str] = []
    chunks: List[np.ndarray] = [np.empty((0, columns, 3), np.int32)]
    pending: List[str] = []
    for row_number, row in data_rows(path, names, more=False):
        categories.append(_checked_start(path, row_number, row, seen, garments))
        cells = ','.join(row[2:])
        if not all_cells.fullmatch(cells):
            raise InputError(_cell_fault(path, row_number, row, names))
        pending.append(cells)
        if len(pending) == _ROWS_A_CHUNK:
            chunks.append(_numbers(pending, columns))
            pending = []
    chunks.append(_numbers(pending, columns))
    table = Annotations(tuple(seen), tuple(categories), np.concatenate(chunks), str(path), garments,
                        tuple(seen.values()))
    _check_coordinates(table, names)
    return table


def _check_coordinates(table: Annotations, names: Sequence[str]) -> None:
    """Raises InputError that names row and column if a coordinate is beyond MAX_COORDINATE."""
    faults = np.argwhere((np.abs(table.keypoints[..., :2]) > MAX_COORDINATE).any(axis=2))
    if len(faults):
        row, column = faults[0]
        x, y, _ = table.keypoints[row, column].tolist()
        raise InputError(f'{table.source}, row {table.row_numbers[row]}, column {names[2 + column]}: x {x}, y {y}, '
                         f'wanted pixels from -{MAX_COORDINATE} to {MAX_COORDINATE}')


def _numbers(rows: List[str], columns: int) -> np.ndarray:
    """Returns (n, C, 3) int32 from n rows of well-formed cells."""
    text = ','.join(rows).replace('_', ',')
    return np.fromstring(text, np.int32, sep=',').reshape(-1, columns, 3)


def _check_not_empty(path: PathLike, rows: int) -> None:
    if not rows:
        raise InputError(f'{path}: a header but no rows; wanted one row for each image')


def _checked_width(path: PathLike, found: List[str], wanted: Sequence[str], more: bool) -> int:
    """Returns the number of columns. Raises InputError if the header has other names, or more of them than allowed."""
    for column, name in enumerate(wanted):
        if column >= len(found) or found[column] != name:
            there = shown(found[column]) if column < len(found) else 'nothing'
            raise InputError(f'{path}, row 1: column {column + 1} of the header is {there}, wanted {name!r}')
    if len(found) > len(wanted) and not more:
        raise InputError(f'{path}, row 1: {len(found)} columns in the header, wanted {len(wanted)}')
    return len(found)


def _checked_start(path: PathLike, row_number: int, row: List[str], seen: Dict[str, int], garments: Garments) -> str:
    """Adds the id of a row to `seen` and returns its type. Raises InputError for a repeated id or an unknown type."""
    image_id, category = row[:2]
    if not image_id:
        raise InputError(f'{path}, row {row_number}, column image_id: empty, wanted the path of an image')
    if '\0' in image_id:
        raise InputError(f'{path}, row {row_number}, column image_id: {shown(image_id)}, wanted the path of an image')
    garment = garments.get(category)
    if garment is None:
        raise InputError(f'{path}, row {row_number}, column image_category: {shown(category)} is not a garment type, '
                         f'wanted one of {garments}')
    if seen.setdefault(image_id, row_number) != row_number:
        raise InputError(f'{path}, row {row_number}: image {image_id} occurs already in row {seen[image_id]}; wanted '
                         'one row for each image. Of the data of the competition, code/prepare.py fashionai keeps the '
                         'first row of each image')
    return garment.name


def _cell_fault(path: PathLike, row_number: int, row: List[str], names: Sequence[str]) -> str:
    """Returns a message about the first malformed cell of a row."""
    column = next(i for i in range(2, len(row)) if not _ONE_CELL.fullmatch(row[i]))
    return (f'{path}, row {row_number}, column {names[column]}: {shown(row[column])} is not x_y_v; wanted '
            'whole numbers, v 1, 0 or -1, such as 120_85_1')
