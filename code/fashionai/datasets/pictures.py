"""Checks that pictures of data sets can be read, and returns their sizes."""
from pathlib import Path
from typing import Optional, Tuple

from fashionai.errors import InputError
from fashionai.images.decoder import decode_image, read_image


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


def picture_hw(path: Path) -> Tuple[int, int]:
    """Returns (height, width) of a picture in pixels as stored. Raises InputError that names it if it is unreadable."""
    return read_image(path).shape[:2]
