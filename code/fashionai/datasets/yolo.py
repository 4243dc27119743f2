"""Reads and writes YOLO-pose, the form of Ultralytics: data.yaml, images/train/a.jpg and labels/train/a.txt.

A line of a text file is a garment: class, x and y of the middle of its box, width and height, then x, y and v of each
keypoint, all but class and v as shares of the picture. data.yaml has the `names` of the classes, the `kpt_shape`, and
may have the keypoints' names in `kpt_names`. All classes share one list of keypoints, so a file of several garment
types has every column of the CSV; keypoints that a type lacks are 0 0 0. v is that of COCO: 2 visible, 1 occluded, 0
absent; without v, a point at 0 0 is absent. Ultralytics reads pictures upright.
"""
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.datasets.coco_writing import THEIR_VISIBILITY
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, check_distinct, part_names, put_picture
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import Size
from fashionai.datasets.samples import (
    TEST,
    TRAIN,
    UNASSIGNED,
    VAL,
    ParsedDataset,
    Place,
    Sample,
    csv_row,
    image_id,
    note_unlisted,
    part_of,
    usable,
)
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.datasets.visibility import AUTOMATIC, MEANINGS, meaning_of
from fashionai.errors import InputError, shown
from fashionai.files import parse_yaml, write_text
from fashionai.garments.table import Garment, Garments
from fashionai.images.headers import header_of

_DIGITS = 7
_LIST = 'data.yaml'
_PARTS = (('train', TRAIN), ('val', VAL), ('test', TEST))

Numbers = List[float]


@dataclass(frozen=True)
class _Classes:
    """What data.yaml says.

    where: the file, for messages.
    names: the name of each class by its number.
    keypoints: the keypoint names of each class by its number; their indices as text if the file does not name them.
    dimensions: 3 with visibilities, else 2.
    folders: (folder, part), as the file lists them.
    """

    where: str
    names: Mapping[int, str]
    keypoints: Mapping[int, Sequence[str]]
    dimensions: int
    folders: Sequence[Tuple[str, str]]


@dataclass(frozen=True)
class _Label:
    """A text file with the classes of its data.yaml, its picture, and the size of the upright picture."""

    where: str
    lines: Sequence[Tuple[int, Numbers]]
    classes: _Classes
    place: Place
    size_hw: Size


def read_yolo(sources: Sequence[DataSource], options: ReadOptions, notes: Notes) -> ParsedDataset:
    """Returns every garment that is the only one of its type in its picture.

    Raises InputError that names file and line if one is malformed, and if there is no data.yaml.
    """
    pictures, texts = Pictures(), []
    sizes: Dict[Place, Size] = {}
    lists: Dict[int, _Classes] = {}
    for number, name, data in scan(sources, _is_read, notes):
        where = f'{sources[number].label}: {name}'
        if is_picture(name):
            pictures.add(number, name)
            size_hw = _size(data or b'', where, notes)
            if size_hw:
                sizes[number, name] = size_hw
        elif name.lower().endswith('.txt') and data is not None:
            texts.append((number, name, data))
        elif data is not None:
            classes = _classes(data, where)
            if classes:
                lists.setdefault(number, classes)
    if not lists:
        raise InputError(f'no {_LIST} with `names` and `kpt_shape` in the sources: give the folder that has it, or the '
                         'file itself, too')
    stems = {(number, _stem(name)): (number, name) for number, name in pictures.places()}
    labels = []
    for number, name, data in texts:
        place = stems.get((number, _stem(_picture_name(name)))) or stems.get((number, _stem(name)))
        where = f'{sources[number].label}: {name}'
        if place is None or place not in sizes:
            if 'labels' in name.split('/'):
                notes['label files without a picture in the sources, left out'].append(where)
            continue
        classes = lists.get(number) or next(iter(lists.values()))
        labels.append(_Label(where, list(_lines(data, where, classes)), classes, place, sizes[place]))
    meaning = _meaning(labels, options)
    samples = [sample for label in labels for sample in usable(_samples(label, meaning, options, notes), notes)]
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, [f'{len(labels)} label files; visibility: {MEANINGS[meaning].words}'],
                         options.garments)


def _is_read(name: str) -> bool:
    return is_picture(name) or name.lower().endswith(('.txt', '.yaml', '.yml'))


def _size(data: bytes, where: str, notes: Notes) -> Optional[Size]:
    """Returns (height, width) of the upright picture; None, with a note, if its header cannot be read."""
    try:
        header = header_of(data)
    except InputError as error:
        header, where = None, f'{where} ({error})'
    if header is None:
        notes['faulty pictures, left out'].append(where)
        return None
    return header.upright_hw


def _stem(name: str) -> str:
    return name.rpartition('.')[0]


def _picture_name(name: str) -> str:
    """Returns the name of the picture of a label file: the last folder `labels` is `images` there."""
    folders = name.split('/')
    last = max((place for place, folder in enumerate(folders) if folder == 'labels'), default=None)
    if last is not None:
        folders[last] = 'images'
    return '/'.join(folders)


