"""Decodes picture files and bytes to pixels, for every program that reads pictures.

An incomplete file is refused, even if OpenCV decodes it. Pictures are (h, w, 3) uint8, BGR.
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
from fashionai.images.headers import AVIF, CUT_OFF, END_OF_JPEG, FORMATS, HEIC, TIFF, Header, header_of
from fashionai.images.heic import decode_heic

MEGAPIXELS = 25.
"""Default limit for pictures of users, in million pixels."""

BACKGROUND_BGR = (0, 0, 0)
"""The background of transparent pictures; docs/predict.md has the errors with other colours."""

_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
"""Flags for three colours of pixels as stored."""

_FULL = 2 ** 16 - 1
"""Full brightness in a usual file of 16 bits."""

_DEPTHS = (8, 10, 12, 14, 16)
"""Numbers of bits that cameras and scanners use in values of 16 bits."""

_FILLED = 128
"""The grey that the JPEG library writes for missing coded data."""

_MORE_DATA = b'\x5a' * 4096
"""Coded data that every JPEG code table decodes to some picture."""

TURNS: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored, 2: lambda stored: cv2.flip(stored, 1), 3: lambda stored: cv2.flip(stored, -1),
    4: lambda stored: cv2.flip(stored, 0), 5: cv2.transpose,
    6: lambda stored: cv2.rotate(stored, cv2.ROTATE_90_CLOCKWISE),
    7: lambda stored: cv2.transpose(cv2.flip(stored, -1)),
    8: lambda stored: cv2.rotate(stored, cv2.ROTATE_90_COUNTERCLOCKWISE)}
"""Functions from stored pixels to upright pixels, by EXIF orientation (EXIF 2.3, table 15)."""

_UNDOES = {6: 8, 8: 6}
"""For an orientation, the one whose turn undoes it, unless it is the same."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unreadable:
    """A picture that cannot be read; `reason` says why, in one line that names the picture."""

    reason: str


def read_image(path: Union[str, Path]) -> np.ndarray:
    """Returns the picture in a file, pixels as stored: the EXIF orientation is not applied, since labels refer to
    stored pixels.

    Raises InputError that names the file if it is missing, not a file, cut off, or not a picture.
    """
    return _decoded(_bytes_of(path), str(path), False, math.inf)


def read_upright(path: Union[str, Path], megapixels: float = math.inf) -> np.ndarray:
    """Returns the picture in a file, turned as its EXIF orientation says, as people see it.

    Raises InputError as `read_image` does, and if the picture has more than `megapixels` million pixels; the header is
    checked before the picture is decoded.
    """
    return _decoded(_bytes_of(path), str(path), True, megapixels)


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Returns the picture in a file's bytes as `read_image` does; `name` is its name in errors."""
    return _decoded(data, name, False, math.inf)


def decode_upright(data: bytes, name: str, megapixels: float = math.inf) -> np.ndarray:
    """Returns the picture in a file's bytes as `read_upright` does; `name` is its name in errors."""
    return _decoded(data, name, True, megapixels)


def read_or_unreadable(path: Union[str, Path], read: Callable[[Union[str, Path]], np.ndarray] = read_image,
                       ) -> Union[np.ndarray, Unreadable]:
    """Returns the picture, or Unreadable with the reason."""
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
        raise InputError(f'{name}: not a picture of a supported format ({len(data)} bytes): wanted '
                         f'{", ".join(FORMATS)}')
    if header is not None and header.megapixels > megapixels:
        raise InputError(f'{name}: {header.size_hw[1]} x {header.size_hw[0]} pixels, {header.megapixels:.1f} million: '
                         f'at most {megapixels:g} million are allowed')
    if header is not None and header.format == HEIC:
        return _heic(data, name, header)
    if header is None:
        return _opened(data, name, cv2.IMREAD_COLOR if upright else _STORED)
    image = _pixels(data, name, header)
    if upright == (header.format == TIFF):  # the pixels are already as wanted
        return image
    return TURNS[header.orientation if upright else _UNDOES.get(header.orientation, header.orientation)](image)


