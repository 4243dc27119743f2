"""Findings as JSON, and the files they are written to: JSON lines, the CSV form of FashionAI, COCO keypoint results."""
import csv
import json
from datetime import datetime, timezone
from types import MappingProxyType, TracebackType
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, TextIO, Type

import numpy as np

from fashionai.annotations import format_row, header
from fashionai.garments import Garments
from fashionai.inference.filling import submission_keypoints
from fashionai.inference.finder import Finding, points_of
from fashionai.inference.own_pictures import Outcome
from fashionai.measurements import Scale, measure

Record = Dict[str, Any]


def record_of(finding: Finding, scale: Optional[Scale] = None) -> Record:
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
    """Writes findings to a text file as they come; leaving the `with` block completes it, whatever ended it."""

    def __init__(self, file: TextIO, model: str, scale: Optional[Scale], garments: Garments) -> None:
        self._file, self._model, self._scale, self._garments = file, model, scale, garments

    def __enter__(self) -> 'Writer':
        self._begin()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._end()
        self._file.flush()

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
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


class SubmissionRows(Writer):
    """The CSV form of FashionAI, as run.py writes it."""

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        finding, picture = outcome.finding, outcome.picture
        path = picture.source.path.encode(errors='backslashreplace').decode()  # a name need not be UTF-8: JSON's way
        name = path if picture.frame is None else f'{path}#{picture.frame}'
        self._row(format_row(name, finding.type, submission_keypoints(finding.points_xy, finding.garment)))
        self._file.flush()

    def _begin(self) -> None:
        self._row(header(self._garments))

    def _row(self, cells: Iterable[str]) -> None:
        csv.writer(self._file, lineterminator='\n').writerow(cells)


class CocoResults(Writer):
    """COCO keypoint results, one list: categories are the garment types, from 1 on, each with the keypoints of its
    type; images are numbered from 1 on in the order they were named, and `file_name` says which is which. Of a keypoint
    the third number is its score; `score` is their mean."""

    def __init__(self, file: TextIO, model: str, scale: Optional[Scale], garments: Garments) -> None:
        super().__init__(file, model, scale, garments)
        self._before, self._categories = '[\n', coco_categories(garments)

    def write(self, outcome: Outcome) -> None:
        """Add one, at once."""
        finding = outcome.finding
        numbers = np.column_stack([finding.points_xy.round(2), finding.scores.round(3)]).ravel().tolist()
        result = {'image_id': outcome.number, 'category_id': self._categories[finding.type], 'keypoints': numbers,
                  'score': round(float(finding.scores.mean()), 3), 'file_name': outcome.picture.label}
        self._file.write(self._before + json.dumps(result))
        self._file.flush()
        self._before = ',\n'

    def _end(self) -> None:
        self._file.write('[]\n' if self._before == '[\n' else '\n]\n')


FORMATS: Mapping[str, Callable[[TextIO, str, Optional[Scale], Garments], Writer]] = MappingProxyType(
    {'json': JsonLines, 'csv': SubmissionRows, 'coco': CocoResults})
"""By the name `--format` takes: (file, name of the model, scale of measurements or None for none, table) -> writer."""


def coco_categories(garments: Garments) -> Dict[str, int]:
    """The number of each type in COCO files."""
    return {name: number for number, name in enumerate(garments, 1)}


def _measured(finding: Finding, scale: Scale) -> Record:
    points = points_of(finding)
    cm_per_pixel = scale(points)
    lengths = measure(points, cm_per_pixel)
    return {'cm_per_pixel': cm_per_pixel, 'measurements': {
        name: {'pixels': _rounded(length.pixels, 2), 'cm': _rounded(length.cm, 2), 'score': _rounded(length.score, 3),
               'doubtful': '; '.join(length.doubtful) or None}
        for name, length in lengths.items()}}


def _rounded(number: Optional[float], digits: int) -> Optional[float]:
    return None if number is None else round(number, digits)
