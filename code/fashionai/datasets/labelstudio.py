"""Reads and writes Label Studio's JSON: a list of tasks, each a picture with its `annotations`.

A garment is a rectangle with its type as the label; its keypoints have its id as their `parentID`. Coordinates are
percent of the upright picture. A keypoint is occluded if the choice `occluded` of the same region says so; an absent
keypoint has no region. Beside the tasks, the labelling configuration is written, since Label Studio imports
annotations only into projects that have their tags.
"""
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, plain
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import NO_SIZE, Size, labelled_size
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

_TASKS, _CONFIG = 'tasks.json', 'config.xml'
_LOCAL = '/data/local-files/?d='
"""How Label Studio names a file below its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT."""
_UPLOADED = re.compile('[0-9a-f]{8}-')
"""What Label Studio puts before the name of an uploaded file."""
_BOX, _POINT, _CHOICE = 'garment', 'keypoint', 'visibility'
_TO = 'image'
_DIGITS = 6
_LABELS_OF = MappingProxyType({'rectanglelabels': 'rectanglelabels', 'keypointlabels': 'keypointlabels',
                               'choices': 'choices'})
"""The types of results that are read, and the key of their labels."""

Points = Dict[str, Tuple[float, float, int]]
Json = Mapping[str, Any]


def read_labelstudio(sources: Sequence[DataSource], options: ReadOptions, notes: Notes) -> ParsedDataset:
    """Returns every garment that is the only one of its type in its picture, from the first annotation of each task.

    Raises InputError that names file and task if one is malformed, and if no file is of Label Studio.
    """
    pictures, files = Pictures(), []
    for number, name, data in scan(sources, lambda name: name.lower().endswith('.json'), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            content = parse_json(data, f'{sources[number].label}: {name}')
            if isinstance(content, list) and content and all(_is_task(task) for task in content):
                files.append((number, name, content))
    if not files:
        raise InputError('no JSON file with a list of tasks in the sources; wanted the export "JSON" of Label Studio')
    samples, lines = [], []
    for number, name, tasks in files:
        where, found = f'{sources[number].label}: {name}', []
        for row, task in enumerate(tasks):
            found += _samples(task, f'{where}, task {task.get("id", row)}', (number, name), pictures, options, notes)
        samples += usable(found, notes)
        lines.append(f'{where}: {len(tasks)} tasks, {len(found)} garments of a type')
    note_unlisted(samples, pictures, sources, notes)
    return ParsedDataset(samples, lines, options.garments)


def _is_task(task: Any) -> bool:
    return isinstance(task, dict) and isinstance(task.get('data'), dict)


def _samples(task: Json, where: str, file: Place, pictures: Pictures, options: ReadOptions,
             notes: Notes) -> List[Sample]:
    """Returns a sample for each garment of a task."""
    results = _results(task, where, notes)
    if not results:
        return []
    path = _picture_path(task['data'], where)
    place = _place(path, file, pictures)
    title = place[1] if place and _UPLOADED.match(path.rsplit('/', 1)[-1]) else path
    part = part_of(f'{task["data"].get("part")}/{path}')
    names, found = options.categories, []
    for category, points, size_hw in _garments(results, where, notes):
        if category not in names:
            notes[f'garments with the label {category}, left out'].append(where)
            continue
        tag, keypoints = names[category]
        try:
            labels = csv_row({keypoints[key]: points[key] for key in points if key in keypoints}, options.garments)
        except InputError as error:
            raise InputError(f'{where}: {error}') from None
        found.append(Sample(image_id_of_path(tag, title), tag, labels, part, place,
                            size_hw))
    return found


def _results(task: Json, where: str, notes: Notes) -> List[Json]:
    """Returns the results of the first annotation that was not cancelled."""
    annotations = task.get('annotations', task.get('completions', []))
    if not isinstance(annotations, list) or not all(isinstance(item, dict) for item in annotations):
        raise InputError(f'{where}, annotations: {shown(annotations)}, wanted a list; the export "JSON", not '
                         '"JSON-MIN", has it')
    given = [item for item in annotations if not item.get('was_cancelled')]
    if len(given) > 1:
        notes['tasks with several annotations, of which the first counts'].append(where)
    results = given[0].get('result') if given else []
    if not isinstance(results, list):
        raise InputError(f'{where}, result: {shown(results)}, wanted a list')
    return results


def _picture_path(data: Json, where: str) -> str:
    """Returns the path of the picture of a task: the only value that is the name of a picture."""
    paths = [path for value in data.values() if isinstance(value, str) for path in [_path_of(value)]
             if is_picture(path)]
    if len(paths) != 1:
        raise InputError(f'{where}, data: {shown(data)}, wanted the address of one picture')
    return paths[0]


def _path_of(address: str) -> str:
    """Returns the path in an address: that behind ?d= of a local file, else that of the address."""
    parts = urlsplit(address)
    named = parse_qs(parts.query).get('d')
    return (named[0] if named else unquote(parts.path)).replace('\\', '/').lstrip('/')


def _place(path: str, file: Place, pictures: Pictures) -> Optional[Place]:
    """Returns the picture with the longest end of the path; that of an uploaded file also without its prefix."""
    folders = path.split('/')
    ends = ['/'.join(folders[start:]) for start in range(len(folders))]
    for end in [*ends, _UPLOADED.sub('', folders[-1], count=1)]:
        place = pictures.find(end, *file)
        if place:
            return place
    return None


def _garments(results: Sequence[Json], where: str, notes: Notes) -> List[Tuple[str, Points, Size]]:
    """Returns category, points and the size of the picture of each garment."""
    boxes: Dict[str, str] = {}
    points: List[Tuple[str, str, Tuple[float, float], Optional[str], Size]] = []
    hidden = set()
    for row, result in enumerate(results):
        place = f'{where}, result {row}'
        kind = result.get('type') if isinstance(result, dict) else None
        if kind not in _LABELS_OF:
            notes['results that are no rectangles, keypoints or choices, left out'].append(place)
            continue
        label, region = _label(result, place)
        if kind == 'rectanglelabels':
            boxes[region] = label
        elif kind == 'choices':
            hidden.update([region] if label == 'occluded' else [])
        else:
            points.append((region, label, *_position(result, place)))
    found: Dict[str, Points] = {}
    sizes: Dict[str, Size] = {}
    only = next(iter(boxes)) if len(boxes) == 1 else None
    for region, label, (x, y), parent, size_hw in points:
        owner = parent if parent in boxes else only
        if owner is None:
            notes['keypoints that belong to no rectangle, left out'].append(f'{where}, {label}')
            continue
        if label in found.setdefault(owner, {}):
            raise InputError(f'{where}: {label} twice in a garment; wanted keypoints whose parent region is the '
                             'rectangle of their garment')
        found[owner][label] = (x, y, OCCLUDED if region in hidden else VISIBLE)
        sizes[owner] = size_hw
    return [(boxes[region], found.get(region, {}), sizes.get(region, NO_SIZE)) for region in boxes]


def _label(result: Json, where: str) -> Tuple[str, str]:
    """Returns the label of a result, and the id of its region."""
    key = _LABELS_OF[result['type']]
    value = result.get('value')
    labels = value.get(key) if isinstance(value, dict) else None
    if not isinstance(labels, list) or len(labels) != 1:
        raise InputError(f'{where}: {key} {shown(labels)}, wanted one label')
    return str(labels[0]), str(result.get('id'))


def _position(result: Json, where: str) -> Tuple[Tuple[float, float], Optional[str], Size]:
    """Returns x and y in pixels, the parent region, and the size of the picture."""
    size_hw = labelled_size(result.get('original_height'), result.get('original_width'))
    if size_hw == NO_SIZE:
        raise InputError(f'{where}: original_width {shown(result.get("original_width"))}, original_height '
                         f'{shown(result.get("original_height"))}, wanted pixels')
    if result.get('image_rotation'):
        raise InputError(f'{where}: image_rotation {shown(result["image_rotation"])}, wanted 0')
    percent = [result['value'].get(axis) for axis in ('x', 'y')]
    if not all(isinstance(number, (int, float)) for number in percent):
        raise InputError(f'{where}: x, y {shown(percent)}, wanted percent')
    parent = result.get('parentID')
    return ((percent[0] * size_hw[1] / 100, percent[1] * size_hw[0] / 100), None if parent is None else str(parent),
            size_hw)


def write_labelstudio(output: Path, pictures: Sequence[LabelledPicture], options: WriteOptions, notes: Notes) -> None:
    """Writes a folder with tasks.json and config.xml. Pictures are named as files of Label Studio's local storage,
    whose root is the folder of the pictures.

    Predictions become `predictions`, which people accept or correct.
    """
    write_json(output / _TASKS, [_task(number, picture, options) for number, picture in enumerate(pictures, 1)])
    write_text(output / _CONFIG, _config(options.garments))


def _task(number: int, picture: LabelledPicture, options: WriteOptions) -> Dict[str, Any]:
    results: List[Dict[str, Any]] = []
    for place, garment in enumerate(picture.garments, 1):
        results += _regions(f'{number}_{place}', garment, picture.size_hw, options.garments)
    data = {'image': _LOCAL + quote(picture.name), 'part': picture.part}
    task: Dict[str, Any] = {'id': number, 'data': data}
    if options.predicted:
        scores = [score for garment in picture.garments if garment.scores is not None for score in garment.scores]
        scored = {'score': plain(np.mean(scores), 3)} if scores else {}
        return {**task, 'predictions': [{'model_version': options.description, **scored, 'result': results}]}
    return {**task, 'annotations': [{'result': results}]}


def _regions(name: str, garment: LabelledGarment, size_hw: Size, garments: Garments) -> List[Dict[str, Any]]:
    """Returns the results of a garment: its rectangle, its keypoints, and which are occluded."""
    height, width = size_hw
    common = {'to_name': _TO, 'original_width': width, 'original_height': height, 'image_rotation': 0}

    def percent(value: float, side: int) -> float:
        return plain(100 * value / side, _DIGITS)

    x, y, box_width, box_height = garment.box_in(size_hw)
    results: List[Dict[str, Any]] = [{**common, 'id': name, 'from_name': _BOX, 'type': 'rectanglelabels', 'value': {
        'x': percent(x, width), 'y': percent(y, height), 'width': percent(box_width, width),
        'height': percent(box_height, height), 'rotation': 0, 'rectanglelabels': [garment.type]}}]
    for keypoint, (x, y, v) in zip(garments[garment.type].keypoints, garment.keypoints.tolist()):
        if v != ABSENT:
            place = {'x': percent(x, width), 'y': percent(y, height), 'width': 0.5}
            region = {**common, 'id': f'{name}_{keypoint}'}
            results.append({**region, 'parentID': name, 'from_name': _POINT, 'type': 'keypointlabels',
                            'value': {**place, 'keypointlabels': [keypoint]}})
            if v == OCCLUDED:
                results.append({**region, 'from_name': _CHOICE, 'type': 'choices',
                                'value': {**place, 'choices': ['occluded']}})
    return results


def _config(garments: Garments) -> str:
    """Returns the labelling configuration."""
    return '\n'.join([
        '<View>', f'  <RectangleLabels name="{_BOX}" toName="{_TO}">',
        *(f'    <Label value={quoteattr(tag)}/>' for tag in garments), '  </RectangleLabels>',
        f'  <KeyPointLabels name="{_POINT}" toName="{_TO}">',
        *(f'    <Label value={quoteattr(name)} model_index="{index}"/>'
          for index, name in enumerate(garments.csv_keypoints)), '  </KeyPointLabels>',
        f'  <Choices name="{_CHOICE}" toName="{_TO}" perRegion="true" whenTagName="{_POINT}">',
        '    <Choice value="occluded"/>', '  </Choices>', f'  <Image name="{_TO}" value="$image"/>', '</View>', ''])
