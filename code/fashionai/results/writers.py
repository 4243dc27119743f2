"""Writes predictions: as JSON lines, in the CSV form of FashionAI, as a table of lengths, and as a table for people."""
import csv
import io
import json
import os
import shutil
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, BinaryIO, Iterable, Iterator, List, Optional, Sequence, TextIO, Tuple, Type

from fashionai.annotations import format_row, header
from fashionai.errors import InputError
from fashionai.files import parse_json
from fashionai.garments.grades import CM, PIXELS, Grader, MeasuredGarment, SizeCheck
from fashionai.garments.measurements import PixelScale, no_scale
from fashionai.garments.table import Garments
from fashionai.images.sources import MediaFile, Picture
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.results.length_rows import (
    FRAME,
    GARMENT,
    PATH,
    cells,
    columns,
    garment_of_row,
    measured_garment,
    size_json,
)
from fashionai.results.prediction_json import JsonObject, prediction_json
from fashionai.results.text_table import TextTable

Row = Tuple[str, int]
"""A row of an output: the name of its picture, and the bytes from the start of the output to the end of the row."""

MeasuredRow = Tuple[Picture, Any, MeasuredGarment]

class Writer:
    """Writes predictions to a text file as they come. Leaving the `with` block completes the file, also after an error.

    Args:
        file: a text file; with `continued` it has rows already and ends after the last one, as `whole_rows` says, and
            it can be read.
        model: the name of the model.
        scale: the scale of measurements; None: no measurements.
        garments: the table of types.
        continued: whether rows are added to a file that has some.
        mark_visibility: whether the third number of a point says if it is visible, in formats with three numbers.
    """

    def __init__(self, file: TextIO, model: str, scale: Optional[PixelScale], garments: Garments,
                 continued: bool = False, mark_visibility: bool = False) -> None:
        self._file, self._model, self._scale, self._garments, self._continued = file, model, scale, garments, continued
        self._mark_visibility = mark_visibility
        self._grader: Optional[Grader] = None

    def grade_by(self, grader: Optional[Grader]) -> None:
        """Adds the size of each garment, in formats with lengths; called before the `with` block."""
        self._grader = grader

    @property
    def unit(self) -> str:
        """The unit of lengths: CM if a scale was given, else PIXELS."""
        return PIXELS if self._scale in (None, no_scale) else CM

    def size_check(self, outcome: Outcome) -> Optional[SizeCheck]:
        """Returns the size of a garment; None without a grader."""
        return self._size_check(outcome, self._measured(outcome))

    def _said(self, outcome: Outcome) -> JsonObject:
        """Returns the JSON object of a prediction; with a grader, it has the size too."""
        said = prediction_json(outcome.prediction, self._scale)
        check = self._size_check(outcome, said)
        return {**said, 'size_check': size_json(check, self.unit)} if check else said

    def _measured(self, outcome: Outcome) -> JsonObject:
        return prediction_json(outcome.prediction, self._scale or no_scale)

    def _size_check(self, outcome: Outcome, said: JsonObject) -> Optional[SizeCheck]:
        if not self._grader:
            return None
        return self._grader.check(outcome.picture.source.path, measured_garment(said, self.unit))

    def __enter__(self) -> 'Writer':
        if self._continued:
            self._go_on()
        else:
            self._begin()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._end()
        self._file.flush()

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        raise NotImplementedError

    @staticmethod
    def name_of(picture: Picture) -> str:
        """Returns the name of a picture in its row, as `whole_rows` returns it."""
        return printable(picture.label)

    @staticmethod
    def whole_rows(file: BinaryIO) -> List[Row]:
        """Returns the complete rows, in order, one for each garment."""
        raise NotImplementedError

    def measured_rows(self) -> Iterator[MeasuredRow]:
        """Yields the picture, the number of the garment in it, and the lengths, of each row of a continued file;
        in formats with lengths."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Writes what comes before the first row."""

    def _go_on(self) -> None:
        """Reads what it needs to know of the rows of a file that is continued."""

    def _end(self) -> None:
        """Writes what comes after the last row."""


class JsonLines(Writer):
    """JSON lines: one object on each line."""

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        source = {'path': outcome.picture.source.path}
        frame = {} if outcome.picture.frame is None else {'frame': outcome.picture.frame}
        garment = {} if outcome.garment is None else {'garment': outcome.garment}
        made = {'model': self._model, 'time': datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
                'seconds': round(outcome.seconds, 3)}
        self._file.write(json.dumps({**source, **frame, **garment, **self._said(outcome), **made}) + '\n')
        self._file.flush()

    @staticmethod
    def whole_rows(file: BinaryIO) -> List[Row]:
        """See Writer.whole_rows."""
        rows: List[Row] = []
        length = 0
        for line in file:
            row = row_of(line) if line.endswith(b'\n') else None
            if row is None:
                break
            length += len(line)
            rows.append((printable(_picture(row['path'], row.get('frame')).label), length))
        return rows

    def measured_rows(self) -> Iterator[MeasuredRow]:
        """See Writer.measured_rows."""
        self._file.seek(0)
        for line in self._file:
            row = json.loads(line)
            yield _picture(row['path'], row.get('frame')), row.get('garment'), measured_garment(row, self.unit)


