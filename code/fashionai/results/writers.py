"""Findings as JSON, and the files they are written to: JSON lines, the CSV form of FashionAI, COCO keypoint results."""
import csv
import io
import json
from datetime import datetime, timezone
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, Dict, Iterable, Mapping, Optional, Set, TextIO, Tuple, Type

import numpy as np

from fashionai.annotations import START, format_row, header
from fashionai.datasets.coco_ids import CocoIds, Id
from fashionai.errors import InputError
from fashionai.files import parse_json
from fashionai.garments.measurements import PixelScale, measure
from fashionai.garments.table import Garments
from fashionai.images.sources import MediaFile, Picture
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.garment_predictor import GarmentPrediction, points_of
from fashionai.inference.missing_keypoints import submission_keypoints

Record = Dict[str, Any]


def record_of(finding: GarmentPrediction, scale: Optional[PixelScale] = None) -> Record:
    """A finding as JSON has it: points in pixels of the picture, to hundredths, by name. With a scale, measurements."""
    height, width = finding.image_hw
    points = zip(finding.keypoints, finding.points_xy.tolist(), finding.scores.tolist(), finding.found.tolist())
    record: Record = {
        'type': finding.type, 'type_sure': finding.type_sure,
        'type_probabilities': {name: round(share, 4) for name, share in finding.type_probabilities.items()},
        'size': {'width': width, 'height': height},
        'keypoints': {name: {'x': round(x, 2), 'y': round(y, 2), 'score': round(score, 3), 'found': found}
                      for name, (x, y), score, found in points}}
    return {**record, **(_measured(finding, scale) if scale else {})}


class Writer:
    """Writes findings to a text file as they come; leaving the `with` block completes it, whatever ended it. `goes_on`:
    the file has rows already, and ends behind the last, as `whole_rows` says."""

    def __init__(self, file: TextIO, model: str, scale: Optional[PixelScale], garments: Garments,
                 goes_on: bool = False) -> None:
        self._file, self._model, self._scale, self._garments, self._goes_on = file, model, scale, garments, goes_on

    def __enter__(self) -> 'Writer':
        if not self._goes_on:
            self._begin()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._end()
        self._file.flush()

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        raise NotImplementedError

    @staticmethod
    def name_of(picture: Picture) -> str:
        """What a row calls its picture, as `whole_rows` gives it."""
        return printable(picture.label)

    @staticmethod
    def whole_rows(file: BinaryIO) -> Tuple[Set[str], int]:
        """Return the names of the pictures that have a whole row in a file, and the bytes up to the end of the last."""
        raise NotImplementedError

    def _begin(self) -> None:
        """Before the first."""

    def _end(self) -> None:
        """After the last."""


class JsonLines(Writer):
    """One object a line."""

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        source = {'path': outcome.picture.source.path}
        frame = {} if outcome.picture.frame is None else {'frame': outcome.picture.frame}
        made = {'model': self._model, 'time': datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
                'seconds': round(outcome.seconds, 3)}
        self._file.write(json.dumps({**source, **frame, **record_of(outcome.finding, self._scale), **made}) + '\n')
        self._file.flush()

    @staticmethod
    def whole_rows(file: BinaryIO) -> Tuple[Set[str], int]:
        """As above."""
        names, length = set(), 0
        for line in file:
            row = _row_of(line) if line.endswith(b'\n') else None
            if row is None:
                break
            names.add(printable(Picture(MediaFile(row['path'], ''), row.get('frame')).label))
            length += len(line)
        return names, length


