"""Reading photographs."""
from pathlib import Path
from typing import Union

import cv2
import numpy as np


def read_image(path: Union[str, Path]) -> np.ndarray:
    """The picture as (h, w, 3) uint8, BGR, its pixels as stored (an EXIF orientation is not applied: labels refer to
    stored pixels).

    Raises ValueError, naming the file, where it is missing or not a picture.
    """
    try:
        data = np.fromfile(str(path), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    except FileNotFoundError:
        raise ValueError(f'{path}: no such image') from None
    except (OSError, cv2.error) as error:
        raise ValueError(f'{path}: cannot be read: {error}') from None
    if image is None:
        raise ValueError(f'{path}: not a picture that OpenCV can read ({data.size} bytes)')
    return image


def read_or_reason(path: Union[str, Path]) -> Union[np.ndarray, str]:
    """The picture, or in one line why it cannot be read."""
    try:
        return read_image(path)
    except (ValueError, OSError, cv2.error) as error:
        return ' '.join(str(error).split())
