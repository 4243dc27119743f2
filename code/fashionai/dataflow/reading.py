"""Reading photographs: those of a data set, and those of a user."""
from pathlib import Path
from typing import Callable, Union

import cv2
import numpy as np

from fashionai.datasets.pictures import is_cut_off
from fashionai.errors import InputError


def read_image(path: Union[str, Path]) -> np.ndarray:
    """The picture as (h, w, 3) uint8, BGR, its pixels as stored (an EXIF orientation is not applied: labels refer to
    stored pixels).

    Raises InputError, naming the file, where it is missing or not a picture.
    """
    return _decoded(_bytes_of(path), str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)


def read_upright(path: Union[str, Path]) -> np.ndarray:
    """The same of a picture without labels, turned as its EXIF orientation says: as people see it."""
    return decode_upright(_bytes_of(path), str(path))


def decode_upright(data: Union[bytes, np.ndarray], name: str) -> np.ndarray:
    """The same of a picture file's bytes, or (n,) uint8; `name` is what errors call it."""
    if is_cut_off(bytes(data)):
        raise InputError(f'{name}: cut off, the end of the file is missing')
    return _decoded(np.frombuffer(data, np.uint8), name, cv2.IMREAD_COLOR)


def read_or_reason(path: Union[str, Path],
                   read: Callable[[Union[str, Path]], np.ndarray] = read_image) -> Union[np.ndarray, str]:
    """The picture, or in one line why it cannot be read."""
    try:
        return read(path)
    except (ValueError, OSError, cv2.error) as error:
        return ' '.join(str(error).split())


def _bytes_of(path: Union[str, Path]) -> np.ndarray:
    try:
        return np.fromfile(str(path), np.uint8)
    except FileNotFoundError:
        raise InputError(f'{path}: no such file') from None
    except OSError as error:
        raise InputError(f'{path}: cannot be read: {error}') from None


def _decoded(data: np.ndarray, name: str, flags: int) -> np.ndarray:
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error as error:
        raise InputError(f'{name}: OpenCV cannot read it: {error.err}') from None
    if image is None:
        raise InputError(f'{name}: not a picture that OpenCV can read ({data.size} bytes)')
    return image
