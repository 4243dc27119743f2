"""2x3 affine maps that move an image and its points together.

The whole project uses one pixel-centre convention: the point (x, y) = (3, 5) is the centre of the pixel in column 3 and
row 5, so an image of width w covers x from -0.5 to w - 0.5. Therefore enlarging by s maps x to (x + 0.5) s - 0.5, and
the centre of heat-map cell j at stride 8 is input pixel 8 j + 3.5. A map is a (2, 3) float64 array [A | t] that maps a
source point p to A p + t.
"""
from typing import Optional, Tuple

import cv2
import numpy as np


def scaling(x_factor: float, y_factor: float) -> np.ndarray:
    """Returns the map that enlarges by the factors; the top left corner (-0.5, -0.5) stays in place."""
    return np.array([[x_factor, 0, (x_factor - 1) / 2], [0, y_factor, (y_factor - 1) / 2]], np.float64)


def translation(dx: float, dy: float) -> np.ndarray:
    """Returns the map that moves by (dx, dy) pixels."""
    return np.array([[1, 0, dx], [0, 1, dy]], np.float64)


def rotation(degrees: float, centre_xy: Tuple[float, float]) -> np.ndarray:
    """Returns the map that rotates about a point; positive angles are clockwise on the screen (y points down)."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = np.array([[cosine, -sine], [sine, cosine]])
    centre = np.asarray(centre_xy, np.float64)
    return np.column_stack([linear, centre - linear @ centre])


def mirroring(width: int) -> np.ndarray:
    """Returns the map that mirrors an image of this width: x becomes width - 1 - x."""
    return np.array([[-1, 0, width - 1], [0, 1, 0]], np.float64)


def similarity(source_xy: np.ndarray, target_xy: np.ndarray) -> Optional[np.ndarray]:
    """Returns the rotation, scaling and translation that best maps (n, 2) source points to (n, 2) target points.

    It is the (2, 3) map with the least sum of squared distances, without a reflection (Umeyama, "Least-squares
    estimation of transformation parameters between two point patterns", 1991). Returns None if the points do not
    determine it: fewer than two, or all at the same point.
    """
    if len(source_xy) < 2 or min(np.ptp(source_xy, axis=0).max(), np.ptp(target_xy, axis=0).max()) == 0:
        return None
    source_mean, target_mean = source_xy.mean(axis=0), target_xy.mean(axis=0)
    source = source_xy - source_mean
    left, spread, right = np.linalg.svd((target_xy - target_mean).T @ source)
    signs = np.array([1, np.sign(np.linalg.det(left @ right))])
    linear = (left * signs) @ right * (spread @ signs) / (source ** 2).sum()
    if not np.linalg.det(linear):
        return None
    return np.column_stack([linear, target_mean - linear @ source_mean])


def compose(*maps: np.ndarray) -> np.ndarray:
    """Returns one map that applies the given maps in order, the first one first."""
    result = np.eye(2, 3)
    for affine in maps:
        result = affine[:, :2] @ result
        result[:, 2] += affine[:, 2]
    return result


def invert(affine: np.ndarray) -> np.ndarray:
    """Returns the inverse of a map."""
    return np.linalg.inv(np.vstack([affine, [0, 0, 1]]))[:2]


def transform_points(affine: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns points (..., 2) moved by a map, as float64 (..., 2)."""
    return np.asarray(points_xy, np.float64) @ affine[:, :2].T + affine[:, 2]


def warp_image(affine: np.ndarray, image: np.ndarray, size_hw: Tuple[int, int], border: float = 0) -> np.ndarray:
    """Returns the image (h, w, c) moved by a map, on a canvas of size (height, width); the rest has the value `border`.

    The interpolation is bilinear. If the map shrinks the image to half or less, blocks of pixels are first averaged, so
    that a large photograph has no aliasing.
    """
    shrink = int(1 / np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    if shrink >= 2:
        height, width = image.shape[0] // shrink, image.shape[1] // shrink
        if height and width:
            affine = compose(scaling(image.shape[1] / width, image.shape[0] / height), affine)
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.warpAffine(image, affine, (size_hw[1], size_hw[0]), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 4)
