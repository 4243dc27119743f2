"""Looking at the pictures of data sets: whether they can be read, and how large they are."""
from pathlib import Path
from typing import Optional, Tuple

from fashionai.errors import InputError
from fashionai.images.decoder import decode_image, read_image


def picture_fault(data: bytes, name: str) -> Tuple[Optional[Tuple[int, int]], str]:
    """Return (height, width) of a picture file's bytes and '', or None and what is wrong with them, in words; `name` is
    what the log calls it."""
    if not data:
        return None, 'empty'
    try:
        return decode_image(data, name).shape[:2], ''
    except InputError as error:
        return None, str(error)[len(f'{name}: '):]


def picture_hw(path: Path) -> Tuple[int, int]:
    """Return (height, width) of a picture in pixels as stored. Raises InputError, naming it, if it cannot be read."""
    return read_image(path).shape[:2]
