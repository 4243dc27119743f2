"""The one decoder: picture files and bytes to pixels, for every program that reads pictures.

A file that is not whole is refused, whatever OpenCV makes of it. Pictures are (h, w, 3) uint8, BGR.
"""
import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Union

import cv2
import numpy as np

from fashionai.errors import InputError
from fashionai.images.folders import file_fault
from fashionai.images.headers import CUT_OFF, END_OF_JPEG, FORMATS, Header, header_of

MEGAPIXELS = 25.
"""The largest picture, in million pixels, that is taken from people by default."""

BACKGROUND_BGR = (0, 0, 0)
"""What is put behind transparent pictures; docs/predict.md has the figures of other colours."""

_FULL = 2 ** 16 - 1
"""What stands for full brightness in a usual file of 16 bits."""

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and scanners put into values of 16 bits."""

_FILLED = 128
"""The grey that the JPEG library puts where coded data are missing."""

_MORE_DATA = b'\x5a' * 4096
"""Coded data that any table of a JPEG's codes reads as some picture."""

TURNS: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored, 2: lambda stored: stored[:, ::-1], 3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1], 5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1), 7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1)}
"""Stored pixels to upright ones, by EXIF orientation (EXIF 2.3, table 15)."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unreadable:
    """A picture that cannot be read, and why, in one line that names it."""

    reason: str


def read_image(path: Union[str, Path]) -> np.ndarray:
    """Return the picture of a file with its pixels as stored: an EXIF orientation is not applied, since labels refer
    to stored pixels.

    Raises InputError, naming the file, if it is missing, no file, cut off, or not a picture.
    """
    return _decoded(_bytes_of(path), str(path), False, math.inf)


def read_upright(path: Union[str, Path], megapixels: float = math.inf) -> np.ndarray:
    """Return the picture of a file turned as its EXIF orientation says: as people see it.

    Raises InputError as above, and if it has more million pixels, which is told from its header, before it is decoded.
    """
    return _decoded(_bytes_of(path), str(path), True, megapixels)


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Return the picture of a file's bytes as `read_image` does; `name` is what errors call it."""
    return _decoded(data, name, False, math.inf)


def decode_upright(data: bytes, name: str, megapixels: float = math.inf) -> np.ndarray:
    """Return the picture of a file's bytes as `read_upright` does; `name` is what errors call it."""
    return _decoded(data, name, True, megapixels)


def read_or_unreadable(path: Union[str, Path], read: Callable[[Union[str, Path]], np.ndarray] = read_image,
                       ) -> Union[np.ndarray, Unreadable]:
    """Return the picture, or why it cannot be read."""
    try:
        return read(path)
    except (ValueError, OSError, cv2.error) as error:
        return Unreadable(' '.join(str(error).split()))


def _bytes_of(path: Union[str, Path]) -> bytes:
    fault = file_fault(path)
    if fault:
        raise InputError(f'{path}: {fault}')
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f'{path}: cannot be read: {error.strerror}') from None


def _decoded(data: bytes, name: str, upright: bool, megapixels: float) -> np.ndarray:
    try:
        header = header_of(data)
    except InputError as error:
        raise InputError(f'{name}: {error}') from None
    if header is None and megapixels < math.inf:
        raise InputError(f'{name}: not a picture of a format that is read ({len(data)} bytes): wanted '
                         f'{", ".join(FORMATS)}')
    if header is not None and header.megapixels > megapixels:
        raise InputError(f'{name}: {header.size_hw[1]} x {header.size_hw[0]} pixels, {header.megapixels:.1f} million: '
                         f'at most {megapixels:g} million are read')
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    if header is not None and header.transparent:
        stored = _on_background(_opened(data, name, cv2.IMREAD_UNCHANGED), name, header)
        return np.ascontiguousarray(TURNS[header.orientation](stored)) if upright else stored
    image = _opened(data, name, flags if header is None or header.bits <= 8 else flags | cv2.IMREAD_ANYDEPTH)
    if image.dtype != np.uint8:
        assert header is not None, 'only asked for by a header'
        levels = _levels(image, name, header)
        return _opened(data, name, flags) if levels == _FULL else _of_8_bits(image, levels)
    if header is not None and header.format == 'JPEG' and _is_short(image, data[:header.end], header.progressive):
        raise InputError(f'{name}: {CUT_OFF}')
    return image


def _opened(data: bytes, name: str, flags: int) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise InputError(f'{name}: OpenCV cannot read it: {error.err}') from None
    if image is None:
        raise InputError(f'{name}: not a picture that OpenCV can read ({len(data)} bytes)')
    return image


def _levels(deep: np.ndarray, name: str, header: Header) -> int:
    """The value that stands for full brightness in a picture of more than 8 bits; anything but _FULL is logged.

    It is what the file says, if no value is above it: a PNG that says that 12 bits count should have them on top, and
    some programs put them below. If the file says nothing, it is the smallest range of a camera that holds all values.
    Raises InputError for values that are not of 16 bits.
    """
    if deep.dtype != np.uint16:
        raise InputError(f'{name}: values of type {deep.dtype}: wanted whole numbers of 8 or 16 bits')
    highest, said = int(deep.max()), header.levels or 2 ** header.bits - 1
    levels = said if said < _FULL else next(2 ** bits - 1 for bits in _DEPTHS if highest < 2 ** bits)
    levels = levels if highest <= levels else _FULL
    if levels < _FULL:
        _LOG.warning('%s: values of 16 bits, the highest %d: read as 0 to %d', name, highest, levels)
    return levels


def _of_8_bits(deep: np.ndarray, levels: int) -> np.ndarray:
    """Values of 0 to `levels` as 0 to 255: of 12 bits the upper 8."""
    return (deep.astype(np.uint32) * 256 // (levels + 1)).astype(np.uint8)


def _on_background(image: np.ndarray, name: str, header: Header) -> np.ndarray:
    """A picture (h, w, 4) before BACKGROUND_BGR; (h, w, 3) or (h, w), whose transparency OpenCV does not see, alone."""
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image
    colours = image[..., :3]
    if image.dtype != np.uint8:
        colours = _of_8_bits(colours, _levels(colours, name, header))
    if image.shape[2] < 4:
        return np.ascontiguousarray(colours)
    share = image[..., 3:] / np.float32(np.iinfo(image.dtype).max)
    return np.rint(share * colours + (1 - share) * np.array(BACKGROUND_BGR, np.float32)).astype(np.uint8)


def _is_short(image: np.ndarray, body: bytes, progressive: bool) -> bool:
    """Whether a JPEG with an end marker lacks coded data before it; `body` is all before that marker.

    More data in front of the marker then make another picture of it; in a whole file, data that are too many change
    nothing. Only pictures that may be short are decoded for this: their last pixel is of the library's grey, but for
    progressive ones, which may lack the last scan's improvements anywhere.
    """
    if not progressive and (image[-1, -1] != _FILLED).any():
        return False
    plain, longer = (_opened(body + more + END_OF_JPEG, '', cv2.IMREAD_COLOR) for more in (b'', _MORE_DATA))
    return not np.array_equal(plain, longer)
