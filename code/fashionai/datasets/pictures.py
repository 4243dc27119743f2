"""Checks that pictures of data sets can be read, and returns their sizes."""
from pathlib import Path
from typing import Optional, Tuple

from fashionai.errors import InputError
from fashionai.images.decoder import decode_image, read_image
from fashionai.images.headers import header_of


def picture_fault(data: bytes, name: str) -> Tuple[Optional[Tuple[int, int]], str]:
    """Returns (height, width) of a picture from the bytes of its file, and ''; or None and what is wrong, as text.

    `name` is the name of the picture in the log.
    """
    if not data:
        return None, 'empty'
    try:
        return decode_image(data, name).shape[:2], ''
    except InputError as error:
        return None, str(error)[len(f'{name}: '):]


def stored_size(path: Path) -> Tuple[Tuple[int, int], int]:
    """Returns (height, width) of a picture in pixels as stored, and its EXIF orientation, 1 to 8.

    The header is read; a picture whose format has none that is known is decoded. Raises InputError that names the file
    if it is missing or not a picture.
    """
    try:
        header = header_of(path.read_bytes())
    except InputError as error:
        raise InputError(f'{path}: {error}') from None
    except OSError as error:
        raise InputError(f'{path}: {error.strerror}') from None
    return (header.size_hw, header.orientation) if header else (read_image(path).shape[:2], 1)
