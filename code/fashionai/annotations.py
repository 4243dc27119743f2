"""The CSV files: annotations, test lists and submissions, read strictly and written back in the same form.

Header `image_id,image_category` and the keypoint names, 24 in FashionAI; a cell is `x_y_v`, three integers: x and y in
original pixels, v = 1 visible, 0 occluded, -1 absent (`-1_-1_-1`). A submission has the same form; a test list has the
first two columns only. Rows are counted as an editor shows them: the header is row 1.

Letters used in shapes: N images; C keypoint columns, those of the table of garments; 3 values x, y, v.
"""
import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Sequence, Set, Tuple, Type, TypeVar

import numpy as np

from fashionai.csv_rows import PathLike, data_rows
from fashionai.errors import InputError, shown
from fashionai.files import naming, replacing
from fashionai.garments.table import GARMENTS, JOINT, Garments

START = ('image_id', 'image_category')
"""The names of the columns before the keypoints: all that a test list has to have."""

VISIBLE, OCCLUDED, ABSENT = 1, 0, -1
"""What v of a keypoint says."""
FARTHEST = 65535
"""Pixels: no coordinate is further from the corner of its picture. It is the longest side that a JPEG can have."""

_CELL = '-?[0-9]{1,6}_-?[0-9]{1,6}_(?:-1|0|1)'
_ONE_CELL = re.compile(_CELL)
_ROWS_A_CHUNK = 2048

_ABSOLUTE = re.compile(r'[/\\]|[A-Za-z]:')
"""The start of an absolute path, on Windows as well."""

_AnyTable = TypeVar('_AnyTable', bound='_Table')
_Value = TypeVar('_Value')


class _Table:
    """What annotations and test lists share: N rows with an image id and a garment type of a table each."""

    image_ids: Tuple[str, ...]
    categories: Tuple[str, ...]
    source: str
    garments: Garments
    row_numbers: Tuple[int, ...]
    """Of each row, its number in the file as an editor shows it; () of a table that was not read from a file."""

    def __len__(self) -> int:
        return len(self.image_ids)

    def select(self: _AnyTable, indices: Sequence[int]) -> _AnyTable:
        """The rows of those numbers, in that order."""
        raise NotImplementedError

    def of_type(self: _AnyTable, tag: str) -> _AnyTable:
        """The rows of one garment type, or every row for `all`. Raises InputError for an unknown tag."""
        name = self.garments.of(tag).name
        return self.select([i for i, category in enumerate(self.categories) if name in (JOINT, category)])

    def place(self, index: int) -> str:
        """Return where a row stands, for messages: the file, the number of the row and the image."""
        number = f', row {self.row_numbers[index]}' if self.row_numbers else ''
        return f'{self.source}{number}, image {shown(self.image_ids[index])}'

    def check_inside(self, allow_outside: bool) -> None:
        """Check that every image id stays in the folder of the images; `allow_outside` accepts all of them.

        Raises InputError, naming the row, for an id that leads out of it: an absolute path, or too many `..`.
        """
        for index, image_id in enumerate(() if allow_outside else self.image_ids):
            if _leads_outside(image_id):
                raise InputError(f'{self.place(index)}: the id leads out of the folder of the images; '
                                 '--allow-outside reads it all the same')


@dataclass(frozen=True, eq=False)
class TestList(_Table):
    """N images to be worked on; `source` is the file they were read from."""

    __test__ = False  # pytest would take a class of this name for a test

    image_ids: Tuple[str, ...]
    categories: Tuple[str, ...]
    source: str
    garments: Garments = GARMENTS
    row_numbers: Tuple[int, ...] = ()

    def select(self, indices: Sequence[int]) -> 'TestList':
        """The rows of those numbers, in that order."""
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
        """The rows of those numbers, in that order."""
        ids, categories = _pick(self.image_ids, indices), _pick(self.categories, indices)
        numbers = _pick(self.row_numbers, indices) if self.row_numbers else ()
        keypoints = self.keypoints[np.asarray(indices, np.int64)]
        return replace(self, image_ids=ids, categories=categories, row_numbers=numbers, keypoints=keypoints)


def header(garments: Garments = GARMENTS) -> Tuple[str, ...]:
    """The 2 + C column names of an annotations file or a submission."""
    return START + garments.csv_keypoints


def read_annotations(path: PathLike, garments: Garments = GARMENTS) -> Annotations:
    """Read annotations or a submission.

    Raises InputError, naming file, row and column, for anything but rows of distinct images of types of the table with
    C cells of the form `x_y_v`, x and y not beyond FARTHEST, and for a file without such rows.
    """
    table = _read_rows(path, garments)
    _check_not_empty(path, len(table))
    return table


