"""Reads the ids of images and categories in a COCO ground truth, for results that are scored against it."""
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Union

from fashionai.errors import InputError, shown
from fashionai.files import read_json
from fashionai.garments.picture_names import listed_name, plain_name
from fashionai.garments.table import Garments

Id = Union[int, str]


@dataclass(frozen=True)
class CocoIds:
    """The ids of a ground truth.

    source: the path of its file.
    images: from `file_name` to the id of the image.
    categories: from our garment type to the id of its category.
    """

    source: str
    images: Mapping[str, Id]
    categories: Mapping[str, Id]

    def image_id(self, path: str) -> Id:
        """Returns the id of the image with the longest `file_name` that is the end of this path, whole folders each.

        Raises InputError that names the picture if there is none.
        """
        name = listed_name(path, self.images)
        if name is not None:
            return self.images[name]
        raise InputError(f'{path}: no image in {self.source} has the file_name of this picture')

    def check(self, paths: Sequence[str]) -> None:
        """Raises InputError if a picture has no id, or if two pictures have the same id."""
        first: Dict[Id, str] = {}
        for path in paths:
            other = first.setdefault(self.image_id(path), path)
            if other != path:
                raise InputError(f'{path} and {other} are both image {self.image_id(path)} in {self.source}')


def read_coco_ids(path: Path, garments: Garments) -> CocoIds:
    """Reads the ids in a COCO file of images and categories.

    A garment type that no category is named after gets an unused number. Raises InputError that names the file if it is
    no COCO file, if a `file_name` or a category occurs twice, or if a category is named as a garment type but has other
    keypoints or another order of them: its results would be scored against the wrong keypoints.
    """
    content = read_json(path)
    images: Dict[str, Id] = {}
    categories: Dict[str, Id] = {}
    for row, image in enumerate(coco_list(content, 'images', path)):
        name, number = (coco_field(image, key, f'{path}, image {row}') for key in ('file_name', 'id'))
        name = plain_name(name)
        if name in images:
            raise InputError(f'{path}, image {row}: file_name {shown(name)} occurs already')
        images[name] = number
    for row, category in enumerate(coco_list(content, 'categories', path)):
        name, number = (coco_field(category, key, f'{path}, category {row}') for key in ('name', 'id'))
        if name in categories:
            raise InputError(f'{path}, category {row}: {shown(name)} occurs already')
        keypoints = category.get('keypoints')
        if name in garments and keypoints is not None and keypoints != list(garments[str(name)].keypoints):
            raise InputError(f'{path}, category {name}: keypoints {shown(keypoints)}, wanted, in this order, '
                             f'{", ".join(garments[str(name)].keypoints)}')
        categories[str(name)] = number
    free = itertools.count(1 + max([0, *(number for number in categories.values() if isinstance(number, int))]))
    types = {name: categories[name] if name in categories else next(free) for name in garments}
    return CocoIds(str(path), images, types)


def coco_list(content: Any, key: str, path: Path) -> Sequence[Any]:
    """Returns a list of a COCO file. Raises InputError if there is none, or if there are no images."""
    values = content.get(key) if isinstance(content, dict) else None
    if not isinstance(values, list) or (key == 'images' and not values):
        raise InputError(f'{path}: {key} {shown(values)}, wanted a COCO file with a list of {key}')
    return values


def coco_field(values: Any, key: str, place: str) -> Id:
    """Returns a number or a text of an item of a COCO file. Raises InputError that names the place for anything else.
    """
    value = values.get(key) if isinstance(values, dict) else None
    if not isinstance(value, (int, str)):
        raise InputError(f'{place}: {key} {shown(value)}, wanted a number or a text')
    return value
