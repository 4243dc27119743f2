"""A service without TensorFlow: its predictor places every garment at the usual place of its type.

Of the keypoints, the first is barely seen and the second not found; all others have a full score. The type is told by
the colour of the picture's first pixel: red is a dress, green a skirt, and blue may be a blouse as well as an outwear.
"""
import sys
from typing import Callable, List, Optional, Sequence

import cv2
import numpy as np
import pytest

if sys.version_info < (3, 10):
    collect_ignore_glob = ['*']  # the service and its packages need a newer Python
else:
    from fashionai.garments.table import GARMENTS, Garment, Garments
    from fashionai.images.geometry import transform_points
    from fashionai.inference.canvas import canvas_map
    from fashionai.inference.garment_predictor import GarmentPredictor
    from fashionai.inference.missing_keypoints import usual_points
    from fashionai.inference.predictor import KeypointPrediction
    from fashionai.serving.answers import card_of
    from fashionai.serving.app import make_app
    from fashionai.serving.limits import Limits
    from fashionai.serving.metrics import Metrics

GRID = 48
SHARES = {(0, 0, 255): {'dress': 0.97}, (0, 255, 0): {'skirt': 0.95}, (255, 0, 0): {'blouse': 0.5, 'outwear': 0.45}}


class Stand:
    """A stand-in for the networks of a type."""

    def __init__(self, garment: 'Garment') -> None:
        self._garment = garment

    def predict(self, images: Sequence[np.ndarray]) -> 'List[KeypointPrediction]':
        """Returns the usual points, and a heat map with a dot for each."""
        return [self._prediction(image.shape[:2]) for image in images]

    def _prediction(self, image_hw: Sequence[int]) -> 'KeypointPrediction':
        points = usual_points(self._garment, (image_hw[0], image_hw[1]))
        heights = np.ones(len(points))
        heights[0] = 0.125
        places = transform_points(canvas_map((image_hw[0], image_hw[1]), GRID), points)
        rows, columns = np.mgrid[:GRID, :GRID]
        squares = [(columns - x) ** 2 + (rows - y) ** 2 for x, y in places]
        maps = heights[:, None, None] * np.exp(-np.stack(squares) / 8)
        return KeypointPrediction(points, 1 / (1 + np.exp(-heights)), np.arange(len(points)) != 1,
                          (1 / (1 + np.exp(-maps))).astype(np.float32))


def type_predictor(images: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the probabilities of the types, which depend on the first pixel."""
    probabilities = []
    for image in images:
        colour = tuple(np.where(image[0, 0] > 127, 255, 0).tolist())
        shares = SHARES.get(colour, {'trousers': 0.9})
        probabilities.append([shares.get(name, (1 - sum(shares.values())) / (5 - len(shares))) for name in GARMENTS])
    return np.array(probabilities)


@pytest.fixture(scope='session')
def application() -> Callable:
    """`application(limits, predicted_types, garments)`: the service of every type of a table, with networks that
    predict the types in `predicted_types`."""
    def make(limits: 'Optional[Limits]' = None, predicted_types: Sequence[str] = tuple(GARMENTS),
             garments: 'Garments' = GARMENTS, metrics: 'Optional[Metrics]' = None) -> object:
        predictor = GarmentPredictor({name: Stand(garment) for name, garment in garments.items()}, predicted_types,
                                     [type_predictor], garments)
        return make_app(predictor, card_of([], predictor, limits or Limits()), limits or Limits(), metrics)
    return make


@pytest.fixture(scope='session')
def encoded() -> Callable[..., bytes]:
    """`encoded(width, height, colour, ending)`: a picture file of one BGR colour."""
    def make(width: int = 120, height: int = 160, colour: Sequence[int] = (0, 0, 255), ending: str = '.png') -> bytes:
        return cv2.imencode(ending, np.full((height, width, 3), colour, np.uint8))[1].tobytes()
    return make
