"""Our labels as COCO keypoint annotations: every type is a category, left and right are the image's as in the CSV."""
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
"""What `info` of our files says, key and value, so that reading them does not have to guess."""

NARROWEST = 10
"""How many times as long as wide a box may be. Of the boxes of 2,799 garments of FashionAI, two are narrower; those of
trousers with closed legs come to 4.6."""

_USUAL_SHARE = 0.44, 0.62
"""Of width and height of the picture, the median box of the 2,047 of them that have every keypoint."""


def write_coco(path: Path, table: Annotations, image_root: Path) -> None:
    """Write the whole file at once; the sizes of the images are read from them.

    The box of an annotation is that of its labelled keypoints, not of the garment, widened where they have no extent
    (see `box_of`). Raises InputError, naming the image, where one is missing or not a picture.
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
    """Return x, y, width and height of the box of (n, 2) points in a picture of (height, width).

    The scale of a garment in COCO's measure (OKS) is the root of its area, so no box may be without extent. A side that
    is less than 1 / NARROWEST of the other, as of points in a line, becomes as long as the other; the box of a single
    place has the share of the picture that garments usually have, and that of no point is the whole picture. The box
    grows around its middle, and is moved and cut so that what is added lies in the picture.
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
    """Keypoints, their number, box and area, of (K, 3) x, y, v in a picture of (height, width)."""
    theirs = {v: number for number, v in COCO_VISIBILITY.items()}
    numbers: List[int] = []
    for x, y, v in labels.tolist():
        numbers += [0, 0, 0] if v == ABSENT else [x, y, theirs[v]]
    points = labels[labels[:, 2] != ABSENT, :2]
    box = box_of(points, size_hw)
    return {'keypoints': numbers, 'num_keypoints': len(points), 'bbox': box, 'area': round(box[2] * box[3], 2)}