def _pixels(data: bytes, name: str, header: Header) -> np.ndarray:
    """Returns the pixels of a file as stored; those of a TIFF are upright."""
    if header.transparent:
        return _on_background(_opened(data, name, cv2.IMREAD_UNCHANGED), name, header)
    deep = header.bits > 8 and header.format != AVIF  # OpenCV scales all AVIF files as it should
    image = _opened(data, name, _STORED | cv2.IMREAD_ANYDEPTH if deep else _STORED)
    if image.dtype != np.uint8:
        levels = _levels(image, name, header)
        return _opened(data, name, _STORED) if levels == _FULL else _of_8_bits(image, levels)
    if header.format == 'JPEG' and _is_short(image, data[:header.end], header.progressive):
        raise InputError(f'{name}: {CUT_OFF}')
    if data[:2] in (b'P5', b'P6') and header.levels and header.levels < 255:  # OpenCV scales the other kinds of PNM
        return cv2.convertScaleAbs(image, alpha=255 / header.levels)
    return image


def _heic(data: bytes, name: str, header: Header) -> np.ndarray:
    try:
        return _on_background(decode_heic(data), name, header)
    except InputError as error:
        raise InputError(f'{name}: {error}') from None


def _opened(data: bytes, name: str, flags: int) -> np.ndarray:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise InputError(f'{name}: OpenCV cannot read it: {error.err}') from None
    if image is None:
        raise InputError(f'{name}: not a picture that OpenCV can read ({len(data)} bytes)')
    return image


def _levels(deep: np.ndarray, name: str, header: Header) -> int:
    """Returns the value of full brightness in a picture of more than 8 bits; a value other than _FULL is logged.

    It is the value that the file declares, unless a pixel is above it: a PNG that declares 12 significant bits should
    store them in the upper bits, but some programs store them in the lower bits. If the file declares nothing, it is
    the smallest range of a camera that contains all values. Raises InputError if the values do not have 16 bits.
    """
    if deep.dtype != np.uint16:
        raise InputError(f'{name}: values of type {deep.dtype}; wanted integers of 8 or 16 bits')
    highest, said = int(deep.max()), header.levels or 2 ** header.bits - 1
    levels = said if said < _FULL else next(2 ** bits - 1 for bits in _DEPTHS if highest < 2 ** bits)
    levels = levels if highest <= levels else _FULL
    if levels < _FULL:
        _LOG.warning('%s: values of 16 bits, the highest %d: read as 0 to %d', name, highest, levels)
    return levels


def _of_8_bits(deep: np.ndarray, levels: int) -> np.ndarray:
    """Returns values of 0 to `levels` as 0 to 255; for 12 bits, these are the upper 8 bits."""
    return (deep.astype(np.uint32) * 256 // (levels + 1)).astype(np.uint8)


def _on_background(image: np.ndarray, name: str, header: Header) -> np.ndarray:
    """Returns a picture (h, w, 4) drawn over BACKGROUND_BGR. Pictures (h, w, 3) or (h, w), whose transparency OpenCV
    does not read, are returned without it, as (h, w, 3)."""
    image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image
    colours, opaque = image[..., :3], 255
    if image.dtype != np.uint8:
        levels = opaque = _levels(image, name, header)
        if levels == _FULL:  # transparency may use all 16 bits, and colours fewer
            levels = _levels(colours, name, header)
        colours = _of_8_bits(colours, levels)
    if image.shape[2] < 4:
        return np.ascontiguousarray(colours)
    share = image[..., 3:] / np.float32(opaque)
    return np.rint(share * colours + (1 - share) * np.array(BACKGROUND_BGR, np.float32)).astype(np.uint8)


def _is_short(image: np.ndarray, body: bytes, progressive: bool) -> bool:
    """Returns whether coded data are missing before the end marker of a JPEG; `body` is everything before the marker.

    If data are missing, adding data before the marker changes the picture; in a complete file, it changes nothing. Only
    pictures that may be short are decoded for this check: those whose last pixel is the library's grey, and all
    progressive ones, in which details of the last scan may be missing anywhere.
    """
    if not progressive and (image[-1, -1] != _FILLED).any():
        return False
    plain, longer = (_opened(body + more + END_OF_JPEG, '', cv2.IMREAD_COLOR) for more in (b'', _MORE_DATA))
    return not np.array_equal(plain, longer)
