"""Reads the boxes of garments, as detectors and people draw them: a COCO file, or a CSV."""
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from fashionai.annotations import data_rows
from fashionai.datasets.coco_ids import Id, coco_field, coco_list
from fashionai.datasets.orientation import NO_SIZE, labelled_size
from fashionai.errors import InputError, shown
from fashionai.files import read_json
from fashionai.garments.boxes import GarmentBox, parse_box
from fashionai.garments.picture_names import listed_name, plain_name
from fashionai.garments.table import Garments
from fashionai.images.sources import MediaFile, Picture

COLUMNS = ('image_id', 'x', 'y', 'w', 'h')
TYPE_COLUMN = 'type'
"""The columns of a CSV of boxes; the type may be left out, or be empty."""


class BoxFile:
    """The boxes of a file.

    Args:
        source: the path of the file.
        boxes: the boxes by the name of their picture; a picture without a garment has none.

    Attributes:
        all_typed: whether every box has a type.
    """

    def __init__(self, source: str, boxes: Mapping[str, Sequence[GarmentBox]]) -> None:
        self._source, self._boxes = source, MappingProxyType({name: tuple(own) for name, own in boxes.items()})
        self.all_typed = all(box.type for own in self._boxes.values() for box in own)

    def of(self, path: str) -> Tuple[GarmentBox, ...]:
        """Returns the boxes of the picture whose name is the longest end of this path, whole folders each. Raises
        InputError if the file does not name the picture."""
        return self._boxes[self._name(path)]

    def added(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Yields the pictures with their boxes; those that cannot be read have none."""
        for picture in pictures:
            yield picture if picture.source.fault else replace(picture, boxes=self.of(picture.source.path))

    def check(self, sources: Sequence[MediaFile], tag: Optional[str], most: Optional[int] = None) -> None:
        """Checks that pictures and boxes fit each other.

        Args:
            sources: the files that will be predicted.
            tag: the type that all garments must have; None: any.
            most: the largest number of boxes that a picture may have.

        Raises InputError if a source is a video, if the file does not name one, if two are the same picture, if boxes
        are of pictures that are not among the sources, or if a box has another type than `tag`.
        """
        named = {listed_name(source.path, self._boxes) for source in sources if source.fault}
        first: Dict[str, str] = {}
        for source in sources:
            if not source.fault:
                self._check_source(source, first, most)
        for name, own in self._boxes.items():
            for box in own:
                if name not in first and name not in named:
                    raise InputError(f'{box.place}: a box of {name}, which is not one of the {len(sources)} pictures')
                if tag is not None and box.type not in (None, tag):
                    raise InputError(f'{box.place}: the type is {box.type}, but --tag says {tag}')

    def _check_source(self, source: MediaFile, first: Dict[str, str], most: Optional[int]) -> None:
        """Checks one file, and adds its path to those by name."""
        if source.is_video:
            raise InputError(f'{source.path}: the frames of a video have no boxes in {self._source}')
        name = self._name(source.path)
        if first.setdefault(name, source.path) != source.path:
            raise InputError(f'{source.path} and {first[name]} are both {name} in {self._source}')
        if most is not None and len(self._boxes[name]) > most:
            raise InputError(f'{source.path} has {len(self._boxes[name])} boxes in {self._source}, and the format '
                             f'has {most} row for each picture: wanted another --format')

    def _name(self, path: str) -> str:
        name = listed_name(path, self._boxes)
        if name is None:
            raise InputError(f'{path}: {self._source} does not name this picture')
        return name


def read_boxes(path: Path, garments: Garments) -> BoxFile:
    """Reads boxes in pixels of upright pictures.

    A COCO file has `images` and `annotations` with `bbox`. The type of a garment is the name of its category if that is
    a type of the table, and unknown otherwise. A CSV has the columns COLUMNS, and TYPE_COLUMN if types are known.

    Raises InputError that names file and row if a box is not four numbers or has no extent, if an annotation names no
    image, if a CSV has an unknown type, or if the file has another form.
    """
    boxes = _csv_boxes(path, garments) if path.suffix.lower() == '.csv' else _coco_boxes(path, garments)
    return BoxFile(str(path), boxes)


def _csv_boxes(path: Path, garments: Garments) -> Dict[str, List[GarmentBox]]:
    with open(str(path), encoding='utf-8-sig', errors='replace') as file:
        typed = file.readline().count(',') >= len(COLUMNS)
    boxes: Dict[str, List[GarmentBox]] = {}
    for number, (image_id, *cells) in data_rows(path, COLUMNS + (TYPE_COLUMN,) * typed, more=False):
        place, kind = f'{path}, row {number}', cells.pop() if typed else ''
        if not image_id:
            raise InputError(f'{place}, column {COLUMNS[0]}: empty, wanted the path of a picture')
        if kind and kind not in garments:
            raise InputError(f'{place}, column {TYPE_COLUMN}: {shown(kind)}, wanted one of {garments}, or nothing')
        boxes.setdefault(plain_name(image_id), []).append(
            _garment_box([_number(cell) for cell in cells], kind or None, place, None))
    if not boxes:
        raise InputError(f'{path}: a header but no rows; wanted one row for each garment')
    return boxes


def _coco_boxes(path: Path, garments: Garments) -> Dict[str, List[GarmentBox]]:
    content = read_json(path)
    images: Dict[Id, Tuple[str, Optional[Tuple[int, int]]]] = {}
    boxes: Dict[str, List[GarmentBox]] = {}
    for row, image in enumerate(coco_list(content, 'images', path)):
        place = f'{path}, image {row}'
        number, name = coco_field(image, 'id', place), plain_name(coco_field(image, 'file_name', place))
        if number in images or name in boxes:
            raise InputError(f'{place}: id {shown(number)} or file_name {shown(name)} occurs already')
        declared_hw = labelled_size(image.get('height'), image.get('width'))
        images[number], boxes[name] = (name, None if declared_hw == NO_SIZE else declared_hw), []
    types = _types(content.get('categories') or [], garments)
    for row, annotation in enumerate(coco_list(content, 'annotations', path)):
        place = f'{path}, annotation {row}'
        number = coco_field(annotation, 'image_id', place)
        if number not in images:
            raise InputError(f'{place}: image_id {shown(number)} is the id of no image')
        name, size_hw = images[number]
        kind = types.get(str(annotation.get('category_id')))
        boxes[name].append(_garment_box(annotation.get('bbox'), kind, place, size_hw))
    return boxes


def _types(categories: Sequence[Any], garments: Garments) -> Dict[str, str]:
    """Returns the names of the categories that are garment types, by their ids as texts."""
    return {str(category.get('id')): category['name'] for category in categories
            if isinstance(category, dict) and isinstance(category.get('name'), str) and category['name'] in garments}


def _garment_box(values: Any, kind: Optional[str], place: str, size_hw: Optional[Tuple[int, int]]) -> GarmentBox:
    try:
        return GarmentBox(parse_box(values), kind, place, size_hw)
    except InputError as error:
        raise InputError(f'{place}: {error}') from None


def _number(text: str) -> Any:
    """Returns the number of a cell, or its text if it has none."""
    try:
        return float(text)
    except ValueError:
        return text
