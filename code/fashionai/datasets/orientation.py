"""The EXIF orientation of picture files: how it is read, and in which frame labels are given.

A camera held sideways stores the pixels as its sensor has them, and an orientation from 1 to 8 that says how to turn
them (Exif 2.32, tag 0x0112). Training reads pixels as they are stored; people and most labelling tools see the picture
turned upright. Labels in the other frame would be 90 degrees off, so the two are brought together here.
"""
import struct
from typing import Callable, Iterator, Mapping, Optional, Tuple

import cv2
import numpy as np

from fashionai.errors import InputError

Size = Tuple[int, int]

UPRIGHT, STORED = 'upright', 'stored'
"""The two frames that labels may be given in."""

ANOTHER, UNDECIDED = 'another', 'undecided'
"""What else the sizes may say: the labels are those of a picture of another size; or either frame has this size."""

NO_SIZE: Size = (0, 0)
"""Stands for a size that a list of labels does not say."""

_TURNS: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1], 3: lambda image: image[::-1, ::-1], 4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1), 6: lambda image: image[::-1].swapaxes(0, 1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1), 8: lambda image: image.swapaxes(0, 1)[::-1]}
"""By orientation, from stored to upright pixels; from 5 on, width and height change places."""

_TAG, _SHORT = 0x0112, 3
_JPEG, _PNG = b'\xff\xd8', b'\x89PNG\r\n\x1a\n'
_STARTS_SCAN, _STANDALONE = 0xda, frozenset((0x01, *range(0xd0, 0xd9)))
_QUALITY = 95


def orientation_of(data: bytes) -> int:
    """Return the EXIF orientation of a JPEG or PNG file's bytes, 1 to 8; 1 if it says none."""
    segments = _jpeg_exif(data) if data.startswith(_JPEG) else _png_exif(data) if data.startswith(_PNG) else iter(())
    return next((value for value in map(_orientation, segments) if value is not None), 1)


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


def turned_upright(data: bytes) -> bytes:
    """Return a picture file of the same format whose pixels are stored upright, without an orientation. A JPEG is
    encoded again. Raises InputError for what is no picture."""
    image = np.ascontiguousarray(_TURNS[orientation_of(data)](_stored_pixels(data)))
    form, options = ('.png', ()) if data.startswith(_PNG) else ('.jpg', (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return cv2.imencode(form, image, options)[1].tobytes()


def _stored_pixels(data: bytes) -> np.ndarray:
    """(h, w) or (h, w, channels), of the depth of the file."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)  # which does not turn it
    if image is None:
        raise InputError('not a picture that OpenCV can read')
    return image


def _jpeg_exif(data: bytes) -> Iterator[bytes]:
    """The TIFF structure of each Exif segment before the first scan."""
    place = len(_JPEG)
    while place + 4 <= len(data) and data[place] == 0xff:
        marker = data[place + 1]
        if marker == 0xff or marker in _STANDALONE:
            place += 1 if marker == 0xff else 2
            continue
        length, = struct.unpack_from('>H', data, place + 2)
        if marker == 0xe1 and data[place + 4:place + 10] == b'Exif\0\0':
            yield data[place + 10:place + 2 + length]
        if marker == _STARTS_SCAN or length < 2:
            return
        place += 2 + length


def _png_exif(data: bytes) -> Iterator[bytes]:
    """The content of each eXIf chunk."""
    place = len(_PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from('>I4s', data, place)
        if kind == b'eXIf':
            yield data[place + 8:place + 8 + length]
        place += 12 + length


def _orientation(tiff: bytes) -> Optional[int]:
    """The orientation in the first directory of a TIFF structure; None if there is none, or none from 1 to 8."""
    order = {b'II*\0': '<', b'MM\0*': '>'}.get(tiff[:4])
    try:
        if order is None:
            return None
        start, = struct.unpack_from(f'{order}I', tiff, 4)
        entries, = struct.unpack_from(f'{order}H', tiff, start)
        for number in range(entries):
            tag, kind, _, value = struct.unpack_from(f'{order}HHIH', tiff, start + 2 + 12 * number)
            if tag == _TAG:
                return value if kind == _SHORT and 1 <= value <= 8 else None
    except struct.error:  # cut off
        pass
    return None
