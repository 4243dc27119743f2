"""Reads DeepFashion's Fashion Landmark Detection benchmark (Liu et al., ECCV 2016): list_landmarks.txt, its partition.

The first line of each file is the number of images, the second line has the names of the columns. Each landmark has
three columns: visibility, x and y, in pixels of the image.
"""
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from fashionai.datasets.keypoint_mapping import FLD_KEYPOINTS, FLD_LANDMARKS, FLD_VISIBILITY
from fashionai.datasets.notes import Notes
from fashionai.datasets.samples import TEST, TRAIN, ParsedDataset, Sample, csv_row, image_id, note_unlisted, usable
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.errors import InputError, shown

_LANDMARKS, _PARTITION = 'list_landmarks', 'list_eval_partition'
_PARTS = {'train': TRAIN, 'val': TRAIN, 'test': TEST}
"""train and val both become train: no type has both points of its normaliser here, so no image can be measured."""

Rows = Iterator[Tuple[int, Dict[str, str]]]


def read_deepfashion(sources: Sequence[DataSource], upper: str, lower: Optional[str], notes: Notes) -> ParsedDataset:
    """Returns the rows of list_landmarks.txt as samples.

    Upper-body clothes get the type `upper`, lower-body clothes the type `lower`, or are left out if it is None.
    Raises InputError that names file and row for malformed lists, and if there is no list_landmarks.txt.
    """
    types = {'1': upper, '2': lower, '3': 'dress'}
    pictures, lists, parts = Pictures(), [], {}
    for number, name, data in scan(sources, _is_list, notes):
        where = f'{sources[number].label}: {name}'
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None and name.rsplit('/', 1)[-1].startswith(_LANDMARKS):
            lists.append((number, name, where, data))
        elif data is not None:
            column = 'evaluation_status'
            parts.update({row['image_name']: row[column] for _, row in _rows(data, where, column)})
    samples: List[Sample] = []
    lines = []
    for number, name, where, data in lists:
        found = list(_samples(data, where, types, parts, notes))
        samples += usable([Sample(goal, tag, keypoints, part, pictures.find(image, number, name))
                           for image, goal, tag, keypoints, part in found], notes)
        lines.append(f'{where}: {len(found)} rows of a type')
    if not lines:
        raise InputError('no list_landmarks.txt in the sources; wanted the folder or archive that contains it')
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, lines)


def _is_list(name: str) -> bool:
    return name.rsplit('/', 1)[-1].startswith((_LANDMARKS, _PARTITION))


def _samples(data: bytes, where: str, types: Mapping[str, Optional[str]], parts: Mapping[str, str],
             notes: Notes) -> Iterator[tuple]:
    """Yields image, image id, type, keypoints and part of the rows that have a type."""
    for row_number, row in _rows(data, where, 'clothes_type'):
        image, kind = row['image_name'], row['clothes_type']
        if kind not in types:
            raise InputError(f'{where}, row {row_number}, column clothes_type: {shown(kind)}, wanted 1, 2 or 3')
        tag = types[kind]
        if tag is None:
            notes['lower-body clothes, left out: set their type with --lower'].append(image)
            continue
        points = {}
        for index, landmark in enumerate(FLD_LANDMARKS[kind], 1):
            keypoint = FLD_KEYPOINTS[tag].get(landmark)
            if keypoint:
                points[keypoint] = _point(row, index, f'{where}, row {row_number}')
        try:
            keypoints = csv_row(points)
        except ValueError as error:
            raise InputError(f'{where}, row {row_number}: {error}') from None
        bare = image[len('img/'):] if image.startswith('img/') else image
        yield image, image_id(tag, bare), tag, keypoints, _PARTS.get(parts.get(image, 'train'), TRAIN)


def _point(row: Mapping[str, str], index: int, where: str) -> Tuple[int, int, int]:
    """Returns x, y and v of a landmark."""
    try:
        visibility, x, y = (row[f'landmark_{value}_{index}'] for value in ('visibility', 'location_x', 'location_y'))
        return int(x), int(y), FLD_VISIBILITY[visibility]
    except (KeyError, ValueError):
        raise InputError(f'{where}: landmark {index}: wanted visibility (0, 1 or 2), x and y in whole pixels') from None


def _rows(data: bytes, where: str, column: str) -> Rows:
    """Yields the number and the cells by column name of each row; every row has image_name and `column`."""
    lines = data.decode('utf-8-sig', 'replace').splitlines()
    columns = lines[1].split() if len(lines) > 1 else []
    if not {'image_name', column} <= set(columns):
        raise InputError(f'{where}: wanted the number of images in row 1, and the columns image_name and {column} in '
                         'row 2')
    for row_number, line in enumerate(lines[2:], 3):
        cells = line.split()
        if cells:
            row = dict(zip(columns, cells))
            if column not in row:
                raise InputError(f'{where}, row {row_number}: {len(cells)} columns, and {column} is missing')
            yield row_number, row
