"""Places keypoints that the heat maps do not show by the mean shape of the garment type. If a type has no mean shape,
its points stay as they were decoded.

Letters: K keypoints in the garment's channel order, C keypoint columns; points (x, y) and sizes in original pixels.
"""
from typing import Optional, Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.garments.shapes import REFERENCE_SIZE, has_shape, mean_shape, shape_of
from fashionai.garments.table import Garment
from fashionai.images.geometry import similarity, transform_points


def fillable(garment: Garment) -> np.ndarray:
    """Returns (K,) bool: points that are filled in if their peak is invalid: the waistline; on a dress also the hem."""
    edges = ('waistline', 'hemline') if garment.name == 'dress' else ('waistline',)
    return np.array([name.startswith(edges) for name in garment.keypoints])


def fill_in(points_xy: np.ndarray, valid: np.ndarray, garment: Garment, image_hw: Tuple[int, int]) -> np.ndarray:
    """Returns the points (K, 2) after moving those that are fillable and invalid to their place in the mean shape.

    The mean shape is laid over the valid points by the similarity that fits them best. If fewer than two points are
    valid, it lies at the usual place of such garments.
    """
    missing = fillable(garment) & ~valid
    if not missing.any() or not has_shape(garment):
        return points_xy
    filled = points_xy.copy()
    filled[missing] = _fitted_shape(points_xy, valid, garment, image_hw)[missing]
    return filled


def usual_points(garment: Garment, image_hw: Tuple[int, int]) -> np.ndarray:
    """Returns (K, 2) points of a garment of mean shape and usual size in the middle of an image. If the type has no
    mean shape, all points are in the very middle."""
    height, width = image_hw
    points = np.tile((np.array([width, height]) - 1) / 2, (len(garment.keypoints), 1))
    if has_shape(garment):
        points += mean_shape(garment) * shape_of(garment.name).size_mean_std[0] / REFERENCE_SIZE * max(image_hw)
    return np.clip(points, 0, np.array([width, height]) - 1.0)


def submission_keypoints(points_xy: np.ndarray, garment: Garment, labels: Optional[np.ndarray] = None) -> np.ndarray:
    """Returns (C, 3) int32 of x, y, v in CSV order: the type's points (K, 2) in whole pixels with v = 1, the others all
    -1. With `labels` (K,) the points have those as v, and absent ones are all -1 too."""
    keypoints = np.full((len(garment.csv_keypoints), 3), ABSENT, np.int32)
    keypoints[garment.csv_indices, :2] = np.rint(points_xy)
    keypoints[garment.csv_indices, 2] = VISIBLE if labels is None else labels
    keypoints[keypoints[:, 2] == ABSENT] = ABSENT
    return keypoints


def _fitted_shape(points_xy: np.ndarray, valid: np.ndarray, garment: Garment,
                  image_hw: Tuple[int, int]) -> np.ndarray:
    shape = mean_shape(garment)
    affine = similarity(shape[valid], points_xy[valid])
    return usual_points(garment, image_hw) if affine is None else transform_points(affine, shape)
