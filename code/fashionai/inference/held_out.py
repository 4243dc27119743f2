"""What a network answers on labelled pictures: the material of its calibration, and of tables of scores and errors.

Letters: P points, N pictures, T garment types.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations, image_path
from fashionai.errors import InputError
from fashionai.images.decoder import read_image
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor
from fashionai.inference.scoring import rivals_of

BATCH = 4


@dataclass(frozen=True, eq=False)
class PointAnswers:
    """What was answered on P points of pictures of a given type. Absent points have no place, and no error.

    Attributes:
        pictures: (P,) int, numbers of the pictures.
        scores, heights, rivals: (P,), see GarmentPrediction and `scoring.rivals_of`.
        found: (P,) bool.
        errors: (P,), distances from the labelled places as parts of the normaliser; NaN for absent points, and in
            pictures whose normaliser is not labelled or is 0.
        labels: (P,) int, the labelled visibility: -1 absent, 0 occluded, 1 visible.
        visibility: (P, 3), see GarmentPrediction; None if the network does not tell it.
    """

    pictures: np.ndarray
    scores: np.ndarray
    heights: np.ndarray
    rivals: np.ndarray
    found: np.ndarray
    errors: np.ndarray
    labels: np.ndarray
    visibility: Optional[np.ndarray]


def point_answers(predictor: GarmentPredictor, truth: Annotations, folder: Path, batch: int = BATCH,
                  progress: Callable[[Iterator], Iterator] = iter) -> PointAnswers:
    """Returns what a predictor answers on the points of labelled pictures, whose types it is given.

    Args:
        truth: the labelled rows.
        folder: the image ids start from it.
        batch: pictures that go through the network together.
        progress: wraps the iterator over the pictures, to show how far it is.

    Raises InputError, naming the file, for an image that cannot be read, and if there is no picture.
    """
    rows: List[np.ndarray] = []
    states: List[np.ndarray] = []
    for number, (prediction, labels) in enumerate(progress(_predictions(predictor, truth, folder, batch))):
        rows.append(np.column_stack([
            np.full(len(labels), number), prediction.scores, prediction.heights,
            rivals_of(prediction.heatmaps, prediction.points_xy, prediction.image_hw), prediction.found,
            _errors(prediction, labels), labels[:, 2]]))
        if prediction.visibility is not None:
            states.append(prediction.visibility)
    if not rows:
        raise InputError(f'{truth.source} has no row: wanted labelled pictures')
    pictures, scores, heights, rivals, found, errors, labelled = np.concatenate(rows).T
    return PointAnswers(pictures.astype(int), scores, heights, rivals, found.astype(bool), errors,
                        labelled.astype(int), np.concatenate(states) if states else None)


def type_answers(predictor: GarmentPredictor, truth: Annotations, folder: Path) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the probabilities (N, T) of the types of labelled pictures, and the numbers (N,) of the right types.

    Raises InputError, naming the file, for an image that cannot be read.
    """
    shares = [one.types for _, images in _batches(truth, folder, BATCH) for one in predictor.describe(images)]
    return np.stack(shares), np.array([predictor.types.index(name) for name in truth.categories])


def _predictions(predictor: GarmentPredictor, truth: Annotations, folder: Path,
                 batch: int) -> Iterator[Tuple[GarmentPrediction, np.ndarray]]:
    """Yields each prediction with the labels (K, 3) of its keypoints."""
    for part, images in _batches(truth, folder, batch):
        for prediction, labels in zip(predictor.predict(images, part.categories), part.keypoints):
            yield prediction, labels[prediction.garment.csv_indices]


def _batches(truth: Annotations, folder: Path, batch: int) -> Iterator[Tuple[Annotations, Sequence[np.ndarray]]]:
    for start in range(0, len(truth), batch):
        part = truth.select(range(start, min(start + batch, len(truth))))
        yield part, [read_image(image_path(folder, image_id)) for image_id in part.image_ids]


def _errors(prediction: GarmentPrediction, labels: np.ndarray) -> np.ndarray:
    """Returns the errors (K,) of PointAnswers."""
    ends = labels[[prediction.keypoints.index(name) for name in prediction.garment.normaliser]]
    normaliser = np.hypot(*(ends[0, :2] - ends[1, :2])) if (ends[:, 2] >= 0).all() else 0
    if not normaliser:
        return np.full(len(labels), np.nan)
    distances = np.hypot(*(prediction.points_xy - labels[:, :2]).T)
    return np.where(labels[:, 2] >= 0, distances / normaliser, np.nan)
