"""Writes the reviewed garments of a project as training data: a folder as data/ is, and label files of other programs.

    OUTPUT/train/train.csv, val.csv, Images/<type>/...

A garment in a box becomes a picture of its own, cut out with some margin, since a row of a CSV is a picture. Pictures
of the project are copied, never changed.
"""
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT, read_annotations
from fashionai.datasets.coco_writing import write_coco
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import orientation_of, turned_upright
from fashionai.datasets.samples import TRAIN, UNASSIGNED, VAL, Sample, csv_row, split_samples
from fashionai.datasets.tree_writer import list_path, write_lists
from fashionai.errors import InputError
from fashionai.files import locked, write_bytes
from fashionai.garments.table import Garments
from fashionai.images.decoder import decode_upright
from fashionai.labelling.labels import REVIEWED
from fashionai.labelling.proposals import cropped
from fashionai.labelling.store import Item, Store

DEFAULT_VAL = 0.2
"""The share of each type that validation gets."""

_QUALITY = 95
"""The JPEG quality of garments that are cut out."""

_Crop = Tuple[bytes, np.ndarray]


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, and the numbers of garments by list and type."""

    folder: Path
    counts: Mapping[str, Mapping[str, int]]


def export_tree(store: Store, garments: Garments, output: Path, notes: Notes, val: float = DEFAULT_VAL,
                seed: int = 1) -> Exported:
    """Writes the folder for train.py. Lists that are there are replaced; pictures that are there stay.

    Args:
        store: of the project.
        garments: its table.
        output: the folder.
        notes: gets the pictures that cannot be read, which are left out.
        val: the share of the garments of each type that go to val.csv; if it is 1 or more, their number.
        seed: another seed draws others. A draw depends only on the picture and the seed, so a garment stays in its
            list if others are added. Garments of one picture are in one list.

    Raises InputError if nothing is reviewed, if no garment of a type would be left for training, or if another process
    writes the folder.
    """
    reviewed = [item for item in store.items() if item.label.state == REVIEWED]
    if not reviewed:
        raise InputError(f'{store.path}: no garment is reviewed yet: open the page, and accept some')
    with locked(output, 'label.py'):
        samples = [sample for item in reviewed for sample in _written(item, garments, output, notes)]
        parts = _parts(reviewed, val, seed)
        listed = [replace(sample, part=parts[sample.image_id]) for sample in samples]
        write_lists(listed, output, garments)
        for part in {TRAIN, VAL} - {sample.part for sample in listed}:
            if (output / list_path(part)).exists():
                (output / list_path(part)).unlink()
    return Exported(output, {part: _counts(listed, part, garments) for part in (TRAIN, VAL)})


def _coco(folder: Path, garments: Garments) -> List[Path]:
    """Writes a COCO file for each list of the folder, beside it."""
    written = []
    for part in (TRAIN, VAL):
        table = folder / list_path(part)
        if table.exists():
            written.append(table.with_suffix('.coco.json'))
            write_coco(written[-1], read_annotations(table, garments), table.parent)
    return written


FORMATS: Mapping[str, Callable[[Path, Garments], List[Path]]] = MappingProxyType({'coco': _coco})
"""Writers of other programs' label files, by name: each takes the folder that `export_tree` wrote, and its table."""


def _written(item: Item, garments: Garments, output: Path, notes: Notes) -> List[Sample]:
    """Writes the picture of a garment. Returns its sample; nothing if the picture cannot be read."""
    try:
        data, offset_xy = _picture(item)
    except (InputError, OSError) as error:
        notes['pictures that cannot be read, left out'].append(str(error))
        return []
    target = output / TRAIN / _image_id(item)
    if not target.exists():
        write_bytes(target, data)
    points = {name: (x - offset_xy[0], y - offset_xy[1], v) for name, (x, y, v) in item.label.points.items()}
    if not any(v != ABSENT for _, _, v in points.values()):
        notes['garments without a point, left out'].append(item.picture.name)
        return []
    assert item.label.type
    return [Sample(_image_id(item), item.label.type, csv_row(points, garments), UNASSIGNED, None)]


def _picture(item: Item) -> _Crop:
    """Returns the bytes of a garment's picture, and where its first pixel is (x, y) in the picture of the project."""
    data = Path(item.picture.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != item.picture.sum:
        raise InputError(f'{item.picture.path}: another picture than the labelled one')
    if item.label.box is None:
        return turned_upright(data, item.picture.path) if orientation_of(data) != 1 else data, np.zeros(2)
    part, offset_xy = cropped(decode_upright(data, item.picture.path), item.label.box)
    return cv2.imencode('.jpg', part, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes(), offset_xy


def _image_id(item: Item) -> str:
    """Returns the image id of a garment: its type, and its picture's name with its sum, so that no two are the same."""
    name = Path(item.picture.name)
    stem = ''.join(letter if letter.isalnum() or letter in '._-' else '_' for letter in name.stem)
    box = item.label.box
    place = '' if box is None else '_' + '-'.join(f'{value:.0f}' for value in box)
    return f'Images/{item.label.type}/{stem}_{item.picture.sum[:8]}{place}{".jpg" if box else name.suffix.lower()}'


def _parts(reviewed: Sequence[Item], val: float, seed: int) -> Dict[str, str]:
    """Returns the list of each garment by its image id: that of the first garment of its picture."""
    first: Dict[int, Item] = {}
    for item in reviewed:
        first.setdefault(item.picture.id, item)
    drawn = split_samples([Sample(item.picture.sum, item.label.type or '', None, UNASSIGNED, None)
                           for item in first.values()], val if val < 1 else int(val), 0, seed)
    lists = {sample.image_id: sample.part for sample in drawn}
    return {_image_id(item): lists[item.picture.sum] for item in reviewed}


def _counts(samples: Sequence[Sample], part: str, garments: Garments) -> Dict[str, int]:
    categories = [sample.category for sample in samples if sample.part == part]
    return {name: categories.count(name) for name in garments if name in categories}
