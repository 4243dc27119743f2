"""DeepFashion2 (Ge et al., CVPR 2019): train/annos/000001.json beside train/image/000001.jpg, one file an image.

A file has `item1`, `item2` and so on, each a garment: `category_id` from 1 to 13, and `landmarks`, x, y and v of each
in turn, in pixels of the image.
"""
import json
import re
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from fashionai.datasets.counterparts import COCO_VISIBILITY, DEEPFASHION2
from fashionai.datasets.entries import TEST, TRAIN, VAL, Entry, Reading, csv_row, note_unlisted, usable
from fashionai.datasets.notes import Notes
from fashionai.datasets.sources import Pictures, Source, is_picture, scan
from fashionai.errors import InputError

_ANNOTATION = re.compile(r'(?:.*/)?annos/([^/]+)\.json')
_PARTS = {'train': TRAIN, 'validation': VAL, 'test': TEST}


def read_deepfashion2(sources: Sequence[Source], notes: Notes) -> Reading:
    """Every garment that is the only one of its type in its picture, as a row of that type.

    Raises InputError, naming file and item, for malformed annotations, and where there are none.
    """
    pictures, found = Pictures(), []
    counts: Dict[int, int] = {}
    for number, name, data in scan(sources, lambda name: bool(_ANNOTATION.fullmatch(name)), notes):
        if is_picture(name):
            pictures.add(number, name)
        elif data is not None:
            counts[number] = counts.get(number, 0) + 1
            where = f'{sources[number].label}: {name}'
            found.append((number, name, list(_garments(data, where))))
    if not counts:
        raise InputError('no annos/*.json in the sources; wanted the folder that has annos/ and image/, such as train/')
    entries: List[Entry] = []
    for number, name, garments in found:
        split, stem = _split_and_stem(f'{sources[number].label}/{name}')
        picture = pictures.find(f'image/{stem}.jpg', number, name)
        entries += usable([Entry(f'Images/{tag}/{split}_{stem}.jpg', tag, keypoints, _PARTS[split], picture)
                           for tag, keypoints in garments], notes)
    note_unlisted(entries, pictures, sources, notes)
    lines = [f'{sources[number].label}: {count} annotation files' for number, count in sorted(counts.items())]
    return Reading(entries, lines)


def _split_and_stem(path: str) -> Tuple[str, str]:
    """train, validation or test, whichever a folder or the archive is named last, and the file's bare name."""
    *folders, _, file = path.split('/')
    names = [folder.split('.')[0] for folder in folders]
    return next((name for name in reversed(names) if name in _PARTS), TRAIN), file[:-len('.json')]


def _garments(data: bytes, where: str) -> Iterator[Tuple[str, Any]]:
    """Type and (24, 3) keypoints of the garments of a file."""
    try:
        items = {key: item for key, item in json.loads(data.decode()).items() if re.fullmatch('item[0-9]+', key)}
    except (ValueError, AttributeError) as error:
        raise InputError(f'{where}: not the JSON of an annotation: {error}') from None
    for key, item in sorted(items.items()):
        try:
            category, landmarks = DEEPFASHION2[item['category_id']], item['landmarks']
            if len(landmarks) != 3 * category.landmarks:
                raise InputError(f'{len(landmarks)} numbers')
            points = {keypoint: _point(landmarks[3 * number - 3:3 * number])
                      for keypoint, number in category.numbers.items()}
            row = csv_row(points)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{where}, {key}: wanted category_id 1 to 13, and as many landmarks x, y, v as the '
                             f'category has: {error}') from None
        yield category.garment, row


def _point(values: Sequence[float]) -> Tuple[float, float, int]:
    x, y, v = values
    return x, y, COCO_VISIBILITY[int(v)]
