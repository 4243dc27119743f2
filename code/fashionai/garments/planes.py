"""The plane in which a garment lies, as an object of known size in the picture shows it."""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane of an object of known size, such as a printed marker; or the reason why it is not known.

    to_cm: (3, 3) float64, the homography from pixels of the picture to centimetres in the plane; None if it is not
        known.
    cm_per_pixel: the size of a pixel in centimetres at the object; None if it is not known.
    corners_xy: (4, 2) the corners of the object in pixels of the picture.
    fault: the reason why the plane is not known; '' if it is.
    """

    to_cm: Optional[np.ndarray] = None
    cm_per_pixel: Optional[float] = None
    corners_xy: Optional[np.ndarray] = None
    fault: str = ''

    def flattened(self, points_xy: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Returns points (n, 2) of the picture in centimetres in the plane, and whether (n,) each point is on it.

        A point at or above the horizon of the plane is not on it; its centimetres mean nothing. The plane must be
        known.
        """
        assert self.to_cm is not None and self.corners_xy is not None, self.fault
        points = np.vstack([self.corners_xy.mean(axis=0), points_xy])
        nearness = points @ self.to_cm[2, :2] + self.to_cm[2, 2]
        on_plane = nearness / nearness[0] > _HORIZON
        moved = (points @ self.to_cm[:2, :2].T + self.to_cm[:2, 2]) / np.where(on_plane, nearness, 1)[:, np.newaxis]
        return moved[1:], on_plane[1:]


_HORIZON = 0.1
"""A point is off the plane if it is seen from more than ten times the distance of the object."""

