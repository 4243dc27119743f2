"""Reads predictions from a COCO data set, as predict.py --format coco writes it, for a measurement against labels."""
import logging
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE, Annotations
from fashionai.datasets.samples import csv_row
from fashionai.errors import InputError, shown
from fashionai.files import read_json

_log = logging.getLogger(__name__)


def read_coco_predictions(path: Path, truth: Annotations) -> Tuple[Annotations, Optional[np.ndarray]]:
    """Returns the predictions of the images of the truth, and their (N,) scores; None if one has no score.

    A `file_name` belongs to the image whose id is the end of it, whole folders each; others are skipped with a warning.
    Raises InputError that names file and annotation if one is malformed, or an image has two.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in
                                                ('images', 'annotations', 'categories')):
        raise InputError(f'{path}: wanted a COCO data set with images, annotations and categories, as predict.py '
                         '--format coco writes it')
    ids, skipped = {image_id.replace('\\', '/'): image_id for image_id in truth.image_ids}, 0
    rows: Dict[str, Tuple[str, np.ndarray, Any]] = {}
    try:
        names = {image['id']: str(image['file_name']) for image in content['images']}
        categories = {category['id']: category for category in content['categories']}
    except (KeyError, TypeError) as error:
        raise InputError(f'{path}: wanted id and file_name of each image, and id of each category; missing or '
                         f'malformed: {error}') from None
    for row, annotation in enumerate(content['annotations']):
        try:
            image_id = _id_of(names[annotation['image_id']], ids)
            if image_id is None:
                skipped += 1
                continue
            tag, keypoints = _labels(annotation, categories, truth)
        except InputError as error:
            raise InputError(f'{path}, annotation {row}: {error}') from None
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f'{path}, annotation {row}: wanted image_id, category_id and x, y, v for each keypoint of '
                             f'its category: {type(error).__name__} {error}') from None
        if image_id in rows:
            raise InputError(f'{path}, annotation {row}: a second prediction of {image_id}; wanted one')
        rows[image_id] = (tag, keypoints, annotation.get('score'))
    if skipped:
        _log.warning('%s: %d predictions are of images that are not in %s and are skipped', path, skipped, truth.source)
    if not rows:
        raise InputError(f'{path}: no file_name ends with an image id of {truth.source}, such as {truth.image_ids[0]}')
    scores = [score for _, _, score in rows.values()]
    given = all(isinstance(score, (int, float)) for score in scores)
    table = Annotations(tuple(rows), tuple(tag for tag, _, _ in rows.values()),
                        np.stack([keypoints for _, keypoints, _ in rows.values()]), str(path), truth.garments)
    return table, np.array(scores, np.float64) if given else None


def _id_of(file_name: str, ids: Dict[str, str]) -> Optional[str]:
    """Returns the longest id that is the end of a path, whole folders each; None if there is none."""
    folders: List[str] = file_name.replace('\\', '/').split('/')
    ends = ('/'.join(folders[start:]) for start in range(len(folders)))
    return next((ids[end] for end in ends if end in ids), None)


def _labels(annotation: Dict[str, Any], categories: Dict[Any, Any], truth: Annotations) -> Tuple[str, np.ndarray]:
    """Returns type and (C, 3) keypoints of an annotation."""
    category = categories[annotation['category_id']]
    tag = category['name']
    if tag not in truth.garments:
        raise InputError(f'category {shown(tag)}, wanted one of {truth.garments}')
    numbers, names = annotation['keypoints'], category['keypoints']
    if len(numbers) != 3 * len(names):
        raise InputError(f'{len(numbers)} numbers for {len(names)} keypoints')
    points = {name: (numbers[3 * index], numbers[3 * index + 1], VISIBLE if numbers[3 * index + 2] else ABSENT)
              for index, name in enumerate(names) if name in truth.garments[tag].keypoints}
    return tag, csv_row(points, truth.garments)