def _classes(data: bytes, where: str) -> Optional[_Classes]:
    """Returns what a data.yaml says; None for other YAML files. Raises InputError that names file and key."""
    content = parse_yaml(data, where)
    if not isinstance(content, dict) or not {'names', 'kpt_shape'} <= set(content):
        return None
    names = _numbered(content['names'], f'{where}, names')
    shape = content['kpt_shape']
    if not isinstance(shape, list) or len(shape) != 2 or shape[1] not in (2, 3) or not isinstance(shape[0], int):
        raise InputError(f'{where}, kpt_shape: {shown(shape)}, wanted the number of keypoints, and 2 or 3')
    indices = [str(index) for index in range(shape[0])]
    keypoints: Dict[int, Sequence[str]] = dict.fromkeys(names, indices)
    if content.get('kpt_names'):
        for number, listed in _numbered(content['kpt_names'], f'{where}, kpt_names').items():
            if not isinstance(listed, list) or len(listed) != shape[0]:
                raise InputError(f'{where}, kpt_names, {number}: {shown(listed)}, wanted {shape[0]} names')
            keypoints[number] = [str(name) for name in listed]
    folders = []
    for key, part in _PARTS:
        listed = content.get(key) or content.get('validation' if key == 'val' else key) or []
        for folder in listed if isinstance(listed, list) else [listed]:
            if str(folder).endswith('.txt'):
                raise InputError(f'{where}, {key}: {shown(folder)} is a list of pictures; wanted folders')
            folders.append(('/'.join(part for part in str(folder).split('/') if part not in ('', '.', '..')), part))
    return _Classes(where, {number: str(name) for number, name in names.items()}, keypoints, shape[1], folders)


def _numbered(values: Any, where: str) -> Dict[int, Any]:
    """Returns a list, or a mapping from numbers, as a mapping from numbers."""
    try:
        return dict(enumerate(values)) if isinstance(values, list) else {int(key): values[key] for key in values}
    except (TypeError, ValueError):
        raise InputError(f'{where}: {shown(values)}, wanted a list, or values by number') from None


def _lines(data: bytes, where: str, classes: _Classes) -> List[Tuple[int, Numbers]]:
    """Returns the number of the line, from 1, and the numbers of each line."""
    lines = []
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise InputError(f'{where} is not a label file: {error}') from None
    for row, line in enumerate(text.splitlines(), 1):
        try:
            numbers = [float(cell) for cell in line.split()]
        except ValueError:
            raise InputError(f'{where}, line {row}: {shown(line)}, wanted numbers') from None
        if not numbers:
            continue
        kind = int(numbers[0]) if math.isfinite(numbers[0]) else -1
        if kind not in classes.names or kind not in classes.keypoints:
            raise InputError(f'{where}, line {row}: class {numbers[0]:g} is not in {classes.where}')
        wanted = 5 + classes.dimensions * len(classes.keypoints[kind])
        if len(numbers) != wanted or not all(map(math.isfinite, numbers)):
            raise InputError(f'{where}, line {row}: {len(numbers)} numbers, wanted {wanted} finite ones: class, box, '
                             f'and {classes.dimensions} for each of {len(classes.keypoints[kind])} keypoints')
        lines.append((row, numbers))
    return lines


def _meaning(labels: Sequence[_Label], options: ReadOptions) -> str:
    """Returns the name of the meaning of the visibilities."""
    if options.visibility != AUTOMATIC:
        return options.visibility
    numbers = (v for label in labels if label.classes.dimensions == 3 for _, line in label.lines for v in line[7::3])
    return meaning_of(numbers, labels[0].classes.where) if labels else 'coco'


def _samples(label: _Label, meaning: str, options: ReadOptions, notes: Notes) -> List[Sample]:
    """Returns a sample for each line of a named class."""
    found = []
    names, (part, title) = options.categories, _part_and_title(label.place[1], label.classes)
    for row, numbers in label.lines:
        category = label.classes.names[int(numbers[0])]
        if category not in names:
            notes[f'annotations of the category {category}, left out'].append(f'{label.where}, line {row}')
            continue
        tag, keypoints = names[category]
        try:
            points = _points(numbers[5:], label, label.classes.keypoints[int(numbers[0])], keypoints,
                             MEANINGS[meaning].v_of)
            found.append(Sample(image_id(tag, title), tag, csv_row(points, options.garments), part, label.place,
                                label.size_hw))
        except InputError as error:
            raise InputError(f'{label.where}, line {row}: {error}') from None
    return found


def _part_and_title(name: str, classes: _Classes) -> Tuple[str, str]:
    """Returns the part of a picture, and its name below the folder that data.yaml lists for the part. If several parts
    have the folder, the one that the folder's name says comes first."""
    folder, _, file = name.rpartition('/')
    found = [(part, '/'.join([*rest, file])) for listed, part in classes.folders
             for rest in [_below(folder, listed)] if rest is not None]
    said = [(part, title) for part, title in found if part == part_of(name)]
    return next(iter([*said, *found]), (UNASSIGNED, _after_images(name)))


