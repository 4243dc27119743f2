"""Writes the reviewed garments of a project as training data: a folder as data/ is, and the formats of other tools.

    OUTPUT/train/train.csv, val.csv, Images/<type>/...
    OUTPUT/yolo/, OUTPUT/coco.json, ...  whole pictures with all their garments

A garment in a box becomes a picture of its own, cut out with some margin, since a row of a CSV is a picture. Pictures
of the project are copied, never changed.
"""
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT
from fashionai.datasets.format_options import WriteOptions
from fashionai.datasets.formats import FORMATS, WRITABLE
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import orientation_of, turned_upright
from fashionai.datasets.samples import TRAIN, UNASSIGNED, VAL, Sample, csv_row, split_samples
from fashionai.datasets.tree_writer import list_path, write_lists
from fashionai.errors import InputError, shown
from fashionai.files import locked, write_bytes
from fashionai.garments.table import Garments
from fashionai.images.crops import crop_around
from fashionai.images.decoder import decode_upright
from fashionai.labelling.labels import REVIEWED
from fashionai.labelling.store import Item, Store

DEFAULT_VAL = 0.2
"""The share of each type that validation gets."""

_QUALITY = 95
"""The JPEG quality of garments that are cut out."""


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, the numbers of garments by list and type, and the list of each picture by its
    number in the project."""

    folder: Path
    counts: Mapping[str, Mapping[str, int]]
    parts: Mapping[int, str]


def export_tree(store: Store, garments: Garments, output: Path, notes: Notes, val: float = DEFAULT_VAL,
                seed: int = 1) -> Exported:
    """Writes the folder for train.py. Lists that are there are replaced; pictures that are there stay.

    Args:
        store: of the project.
        garments: its table.
        output: the folder.
        notes: gets the pictures that cannot be read, which are left out.
        val: the share of the garments of each type that go to val.csv; if it is 1 or more, their number.
        seed: another seed draws others. The draw of a picture depends on its content and the seed alone. Garments of
            one picture are in one list.

    Raises InputError if nothing is reviewed, if no garment of a type would be left for training, or if another process
    writes the folder.
    """
    reviewed = [item for item in store.items() if item.label.state == REVIEWED]
    if not reviewed:
        raise InputError(f'{store.path}: no garment is reviewed yet: open the page, and accept some')
    with locked(output, 'label.py'):
        parts = _parts(reviewed, val, seed)
        listed = [replace(sample, part=parts[item.picture.id]) for item in reviewed
                  for sample in _written(item, garments, output, notes)]
        write_lists(listed, output, garments)
        for part in {TRAIN, VAL} - {sample.part for sample in listed}:
            if (output / list_path(part)).exists():
                (output / list_path(part)).unlink()
    return Exported(output, {part: _counts(listed, part, garments) for part in (TRAIN, VAL)}, parts)


def check_formats(names: Sequence[str]) -> None:
    """Raises InputError for a name that is not in WRITABLE."""
    for name in names:
        if name not in WRITABLE:
            raise InputError(f'format {shown(name)}: wanted one of {", ".join(WRITABLE)}')


def export_formats(store: Store, garments: Garments, exported: Exported, names: Sequence[str],
                   notes: Notes) -> List[Path]:
    """Writes the reviewed garments in formats of other tools, beside what `export_tree` wrote. A picture has all its
    garments; it is in the list that `export_tree` chose. Returns the files and folders.

    Raises InputError for a name that is not in WRITABLE. What a format cannot hold is added to `notes`.
    """
    check_formats(names)
    pictures: Dict[int, List[Item]] = {}
    for item in store.items():
        if item.label.state == REVIEWED and item.picture.id in exported.parts:
            pictures.setdefault(item.picture.id, []).append(item)
    labelled = [picture for number, items in pictures.items() if names
                for picture in _labelled(items, garments, exported.parts[number], exported.folder, notes)]
    written = []
    for name in names:
        form, options = FORMATS[name], WriteOptions(garments, f'labels of {store.path.parent.name}')
        assert form.write
        written.append(exported.folder / (name if form.folder else f'{name}.json'))
        form.write(written[-1], labelled, options, notes)
    return written


def _labelled(items: Sequence[Item], garments: Garments, part: str, output: Path,
              notes: Notes) -> List[LabelledPicture]:
    """Returns a picture with its garments; nothing if it cannot be read, which `export_tree` has noted. If its EXIF
    orientation turns it, an upright copy is written, since labels are upright."""
    picture, (data, fault) = items[0].picture, _content(items[0])
    if fault:
        return []
    path = Path(picture.path)
    if orientation_of(data) != 1:
        path = output / 'upright' / _file_name(items[0])
        write_bytes(path, turned_upright(data, picture.path))
    return [LabelledPicture(_file_name(items[0]), picture.size_hw, [_garment(item, garments) for item in items], part,
                            path)]


def _garment(item: Item, garments: Garments) -> LabelledGarment:
    assert item.label.type
    points = [item.label.points[name] for name in garments[item.label.type].keypoints]
    return LabelledGarment(item.label.type, np.array(points, np.float64), item.label.box)


def _written(item: Item, garments: Garments, output: Path, notes: Notes) -> List[Sample]:
    """Writes the picture of a garment. Returns its sample; nothing if it has no point, or its picture cannot be read.
    """
    data, fault = _content(item)
    if fault:
        notes['pictures that cannot be read, left out'].append(fault)
        return []
    if not any(v != ABSENT for _, _, v in item.label.points.values()):
        notes['garments without a point, left out'].append(item.picture.name)
        return []
    part, offset_xy = _part(item, data)
    target = output / TRAIN / _image_id(item)
    if not target.exists():
        write_bytes(target, part)
    points = {name: (x - offset_xy[0], y - offset_xy[1], v) for name, (x, y, v) in item.label.points.items()}
    assert item.label.type
    return [Sample(_image_id(item), item.label.type, csv_row(points, garments), UNASSIGNED, None)]


def _content(item: Item) -> Tuple[bytes, str]:
    """Returns the bytes of a garment's picture and '', or nothing and the reason why it cannot be used."""
    path = item.picture.path
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return b'', f'{path}: {error.strerror}'
    changed = hashlib.sha256(data).hexdigest() != item.picture.sum
    return data, f'{path}: another picture than the labelled one' if changed else ''


