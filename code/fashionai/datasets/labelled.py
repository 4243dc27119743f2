"""Labelled pictures: the common form from which every format is written. A picture may have several garments.

K is the number of keypoints of a garment type.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import numpy as np
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations, image_path
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import UPRIGHT, Size, upright_points
from fashionai.datasets.pictures import stored_size
from fashionai.datasets.tree_writer import write_or_link
from fashionai.errors import InputError
from fashionai.garments.boxes import Box, box_of
from fashionai.images.headers import upright_size


@dataclass(frozen=True, eq=False)
class LabelledGarment:
    """A garment in a picture.

    type: its garment type.
    keypoints: (K, 3) numbers x, y, v in pixels of the picture, in the order of the type's keypoints; v is 1, 0 or -1.
    box: the box of the garment, if a person or a detector drew one.
    scores: (K,) of a predicted garment; None for labels.
    """

    type: str
    keypoints: np.ndarray
    box: Optional[Box] = None
    scores: Optional[np.ndarray] = None

    @property
    def labelled(self) -> np.ndarray:
        """(n, 2) x and y of the keypoints that are not absent."""
        return self.keypoints[self.keypoints[:, 2] != ABSENT, :2]

    def box_in(self, size_hw: Size) -> Box:
        """Returns the box of the garment, or else that of its labelled keypoints (`box_of`)."""
        return self.box or box_of(self.labelled, size_hw)


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture with its garments.

    name: its path below the folder of the pictures, with /.
    size_hw: (height, width) in the frame of the labels.
    garments: its garments.
    part: the list that it belongs to: `train`, `val` or another name.
    path: its file; None if no file is needed.
    """

    name: str
    size_hw: Size
    garments: Sequence[LabelledGarment]
    part: str = 'train'
    path: Optional[Path] = None


def labelled_pictures(table: Annotations, image_root: Path, part: str, frame: str) -> Iterator[LabelledPicture]:
    """Yields a picture for each row of the CSV, which has one garment.

    Args:
        table: the rows.
        image_root: the folder from which the image ids lead.
        part: the name of the list.
        frame: UPRIGHT or STORED. Labels are in pixels as stored; most tools show pictures upright, so that labels of
            pictures with an EXIF orientation are turned with them.

    Raises InputError that names the image if it is missing or not a picture.
    """
    rows = zip(table.image_ids, table.categories, table.keypoints)
    for image_id, tag, keypoints in tqdm(rows, total=len(table), unit='image'):
        path = image_path(image_root, image_id)
        size_hw, orientation = stored_size(path)
        labels = keypoints[table.garments[tag].csv_indices].astype(np.float64)
        if frame == UPRIGHT and orientation != 1:
            present = labels[:, 2] != ABSENT
            labels[present, :2] = upright_points(labels[present, :2], size_hw, orientation)
            size_hw = upright_size(size_hw, orientation)
        yield LabelledPicture(image_id.replace('\\', '/'), size_hw, [LabelledGarment(tag, labels)], part, path)


def check_distinct(pictures: Sequence[LabelledPicture], without_ending: bool = False) -> None:
    """Raises InputError that names the picture if two have one name, or with `without_ending` one name but for the
    ending, since their labels would be one file."""
    seen = set()
    for picture in pictures:
        name = picture.name.rpartition('.')[0] if without_ending else picture.name
        place = (picture.part, name) if without_ending else ('', name)
        if place in seen:
            raise InputError(f'{picture.name}: two pictures have the name {name}; wanted different names')
        seen.add(place)


def plain(value: float, digits: int = 2) -> float:
    """Returns a number rounded for a file; a whole number is an int."""
    rounded = round(float(value), digits)
    return int(rounded) if rounded == int(rounded) else rounded


def inside(name: str) -> str:
    """Returns the name of a picture as a path that leads nowhere else: without `..`, and not absolute."""
    return '/'.join(part for part in name.split('/') if part not in ('', '.', '..'))


def put_picture(picture: LabelledPicture, target: Path, link: bool, notes: Notes) -> None:
    """Copies the file of a picture to a path, or links it with `link`; a picture without a file is left out."""
    if picture.path:
        write_or_link(target, picture.path.read_bytes(), picture.path if link else None, True, notes)


def part_names(pictures: Sequence[LabelledPicture]) -> List[str]:
    """Returns the names of the lists that the pictures belong to, in order."""
    return list(dict.fromkeys(picture.part for picture in pictures))