def _below(folder: str, listed: str) -> Optional[List[str]]:
    """Returns the folders of a picture below a folder of data.yaml; None if it is in another one."""
    folders, wanted = folder.split('/'), listed.split('/')
    for start in range(len(folders) - len(wanted) + 1):
        if folders[start:start + len(wanted)] == wanted:
            return folders[start + len(wanted):]
    return [] if f'/{listed}'.endswith(f'/{folder}') else None


def _after_images(name: str) -> str:
    """Returns the name of a picture below its last folder `images`."""
    return f'/{name}'.rpartition('/images/')[2].lstrip('/')


def _points(numbers: Sequence[float], label: _Label, theirs: Sequence[str], keypoints: Mapping[str, str],
            v_of: Callable[[float], int]) -> Dict[str, Tuple[float, float, int]]:
    """Returns x, y in pixels and v of the keypoints that are mapped to ours, by our names."""
    dimensions, (height, width) = label.classes.dimensions, label.size_hw
    points = {}
    for index, name in enumerate(theirs):
        if name not in keypoints:
            continue
        x, y, *more = numbers[dimensions * index:dimensions * (index + 1)]
        try:
            v = v_of(more[0]) if more else VISIBLE if x or y else ABSENT
        except KeyError:
            raise InputError(f'{name}: {shown(more[0])} is not a visibility') from None
        points[keypoints[name]] = (x * width, y * height, v)
    return points


def write_yolo(output: Path, pictures: Sequence[LabelledPicture], options: WriteOptions, notes: Notes) -> None:
    """Writes a folder: data.yaml, the pictures in images/ and their labels in labels/, by list.

    Ultralytics refuses labels outside of the picture; they are moved to its border and noted. Raises InputError if two
    pictures would share a label file.
    """
    check_distinct(pictures, without_ending=True)
    garments = options.garments
    columns = garments.csv_keypoints
    for picture in pictures:
        name = _file_name(picture.name)
        lines = []
        for garment in picture.garments:
            if _is_outside(garment, picture.size_hw):
                notes['pictures with labels outside, which are moved to the border'].append(picture.name)
            lines.append(_line(list(garments).index(garment.type), garment, garments[garment.type], len(columns),
                               picture.size_hw))
        put_picture(picture, output / 'images' / picture.part / name, options.link, notes)
        write_text((output / 'labels' / picture.part / name).with_suffix('.txt'), ''.join(lines))
    write_text(output / _LIST, _yaml(garments, part_names(pictures), options.description))


def _file_name(name: str) -> str:
    """Returns the path of a picture below images/train. Ultralytics exchanges the last folder `images` for `labels`, so
    none may follow: such folders are joined."""
    folders = name.split('/')
    return '_'.join(folders) if 'images' in folders or 'labels' in folders else name


def _is_outside(garment: LabelledGarment, size_hw: Size) -> bool:
    points = garment.labelled
    return bool((points < 0).any() or (points > size_hw[::-1]).any())


def _line(kind: int, garment: LabelledGarment, table: Garment, columns: int, size_hw: Size) -> str:
    """Returns the line of a garment."""
    limits = np.array(size_hw[::-1], np.float64)
    x, y, width, height = garment.box_in(size_hw)
    low, high = np.clip([(x, y), (x + width, y + height)], 0, limits) / limits
    numbers = [*((low + high) / 2).tolist(), *(high - low).tolist()]
    keypoints = np.zeros((columns, 3))
    for column, (x, y, v) in zip(table.csv_indices, garment.keypoints.tolist()):
        if v != ABSENT:
            keypoints[column] = (*(np.clip((x, y), 0, limits) / limits), THEIR_VISIBILITY[int(v)])
    cells = [_cell(number) for number in numbers]
    cells += [cell for x, y, v in keypoints.tolist() for cell in (_cell(x), _cell(y), f'{v:.0f}')]
    return ' '.join([str(kind), *cells]) + '\n'


def _cell(number: float) -> str:
    return f'{number:.{_DIGITS}f}'.rstrip('0').rstrip('.')


def _yaml(garments: Garments, parts: Sequence[str], description: str) -> str:
    """Returns the text of data.yaml. Ultralytics wants `train` and `val`: a list that there is not is the first one."""
    columns, flips = garments.csv_keypoints, garments.joint.mirror_indices
    lists = {key: part if part in parts else parts[0] for key, part in _PARTS[:2]}
    lists.update({part: part for part in parts})
    lines = [f'# {" ".join(description.split())}']
    lines += [f'{key}: {json.dumps(f"images/{part}")}' + ('' if key == part else '  # there is no other list')
              for key, part in lists.items()]
    lines += ['names:', *(f'  {number}: {json.dumps(name)}' for number, name in enumerate(garments)),
              f'kpt_shape: [{len(columns)}, 3]', f'flip_idx: {[int(flip) for flip in flips]}', 'kpt_names:',
              *(f'  {number}: {json.dumps(list(columns))}' for number in range(len(garments)))]
    return '\n'.join(lines) + '\n'
