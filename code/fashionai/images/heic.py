"""Reads HEIC pictures, as telephones make them, with the package pillow-heif, which is not required."""
import io
from importlib.util import find_spec

import numpy as np

from fashionai.errors import InputError
from fashionai.extras import missing_package

NEEDED = f'HEIC: {missing_package("pillow_heif")}'
"""What a user is told who does not have the package."""


def can_read_heic() -> bool:
    """Returns whether pillow-heif is installed."""
    return find_spec('pillow_heif') is not None


def decode_heic(data: bytes) -> np.ndarray:
    """Returns the picture in a HEIC file's bytes: (h, w, 3) uint8 BGR, or (h, w, 4) with transparency.

    It is upright: turns and mirrorings are part of the format, and its EXIF orientation does not count (ISO/IEC
    23008-12). Raises InputError, without the file's name, if it cannot be decoded, or if pillow-heif is not installed.
    """
    if not can_read_heic():
        raise InputError(NEEDED)
    import pillow_heif
    try:
        picture = pillow_heif.open_heif(io.BytesIO(data)).to_pillow()
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        raise InputError(f'the HEIC file is cut off or damaged: {" ".join(str(error).split())}') from None
    has_transparency = picture.mode in ('RGBA', 'LA', 'RGBa')
    pixels = np.asarray(picture.convert('RGBA' if has_transparency else 'RGB'))
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3] if has_transparency else [2, 1, 0]])