def read_test_list(path: PathLike, garments: Garments = GARMENTS) -> TestList:
    """Read a test list. Further columns are passed over, so an annotations file serves as a list as well.

    Raises InputError, naming file and row, for repeated ids, unknown types and a file without rows.
    """
    seen: Dict[str, int] = {}
    categories = []
    for row_number, row in data_rows(path, START):
        categories.append(_checked_start(path, row_number, row, seen, garments))
    _check_not_empty(path, len(seen))
    return TestList(tuple(seen), tuple(categories), str(path), garments, tuple(seen.values()))


def image_path(folder: Path, image_id: str) -> Path:
    """Return the file of an image id below a folder. Backslashes separate folders, as on Windows, if no file has that
    very name."""
    path = folder / image_id
    if '\\' in image_id and not path.exists():
        return folder / image_id.replace('\\', '/')
    return path


def format_row(image_id: str, category: str, keypoints: np.ndarray) -> List[str]:
    """The 2 + C cells of a row; keypoints are (C, 3) integers x, y, v."""
    return [image_id, category] + [f'{x:d}_{y:d}_{v:d}' for x, y, v in np.asarray(keypoints).tolist()]


def write_annotations(path: PathLike, annotations: Annotations) -> None:
    """Write a whole file at once: it appears complete, or not at all."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(header(annotations.garments))
        writer.writerows(map(format_row, annotations.image_ids, annotations.categories, annotations.keypoints))


class SubmissionWriter:
    """Writes a submission of a table's types row by row, each flushed at once: an interrupted run keeps what it had.

    With `resume`, the rows already in the file stay and their ids are in `done`; a last line that was cut off in the
    middle is dropped. Otherwise the file starts anew. Raises InputError where the file to resume is not a submission.
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
        """Add the row of an image; keypoints are (C, 3) integers x, y, v in original pixels."""
        assert image_id not in self.done, f'{image_id} written twice'
        with naming(self._path):
            csv.writer(self._file, lineterminator='\n').writerow(format_row(image_id, category, keypoints))
            self._file.flush()
        self.done.add(image_id)


def _pick(values: Tuple[_Value, ...], indices: Sequence[int]) -> Tuple[_Value, ...]:
    return tuple(values[i] for i in indices)


def _leads_outside(image_id: str) -> bool:
    """Whether a path, with either kind of slash, is absolute or goes above the folder it starts from."""
    if _ABSOLUTE.match(image_id):
        return True
    depth = 0
    for part in re.split(r'[/\\]', image_id) if '..' in image_id else ():
        depth += -1 if part == '..' else part not in ('', '.')
        if depth < 0:
            return True
    return False


def _drop_torn_line(path: PathLike) -> bool:
    """Cut a file back to its last complete line; whether anything is left of it."""
    if not Path(path).exists():
        return False
    with open(path, 'r+b') as file:
        length = file.read().rfind(b'\n') + 1
        file.truncate(length)
    return length > 0


def _read_rows(path: PathLike, garments: Garments) -> Annotations:
    """All rows of an annotations file, which may be none."""
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
    """Raises InputError, naming row and column, for a coordinate that no picture has."""
    faults = np.argwhere((np.abs(table.keypoints[..., :2]) > FARTHEST).any(axis=2))
    if len(faults):
        row, column = faults[0]
        x, y, _ = table.keypoints[row, column].tolist()
        raise InputError(f'{table.source}, row {table.row_numbers[row]}, column {names[2 + column]}: x {x}, y {y}: '
                         f'wanted pixels of the picture, from -{FARTHEST} to {FARTHEST}')


def _numbers(rows: List[str], columns: int) -> np.ndarray:
    """(n, C, 3) int32 of n rows of cells that are known to be well formed."""
    text = ','.join(rows).replace('_', ',')
    return np.fromstring(text, np.int32, sep=',').reshape(-1, columns, 3)


def _check_not_empty(path: PathLike, rows: int) -> None:
    if not rows:
        raise InputError(f'{path}: a header but no rows; wanted one row an image')


def _checked_start(path: PathLike, row_number: int, row: List[str], seen: Dict[str, int], garments: Garments) -> str:
    """The type of a row whose id is put into `seen`. Raises InputError for a repeated id or an unknown type."""
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
        raise InputError(f'{path}, row {row_number}: image {image_id} occurs already in row {seen[image_id]}')
    return garment.name


def _cell_fault(path: PathLike, row_number: int, row: List[str], names: Sequence[str]) -> str:
    """Which of a row's cells is malformed, in words."""
    column = next(i for i in range(2, len(row)) if not _ONE_CELL.fullmatch(row[i]))
    return (f'{path}, row {row_number}, column {names[column]}: {shown(row[column])} is not x_y_v, wanted '
            'whole numbers with v 1, 0 or -1, such as 120_85_1')
