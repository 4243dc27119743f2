"""Points the heat maps do not show, put where the type's mean shape has them; of types without one they stay as found.

K keypoints in the garment's channel order, C keypoint columns; points (x, y) and sizes in the image's own pixels.
"""
from typing import Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.garments.shapes import REFERENCE_SIZE, has_shape, mean_shape, shape_of
from fashionai.garments.table import Garment
from fashionai.images.geometry import similarity, transform_points


def fillable(garment: Garment) -> np.ndarray:
    """(K,) bool: the points that are filled in where their peak is invalid: the waistline; on a dress, the hem too."""
    edges = ('waistline', 'hemline') if garment.name == 'dress' else ('waistline',)
    return np.array([name.startswith(edges) for name in garment.keypoints])


def fill_in(points_xy: np.ndarray, valid: np.ndarray, garment: Garment, image_hw: Tuple[int, int]) -> np.ndarray:
    """The points (K, 2), the fillable ones among the invalid moved to where the valid ones say they should be.

    The mean shape is laid over the valid points by the similarity that fits them best; with fewer than two of them it
    goes where such garments usually are.
    """
    missing = fillable(garment) & ~valid
    if not missing.any() or not has_shape(garment):
        return points_xy
    filled = points_xy.copy()
    filled[missing] = _fitted_shape(points_xy, valid, garment, image_hw)[missing]
    return filled


def usual_points(garment: Garment, image_hw: Tuple[int, int]) -> np.ndarray:
    """(K, 2) points of a garment in the middle of an image, of the mean shape and the usual size; of a type without a
    mean shape, all in the very middle."""
    height, width = image_hw
    points = np.tile((np.array([width, height]) - 1) / 2, (len(garment.keypoints), 1))
    if has_shape(garment):
        points += mean_shape(garment) * shape_of(garment.name).size_mean_std[0] / REFERENCE_SIZE * max(image_hw)
    return np.clip(points, 0, np.array([width, height]) - 1.0)


def submission_keypoints(points_xy: np.ndarray, garment: Garment) -> np.ndarray:
    """(C, 3) int32 of x, y, v in CSV order: the type's points in whole pixels with v = 1, the others all -1."""
    keypoints = np.full((len(garment.csv_keypoints), 3), ABSENT, np.int32)
    keypoints[garment.csv_indices, :2] = np.rint(points_xy)
    keypoints[garment.csv_indices, 2] = VISIBLE
    return keypoints


def _fitted_shape(points_xy: np.ndarray, valid: np.ndarray, garment: Garment,
                  image_hw: Tuple[int, int]) -> np.ndarray:
    shape = mean_shape(garment)
    affine = similarity(shape[valid], points_xy[valid])
    return usual_points(garment, image_hw) if affine is None else transform_points(affine, shape)
