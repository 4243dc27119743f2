"""Writes our labels as COCO keypoint annotations: each garment type is a category; left is the image's left, as in CSV.
"""
import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations, image_path
from fashionai.datasets.keypoint_mapping import COCO_VISIBILITY
from fashionai.datasets.orientation import STORED
from fashionai.datasets.pictures import picture_hw
from fashionai.files import write_text
from fashionai.garments.table import Garment

VISIBILITY, FRAME = ('visibility', 'coco'), ('frame', STORED)
"""Keys and values in `info` of our files, so that reading them needs no guess."""

NARROWEST = 10
"""Largest ratio of the sides of a box. Two boxes of 2,799 garments of FashionAI are narrower; boxes of trousers with
closed legs reach a ratio of 4.6."""

_USUAL_SHARE = 0.44, 0.62
"""The median box, as shares of the picture's width and height, of the 2,047 of these garments that have every keypoint.
"""


def write_coco(path: Path, table: Annotations, image_root: Path) -> None:
    """Writes the file, completely or not at all. The sizes of the images are read from their files.

    The box of an annotation is the box of its labelled keypoints, not of the garment; it is widened if they have no
    extent (see `box_of`). Raises InputError that names the image if it is missing or not a picture.
    """
    categories = [_category(number, garment) for number, garment in enumerate(table.garments.values(), 1)]
    numbers = {category['name']: category['id'] for category in categories}
    images, annotations = [], []
    rows = zip(table.image_ids, table.categories, table.keypoints)
    for number, (image_id, tag, keypoints) in enumerate(tqdm(rows, total=len(table), unit='image'), 1):
        height, width = picture_hw(image_path(image_root, image_id))
        images.append({'id': number, 'file_name': image_id.replace('\\', '/'), 'width': width, 'height': height})
        labels = keypoints[table.garments[tag].csv_indices]
        annotations.append({'id': number, 'image_id': number, 'category_id': numbers[tag], 'iscrowd': 0,
                            **_annotation(labels, (height, width))})
    content = {'info': {'description': f'keypoints of {Path(table.source).name}', **dict((VISIBILITY, FRAME))},
               'images': images, 'annotations': annotations, 'categories': categories}
    write_text(path, json.dumps(content) + '\n')


def box_of(points_xy: np.ndarray, size_hw: Tuple[int, int]) -> List[float]:
    """Returns x, y, width and height of the box of (n, 2) points in a picture of (height, width), in pixels.

    The scale of a garment in COCO's measure (OKS) is the square root of its area, so every box must have an extent. If
    a side is shorter than 1 / NARROWEST of the other, for example because the points lie in a line, it becomes as long
    as the other. The box of a single point has the size of a usual garment (_USUAL_SHARE). The box of no points is the
    whole picture. A box grows around its centre, and is moved and cut so that the added part is inside the picture.
    """
    limits = np.array(size_hw[::-1], np.float64)
    if not len(points_xy):
        return [0.0, 0.0, *limits.tolist()]
    low, high = points_xy.min(axis=0).astype(np.float64), points_xy.max(axis=0).astype(np.float64)
    sides = high - low
    longest = sides.max()
    wanted = np.where(NARROWEST * sides < longest, longest, sides) if longest else limits * _USUAL_SHARE
    grown = sides < wanted
    start = np.clip((low + high - wanted) / 2, 0, np.maximum(limits - wanted, 0))
    new_low = np.where(grown, np.minimum(start, low), low)
    new_high = np.where(grown, np.maximum(np.minimum(start + wanted, limits), high), high)
    return [round(number, 2) for number in [*new_low.tolist(), *(new_high - new_low).tolist()]]


def _category(number: int, garment: Garment) -> Dict[str, Any]:
    return {'id': number, 'name': garment.name, 'supercategory': 'clothes', 'keypoints': list(garment.keypoints),
            'skeleton': (garment.limb_indices + 1).tolist()}


def _annotation(labels: np.ndarray, size_hw: Tuple[int, int]) -> Dict[str, Any]:
    """Returns keypoints, their number, box and area of (K, 3) x, y, v in a picture of (height, width)."""
    theirs = {v: number for number, v in COCO_VISIBILITY.items()}
    numbers: List[int] = []
    for x, y, v in labels.tolist():
        numbers += [0, 0, 0] if v == ABSENT else [x, y, theirs[v]]
    points = labels[labels[:, 2] != ABSENT, :2]
    box = box_of(points, size_hw)
    return {'keypoints': numbers, 'num_keypoints': len(points), 'bbox': box, 'area': round(box[2] * box[3], 2)}
