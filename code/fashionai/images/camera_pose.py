"""The view of a rectangle by a usual camera, from its four corners in a picture.

Four corners of a small object say little about the perspective of a large garment beside it: a tenth of a pixel at the
object becomes centimetres at the garment. What is known of cameras and pictures says the rest: pixels are square, the
axis goes through the middle of the picture, focal lengths differ little, and tilts are moderate.
"""
from dataclasses import dataclass
from typing import Callable, Tuple

import cv2
import numpy as np

_FOCAL_LENGTH, _FOCAL_SPREAD = 1.0, 0.3
"""The usual focal length as a share of the longer side of the picture, 36 mm of a camera for 35 mm film, and the
standard deviation of its logarithm: telephones have 24 to 28 mm, cameras 35 to 70 mm."""

_TILT_SPREAD = 0.4
"""The standard deviation of the sine of a tilt."""

_NOISE = 0.1
"""The standard deviation of a corner, in pixels."""

_STEPS, _SMALL_GAIN = 30, 1e-4

_RIVAL = 6.
"""A second view is a rival if its sum of squares is larger by less than this: if its odds are better than 1 to 20."""

_SAME = 0.1
"""Two views whose normals differ by less than this are the same."""


@dataclass(frozen=True, eq=False)
class View:
    """A camera's view of a rectangle.

    to_pixels: (3, 3) the homography from places on the rectangle, in the unit of its sides from its first corner, to
        pixels of the picture.
    tilt: degrees between the axis of the camera and the normal of the rectangle.
    misfit: the largest distance of a corner from its place in this view, in pixels.
    is_clear: False if another tilt explains the corners nearly as well.
    """

    to_pixels: np.ndarray
    tilt: float
    misfit: float
    is_clear: bool


def fitted_view(corners_xy: np.ndarray, size: Tuple[float, float], picture_hw: Tuple[int, int]) -> View:
    """Returns the most probable view: the least sum of squares of the distances of the corners in units of _NOISE, of
    the focal length from the usual one in units of _FOCAL_SPREAD, and of the tilt in units of _TILT_SPREAD.

    Args:
        corners_xy: (4, 2) in pixels; the first two are the ends of a side of the length `size[0]`.
        size: the lengths of the sides, in any unit.
        picture_hw: height and width of the picture.
    """
    longer, middle = max(picture_hw), (np.array(picture_hw[::-1], np.float64) - 1) / 2
    width, height = np.array(size) / max(size)
    flat = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float64) / 2
    seen = (corners_xy - middle) / longer

    def errors(pose: np.ndarray) -> np.ndarray:
        view = _view(pose)
        moved = flat @ view[:, :2].T + view[:, 2]
        distances = (moved[:, :2] / moved[:, 2:] - seen) * longer / _NOISE
        return np.concatenate([distances.ravel(), _normal(pose)[:2] / _TILT_SPREAD, [pose[6] / _FOCAL_SPREAD]])

    poses = [_least_squares(errors, start) for start in _starts(flat, seen)]
    sums = [float((errors(pose) ** 2).sum()) for pose in poses]
    best, other = np.argsort(sums)[[0, -1]]
    unlike = np.linalg.norm(_normal(poses[best]) - _normal(poses[other])) > _SAME
    to_pixels = np.array([[longer, 0, middle[0]], [0, longer, middle[1]], [0, 0, 1]])
    to_flat = np.array([[1 / max(size), 0, -width / 2], [0, 1 / max(size), -height / 2], [0, 0, 1]])
    misfit = np.linalg.norm(errors(poses[best])[:8].reshape(4, 2), axis=1).max() * _NOISE
    tilt = np.degrees(np.arccos(min(1, abs(_normal(poses[best])[2]))))
    return View(to_pixels @ _view(poses[best]) @ to_flat, float(tilt), float(misfit),
                bool(not unlike or sums[other] - sums[best] > _RIVAL))


def _normal(pose: np.ndarray) -> np.ndarray:
    """Returns the normal (3,) of the plane, as the camera sees it."""
    return cv2.Rodrigues(pose[:3])[0][:, 2]


def _view(pose: np.ndarray) -> np.ndarray:
    """Returns the homography of a pose (7,): rotation vector, translation, and the logarithm of the focal length."""
    turned = cv2.Rodrigues(pose[:3])[0]
    focal = _FOCAL_LENGTH * np.exp(pose[6])
    return np.diag([focal, focal, 1]) @ np.column_stack([turned[:, 0], turned[:, 1], pose[3:6]])


def _starts(flat: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Returns both poses (2, 7) that a camera with the usual focal length may have (Collins and Bartoli, "Infinitesimal
    plane-based pose estimation", 2014)."""
    lens = np.diag([_FOCAL_LENGTH, _FOCAL_LENGTH, 1])
    _, turns, shifts = cv2.solvePnPGeneric(np.column_stack([flat, np.zeros(4)]), seen, lens, None,
                                           flags=cv2.SOLVEPNP_IPPE)[:3]
    return np.array([[*turn.ravel(), *shift.ravel(), 0] for turn, shift in zip(turns, shifts)])


def _least_squares(errors: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    """Returns the place of a least sum of squares, by the method of Levenberg and Marquardt with numeric slopes."""
    place, damping = start, 1e-3
    for _ in range(_STEPS):
        now = errors(place)
        small = 1e-6 * np.maximum(np.abs(place), 1e-2)
        slopes = np.array([(errors(place + step) - now) / step.sum() for step in np.diag(small)]).T
        normal = slopes.T @ slopes
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), -slopes.T @ now)
        gain = (now ** 2).sum() - (errors(place + step) ** 2).sum()
        if gain > 0:
            place, damping = place + step, damping / 5
            if gain < _SMALL_GAIN:
                break
        else:
            damping *= 5
    return place
