"""Renders a plane with an object of known size, as a tilted camera sees it: the truth for scales of pictures.

Places on the plane are in centimetres; the middle of the picture shows (0, 0).
"""
from typing import Tuple

import cv2
import numpy as np

from fashionai.images.markers import marker_cells
from fashionai.images.scale import A4, CARD, ScaleObject

_FINE = 20
"""Pixels of a drawn object for each centimetre; more than any picture has."""

_CARD_RADIUS_CM = 0.318
"""Of the corners of a card, by ISO/IEC 7810."""


def camera(tilt: float, direction: float, distance_cm: float, size_hw: Tuple[int, int],
           focal_length: float = 1.) -> np.ndarray:
    """Returns the homography (3, 3) from places on the plane to pixels of the picture.

    Args:
        tilt: degrees between the axis of the camera and the plane's normal.
        direction: degrees, where the plane goes away from the camera: 0, at the right of the picture.
        distance_cm: of the camera from (0, 0).
        size_hw: of the picture in pixels.
        focal_length: as a share of the longer side of the picture: 1 is 36 mm of a camera for 35 mm film.
    """
    lean, turn = np.radians(tilt), np.radians(direction)
    turned = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    leaned = np.array([[np.cos(lean), 0, 0], [0, 1, 0], [np.sin(lean), 0, 1]])
    rotated = turned @ leaned @ turned.T
    focal = focal_length * max(size_hw)
    lens = np.array([[focal, 0, (size_hw[1] - 1) / 2], [0, focal, (size_hw[0] - 1) / 2], [0, 0, 1]])
    return lens @ np.column_stack([rotated[:, 0], rotated[:, 1], [0, 0, distance_cm]])


def seen(view: np.ndarray, places_cm: np.ndarray) -> np.ndarray:
    """Returns the pixels (n, 2) of places (n, 2) on the plane."""
    moved = np.column_stack([places_cm, np.ones(len(places_cm))]) @ view.T
    return moved[:, :2] / moved[:, 2:]


def render(rng: np.random.Generator, view: np.ndarray, shown: ScaleObject, place_cm: Tuple[float, float],
           turn: float, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a photograph (h, w, 3) uint8 BGR of a plane of one colour, with grain, with an object on it.

    Args:
        rng: makes colours, blur and noise.
        view: as `camera` returns it.
        shown: the object.
        place_cm: the middle of the object on the plane.
        turn: degrees by which the object is turned.
        size_hw: of the picture.
    """
    grain = rng.standard_normal((size_hw[0] // 3, size_hw[1] // 3), np.float32) * 12
    picture = cv2.resize(grain, (size_hw[1], size_hw[0]))[..., np.newaxis] + np.float32(rng.integers(60, 150, 3))
    drawn, cover = drawing_of(shown)
    height, width = np.array(drawn.shape[:2]) / _FINE
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    corners_cm = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    corners = seen(view, corners_cm @ np.array([[cosine, sine], [-sine, cosine]]) + place_cm)
    right, bottom = drawn.shape[1] - 0.5, drawn.shape[0] - 0.5
    drawn_corners = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]], np.float32)
    to_picture = cv2.getPerspectiveTransform(drawn_corners, corners.astype(np.float32))
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, None)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 3
    part = picture[top:bottom, left:right]
    moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ to_picture
    share = _warped(cover, moved, part.shape[:2])[..., np.newaxis]
    part[:] = part * (1 - share) + _warped(drawn, moved, part.shape[:2]) * share
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(1, 4))
    lit = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 1.2)) + noise
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def drawing_of(shown: ScaleObject) -> Tuple[np.ndarray, np.ndarray]:
    """Returns an object as it looks from above, (h, w, 3) uint8, and how much of each pixel it covers, (h, w)
    float32."""
    width, height = (round(side * _FINE) for side in shown.size_cm)
    if shown.kind == A4:
        return np.full((height, width, 3), 235, np.uint8), np.ones((height, width), np.float32)
    if shown.kind == CARD:
        return _card(width, height)
    cells = np.pad(marker_cells(shown.number), 1, mode='constant', constant_values=True)
    cell = width // (len(cells) - 2)
    black = np.kron(np.where(cells, 240, 25), np.ones((cell, cell))).astype(np.uint8)
    side = round(len(cells) * width / (len(cells) - 2))
    black = cv2.resize(black, (side, side), interpolation=cv2.INTER_AREA)
    return np.dstack([black] * 3), np.ones(black.shape, np.float32)


def _card(width: int, height: int) -> Tuple[np.ndarray, np.ndarray]:
    radius = round(_CARD_RADIUS_CM * _FINE)
    cover = np.zeros((height, width), np.float32)
    for x, y in ((radius, 0), (0, radius)):
        cover[y:height - y, x:width - x] = 1
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(cover, (x, y), radius, 1, -1)
    card = np.full((height, width, 3), (200, 215, 225), np.uint8)
    card[height // 3:height // 2, width // 8:width // 4] = (60, 180, 210)
    card[2 * height // 3:3 * height // 4, width // 8:3 * width // 4] = (90, 80, 80)
    return card, cover


def _warped(drawn: np.ndarray, to_picture: np.ndarray, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a drawing moved into a picture; each pixel is the mean of four places of a drawing of about its size."""
    finer = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], np.float64)
    large = cv2.warpPerspective(drawn, finer @ to_picture, (2 * size_hw[1], 2 * size_hw[0]), flags=cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_REPLICATE if drawn.ndim == 3 else cv2.BORDER_CONSTANT)
    return cv2.resize(large, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA)
