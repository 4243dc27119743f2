"""The images with the largest errors: which they are, and how they look."""
import base64
from dataclasses import dataclass
from pathlib import Path
from typing import List

import cv2
import numpy as np

from fashionai.annotations import image_path
from fashionai.evaluation.report.measurement import Measurement
from fashionai.images.decoder import read_image
from fashionai.images.drawing import draw_keypoints, tile

_SIDE, _GAP, _QUALITY = 320, 8, 82


@dataclass(frozen=True)
class WorstImage:
    """An image, its NE `visible` in percent, and the keypoint of the largest error among those, in percent too."""

    row: int
    error: float
    keypoint: str
    keypoint_error: float


def worst_images(subject: Measurement, count: int) -> List[WorstImage]:
    """The images of the largest NE in the convention `visible`, the worst first."""
    images = subject.scores.images
    rows = [row for row, figure in enumerate(images) if figure.points]
    errors = np.where(subject.counted('visible'), 100 * subject.measured.errors, -1)
    columns, found = subject.truth.garments.csv_keypoints, []
    for row in sorted(rows, key=lambda row: -images[row].total / images[row].points)[:count]:
        column = int(errors[row].argmax())
        found.append(WorstImage(row, 100 * images[row].total / images[row].points, columns[column],
                                float(errors[row, column])))
    return found


def side_by_side(subject: Measurement, row: int, folder: Path) -> str:
    """The image with its labels and with the predictions, as the `data:` address of a JPEG file.

    Raises InputError, naming the file, for an image that cannot be read.
    """
    image = read_image(image_path(folder, subject.truth.image_ids[row]))
    garment = subject.truth.garments[subject.truth.categories[row]]
    halves = []
    for keypoints in (subject.truth.keypoints[row], subject.points[row]):
        picture, moved = tile(image, keypoints, _SIDE)
        halves.append(draw_keypoints(picture, garment, moved))
    gap = np.full((_SIDE, _GAP, 3), 255, np.uint8)
    file = cv2.imencode('.jpg', np.hstack([halves[0], gap, halves[1]]), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1]
    return f'data:image/jpeg;base64,{base64.b64encode(file.tobytes()).decode()}'
