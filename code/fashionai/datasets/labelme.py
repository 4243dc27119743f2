"""Reads and writes LabelMe: a JSON file beside each picture, with `imagePath` and `shapes`.

A keypoint is a shape of the type `point` with the keypoint's name as its label. The garment is a rectangle or polygon
with the name of its type; `group_id` is the same number for a garment and its keypoints. The flag `occluded` of a point
means occluded; an absent keypoint has no shape. LabelMe shows pictures upright.
"""
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, check_distinct, plain, put_picture
from fashionai.datasets.names import Names
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import Size, labelled_size
from fashionai.datasets.samples import (
    ParsedDataset,
    Place,
    Sample,
    csv_row,
    image_id_of_path,
    note_unlisted,
    part_of,
    usable,
)
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.errors import InputError, shown
from fashionai.files import parse_json, write_json, write_text
from fashionai.garments.table import Garments

_VERSION = '5.5.0'
_OCCLUDED = 'occluded'
_OUTLINES = ('rectangle', 'polygon')

Points = Dict[str, Tuple[float, float, int]]


def read_labelme(sources: Sequence[DataSource], options: ReadOptions, notes: Notes) -> ParsedDataset:
    """Returns every garment that is the only one of its type in its picture.

    Raises InputError that names file and shape if one is malformed, and if no file is a LabelMe file.
    """
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.json'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            content = parse_json(data, f'{sources[number].label}: {name}')
            if isinstance(content, dict) and isinstance(content.get('shapes'), list):
                files.append((number, name, content))
    if not files:
        raise InputError('no JSON file with `shapes` in the sources; wanted the files that LabelMe saves')
    samples: List[Sample] = []
    for number, name, content in files:
        where = f'{sources[number].label}: {name}'
        path = _picture_path(content, where, name)
        place = pictures.find(path, number, name) or pictures.find(path.rsplit('/', 1)[-1], number, name)
        samples += usable(_samples(content, where, path, place, options, notes), notes)
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, [f'{len(files)} files of LabelMe'], options.garments)


def _picture_path(content: Mapping[str, Any], where: str, name: str) -> str:
    """Returns the path of the picture, which is beside its file `name`."""
    picture = content.get('imagePath')
    if not isinstance(picture, str) or not picture:
        raise InputError(f'{where}: imagePath {shown(picture)}, wanted the name of the picture')
    file = picture.replace('\\', '/').rsplit('/', 1)[-1]
    return f"{name.rpartition('/')[0]}/{file}".lstrip('/')


def _samples(content: Mapping[str, Any], where: str, path: str, place: Optional[Place], options: ReadOptions,
             notes: Notes) -> List[Sample]:
    """Returns a sample for each garment of a file."""
    size_hw, names = labelled_size(content.get('imageHeight'), content.get('imageWidth')), options.categories
    found = []
    for category, points in _garments(content['shapes'], where, names, notes):
        tag, keypoints = names[category]
        row = csv_row({keypoints[key]: point for key, point in points.items() if key in keypoints}, options.garments)
        found.append(Sample(image_id_of_path(tag, path), tag, row, part_of(path), place, size_hw))
    return found


def _garments(shapes: Sequence[Any], where: str, names: Names, notes: Notes) -> List[Tuple[str, Points]]:
    """Returns category and points of each garment."""
    categories: Dict[Any, str] = {}
    groups: Dict[Any, Points] = {}
    for row, shape in enumerate(shapes):
        label, kind, group, corners = _shape(shape, f'{where}, shape {row}')
        if kind in _OUTLINES and label in names:
            if group in categories:
                raise InputError(f'{where}, shape {row}: a second garment, {label}, in group {shown(group)}; wanted '
                                 'another group_id for each garment and its points')
            categories[group] = label
        elif kind == 'point':
            points = groups.setdefault(group, {})
            if label in points:
                raise InputError(f'{where}, shape {row}: a second {label} in group {shown(group)}')
            hidden = bool((shape.get('flags') or {}).get(_OCCLUDED))
            points[label] = (*corners[0], OCCLUDED if hidden else VISIBLE)
        else:
            notes[f'shapes with the label {label}, left out'].append(f'{where}, shape {row}')
    return [(category, points) for group, points in groups.items()
            for category in [_category(group, categories, points, where, names, notes)] if category]


def _category(group: Any, categories: Mapping[Any, str], points: Points, where: str, names: Names,
              notes: Notes) -> Optional[str]:
    """Returns the category of a group: that of its outline, or else the only one that has all of its points."""
    if group in categories:
        return categories[group]
    fitting = [category for category, (_, keypoints) in names.items() if set(points) <= set(keypoints)]
    if len(fitting) == 1:
        return fitting[0]
    notes['groups of points whose type is not known: no rectangle with its name is in the group, left out'].append(
        f'{where}, group {shown(group)}')
    return None


def _shape(shape: Any, where: str) -> Tuple[str, str, Any, List[Tuple[float, float]]]:
    """Returns label, type, group and points of a shape."""
    try:
        label, kind, group = str(shape['label']), shape.get('shape_type') or 'polygon', shape.get('group_id')
        corners = [(float(x), float(y)) for x, y in shape['points']]
        if not corners or not isinstance(shape.get('flags') or {}, dict):
            raise ValueError('no points, or odd flags')
        hash(group)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f'{where}: {shown(shape)}, wanted label, points and shape_type: {type(error).__name__} {error}'
                         ) from None
    return label, kind, group, corners


def write_labelme(output: Path, pictures: Sequence[LabelledPicture], options: WriteOptions, notes: Notes) -> None:
    """Writes a folder: each picture, a JSON file beside it, and labels.txt, the names for `labelme --labels`.

    Raises InputError if two pictures would share a JSON file.
    """
    check_distinct(pictures, without_ending=True)
    for picture in pictures:
        target = output / picture.part / picture.name
        put_picture(picture, target, options.link, notes)
        shapes = [shape for number, garment in enumerate(picture.garments, 1)
                  for shape in _shapes(number, garment, picture.size_hw, options.garments)]
        write_json(target.with_suffix('.json'), {
            'version': _VERSION, 'flags': {}, 'shapes': shapes, 'imagePath': target.name, 'imageData': None,
            'imageHeight': picture.size_hw[0], 'imageWidth': picture.size_hw[1]})
    names = (*options.garments, *options.garments.csv_keypoints)
    write_text(output / 'labels.txt', ''.join(f'{name}\n' for name in names))


def _shapes(number: int, garment: LabelledGarment, size_hw: Size, garments: Garments) -> List[Dict[str, Any]]:
    """Returns the rectangle of a garment and its points."""
    x, y, width, height = garment.box_in(size_hw)
    corners = [[plain(x), plain(y)], [plain(x + width), plain(y + height)]]
    points = [(name, [[plain(x), plain(y)]], {_OCCLUDED: v == OCCLUDED}) for name, (x, y, v)
              in zip(garments[garment.type].keypoints, garment.keypoints.tolist()) if v != ABSENT]
    return [{'label': label, 'points': corners, 'group_id': number, 'description': '', 'shape_type': kind,
             'flags': flags, 'mask': None}
            for label, corners, kind, flags in [(garment.type, corners, 'rectangle', {}),
                                                *((name, point, 'point', flags) for name, point, flags in points)]]
