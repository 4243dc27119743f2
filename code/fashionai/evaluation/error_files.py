"""The files of evaluate.py that training can read: the error of every image (CSV) and of every keypoint (JSON).

Errors are normalised errors in the convention `visible`, in percent; None if there was nothing to measure.
"""
import csv
import math
from typing import Dict, Optional, Sequence

from fashionai.annotations import Annotations, data_rows
from fashionai.errors import InputError, shown
from fashionai.evaluation.metrics import PooledError
from fashionai.files import PathLike, read_json, replacing

HEADER = ('image_id', 'image_category', 'ne', 'points')
"""Columns of the CSV file: `ne` is empty if `points`, the number of measured keypoints, is 0."""

_WANTED_JSON = 'wanted a file that evaluate.py --json wrote, with `ne` of each keypoint under visible, keypoints'


def write_image_errors(path: PathLike, truth: Annotations, images: Sequence[PooledError]) -> None:
    """Writes the errors of the images, the largest first and images without an error last.

    The file is written completely or not at all.
    """
    errors = [-1. if figure.percent is None else figure.percent for figure in images]
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(HEADER)
        for row in sorted(range(len(errors)), key=lambda row: -errors[row]):
            ne = f'{errors[row]:.2f}' if images[row].points else ''
            writer.writerow([truth.image_ids[row], truth.categories[row], ne, images[row].points])


def read_image_errors(path: PathLike) -> Dict[str, Optional[float]]:
    """Reads the error of every image, by its id.

    Raises InputError that names file, row and column for anything that `write_image_errors` does not write.
    """
    errors: Dict[str, Optional[float]] = {}
    for row_number, (image_id, _, ne, *_) in data_rows(path, HEADER):
        if image_id in errors:
            raise InputError(f'{path}, row {row_number}: image {image_id} occurs already')
        errors[image_id] = _error(ne) if ne else None
        if ne and errors[image_id] is None:
            raise InputError(f'{path}, row {row_number}, column ne: {shown(ne)}, wanted an error in percent, or empty')
    return errors


def read_keypoint_errors(path: PathLike, keypoints: Sequence[str]) -> Dict[str, Optional[float]]:
    """Reads the errors of these keypoints from a file that `evaluate.py --json` wrote.

    Raises InputError that names the file if it has another form, or if some of the keypoints are missing.
    """
    try:
        figures = read_json(path)['visible']['keypoints']
        errors = {name: figure['ne'] for name, figure in figures.items()}
    except InputError as error:
        raise InputError(f'{error}; {_WANTED_JSON}') from None
    except (KeyError, TypeError, AttributeError):
        raise InputError(f'{path}: {_WANTED_JSON}') from None
    missing = [name for name in keypoints if name not in errors]
    if missing:
        raise InputError(f'{path}: {len(missing)} of the {len(keypoints)} wanted keypoints are missing: '
                         f'{", ".join(missing)}; measure a submission that has every type to be trained')
    for name in keypoints:
        if errors[name] is not None and _error(errors[name]) is None:
            raise InputError(f'{path}: the error of {name} is {shown(errors[name])}, wanted a percentage or null')
    return {name: errors[name] for name in keypoints}


def _error(value: object) -> Optional[float]:
    """Returns a finite number that is not negative, or None for any other value."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
