"""Draws keypoints on pictures. Colours are BGR."""
from pathlib import Path
from typing import Sequence, Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.errors import InputError
from fashionai.files import write_bytes
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, scaling, transform_points, translation, warp_image

_LEFT, _RIGHT, _MIDDLE = (60, 140, 255), (255, 170, 40), (90, 220, 90)
_LIMB, _EDGE = (245, 245, 245), (90, 90, 90)  # a light line with dark edges is seen on white paper and on black cloth
_SHIFT = 4  # OpenCV draws between pixels in units of 1 / 2 ** _SHIFT


def draw_keypoints(image: np.ndarray, garment: Garment, keypoints: np.ndarray) -> np.ndarray:
    """Returns a copy of the image with limbs as lines and keypoints as dots: left orange, right blue, middle green.

    Args:
        image: (h, w, 3) uint8.
        garment: the type that has the keypoints and limbs.
        keypoints: (C, 3) x, y, v in the order of the CSV columns, in pixels of the image. Keypoints with v = -1 are
            left out, occluded ones are rings.
    """
    picture = image.copy()
    size = max(image.shape[:2]) / 100
    points = dict(zip(garment.csv_keypoints, keypoints))
    limbs = [(_fixed(points[start]), _fixed(points[end])) for start, end in garment.limbs
             if ABSENT not in (points[start][2], points[end][2])]
    width = max(1, round(size / 3))
    for colour, thickness in ((_EDGE, width + 2), (_LIMB, width)):
        for start, end in limbs:
            cv2.line(picture, start, end, colour, thickness, cv2.LINE_AA, _SHIFT)
    for name in garment.keypoints:
        if points[name][2] != ABSENT:
            radius, filled = round(size * 2 ** _SHIFT), -1 if points[name][2] == VISIBLE else max(1, round(size / 2))
            cv2.circle(picture, _fixed(points[name]), radius, keypoint_colour(name), filled, cv2.LINE_AA, _SHIFT)
    return picture


def keypoint_colour(name: str) -> Tuple[int, int, int]:
    """Returns the colour of a keypoint, by its side of the garment."""
    return _LEFT if 'left' in name else _RIGHT if 'right' in name else _MIDDLE


def tile(image: np.ndarray, keypoints: np.ndarray, side: int) -> Tuple[np.ndarray, np.ndarray]:
    """Returns image and keypoints scaled into a square of `side` pixels, the whole picture in the middle."""
    height, width = image.shape[:2]
    zoom = side / max(height, width)
    to_tile = compose(scaling(zoom, zoom), translation((side - width * zoom) / 2, (side - height * zoom) / 2))
    moved = np.asarray(keypoints, np.float64).copy()
    moved[:, :2] = transform_points(to_tile, moved[:, :2])
    return warp_image(to_tile, image, (side, side), border=255), moved


def sheet(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Returns pictures of one size arranged in rows of `columns`; the last row is filled with white."""
    blank = np.full_like(tiles[0], 255)
    padded = list(tiles) + [blank] * (-len(tiles) % columns)
    return np.vstack([np.hstack(padded[start:start + columns]) for start in range(0, len(padded), columns)])


def caption(text: str, width: int) -> np.ndarray:
    """Returns a line of text (ASCII) on a white strip of `width` pixels, (h, width, 3)."""
    height = max(12, round(width / 14))
    strip = np.full((height, width, 3), 255, np.uint8)
    cv2.putText(strip, text, (height // 4, round(0.75 * height)), cv2.FONT_HERSHEY_SIMPLEX, height / 40, (0, 0, 0),
                max(1, height // 20), cv2.LINE_AA)
    return strip


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes a picture (h, w, 3) uint8, completely or not at all, in the format that the ending of the path names.

    The file is not written by OpenCV, which gives no reason if it fails, and which ends the process if the name is not
    UTF-8. Raises OSError if the file cannot be written, InputError if the format cannot hold the picture or is
    none that OpenCV writes.
    """
    try:
        encoded, data = cv2.imencode(path.suffix, picture)
    except cv2.error:
        raise InputError(f'{path}: {path.suffix or "a name without an ending"} is not a format of pictures that OpenCV '
                         'writes: wanted an ending such as .jpg or .png') from None
    if not encoded:
        height, width = picture.shape[:2]
        raise InputError(f'{path}: a {path.suffix} file cannot hold {width} x {height} pixels')
    write_bytes(path, data.tobytes())


def _fixed(point: np.ndarray) -> Tuple[int, int]:
    return int(round(point[0] * 2 ** _SHIFT)), int(round(point[1] * 2 ** _SHIFT))