def _part(item: Item, data: bytes) -> Tuple[bytes, np.ndarray]:
    """Returns the bytes of the picture that trains a garment, from those of its whole picture; and where its first
    pixel is (x, y) in the whole upright picture."""
    if item.label.box is None:
        return turned_upright(data, item.picture.path) if orientation_of(data) != 1 else data, np.zeros(2)
    image = decode_upright(data, item.picture.path)
    crop = crop_around(item.label.box, image.shape[:2])
    return cv2.imencode('.jpg', crop.of(image), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes(), crop.offset_xy


def _image_id(item: Item) -> str:
    """Returns the image id of a garment: its type, and the name of its picture, with the box if it has one."""
    name, box = _file_name(item), item.label.box
    if box is not None:
        name = f'{Path(name).stem}_{"-".join(f"{value:.0f}" for value in box)}.jpg'
    return f'Images/{item.label.type}/{name}'


def _file_name(item: Item) -> str:
    """Returns the name of a picture's copies: its own name and its sum, so that no two are the same."""
    name = Path(item.picture.name)
    stem = ''.join(letter if letter.isalnum() or letter in '._-' else '_' for letter in name.stem)
    return f'{stem}_{item.picture.sum[:8]}{name.suffix.lower()}'


def _parts(reviewed: Sequence[Item], val: float, seed: int) -> Dict[int, str]:
    """Returns the list of each picture by its number: the type of its first garment decides with which it is drawn."""
    first: Dict[str, Item] = {}
    for item in reviewed:
        first.setdefault(item.picture.sum, item)
    drawn = split_samples([Sample(sum, item.label.type or '', None, UNASSIGNED, None) for sum, item in first.items()],
                          val if val < 1 else int(val), 0, seed)
    return {first[sample.image_id].picture.id: sample.part for sample in drawn}


def _counts(samples: Sequence[Sample], part: str, garments: Garments) -> Dict[str, int]:
    categories = [sample.category for sample in samples if sample.part == part]
    return {name: categories.count(name) for name in garments if name in categories}
