"""In which frame labels are given: that of the pixels as a file stores them, or of the picture as people see it.

A camera held sideways stores the pixels as its sensor has them, and an EXIF orientation that says how to turn them.
Training reads pixels as stored; most labelling tools show the picture turned upright. Labels in the other frame would
be 90 degrees off, so the two are brought together.
"""
from typing import Optional, Tuple

import cv2
import numpy as np

from fashionai.images.decoder import TURNS, decode_image
from fashionai.images.headers import header_of

Size = Tuple[int, int]

UPRIGHT, STORED = 'upright', 'stored'
"""The two frames."""

ANOTHER, UNDECIDED = 'another', 'undecided'
"""What else sizes may say: the labels are those of a picture of another size; or either frame has this size."""

NO_SIZE: Size = (0, 0)
"""Stands for a size that a list of labels does not say."""

_QUALITY = 95


def orientation_of(data: bytes) -> int:
    """Return the EXIF orientation of a picture file's bytes, 1 to 8; 1 if it says none. Errors as in `header_of`."""
    header = header_of(data)
    return header.orientation if header else 1


def frame_of(labelled_hw: Optional[Size], stored_hw: Size, orientation: int) -> str:
    """Return the frame that labels are given in: UPRIGHT, STORED, ANOTHER or UNDECIDED.

    Args:
        labelled_hw: (height, width) of the picture that was labelled; NO_SIZE if the labels do not say it, None of
            labels that are known to be in stored pixels.
        stored_hw: (height, width) of the file's pixels.
        orientation: that of the file.
    """
    if labelled_hw is None:
        return STORED
    shown_hw = stored_hw[::-1] if orientation >= 5 else stored_hw
    if labelled_hw != NO_SIZE and labelled_hw not in (stored_hw, shown_hw):
        return ANOTHER
    if orientation == 1:
        return STORED
    if labelled_hw == NO_SIZE or stored_hw == shown_hw:
        return UNDECIDED
    return UPRIGHT if labelled_hw == shown_hw else STORED


def turned_upright(data: bytes, name: str) -> bytes:
    """Return a picture file whose pixels are stored upright, without an orientation: a PNG of a PNG, else a JPEG, which
    is encoded anew. `name` is what errors call it. Raises InputError for what is no picture."""
    image = np.ascontiguousarray(TURNS[orientation_of(data)](decode_image(data, name)))
    header = header_of(data)
    if header and header.format == 'PNG':
        return cv2.imencode('.png', image)[1].tobytes()
    return cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()
