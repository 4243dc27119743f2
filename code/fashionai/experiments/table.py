"""The rows of the experiments, one per setting and seed, in a CSV file, and beside it their errors of each image."""
import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Sequence

import numpy as np

from fashionai.annotations import Annotations, data_rows
from fashionai.errors import InputError
from fashionai.evaluation.metrics import PooledError, score
from fashionai.experiments.image_errors import ImageErrors, Key, images_path, name_of, read_images, write_images
from fashionai.experiments.settings import SETTINGS
from fashionai.files import replacing


@dataclass(frozen=True)
class Row:
    """The result of a setting at one seed. If it uses several networks, their costs are summed.

    network: the network of the project that it uses and the start of the sum of its file, '' if another was trained.
    parameters: of the inference network. gflops_368, gflops: for one image at 368x368 pixels and at the size that the
    network was trained at.
    images_per_second: in training, None if unknown. ne_visible, ne_leaderboard: in percent. command: makes the row
    again, in single precision.
    """

    setting: str
    group: str
    flags: str
    network: str
    seed: int
    parameters: int
    gflops_368: float
    gflops: float
    images_per_second: Optional[float]
    ne_visible: float
    ne_leaderboard: float
    tensorflow: str
    command: str

    @property
    def key(self) -> Key:
        """Setting and seed; unique in a table."""
        return self.setting, self.seed


class Table:
    """All rows by key, and their errors of each image. Both files are written with every row that is added."""

    def __init__(self, path: Path, rows: Dict[Key, Row], images: ImageErrors) -> None:
        self.path, self.rows, self.images = path, rows, images

    @classmethod
    def read(cls, path: Path) -> 'Table':
        """Reads both files. Raises InputError if they are not such files, or have no row, or different rows."""
        rows = read_rows(path)
        if not rows:
            raise InputError(f'{path} has no row: run some settings first')
        images = read_images(images_path(path))
        missing = [key for key in rows if key not in images.sums]
        if missing:
            raise InputError(f'{images_path(path)} has no errors for the row of {missing[0][0]}, seed {missing[0][1]}, '
                             f'in {path}: remove that row')
        return cls(path, rows, images)

    @classmethod
    def open(cls, path: Path, truth: Annotations) -> 'Table':
        """Reads both files, or begins them if there is no row. Raises InputError, also if a file is of other labels."""
        points = np.array([image.points for image in score(truth, truth).images], np.int64)
        if not points.sum():
            raise InputError(f'{truth.source}: no image has a visible keypoint that can be measured')
        names = tuple(map(name_of, truth.image_ids))
        if not read_rows(path):
            return cls(path, {}, ImageErrors(names, points, {}))
        table = cls.read(path)
        there = dict(zip(table.images.names, table.images.points.tolist()))
        differing = [image_id for image_id, name, count in zip(truth.image_ids, names, points.tolist())
                     if there.get(name) != count]
        if differing or table.images.names != names:
            such = f'such as {differing[0]}' if differing else 'in number or order'
            raise InputError(f'{images_path(path)} is of other images, or of other labels, than {truth.source}, '
                             f'{such}: give another file as --output')
        return table

    def add(self, row: Row, images: Sequence[PooledError]) -> None:
        """Adds a row and its errors of each image, in the order of `open`, and writes both files."""
        self.rows[row.key] = row
        sums = {**self.images.sums, row.key: np.array([image.total for image in images])}
        self.images = ImageErrors(self.images.names, self.images.points, sums)
        order = {name: place for place, name in enumerate(SETTINGS)}
        rows = sorted(self.rows.values(), key=lambda one: (order.get(one.setting, len(order)), one.seed))
        write_images(images_path(self.path), self.images, [one.key for one in rows])
        write_rows(self.path, rows)


_COLUMNS = [item.name for item in fields(Row)]


def read_rows(path: Path) -> Dict[Key, Row]:
    """Returns the rows of a file by key; {} if there is no file. Raises InputError if it is not such a table."""
    if not path.exists():
        return {}
    rows = [_row(dict(zip(_COLUMNS, cells)), f'{path}, row {number}')
            for number, cells in data_rows(path, _COLUMNS, more=False)]
    return {row.key: row for row in rows}


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes the table. If writing fails, the old file is unchanged."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _row(values: Dict[str, Any], place: str) -> Row:
    try:
        numbers = {name: float(values[name]) for name in ('gflops_368', 'gflops', 'ne_visible', 'ne_leaderboard')}
        speed = float(values['images_per_second']) if values['images_per_second'] else None
        return Row(**{**values, **numbers, 'images_per_second': speed, 'seed': int(values['seed']),
                      'parameters': int(values['parameters'])})
    except (TypeError, ValueError) as error:
        raise InputError(f'{place}: {error}') from None
