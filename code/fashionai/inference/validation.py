"""The validation error of a network while it trains: every image once, at one scale, without its mirror image."""
from pathlib import Path
from typing import Callable

import numpy as np

from fashionai.annotations import Annotations
from fashionai.dataflow.encoder import InputShape
from fashionai.dataflow.reading import read_image
from fashionai.garments import GARMENTS, Garment
from fashionai.inference.filling import submission_keypoints
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.inference.views import View
from fashionai.inference.windows import windows_of
from fashionai.metrics import score
from fashionai.networks.contract import Forward

_BATCH = 8


def validation_error(truth: Annotations, image_root: Path, network_garment: Garment,
                     shape: InputShape) -> Callable[[Forward], float]:
    """A function from a network's forward pass to its NE (`visible`) in percent.

    Args:
        truth: labelled images; of all types where the network serves all.
        image_root: folder the image ids start from.
        network_garment: the garment whose channels the network gives.
        shape: the network's input.
    """
    side = max(shape.input_hw)
    windows = windows_of([1.0], side, shape.input_hw)

    def measure(forward: Forward) -> float:
        view = View(forward, network_garment, shape.stride, shape.input_hw, windows)
        keypoints = np.full_like(truth.keypoints, -1)
        for category in sorted(set(truth.categories)):
            garment = GARMENTS[category]
            predictor = Predictor([view], garment, PredictionOptions(side, flip=False))
            rows = [row for row, name in enumerate(truth.categories) if name == category]
            for start in range(0, len(rows), _BATCH):
                chunk = rows[start:start + _BATCH]
                images = [read_image(image_root / truth.image_ids[row]) for row in chunk]
                keypoints[chunk] = [submission_keypoints(prediction.points_xy, garment)
                                    for prediction in predictor.predict(images)]
        predicted = Annotations(truth.image_ids, truth.categories, keypoints, 'validation')
        error = score(truth, predicted).visible.pooled.percent
        return float('nan') if error is None else error

    return measure
