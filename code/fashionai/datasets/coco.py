"""Reads COCO keypoint annotations: one JSON file with images, annotations and categories, each with its keypoints.

See https://cocodataset.org/#format-data, "Keypoint Detection". `keypoints` of an annotation are x, y, v of each
keypoint in turn. `visibility.py` explains v, and `orientation.py` the frame of x and y.
"""
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from fashionai.datasets.coco_writing import FRAME, VISIBILITY
from fashionai.datasets.names import Names
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import labelled_size
from fashionai.datasets.samples import UNASSIGNED, ParsedDataset, Sample, csv_row, image_id, note_unlisted, usable
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.datasets.visibility import AUTOMATIC, MEANINGS, meaning_of
from fashionai.errors import InputError, shown
from fashionai.files import parse_json
from fashionai.garments.table import Garments

_NO_JSON = 'files that are not JSON, skipped'


@dataclass(frozen=True)
class _File:
    """A COCO file: the number of its source, its name there, its name in messages, and its content."""

    number: int
    name: str
    where: str
    content: Mapping[str, List[Any]]

    def says(self, key: str, value: str) -> bool:
        """Returns whether the `info` of the file, which `to coco` writes, has this value."""
        info = self.content.get('info')
        return isinstance(info, dict) and info.get(key) == value


def read_coco(sources: Sequence[DataSource], names: Names, notes: Notes, garments: Garments,
              visibility: str = AUTOMATIC) -> ParsedDataset:
    """Returns every annotation of a named category that is the only one of its type in its picture.

    Args:
        sources: the files to read.
        names: the categories and keypoints to read, with our names for them.
        notes: remarks for the report.
        garments: the garment table.
        visibility: the meaning of the third number of a keypoint: one of MEANINGS, or AUTOMATIC to choose it from the
            numbers in each file.

    Raises InputError that names file and annotation if one is malformed, and if no file is a COCO file.
    """
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.json'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            where = f'{sources[number].label}: {name}'
            content = _coco_content(data, where, notes)
            if content:
                files.append(_File(number, name, where, content))
    if not files:
        broken = [f'; {len(notes[_NO_JSON])} {_NO_JSON}: {notes[_NO_JSON][0]}'] if notes[_NO_JSON] else []
        raise InputError('no JSON file with images, annotations and categories in the sources' + ''.join(broken))
    samples: List[Sample] = []
    lines = []
    for file in files:
        meaning = visibility if visibility != AUTOMATIC else _meaning(file, names)
        found = _samples(file, names, meaning, pictures, garments, notes)
        samples += usable(found, notes)
        lines.append(f'{file.where}: {len(found)} garments of a type; visibility: {MEANINGS[meaning].words}')
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, lines, garments)


def _coco_content(data: bytes, where: str, notes: Notes) -> Dict[str, List[Any]]:
    """Returns the content of a COCO file, or {} for any other file."""
    try:
        content = parse_json(data, where, allow_nan=True)
    except InputError as error:
        notes[_NO_JSON].append(str(error))
        return {}
    return content if _is_coco(content) else {}


def _is_coco(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ('images', 'annotations', 'categories'))


def _meaning(file: _File, names: Names) -> str:
    """Returns the name of the meaning of a file's visibilities; malformed annotations are ignored here."""
    if file.says(*VISIBILITY):
        return VISIBILITY[1]
    named = [category['id'] for category in file.content['categories']
             if isinstance(category, dict) and 'id' in category and category.get('name') in names]
    keypoints = (annotation.get('keypoints') for annotation in file.content['annotations']
                 if isinstance(annotation, dict) and annotation.get('category_id') in named)
    return meaning_of((v for numbers in keypoints if isinstance(numbers, list) for v in numbers[2::3]), file.where)


def _samples(file: _File, names: Names, meaning: str, pictures: Pictures, garments: Garments,
             notes: Notes) -> List[Sample]:
    """Returns a sample for each annotation of a named category."""
    v_of, stored = MEANINGS[meaning].v_of, file.says(*FRAME)
    try:
        images = {image['id']: (str(image['file_name']), labelled_size(image.get('height'), image.get('width')))
                  for image in file.content['images']}
        categories = {category['id']: category for category in file.content['categories']}
    except (KeyError, TypeError) as error:
        raise InputError(f'{file.where}: wanted id and file_name of each image, and id of each category; missing or '
                         f'malformed: {error}') from None
    found = []
    for row, annotation in enumerate(file.content['annotations']):
        try:
            category = categories[annotation['category_id']]
            if category['name'] not in names:
                notes[f'annotations of the category {category["name"]}, left out'].append(
                    str(annotation.get('id', row)))
                continue
            tag, keypoints = names[category['name']]
            points = csv_row(_points(category['keypoints'], annotation['keypoints'], keypoints, v_of), garments)
            picture, size_hw = images[annotation['image_id']]
        except InputError as error:
            raise InputError(f'{file.where}, annotation {row}: {error}') from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f'{file.where}, annotation {row}: wanted image_id, category_id and x, y, v for each '
                             f'keypoint of its category: {type(error).__name__} {error}') from None
        place = pictures.find(picture.replace('\\', '/'), file.number, file.name)
        found.append(Sample(image_id(tag, picture), tag, points, UNASSIGNED, place, None if stored else size_hw))
    return found


def _points(theirs: Sequence[str], numbers: Sequence[Any], keypoints: Mapping[str, str],
            v_of: Callable[[float], int]) -> Dict[str, Tuple[Any, Any, int]]:
    """Returns x, y and v of the keypoints that are mapped to ours, by our names."""
    if len(numbers) != 3 * len(theirs):
        raise InputError(f'{len(numbers)} numbers for {len(theirs)} keypoints')
    points = {}
    for index, name in enumerate(theirs):
        if name in keypoints:
            x, y, v = numbers[3 * index:3 * index + 3]
            try:
                points[keypoints[name]] = (x, y, v_of(v))
            except (KeyError, TypeError):
                raise InputError(f'{name}: {shown(v)} is not a visibility') from None
    return points
