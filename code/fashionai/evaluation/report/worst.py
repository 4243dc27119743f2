"""Finds the images with the largest errors, and draws their labels and predictions."""
from dataclasses import dataclass
from pathlib import Path
from typing import List

import numpy as np

from fashionai.annotations import image_path
from fashionai.evaluation.report.document import picture_url
from fashionai.evaluation.report.scored_submission import ScoredSubmission
from fashionai.images.decoder import read_image
from fashionai.images.drawing import draw_keypoints, tile

_SIDE, _GAP = 320, 8


@dataclass(frozen=True)
class WorstImage:
    """An image with a large error.

    row: the row in the truth.
    error: its NE in percent, in the convention `visible`.
    keypoint, keypoint_error: the keypoint with the largest error, and that error in percent.
    """

    row: int
    error: float
    keypoint: str
    keypoint_error: float


def worst_images(scored: ScoredSubmission, count: int) -> List[WorstImage]:
    """Returns the images with the largest NE in the convention `visible`, the worst first."""
    images = scored.scores.images
    rows = [row for row, figure in enumerate(images) if figure.points]
    errors = np.where(scored.counted('visible'), 100 * scored.measured.errors, -1)
    columns, found = scored.truth.garments.csv_keypoints, []
    for row in sorted(rows, key=lambda row: -images[row].total / images[row].points)[:count]:
        column = int(errors[row].argmax())
        found.append(WorstImage(row, 100 * images[row].total / images[row].points, columns[column],
                                float(errors[row, column])))
    return found


def side_by_side(scored: ScoredSubmission, row: int, folder: Path) -> str:
    """Returns the image with its labels beside the image with its predictions, as a `data:` URL of a JPEG file.

    Raises InputError that names the file if the image cannot be read.
    """
    image = read_image(image_path(folder, scored.truth.image_ids[row]))
    garment = scored.truth.garments[scored.truth.categories[row]]
    halves = []
    for keypoints in (scored.truth.keypoints[row], scored.points[row]):
        picture, moved = tile(image, keypoints, _SIDE)
        halves.append(draw_keypoints(picture, garment, moved))
    gap = np.full((_SIDE, _GAP, 3), 255, np.uint8)
    return picture_url(np.hstack([halves[0], gap, halves[1]]))