class CsvRows(Writer):
    """Rows of a CSV file, the first of which is a header."""

    @classmethod
    def whole_rows(cls, file: BinaryIO) -> List[Row]:
        """See Writer.whole_rows."""
        lines = io.StringIO(file.read().decode(errors='replace'), newline='\n').readlines()
        rows: List[Row] = []
        length = done = 0
        width = None
        reader = csv.reader(lines)
        for row in reader:
            width = width or len(row)
            if len(row) != width or not lines[reader.line_num - 1].endswith('\n'):
                break
            length += len(''.join(lines[done:reader.line_num]).encode())
            done = reader.line_num
            rows.append((cls._row_name(row), length))
        return rows[1:]

    @staticmethod
    def _row_name(row: Sequence[str]) -> str:
        """Returns the name of the picture in a row, as `name_of` does."""
        return row[0]

    def _row(self, row: Iterable[Optional[str]]) -> None:
        csv.writer(self._file, lineterminator='\n').writerow(row)
        self._file.flush()


class SubmissionRows(CsvRows):
    """The CSV form of FashionAI, as run.py writes it: every point of the type has v = 1; or, with `mark_visibility`, as
    labels have it, with v = 0 for occluded points and -1_-1_-1 for absent ones."""

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        prediction, picture = outcome.prediction, outcome.picture
        keypoints = submission_keypoints(prediction.points_xy, prediction.garment,
                                         prediction.labels if self._mark_visibility else None)
        self._row(format_row(self.name_of(picture), prediction.type, keypoints))

    @staticmethod
    def name_of(picture: Picture) -> str:
        """Returns the name of a picture in its row."""
        path = printable(picture.source.path)
        return path if picture.frame is None else f'{path}#{picture.frame}'

    def _begin(self) -> None:
        self._row(header(self._garments))


class LengthRows(CsvRows):
    """A table of lengths, for spreadsheets: the columns are those of `length_rows.columns`."""

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        said, picture = self._measured(outcome), outcome.picture
        row = {PATH: printable(picture.source.path), FRAME: None if picture.frame is None else str(picture.frame),
               GARMENT: None if outcome.garment is None else str(outcome.garment),
               **cells(said, self.unit, self._size_check(outcome, said))}
        self._row(row.get(name) for name in columns(self._garments, self._grader))

    def measured_rows(self) -> Iterator[MeasuredRow]:
        """See Writer.measured_rows."""
        self._file.seek(0)
        for row in csv.DictReader(self._file):
            yield _picture(row[PATH], row[FRAME] or None), row[GARMENT] or None, garment_of_row(row, self._garments)

    @staticmethod
    def _row_name(row: Sequence[str]) -> str:
        return printable(_picture(row[0], row[1] or None).label)

    def _begin(self) -> None:
        self._row(columns(self._garments, self._grader))


class TableRows(Writer):
    """A table for people; it is as wide as the terminal, and has colours in a terminal if NO_COLOR is not set. It
    cannot be continued."""

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        number = f' ({outcome.garment})' if outcome.garment else ''
        self._lines(self._table.rows(self.name_of(outcome.picture) + number, self._said(outcome)))

    @property
    def _table(self) -> TextTable:
        colour = self._file.isatty() and not os.environ.get('NO_COLOR')
        return TextTable(min(max(shutil.get_terminal_size().columns, 60), 120), colour)

    def _begin(self) -> None:
        self._lines([self._table.header()])

    def _lines(self, lines: Iterable[str]) -> None:
        self._file.write(''.join(f'{line}\n' for line in lines))
        self._file.flush()


def printable(name: str) -> str:
    """Returns a file's name as UTF-8 text; bytes that are not UTF-8 are escaped with a backslash, as JSON does."""
    return name.encode(errors='backslashreplace').decode()


def _picture(path: str, frame: Any) -> Picture:
    """Returns the picture of a row."""
    return Picture(MediaFile(path, ''), frame)


def row_of(text: bytes) -> Optional[JsonObject]:
    """Returns the object of a line of JSON; None if the line is cut off."""
    try:
        row = parse_json(text, 'a row', allow_nan=True)
    except InputError:
        return None
    return row if isinstance(row, dict) else None
