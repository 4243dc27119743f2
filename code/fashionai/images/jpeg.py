"""Pictures as JPEG, for browsers."""
from typing import Optional

import cv2
import numpy as np


def jpeg(image: np.ndarray, longest: Optional[int] = None) -> bytes:
    """Returns a picture (h, w, 3) uint8 BGR as a JPEG file, made smaller so that its longer side is at most `longest`
    pixels."""
    factor = longest / max(image.shape[:2]) if longest else 1
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.imencode('.jpg', image)[1].tobytes()
