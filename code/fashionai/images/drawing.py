"""Draws keypoints and texts on pictures. Colours are BGR. Sizes follow the longer side of the picture; in small
pictures they stop where they could no longer be read."""
from pathlib import Path
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.errors import InputError
from fashionai.files import write_bytes
from fashionai.garments.outlines import outline
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, scaling, transform_points, translation, warp_image

_LEFT, _RIGHT, _MIDDLE = (60, 140, 255), (255, 170, 40), (90, 220, 90)
_LIMB, _EDGE = (245, 245, 245), (90, 90, 90)  # a light line with dark edges is seen on white paper and on black cloth
_SHIFT = 4  # OpenCV draws between pixels in units of 1 / 2 ** _SHIFT
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEAST_TEXT, _LEAST_RADIUS = 0.34, 3.
"""The smallest scale of text that can be read, and the smallest radius of a dot that can be told from a ring."""

Colour = Tuple[int, int, int]


def draw_keypoints(image: np.ndarray, garment: Garment, keypoints: np.ndarray,
                   lines: Optional[Sequence[Tuple[str, str]]] = None) -> np.ndarray:
    """Returns a copy of the image with lines, and with keypoints as dots: left orange, right blue, middle green.

    Args:
        image: (h, w, 3) uint8.
        garment: the type that has the keypoints.
        keypoints: (C, 3) x, y, v in the order of the CSV columns, in pixels of the image. Keypoints with v = -1 are
            left out, occluded ones are rings.
        lines: pairs of keypoints; by default the outline of the garment.
    """
    picture = image.copy()
    size = dot_radius(image.shape[:2])
    points = dict(zip(garment.csv_keypoints, keypoints))
    shown = [(points[start], points[end]) for start, end in (outline(garment) if lines is None else lines)
             if ABSENT not in (points[start][2], points[end][2])]
    width = max(1, round(size / 3))
    for colour, thickness in ((_EDGE, width + max(2, round(width / 2))), (_LIMB, width)):
        for start, end in shown:
            draw_line(picture, start, end, colour, thickness)
    for name in garment.keypoints:
        if points[name][2] != ABSENT:
            radius, filled = round(size * 2 ** _SHIFT), -1 if points[name][2] == VISIBLE else max(1, round(size / 2))
            cv2.circle(picture, _fixed(points[name]), radius, keypoint_colour(name), filled, cv2.LINE_AA, _SHIFT)
    return picture


def draw_line(picture: np.ndarray, start: np.ndarray, end: np.ndarray, colour: Colour, width: int) -> None:
    """Draws a line between two points (x, y, ...) on the picture itself."""
    cv2.line(picture, _fixed(start), _fixed(end), colour, width, cv2.LINE_AA, _SHIFT)


def dot_radius(size_hw: Tuple[int, int]) -> float:
    """Returns the radius of the dots on a picture, in pixels."""
    return max(_side(size_hw) / 100, min(_LEAST_RADIUS, min(size_hw) / 30))


def text_scale(size_hw: Tuple[int, int]) -> float:
    """Returns OpenCV's scale of texts on a picture."""
    return max(_side(size_hw) / 1600, _LEAST_TEXT)


def text_size(text: str, scale: float) -> Tuple[int, int]:
    """Returns (width, height) of a line of text with its margin, in pixels."""
    (width, height), below = cv2.getTextSize(text, _FONT, scale, _stroke(scale))
    return width + 2 * _margin(scale), height + below + 2 * _margin(scale)


def write_text(picture: np.ndarray, text: str, left: int, top: int, colour: Colour, scale: float) -> None:
    """Writes a line of text on the picture itself, into the rectangle of `text_size` with that corner."""
    _, below = cv2.getTextSize(text, _FONT, scale, _stroke(scale))
    foot = top + text_size(text, scale)[1] - below - _margin(scale)
    cv2.putText(picture, text, (left + _margin(scale), foot), _FONT, scale, colour, _stroke(scale), cv2.LINE_AA)


def _side(size_hw: Tuple[int, int]) -> int:
    """Returns the side that sizes follow: the longer one, unless the picture is a narrow strip."""
    return min(max(size_hw), 3 * min(size_hw))


def _stroke(scale: float) -> int:
    return max(1, round(1.8 * scale))


def _margin(scale: float) -> int:
    return max(1, round(4 * scale))


def keypoint_colour(name: str) -> Colour:
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
    cv2.putText(strip, text, (height // 4, round(0.75 * height)), _FONT, height / 40, (0, 0, 0),
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
