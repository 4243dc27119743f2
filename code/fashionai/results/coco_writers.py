"""Writes predictions as a COCO data set, and as COCO keypoint results."""
import json
from typing import BinaryIO, Dict, List, Mapping, Optional, TextIO, Tuple

import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.coco_ids import CocoIds, Id
from fashionai.datasets.coco_writing import VISIBILITY, coco_annotation, coco_categories, coco_image
from fashionai.datasets.labelled import LabelledGarment
from fashionai.datasets.orientation import UPRIGHT
from fashionai.files import parse_json
from fashionai.garments.measurements import PixelScale
from fashionai.garments.table import Garments
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.garment_predictor import GarmentPrediction
from fashionai.results.prediction_json import JsonObject
from fashionai.results.writers import Row, Writer, printable, row_of

UPRIGHT_FRAME = ('frame', UPRIGHT)
"""Key and value in `info` of a COCO data set: predictions are in pixels of the upright picture."""


class CocoResults(Writer):
    """COCO keypoint results, one list.

    Categories are the garment types, numbered from 1; a result has the keypoints of its type. Images are numbered from
    1 in the order in which they were named, and have a `file_name`. After `number_by`, images and categories have the
    ids of a ground truth instead. The third number of a keypoint is its score; with `mark_visibility` it is COCO's v: 2
    visible, 1 occluded, and 0, with 0 for x and y, absent. `score` is the mean of the scores.
    """

    def __init__(self, file: TextIO, model: str, scale: Optional[PixelScale], garments: Garments,
                 continued: bool = False, mark_visibility: bool = False) -> None:
        super().__init__(file, model, scale, garments, continued, mark_visibility)
        self._before = ',\n' if continued else '[\n'
        self._categories: Mapping[str, Id] = coco_category_ids(garments)
        self._truth: Optional[CocoIds] = None

    def number_by(self, truth: CocoIds) -> None:
        """Takes the ids of a ground truth, which must have every picture and every type."""
        self._truth, self._categories = truth, truth.categories

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        prediction = outcome.prediction
        image_id = self._truth.image_id(outcome.picture.source.path) if self._truth else outcome.number
        result = {'image_id': image_id, 'category_id': self._categories[prediction.type],
                  'keypoints': self._numbers(prediction).ravel().tolist(),
                  'score': round(float(prediction.scores.mean()), 3), 'file_name': outcome.picture.label}
        self._file.write(self._before + json.dumps(result))
        self._file.flush()
        self._before = ',\n'

    def _numbers(self, prediction: GarmentPrediction) -> np.ndarray:
        """Returns the three numbers (K, 3) of each point."""
        points = prediction.points_xy.round(2)
        if not self._mark_visibility:
            return np.column_stack([points, prediction.scores.round(3)])
        present = prediction.labels[:, np.newaxis] != ABSENT
        return np.column_stack([np.where(present, points, 0), prediction.labels + 1])

    @staticmethod
    def whole_rows(file: BinaryIO) -> List[Row]:
        """See Writer.whole_rows; the bytes are without the comma or bracket after the row."""
        return _listed_rows(file)

    def _end(self) -> None:
        self._file.write('[]\n' if self._before == '[\n' else '\n]\n')


class CocoDataset(Writer):
    """A COCO data set: info, categories, annotations, and images, which come last since they are known last.

    Images are numbered from 1 in the order in which they were named. A keypoint is visible (2) if it was found; a place
    that was filled in is 1. With `mark_visibility` it is visible (2), occluded (1) or absent (0). An annotation has
    `score` and `keypoint_scores` as well, and, so that an interrupted file can be continued, `file_name`, `width` and
    `height` of its image.
    """

    def __init__(self, file: TextIO, model: str, scale: Optional[PixelScale], garments: Garments,
                 continued: bool = False, mark_visibility: bool = False) -> None:
        super().__init__(file, model, scale, garments, continued, mark_visibility)
        self._categories = coco_category_ids(garments)
        self._images: Dict[int, JsonObject] = {}
        self._count = 0

    def write(self, outcome: Outcome) -> None:
        """Adds a prediction and flushes the file."""
        prediction, picture = outcome.prediction, outcome.picture
        visible = (prediction.labels if self._mark_visibility else
                   np.where(prediction.found, VISIBLE, OCCLUDED))
        garment = LabelledGarment(prediction.type, np.column_stack([prediction.points_xy, visible]),
                                  prediction.box, prediction.scores)
        self._add({'id': self._count + 1, 'image_id': outcome.number, 'category_id': self._categories[prediction.type],
                   **coco_annotation(garment, prediction.image_hw),
                   **_image_fields(printable(picture.label), prediction.image_hw)})
        self._file.flush()

    @staticmethod
    def whole_rows(file: BinaryIO) -> List[Row]:
        """See Writer.whole_rows; the bytes are without the comma or bracket after the row."""
        return _listed_rows(file)

    def _add(self, row: JsonObject) -> None:
        self._file.write((',\n' if self._count else '') + json.dumps(row))
        self._remember(row)

    def _remember(self, row: JsonObject) -> None:
        self._count += 1
        self._images[row['image_id']] = coco_image(row['image_id'], row['file_name'], (row['height'], row['width']))

    def _begin(self) -> None:
        info = {'description': f'garments found by {self._model}', **dict((VISIBILITY, UPRIGHT_FRAME))}
        head = json.dumps({'info': info, 'categories': coco_categories(self._garments)})
        self._file.write(f'{head[:-1]}, "annotations": [\n')

    def _go_on(self) -> None:
        self._file.seek(0)
        next(self._file)
        for line in self._file:
            self._remember(parse_json(line.rstrip(',\n').encode(), 'a row', allow_nan=True))

    def _end(self) -> None:
        images = ',\n'.join(map(json.dumps, self._images.values()))
        self._file.write(f'\n], "images": [\n{images}\n]}}\n' if images else '], "images": []}\n')


def coco_category_ids(garments: Garments) -> Dict[str, int]:
    """Returns the number of each type in COCO files."""
    return {category['name']: category['id'] for category in coco_categories(garments)}


def _image_fields(name: str, size_hw: Tuple[int, int]) -> JsonObject:
    return {'file_name': name, 'width': size_hw[1], 'height': size_hw[0]}


def _listed_rows(file: BinaryIO) -> List[Row]:
    """Returns the complete rows of a JSON list, one a line after the first line."""
    rows: List[Row] = []
    place = len(file.readline())
    for line in file:
        text = line.rstrip(b',\n')
        row = row_of(text)
        if row is None:
            break
        rows.append((printable(row['file_name']), place + len(text)))
        place += len(line)
    return rows
