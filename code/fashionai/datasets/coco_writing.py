"""Our labels as COCO keypoint annotations: every type is a category, left and right are the image's as in the CSV."""
import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations
from fashionai.datasets.counterparts import COCO_VISIBILITY
from fashionai.datasets.pictures import picture_hw
from fashionai.files import write_text
from fashionai.garments import Garment


def write_coco(path: Path, table: Annotations, image_root: Path) -> None:
    """Write the whole file at once; the sizes of the images are read from them.

    The box of an annotation is that of its labelled keypoints, not of the garment. Raises InputError, naming the
    image, where one is missing or not a picture.
    """
    categories = [_category(number, garment) for number, garment in enumerate(table.garments.values(), 1)]
    numbers = {category['name']: category['id'] for category in categories}
    images, annotations = [], []
    rows = zip(table.image_ids, table.categories, table.keypoints)
    for number, (image_id, tag, keypoints) in enumerate(tqdm(rows, total=len(table), unit='image'), 1):
        height, width = picture_hw(image_root / image_id)
        images.append({'id': number, 'file_name': image_id, 'width': width, 'height': height})
        labels = keypoints[table.garments[tag].csv_indices]
        annotations.append({'id': number, 'image_id': number, 'category_id': numbers[tag], 'iscrowd': 0,
                            **_annotation(labels)})
    content = {'info': {'description': f'keypoints of {Path(table.source).name}'}, 'images': images,
               'annotations': annotations, 'categories': categories}
    write_text(path, json.dumps(content) + '\n')


def _category(number: int, garment: Garment) -> Dict[str, Any]:
    return {'id': number, 'name': garment.name, 'supercategory': 'clothes', 'keypoints': list(garment.keypoints),
            'skeleton': (garment.limb_indices + 1).tolist()}


def _annotation(labels: np.ndarray) -> Dict[str, Any]:
    """Keypoints, their number, box and area, of (K, 3) x, y, v."""
    theirs = {v: number for number, v in COCO_VISIBILITY.items()}
    numbers: List[int] = []
    for x, y, v in labels.tolist():
        numbers += [0, 0, 0] if v == ABSENT else [x, y, theirs[v]]
    points = labels[labels[:, 2] != ABSENT, :2]
    if not len(points):
        return {'keypoints': numbers, 'num_keypoints': 0, 'bbox': [0, 0, 0, 0], 'area': 0}
    (left, top), (width, height) = points.min(axis=0).tolist(), np.ptp(points, axis=0).tolist()
    return {'keypoints': numbers, 'num_keypoints': len(points), 'bbox': [left, top, width, height],
            'area': width * height}
