"""What is said of predicted points besides their places: scores, and how sure the type is.

Letters: K keypoints, G the side of the canvas' grid.
"""
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import numpy as np

from fashionai.calibration.calibration import RIVAL_DISTANCE, ScoreCurve
from fashionai.images.geometry import transform_points
from fashionai.inference.canvas import canvas_map, responses
from fashionai.model_files.model_file import ModelFile

PROBABILITY, HEIGHT = 'probability', 'height'
"""Kinds of scores: the calibrated probability that a point is near its place, or the height of its peak."""

SURE = 0.8
"""Without a calibration, the type is unsure if its probability is lower than this: a person should check it."""


@dataclass(frozen=True)
class Scoring:
    """How answers of the networks become scores.

    Attributes:
        curve: the calibration of the scores; None: scores are the heights of the peaks.
        sure: the type is sure if its probability is at least this.
    """

    curve: Optional[ScoreCurve] = None
    sure: float = SURE

    def scores(self, heights: np.ndarray, heatmaps: np.ndarray, points_xy: np.ndarray,
               image_hw: Tuple[int, int]) -> np.ndarray:
        """Returns the scores (K,) of points; see `rivals_of` for what they have."""
        return self.curve.scores(heights, rivals_of(heatmaps, points_xy, image_hw)) if self.curve else heights


HEIGHTS = Scoring()
"""Scoring without a calibration."""


def scoring_of(models: Sequence[ModelFile], preset: Optional[str]) -> Scoring:
    """Returns how networks are scored that are used with a preset; None: with other flags.

    A curve holds for the preset that it was fitted with, and for one network: the mean of several has other heights.
    The type must be as sure as the most careful of the networks wants it.
    """
    calibrations = [model.contract.calibration if model.contract else None for model in models]
    sure = [SURE if one is None or one.types is None else one.types.sure for one in calibrations]
    only = calibrations[0] if len(calibrations) == 1 else None
    return Scoring(only.scores.get(preset or '') if only else None, max(sure))


def rivals_of(heatmaps: np.ndarray, points_xy: np.ndarray, image_hw: Tuple[int, int]) -> np.ndarray:
    """Returns (K,) the highest response, 0 to 1, of each heat map away from its point.

    Args:
        heatmaps: (K, G, G), sigmoids.
        points_xy: (K, 2) in pixels of the picture.
        image_hw: (height, width) of the picture in pixels.
    """
    grid = heatmaps.shape[1]
    centres = transform_points(canvas_map(image_hw, grid), points_xy)
    places = np.arange(grid)
    squares = ((places[:, np.newaxis] - centres[:, 1, np.newaxis, np.newaxis]) ** 2
               + (places - centres[:, 0, np.newaxis, np.newaxis]) ** 2)
    away = np.where(squares > (RIVAL_DISTANCE * grid) ** 2, heatmaps, 0)
    return responses(away.max(axis=(1, 2)).astype(np.float64))
