"""The errors of each image of val.csv, for every row of the table: what a comparison of two rows resamples.

They are in a CSV file beside that of the rows. Its columns are setting, seed, and one for each image, by the sum of its
id, since the file is published and the ids of a data set may not be. The first line has the number of measured points
of each image, every other line the sums of a row, rounded to three decimals.

Letters used in shapes: N images.
"""
import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.evaluation.report.resampling import Estimate, paired
from fashionai.files import replacing

Key = Tuple[str, int]
"""A setting and a seed."""

CAP = 0.2
"""In the capped NE, the error of an image counts at most as much: distance / s."""

_START, _POINTS = ['setting', 'seed'], 'measured points'
_DRAWS = 5000


@dataclass(frozen=True, eq=False)
class ImageErrors:
    """The errors of N images, in the convention `visible`.

    names: of the images, see `name_of`. points: (N,) int64, the keypoints that count in each image. sums: by row, (N,)
    float64, the sum of their distance / s; see metrics.py.
    """

    names: Tuple[str, ...]
    points: np.ndarray
    sums: Mapping[Key, np.ndarray]

    def capped(self) -> 'ImageErrors':
        """Returns the same with the error of each image at most CAP: what remains if gross errors count little."""
        most = CAP * self.points
        return ImageErrors(self.names, self.points, {key: np.minimum(sums, most) for key, sums in self.sums.items()})

    def error(self, key: Key) -> float:
        """Returns the NE of a row in percent."""
        return float(100 * self.sums[key].sum() / self.points.sum())

    def gross(self, key: Key) -> int:
        """Returns in how many images the error of a row is larger than CAP."""
        return int((self.sums[key] > CAP * self.points).sum())

    def difference(self, keys: Sequence[Key], others: Sequence[Key]) -> Estimate:
        """Returns the NE of rows less that of other rows, in percentage points, and its interval over drawn images.

        The sums of several rows, which are seeds of one setting, are averaged.
        """
        sums, other_sums = (100 * np.mean([self.sums[key] for key in some], axis=0)[:, None] for some in (keys, others))
        counts = self.points[:, None]
        return paired(sums, counts, other_sums, counts, _DRAWS)[2][0]


def name_of(image_id: str) -> str:
    """Returns the name of an image in the file: the start of the SHA-256 of its id."""
    return hashlib.sha256(image_id.encode()).hexdigest()[:10]


def images_path(rows: Path) -> Path:
    """Returns the file of the images that is beside a file of rows."""
    return rows.with_name(f'{rows.stem}-images.csv')


def write_images(path: Path, errors: ImageErrors, keys: Sequence[Key]) -> None:
    """Writes the lines of these rows. If writing fails, the old file is unchanged."""
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow([*_START, *errors.names])
        writer.writerow([_POINTS, '', *errors.points.tolist()])
        writer.writerows([*key, *(f'{value:.3f}' for value in errors.sums[key])] for key in keys)


def read_images(path: Path) -> ImageErrors:
    """Reads what `write_images` wrote. Raises InputError that names file and row for anything else."""
    try:
        with open(str(path), encoding='utf-8', newline='') as file:
            header, *lines = [line for line in csv.reader(file) if line] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f'{path}: not a CSV file in UTF-8: {error}') from None
    if header[:2] != _START or not lines or lines[0][0] != _POINTS:
        raise InputError(f'{path}: wanted a header that starts with {",".join(_START)}, and a row of {_POINTS}')
    values: Dict[int, np.ndarray] = {}
    for number, line in enumerate(lines, 2):
        try:
            values[number] = np.array(line[2:], np.float64)
        except ValueError as error:
            raise InputError(f'{path}, row {number}: {error}') from None
        if len(line) != len(header) or number > 2 and not line[1].isdigit():
            raise InputError(f'{path}, row {number}: wanted a setting, a seed and {len(header) - 2} numbers')
    return ImageErrors(tuple(header[2:]), values[2].astype(np.int64),
                       {(line[0], int(line[1])): values[number] for number, line in enumerate(lines[1:], 3)})
