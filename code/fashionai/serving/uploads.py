"""Receives pictures: limits their bytes while they arrive, and their pixels before decoding. No picture is kept."""
import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import AsyncIterator, List, Mapping, Optional

import numpy as np
from starlette.requests import ClientDisconnect

from fashionai.images.decoder import decode_upright
from fashionai.images.headers import header_of
from fashionai.serving.limits import MEGA, Busy, Limits, Refusal

FORMATS = ('JPEG', 'PNG', 'WebP', 'BMP', 'TIFF')
"""The formats that are read, by the names in their headers."""

_READABLE = 'wanted a JPEG, PNG, WebP, BMP or TIFF picture'


@dataclass(eq=False)
class _Arrival:
    """A body that is arriving: the number of bytes so far, and the task that reads it."""

    size: int = 0
    task: 'Optional[asyncio.Task[bytes]]' = None


class Uploads:
    """Reads the bodies of requests as they arrive. All bodies together take a limited amount of memory.

    If the memory is taken, the body that has been arriving for longest is refused, so that complete bodies never wait
    for incomplete ones.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits, self._free = limits, limits.waiting * limits.megabytes * MEGA
        self._arriving: List[_Arrival] = []  # the longest time first

    @asynccontextmanager
    async def received(self, headers: Mapping[str, str], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yields the body of a request; its memory counts as taken during the block.

        Raises Refusal: 415 for a form, 413 for more bytes than the limit, 408 if it arrives too slowly, 422 if it is
        empty, 503 if there is no memory for it, 400 if the client has closed the connection.
        """
        if headers.get('content-type', '').startswith('multipart/'):
            raise Refusal(415, f'found a form, {_READABLE} as the body itself: curl --data-binary @picture.jpg')
        said = headers.get('content-length', '')
        if said.isdigit():
            self._check_length(int(said))
        arrival = _Arrival()
        try:
            yield await self._whole(arrival, chunks)
        finally:
            self._free += arrival.size

    async def _whole(self, arrival: _Arrival, chunks: AsyncIterator[bytes]) -> bytes:
        arrival.task = asyncio.ensure_future(self._joined(arrival, chunks))
        self._arriving.append(arrival)
        try:
            done, _ = await asyncio.wait({arrival.task}, timeout=self._limits.seconds)
        finally:
            arrival.task.cancel()
            if arrival in self._arriving:
                self._arriving.remove(arrival)
        if not done:
            raise Refusal(408, f'the picture did not arrive within {self._limits.seconds:g} seconds')
        if arrival.task.cancelled():
            raise Busy('too many pictures are arriving, and this one has taken the longest')
        return arrival.task.result()

    async def _joined(self, arrival: _Arrival, chunks: AsyncIterator[bytes]) -> bytes:
        parts: List[bytes] = []
        try:
            async for chunk in chunks:
                self._check_length(arrival.size + len(chunk))
                self._make_room(arrival, len(chunk))
                parts.append(chunk)
        except ClientDisconnect:
            raise Refusal(400, 'the connection was closed before the picture had arrived') from None
        if not arrival.size:
            raise Refusal(422, f'the picture is empty, 0 bytes arrived: {_READABLE} as the body of the request')
        return b''.join(parts)

    def _make_room(self, arrival: _Arrival, size: int) -> None:
        """Takes memory for so many more bytes."""
        while self._free < size:
            longest = self._arriving.pop(0)
            if longest is arrival:
                raise Busy('too many pictures are arriving')
            self._free += longest.size
            longest.size = 0
            if longest.task:
                longest.task.cancel()
        self._free -= size
        arrival.size += size

    def _check_length(self, length: int) -> None:
        if length > self._limits.megabytes * MEGA:
            raise Refusal(413, f'the picture has more than {self._limits.megabytes:g} MB: wanted a smaller file')


def decoded(data: bytes, limits: Limits) -> np.ndarray:
    """Returns the picture in a file's bytes as (h, w, 3) uint8 BGR, turned as its EXIF orientation says.

    Raises Refusal: 415 if the bytes are no picture of FORMATS, 413 if the picture has too many pixels (it is not
    decoded then), and 422 if the file is cut off or damaged.
    """
    try:
        header = header_of(data)
        if header is None or header.format not in FORMATS:
            raise Refusal(415, f'these {len(data)} bytes are of another format: {_READABLE}')
        if header.megapixels > limits.megapixels:
            height, width = header.size_hw
            raise Refusal(413, f'the picture has {width} x {height} pixels, {header.megapixels:.1f} million: '
                               f'wanted {limits.megapixels:g} million at most')
        return decode_upright(data, 'the picture', limits.megapixels)
    except ValueError as error:
        raise Refusal(422, f'the picture cannot be decoded: its {len(data)} bytes are cut off, damaged, or of a rare '
                           f'kind of their format: {error}') from None
