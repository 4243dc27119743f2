"""Writes labels as COCO keypoint annotations: each garment type is a category; left is the image's left, as in CSV.
"""
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np

from fashionai.annotations import ABSENT
from fashionai.datasets.keypoint_mapping import COCO_VISIBILITY
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, plain
from fashionai.datasets.orientation import STORED, Size
from fashionai.files import write_text
from fashionai.garments.table import Garment, Garments

VISIBILITY, FRAME = ('visibility', 'coco'), ('frame', STORED)
"""Keys and values in `info` of our files, so that reading them needs no guess."""

THEIR_VISIBILITY = {v: number for number, v in COCO_VISIBILITY.items()}
"""The visibility of COCO, DeepFashion2 and YOLO by ours."""


def write_coco(path: Path, pictures: Sequence[LabelledPicture], garments: Garments, description: str) -> None:
    """Writes the file, completely or not at all. Labels are in pixels as stored.

    The box of an annotation is the one of the garment or, if it has none, the box of its labelled keypoints, which is
    widened if they have no extent (see `box_of`).
    """
    categories = coco_categories(garments)
    numbers = {category['name']: category['id'] for category in categories}
    images: List[Dict[str, Any]] = []
    annotations: List[Dict[str, Any]] = []
    for number, picture in enumerate(pictures, 1):
        images.append(coco_image(number, picture.name, picture.size_hw))
        for garment in picture.garments:
            annotations.append({'id': len(annotations) + 1, 'image_id': number, 'category_id': numbers[garment.type],
                                **coco_annotation(garment, picture.size_hw)})
    content = {'info': {'description': description, **dict((VISIBILITY, FRAME))}, 'images': images,
               'annotations': annotations, 'categories': categories}
    write_text(path, json.dumps(content) + '\n')


def coco_categories(garments: Garments) -> List[Dict[str, Any]]:
    """Returns the categories of a garment table: its types, numbered from 1, with their keypoints and limbs."""
    return [_category(number, garment) for number, garment in enumerate(garments.values(), 1)]


def coco_image(number: int, name: str, size_hw: Size) -> Dict[str, Any]:
    """Returns an item of `images`."""
    return {'id': number, 'file_name': name, 'width': size_hw[1], 'height': size_hw[0]}


def coco_annotation(garment: LabelledGarment, size_hw: Size) -> Dict[str, Any]:
    """Returns keypoints, their number, box and area of a garment in a picture of (height, width); of a predicted one
    `score` too, the mean score of its keypoints, and `keypoint_scores`."""
    numbers: List[float] = []
    for x, y, v in garment.keypoints.tolist():
        numbers += [0, 0, 0] if v == ABSENT else [plain(x), plain(y), THEIR_VISIBILITY[int(v)]]
    box = [plain(side) for side in garment.box_in(size_hw)]
    scores = garment.scores
    scored = {} if scores is None else {'score': plain(np.mean(scores), 3),
                                        'keypoint_scores': [plain(score, 3) for score in scores]}
    return {'iscrowd': 0, 'keypoints': numbers, 'num_keypoints': len(garment.labelled), 'bbox': box,
            'area': plain(box[2] * box[3]), **scored}


def _category(number: int, garment: Garment) -> Dict[str, Any]:
    return {'id': number, 'name': garment.name, 'supercategory': 'clothes', 'keypoints': list(garment.keypoints),
            'skeleton': (garment.limb_indices + 1).tolist()}
