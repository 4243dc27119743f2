"""Writes labels as DeepFashion2: train/annos/000001.json and train/image/000001.jpg for each picture.

DeepFashion2 tells short sleeves from long ones and has six times as many landmarks. A type becomes the category of long
sleeves, or without sleeves if no cuff is labelled, and the landmarks that none of our keypoints marks are 0 0 0. Scale,
occlusion, zoom and viewpoint are not known and left out.
"""
import csv
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from fashionai.annotations import ABSENT
from fashionai.datasets.coco_writing import THEIR_VISIBILITY
from fashionai.datasets.format_options import WriteOptions
from fashionai.datasets.keypoint_mapping import DEEPFASHION2
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, plain, put_picture
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import Size
from fashionai.errors import InputError
from fashionai.files import replacing, write_json
from fashionai.garments.table import GARMENTS, Garments

_CATEGORIES: Mapping[str, Tuple[int, ...]] = MappingProxyType(
    {'blouse': (5, 2), 'dress': (12, 11), 'outwear': (4,), 'skirt': (9,), 'trousers': (8,)})
"""The numbers of categories of a type: the first that has every labelled keypoint counts, or else the last."""

_FOLDERS = MappingProxyType({'val': 'validation'})
"""Their name of a list, if it is another one."""


def write_deepfashion2(output: Path, pictures: Sequence[LabelledPicture], options: WriteOptions,
                       notes: Notes) -> None:
    """Writes a folder; names.csv in it has the name of each numbered picture.

    Keypoints without a landmark are noted. Raises InputError if the garment table is not the built-in one, whose types
    alone have categories, or if a picture is not a JPEG, as all of theirs are.
    """
    if options.garments != GARMENTS:
        raise InputError(f'DeepFashion2 has categories of {GARMENTS} alone; the table has {options.garments}')
    names: List[Tuple[str, str]] = []
    for number, picture in enumerate(pictures, 1):
        folder, file = output / _FOLDERS.get(picture.part, picture.part), f'{number:06d}'
        if picture.path and not picture.path.read_bytes().startswith(b'\xff\xd8'):
            raise InputError(f'{picture.path}: not a JPEG, which every picture of DeepFashion2 is')
        put_picture(picture, folder / 'image' / f'{file}.jpg', options.link, notes)
        items = {f'item{place}': _item(garment, options.garments, picture, notes)
                 for place, garment in enumerate(picture.garments, 1)}
        write_json(folder / 'annos' / f'{file}.json', {'source': 'user', 'pair_id': number, **items})
        names.append((f'{folder.name}/image/{file}.jpg', picture.name))
    with replacing(output / 'names.csv') as draft, open(str(draft), 'w', encoding='utf-8', newline='') as table:
        csv.writer(table, lineterminator='\n').writerows([('image', 'name'), *names])


def _item(garment: LabelledGarment, garments: Garments, picture: LabelledPicture, notes: Notes) -> Dict[str, Any]:
    """Returns the item of a garment."""
    points = {name: point for name, point in zip(garments[garment.type].keypoints, garment.keypoints.tolist())
              if point[2] != ABSENT}
    numbers = _CATEGORIES[garment.type]
    number = next((number for number in numbers if set(points) <= set(DEEPFASHION2[number].numbers)), numbers[-1])
    category = DEEPFASHION2[number]
    lost = [name for name in points if name not in category.numbers]
    if lost:
        notes['garments with keypoints that have no landmark there'].append(f'{picture.name} ({", ".join(lost)})')
    landmarks: List[Any] = [0] * (3 * category.landmarks)
    for name, (x, y, v) in points.items():
        if name in category.numbers:
            start = 3 * category.numbers[name] - 3
            landmarks[start:start + 3] = [plain(x), plain(y), THEIR_VISIBILITY[int(v)]]
    return {'category_id': number, 'category_name': category.name, 'style': 0, 'segmentation': [],
            'bounding_box': _corners(garment, picture.size_hw), 'landmarks': landmarks}


def _corners(garment: LabelledGarment, size_hw: Size) -> List[int]:
    """Returns the whole numbers x1, y1, x2, y2 of the box."""
    x, y, width, height = garment.box_in(size_hw)
    return [round(side) for side in (x, y, x + width, y + height)]
