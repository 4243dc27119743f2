"""Pictures as they arrive: bounded while they come in, and by their header before they are decoded. None is kept."""
import asyncio
from typing import AsyncIterator, Mapping

import numpy as np
from starlette.requests import ClientDisconnect

from fashionai.images.decoder import decode_upright
from fashionai.images.headers import header_of
from fashionai.serving.limits import MEGA, Limits, Refusal

FORMATS = ('JPEG', 'PNG', 'WebP', 'BMP', 'TIFF')
"""The formats that are read, by the names that their headers have."""

_READABLE = 'wanted a JPEG, PNG, WebP, BMP or TIFF picture'


async def received(headers: Mapping[str, str], chunks: AsyncIterator[bytes], limits: Limits) -> bytes:
    """The body of a request, read as it comes.

    Raises Refusal: 415 for a form, 413 for more bytes than the limit, 408 where it takes too long, 422 for none.
    """
    if headers.get('content-type', '').startswith('multipart/'):
        raise Refusal(415, f'found a form, {_READABLE} as the body itself: curl --data-binary @picture.jpg')
    said = headers.get('content-length', '')
    if said.isdigit():
        _check_length(int(said), limits)
    try:
        data = await asyncio.wait_for(_joined(chunks, limits), limits.seconds)
    except asyncio.TimeoutError:
        raise Refusal(408, f'the picture did not arrive within {limits.seconds:g} seconds') from None
    except ClientDisconnect:
        raise Refusal(400, 'the connection was closed before the picture had arrived') from None
    if not data:
        raise Refusal(422, f'the picture is empty, 0 bytes came: {_READABLE}, as the body of the request')
    return data


def decoded(data: bytes, limits: Limits) -> np.ndarray:
    """A picture file's bytes as (h, w, 3) uint8 BGR, turned as its EXIF orientation says.

    Raises Refusal: 415 for what is no picture of FORMATS, 413 for one of too many pixels, which is not decoded, and
    422 for one that is cut off or damaged.
    """
    try:
        header = header_of(data)
        if header is None or header.format not in FORMATS:
            raise Refusal(415, f'these {len(data)} bytes are not of a format that is read: {_READABLE}')
        if header.megapixels > limits.megapixels:
            height, width = header.size_hw
            raise Refusal(413, f'the picture has {width} x {height} pixels, {header.megapixels:.1f} million: '
                               f'at most {limits.megapixels:g} million are taken')
        return decode_upright(data, 'the picture', limits.megapixels)
    except ValueError as error:
        raise Refusal(422, f'the picture cannot be decoded, its {len(data)} bytes are cut short, damaged, or of a rare '
                           f'kind of their format: {error}') from None


async def _joined(chunks: AsyncIterator[bytes], limits: Limits) -> bytes:
    data = bytearray()
    async for chunk in chunks:
        data += chunk
        _check_length(len(data), limits)
    return bytes(data)


def _check_length(length: int, limits: Limits) -> None:
    if length > limits.megabytes * MEGA:
        raise Refusal(413, f'the picture has more than {limits.megabytes:g} MB: at most that much is taken')
