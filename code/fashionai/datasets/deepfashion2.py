"""Reads DeepFashion2 (Ge et al., CVPR 2019): one file for each image, train/annos/000001.json and
train/image/000001.jpg.

A file has `item1`, `item2` and so on, each a garment: `category_id` from 1 to 13, and `landmarks`: x, y and v of each
landmark in turn, in pixels of the image.
"""
import re
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from fashionai.datasets.keypoint_mapping import COCO_VISIBILITY, DEEPFASHION2
from fashionai.datasets.notes import Notes
from fashionai.datasets.samples import TEST, TRAIN, VAL, ParsedDataset, Sample, csv_row, note_unlisted, usable
from fashionai.datasets.sources import DataSource, Pictures, is_picture, scan
from fashionai.errors import InputError, shown
from fashionai.files import parse_json

_ANNOTATION = re.compile(r'(?:.*/)?annos/([^/]+)\.json')
_PARTS = {'train': TRAIN, 'validation': VAL, 'test': TEST}


def read_deepfashion2(sources: Sequence[DataSource], notes: Notes) -> ParsedDataset:
    """Returns every garment that is the only one of its type in its picture.

    Malformed files and items are left out and added to `notes`. Raises InputError if there are no annotations.
    """
    pictures, found = Pictures(), []
    counts: Dict[int, int] = {}
    for number, name, data in scan(sources, lambda name: bool(_ANNOTATION.fullmatch(name)), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            counts[number] = counts.get(number, 0) + 1
            found.append((number, name, _garments(data, f'{sources[number].label}: {name}', notes)))
    if not counts:
        raise InputError('no annos/*.json in the sources; wanted a folder that contains annos/ and image/, for example '
                         'train/')
    samples: List[Sample] = []
    for number, name, garments in found:
        split, stem = _split_and_stem(f'{sources[number].label}/{name}')
        picture = pictures.find(f'image/{stem}.jpg', number, name)
        samples += usable([Sample(f'Images/{tag}/{split}_{stem}.jpg', tag, keypoints, _PARTS[split], picture)
                           for tag, keypoints in garments], notes)
    note_unlisted(samples, pictures, sources, notes)
    lines = [f'{sources[number].label}: {count} annotation files' for number, count in sorted(counts.items())]
    return ParsedDataset(samples, lines)


def _split_and_stem(path: str) -> Tuple[str, str]:
    """Returns train, validation or test, whichever is the last such folder or archive name, and the file's stem."""
    *folders, _, file = path.split('/')
    names = [folder.split('.')[0] for folder in folders]
    return next((name for name in reversed(names) if name in _PARTS), TRAIN), file[:-len('.json')]


def _garments(data: bytes, where: str, notes: Notes) -> List[Tuple[str, np.ndarray]]:
    """Returns type and (24, 3) keypoints of the garments in a file."""
    garments = []
    for key, item in sorted(_items(data, where, notes).items()):
        try:
            garments.append(_garment(item))
        except InputError as error:
            notes['garments with odd values, left out'].append(f'{where}, {key} ({error})')
    return garments


def _items(data: bytes, where: str, notes: Notes) -> Dict[str, Any]:
    """Returns the items of a file by name; {} if the file is no annotation."""
    try:
        content = parse_json(data, where, allow_nan=True)
    except InputError as error:
        content = error
    if not isinstance(content, dict):
        notes['annotations that are not JSON objects, left out'].append(
            str(content) if isinstance(content, InputError) else where)
        return {}
    return {key: item for key, item in content.items() if re.fullmatch('item[0-9]+', key)}


def _garment(item: Any) -> Tuple[str, np.ndarray]:
    """Returns type and (24, 3) keypoints of an item. Raises InputError if it is malformed."""
    number = item.get('category_id') if isinstance(item, dict) else None
    category = DEEPFASHION2.get(number) if isinstance(number, int) else None
    if category is None:
        raise InputError(f'category_id {shown(number)}, wanted 1 to {max(DEEPFASHION2)}')
    landmarks = item.get('landmarks')
    if not isinstance(landmarks, list) or len(landmarks) != 3 * category.landmarks:
        raise InputError(f'landmarks {shown(landmarks)}, wanted x, y and v of {category.landmarks}')
    return category.garment, csv_row({keypoint: _point(landmarks[3 * number - 3:3 * number])
                                      for keypoint, number in category.numbers.items()})


def _point(values: Sequence[Any]) -> Tuple[Any, Any, int]:
    x, y, v = values
    if not isinstance(v, (int, float)) or v not in COCO_VISIBILITY:
        raise InputError(f'visibility {shown(v)}, wanted 2, 1 or 0')
    return x, y, COCO_VISIBILITY[int(v)]
