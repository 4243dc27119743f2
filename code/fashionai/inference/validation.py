"""The validation error of a network while it trains: every image once, at one scale, without its mirror image."""
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
    """A function from a network's forward pass to its NE (`visible`) in percent. Where the network tells types, the log
    says in how many images it told the right one.

    Args:
        truth: labelled images; of all types where the network serves all.
        image_root: folder the image ids start from.
        network_garment: the garment whose channels the network gives.
        shape: the network's input.

    Raises InputError if an image cannot be read: now, not after hours of training.
    """
    _check_images(truth, image_root)
    side = max(shape.input_hw)
    names = network_garment.types

    def measure(look: TypedForward) -> float:
        told: List[str] = []

        def forward(images: np.ndarray) -> np.ndarray:
            maps, types = look(images)
            told.extend([] if types is None else [names[number] for number in types.argmax(axis=1)])
            return maps

        view = NetworkInput(forward, network_garment, shape.stride, shape.input_hw, [1.0])
        keypoints = np.full_like(truth.keypoints, -1)
        for category in sorted(set(truth.categories)):
            garment = truth.garments[category]
            predictor = Predictor([view], garment, PredictionOptions(side, flip=False))
            rows = [row for row, name in enumerate(truth.categories) if name == category]
            for start in range(0, len(rows), _BATCH):
                chunk = rows[start:start + _BATCH]
                images = [read_image(image_path(image_root, truth.image_ids[row])) for row in chunk]
                keypoints[chunk] = [submission_keypoints(prediction.points_xy, garment)
                                    for prediction in predictor.predict(images)]
        _log_types(told, sorted(truth.categories))  # in the order in which they were looked at
        predicted = replace(truth, keypoints=keypoints, source='validation')
        error = score(truth, predicted).visible.pooled.percent
        return float('nan') if error is None else error

    return measure


def _check_images(truth: Annotations, image_root: Path) -> None:
    """Raises InputError, naming one, if there are images that cannot be read."""
    def fault(image_id: str) -> str:
        read = read_or_unreadable(image_path(image_root, image_id))
        return read.reason if isinstance(read, Unreadable) else ''

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = list(filter(None, pool.map(fault, truth.image_ids)))
    if faults:
        raise InputError(f'{len(faults)} of {len(truth)} images of {truth.source} cannot be read, such as {faults[0]}')


def _log_types(told: Sequence[str], right: Sequence[str]) -> None:
    """Say how often the type that was told is the right one, where any was."""
    if told:
        logger.info('the garment type is right in %.1f %% of %d images',
                    100 * np.mean([one == other for one, other in zip(told, right)]), len(right))
