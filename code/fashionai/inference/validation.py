"""Measures the validation error of a network during training: each image is one pass at one scale, without its mirror
image."""
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Callable, List, Sequence

import numpy as np

from fashionai.annotations import Annotations, image_path
from fashionai.dataflow.encoder import InputShape
from fashionai.errors import InputError
from fashionai.evaluation.metrics import score
from fashionai.garments.table import Garment
from fashionai.images.decoder import Unreadable, read_image, read_or_unreadable
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.missing_keypoints import submission_keypoints
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.networks.tensor_names import TypedForward

_BATCH = 8

logger = logging.getLogger(__name__)


def validation_error(truth: Annotations, image_root: Path, network_garment: Garment,
                     shape: InputShape) -> Callable[[TypedForward], float]:
    """Returns a function from a network's forward pass to its NE (`visible`) in percent. If the network predicts types,
    the log says in how many images the type was right.

    Args:
        truth: labelled images; of all types if the network serves all.
        image_root: the folder of the image ids.
        network_garment: the garment whose channels the network gives.
        shape: the network's input.

    Raises InputError at once, not after hours of training, if an image cannot be read.
    """
    _check_images(truth, image_root)
    side = max(shape.input_hw)
    names = network_garment.types

    def measure(predict_with_types: TypedForward) -> float:
        predicted_types: List[str] = []

        def forward(images: np.ndarray) -> np.ndarray:
            maps, types = predict_with_types(images)
            predicted_types.extend([] if types is None else [names[number] for number in types.argmax(axis=1)])
            return maps

        network_input = NetworkInput(forward, network_garment, shape.stride, shape.input_hw, [1.0])
        keypoints = np.full_like(truth.keypoints, -1)
        for category in sorted(set(truth.categories)):
            garment = truth.garments[category]
            predictor = Predictor([network_input], garment, PredictionOptions(side, flip=False))
            rows = [row for row, name in enumerate(truth.categories) if name == category]
            for start in range(0, len(rows), _BATCH):
                chunk = rows[start:start + _BATCH]
                images = [read_image(image_path(image_root, truth.image_ids[row])) for row in chunk]
                keypoints[chunk] = [submission_keypoints(prediction.points_xy, garment)
                                    for prediction in predictor.predict(images)]
        _log_types(predicted_types, sorted(truth.categories))  # in the order of the batches
        predicted = replace(truth, keypoints=keypoints, source='validation')
        error = score(truth, predicted).visible.pooled.percent
        return float('nan') if error is None else error

    return measure


def _check_images(truth: Annotations, image_root: Path) -> None:
    """Raises InputError, which names one image, if images cannot be read."""
    def fault(image_id: str) -> str:
        read = read_or_unreadable(image_path(image_root, image_id))
        return read.reason if isinstance(read, Unreadable) else ''

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = list(filter(None, pool.map(fault, truth.image_ids)))
    if faults:
        raise InputError(f'{len(faults)} of {len(truth)} images of {truth.source} cannot be read, such as {faults[0]}')


def _log_types(predicted: Sequence[str], right: Sequence[str]) -> None:
    """Logs how often the predicted type is right, if types were predicted."""
    if predicted:
        logger.info('the garment type is right in %.1f %% of %d images',
                    100 * np.mean([one == other for one, other in zip(predicted, right)]), len(right))
