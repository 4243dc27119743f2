"""COCO keypoint annotations, read: one JSON file with images, annotations and categories, each with its keypoints.

See https://cocodataset.org/#format-data, "Keypoint Detection". `keypoints` of an annotation are x, y, v in turn, v 2
visible, 1 occluded, 0 not labelled.
"""
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from fashionai.datasets.counterparts import COCO_VISIBILITY
from fashionai.datasets.entries import DRAWN, Entry, Reading, csv_row, image_id, note_unlisted, usable
from fashionai.datasets.notes import Notes
from fashionai.datasets.sources import Pictures, Source, is_picture, scan
from fashionai.errors import InputError
from fashionai.garments import GARMENTS, Garment, Garments

Names = Mapping[str, Tuple[str, Mapping[str, str]]]
"""By the name of a category: its type, and the keypoint of the type by COCO's name."""

_NO_JSON = 'files that are not JSON, passed over'

def own_names(garments: Garments) -> Names:
    """Categories named as the types, with keypoints named as theirs: what `coco_writing` writes."""
    return {name: (name, {keypoint: keypoint for keypoint in garment.keypoints}) for name, garment in garments.items()}


def read_names(path: Path, garments: Garments) -> Names:
    """The names in a JSON file {"category": {"type": "blouse", "keypoints": {"left collar": "neckline_left"}}}.

    Raises InputError, naming file and key, for anything else, and for types and keypoints that the table lacks.
    """
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
        names = {category: (str(entry['type']), dict(entry['keypoints'])) for category, entry in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f'{path}: wanted JSON of categories, each with its `type` here and `keypoints`, the name here '
                         'by the name there') from None
    for category, (tag, keypoints) in names.items():
        if tag not in garments:
            raise InputError(f'{path}, {category}, type: {tag!r}, wanted one of {garments}')
        for theirs, name in keypoints.items():
            if name not in garments[tag].keypoints:
                raise InputError(f'{path}, {category}, keypoints, {theirs}: {name!r} is no keypoint of {tag}; wanted '
                                 f'one of {", ".join(garments[tag].keypoints)}')
    return names


def read_coco(sources: Sequence[Source], names: Names, swap_sides: bool, notes: Notes,
              garments: Garments = GARMENTS) -> Reading:
    """Every annotation of a named category that is the only one of its type in its picture; `swap_sides` renames left
    and right, for labels that mean the wearer's.

    Raises InputError, naming file and annotation, for malformed ones, and where no file is a COCO one.
    """
    if swap_sides:
        names = {category: (tag, _swapped(keypoints, garments[tag])) for category, (tag, keypoints) in names.items()}
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.json'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            where = f'{sources[number].label}: {name}'
            content = _coco_content(data, where, notes)
            if content:
                files.append((number, name, where, content))
    if not files:
        broken = [f'; {len(notes[_NO_JSON])} {_NO_JSON}: {notes[_NO_JSON][0]}'] if notes[_NO_JSON] else []
        raise InputError('no JSON file with images, annotations and categories in the sources' + ''.join(broken))
    entries: List[Entry] = []
    lines = []
    for number, name, where, content in files:
        found = _entries(content, where, names, garments, notes)
        entries += usable([Entry(goal, tag, keypoints, DRAWN, pictures.find(file, number, name))
                           for file, goal, tag, keypoints in found], notes)
        lines.append(f'{where}: {len(found)} garments of a type')
    note_unlisted(entries, pictures, sources, notes)
    return Reading(entries, lines, garments)


def _swapped(keypoints: Mapping[str, str], garment: Garment) -> Mapping[str, str]:
    """The same names for the keypoints on the other side."""
    others = dict(zip(garment.keypoints, garment.counterparts))
    return {theirs: others[name] for theirs, name in keypoints.items()}


def _coco_content(data: bytes, where: str, notes: Notes) -> Dict[str, Any]:
    """The content of a COCO file, {} of another one."""
    try:
        content = json.loads(data.decode('utf-8-sig'))
    except ValueError as error:
        notes[_NO_JSON].append(f'{where} ({error})')
        return {}
    return content if isinstance(content, dict) and {'images', 'annotations', 'categories'} <= set(content) else {}


def _entries(content: Dict[str, Any], where: str, names: Names, garments: Garments,
             notes: Notes) -> List[Tuple[str, str, str, Any]]:
    """File name, image id, type and keypoints of each annotation of a named category."""
    try:
        files = {image['id']: str(image['file_name']) for image in content['images']}
        categories = {category['id']: category for category in content['categories']}
    except (KeyError, TypeError) as error:
        raise InputError(f'{where}: an image without id and file_name, or a category without id: {error}') from None
    found = []
    for row, annotation in enumerate(content['annotations']):
        try:
            category = categories[annotation['category_id']]
            if category['name'] not in names:
                notes[f'annotations of the category {category["name"]}, left out'].append(str(annotation['id']))
                continue
            tag, keypoints = names[category['name']]
            points = csv_row(_points(category['keypoints'], annotation['keypoints'], keypoints), garments)
            file = files[annotation['image_id']]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{where}, annotation {row}: wanted image_id, category_id and x, y, v for each keypoint '
                             f'of its category: {error!r}') from None
        found.append((file.replace('\\', '/'), image_id(tag, file), tag, points))
    return found


def _points(theirs: Sequence[str], numbers: Sequence[float],
            keypoints: Mapping[str, str]) -> Dict[str, Tuple[float, float, int]]:
    """x, y and v of the keypoints that have a counterpart."""
    if len(numbers) != 3 * len(theirs):
        raise InputError(f'{len(numbers)} numbers for {len(theirs)} keypoints')
    points = {}
    for index, name in enumerate(theirs):
        if name in keypoints:
            x, y, v = numbers[3 * index:3 * index + 3]
            points[keypoints[name]] = (x, y, COCO_VISIBILITY[int(v)])
    return points