class SubmissionRows(Writer):
    """The CSV form of FashionAI, as run.py writes it."""

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        finding, picture = outcome.finding, outcome.picture
        keypoints = submission_keypoints(finding.points_xy, finding.garment)
        self._row(format_row(self.name_of(picture), finding.type, keypoints))
        self._file.flush()

    @staticmethod
    def name_of(picture: Picture) -> str:
        """What a row calls its picture."""
        path = printable(picture.source.path)
        return path if picture.frame is None else f'{path}#{picture.frame}'

    @staticmethod
    def whole_rows(file: BinaryIO) -> Tuple[Set[str], int]:
        """As above."""
        lines = io.StringIO(file.read().decode(errors='replace'), newline='\n').readlines()
        names, count, columns = set(), 0, None
        reader = csv.reader(lines)
        for row in reader:
            columns = columns or len(row)
            if len(row) != columns or not lines[reader.line_num - 1].endswith('\n'):
                break
            names.add(row[0])
            count = reader.line_num
        return names - {START[0]}, len(''.join(lines[:count]).encode())

    def _begin(self) -> None:
        self._row(header(self._garments))

    def _row(self, cells: Iterable[str]) -> None:
        csv.writer(self._file, lineterminator='\n').writerow(cells)


class CocoResults(Writer):
    """COCO keypoint results, one list: categories are the garment types, from 1 on, each with the keypoints of its
    type; images are numbered from 1 on in the order they were named, and `file_name` says which is which. Images and
    categories have the ids of a ground truth instead after `number_by`. Of a keypoint the third number is its score;
    `score` is their mean."""

    def __init__(self, file: TextIO, model: str, scale: Optional[PixelScale], garments: Garments,
                 goes_on: bool = False) -> None:
        super().__init__(file, model, scale, garments, goes_on)
        self._before = ',\n' if goes_on else '[\n'
        self._categories: Mapping[str, Id] = coco_categories(garments)
        self._truth: Optional[CocoIds] = None

    def number_by(self, truth: CocoIds) -> None:
        """Take the ids of a ground truth that has every picture and every type."""
        self._truth, self._categories = truth, truth.categories

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        finding = outcome.finding
        image_id = self._truth.image_id(outcome.picture.source.path) if self._truth else outcome.number
        numbers = np.column_stack([finding.points_xy.round(2), finding.scores.round(3)]).ravel().tolist()
        result = {'image_id': image_id, 'category_id': self._categories[finding.type], 'keypoints': numbers,
                  'score': round(float(finding.scores.mean()), 3), 'file_name': outcome.picture.label}
        self._file.write(self._before + json.dumps(result))
        self._file.flush()
        self._before = ',\n'

    @staticmethod
    def whole_rows(file: BinaryIO) -> Tuple[Set[str], int]:
        """As above; the comma and the bracket behind the last row are left out."""
        names, place, length = set(), len(file.readline()), 0
        for line in file:
            text = line.rstrip(b',\n')
            row = _row_of(text)
            if row is None:
                break
            names.add(printable(row['file_name']))
            length, place = place + len(text), place + len(line)
        return names, length

    def _end(self) -> None:
        self._file.write('[]\n' if self._before == '[\n' else '\n]\n')


FORMATS: Mapping[str, Type[Writer]] = MappingProxyType({'json': JsonLines, 'csv': SubmissionRows, 'coco': CocoResults})
"""By the name `--format` takes: (file, name of the model, scale of measurements or None for none, table, whether a file
is gone on with) -> writer."""


def printable(name: str) -> str:
    """A name of a file, which need not be UTF-8, as text that is: bytes that are not as JSON writes them."""
    return name.encode(errors='backslashreplace').decode()


def coco_categories(garments: Garments) -> Dict[str, int]:
    """The number of each type in COCO files."""
    return {name: number for number, name in enumerate(garments, 1)}


def _row_of(text: bytes) -> Optional[Record]:
    """The object of a line of JSON; None if it is cut off."""
    try:
        row = parse_json(text, 'a row', allow_nan=True)
    except InputError:
        return None
    return row if isinstance(row, dict) else None


def _measured(finding: GarmentPrediction, scale: PixelScale) -> Record:
    points = points_of(finding)
    cm_per_pixel = scale(points)
    lengths = measure(points, cm_per_pixel)
    return {'cm_per_pixel': cm_per_pixel, 'measurements': {
        name: {'pixels': _rounded(length.pixels, 2), 'cm': _rounded(length.cm, 2), 'score': _rounded(length.score, 3),
               'doubtful': '; '.join(length.doubtful) or None}
        for name, length in lengths.items()}}


def _rounded(number: Optional[float], digits: int) -> Optional[float]:
    return None if number is None else round(number, digits)
