"""Looking at pictures as bytes: whether they are whole, and how large."""
from pathlib import Path
from typing import Optional, Tuple

import cv2
import numpy as np

from fashionai.errors import InputError

_JPEG, _JPEG_END = b'\xff\xd8', b'\xff\xd9'


def picture_fault(data: bytes) -> Tuple[Optional[Tuple[int, int]], str]:
    """(height, width) of a picture and '', or None and what is wrong with it, in words."""
    if not data:
        return None, 'empty'
    if is_cut_off(data):
        return None, 'cut off'
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        return None, 'not a picture that OpenCV can read'
    return image.shape[:2], ''


def is_cut_off(data: bytes) -> bool:
    """Whether a file is a JPEG without its end: some versions of OpenCV read it, and fill the rest with grey."""
    return data.startswith(_JPEG) and _JPEG_END not in data[len(data) // 2:]


def picture_hw(path: Path) -> Tuple[int, int]:
    """(height, width) of a picture in pixels as stored. Raises InputError, naming it, where it is none or missing."""
    if not path.is_file():
        raise InputError(f'{path}: no such file')
    size, fault = picture_fault(path.read_bytes())
    if size is None:
        raise InputError(f'{path}: {fault}')
    return size
