"""The frame of labels: pixels as the file stores them (stored), or the picture as people see it (upright).

A camera held sideways stores the pixels as its sensor has them, with an EXIF orientation that says how to turn them.
Training reads pixels as stored; most labelling tools show the picture upright. Labels in the wrong frame would be 90
degrees off. Therefore pictures that were labelled upright are written upright.
"""
import math
from typing import Any, Optional, Tuple

import cv2
import numpy as np

from fashionai.images.decoder import TURNS, decode_image
from fashionai.images.headers import header_of, upright_size

Size = Tuple[int, int]

UPRIGHT, STORED = 'upright', 'stored'
"""The two frames."""

ANOTHER, UNDECIDED = 'another', 'undecided'
"""Other answers of `frame_of`: the labels are of a picture of another size; the size fits both frames."""

NO_SIZE: Size = (0, 0)
"""Means that the labels do not give a size."""

_QUALITY = 95


def orientation_of(data: bytes) -> int:
    """Returns the EXIF orientation of a picture file's bytes, 1 to 8; 1 if it has none. Errors as in `header_of`."""
    header = header_of(data)
    return header.orientation if header else 1


def labelled_size(height: Any, width: Any) -> Size:
    """Returns (height, width) that a file gives for a picture; NO_SIZE if they are no valid size."""
    sides = [side if isinstance(side, (int, float)) and 1 <= side < math.inf else 0 for side in (height, width)]
    return (int(sides[0]), int(sides[1])) if all(sides) else NO_SIZE


def frame_of(labelled_hw: Optional[Size], stored_hw: Size, orientation: int) -> str:
    """Returns the frame of labels: UPRIGHT, STORED, ANOTHER or UNDECIDED.

    Args:
        labelled_hw: (height, width) of the picture that was labelled; NO_SIZE if the labels do not say it; None if the
            labels are known to be in stored pixels.
        stored_hw: (height, width) of the pixels in the file.
        orientation: the EXIF orientation of the file, 1 to 8.
    """
    if labelled_hw is None:
        return STORED
    shown_hw = upright_size(stored_hw, orientation)
    if labelled_hw != NO_SIZE and labelled_hw not in (stored_hw, shown_hw):
        return ANOTHER
    if orientation == 1:
        return STORED
    if labelled_hw == NO_SIZE or stored_hw == shown_hw:
        return UNDECIDED
    return UPRIGHT if labelled_hw == shown_hw else STORED


def upright_points(points_xy: np.ndarray, stored_hw: Size, orientation: int) -> np.ndarray:
    """Returns where (n, 2) points of a picture of (height, width) pixels as stored are in the upright picture."""
    (x, y), (height, width) = points_xy.T, stored_hw
    right, down = width - 1 - x, height - 1 - y
    turned = {1: (x, y), 2: (right, y), 3: (right, down), 4: (x, down), 5: (y, x), 6: (down, x), 7: (down, right),
              8: (y, right)}
    return np.stack(turned[orientation], axis=1)


def turned_upright(data: bytes, name: str) -> bytes:
    """Returns a picture file with its pixels stored upright and without an orientation.

    A PNG stays a PNG; any other picture becomes a JPEG, which is encoded again. `name` is the picture's name in errors.
    Raises InputError if the bytes are no picture.
    """
    image = np.ascontiguousarray(TURNS[orientation_of(data)](decode_image(data, name)))
    header = header_of(data)
    if header and header.format == 'PNG':
        return cv2.imencode('.png', image)[1].tobytes()
    return cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()
