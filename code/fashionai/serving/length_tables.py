"""Answers of the service as a table of lengths, CSV."""
import csv
from io import StringIO
from typing import Dict, Optional, Sequence, Tuple, Union

from fashionai.garments.table import Garments as GarmentsTable
from fashionai.results.length_rows import GARMENT, PATH, cells, columns
from fashionai.serving.answers import Answer, Answers, Garments

AnyAnswer = Union[Answer, Garments, Answers]

CSV_TYPE = 'text/csv'

_ERROR = 'error'
"""The last column: why there is no answer for a picture."""


def table_columns(garments: GarmentsTable) -> Sequence[str]:
    """Returns the columns of the table. Raises InputError as `length_rows.columns` does."""
    return columns(garments, last=[_ERROR])


def length_table(answer: AnyAnswer, names: Sequence[str], unit: str) -> str:
    """Returns a table with these columns, as predict.py --format lengths writes it, with the column `error` beside.

    The path of a picture is the name of its file in a form, and empty for a picture that was the body.
    """
    file = StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow(names)
    for row, found in _rows(answer):
        row.update(cells(found.model_dump(), unit) if found else {})
        writer.writerow(row.get(column) for column in names)
    return file.getvalue()


def _rows(answer: AnyAnswer) -> Sequence[Tuple[Dict[str, Optional[str]], Optional[Answer]]]:
    """Returns the cells that name each garment, and its answer."""
    if isinstance(answer, Answers):
        return [({PATH: each.name, _ERROR: each.detail}, each.answer) for each in answer.pictures]
    if isinstance(answer, Garments):
        return [({GARMENT: str(number)}, garment) for number, garment in enumerate(answer.garments, 1)]
    return [({GARMENT: '1' if answer.box else None}, answer)]
