"""Receives pictures: limits their bytes while they arrive, and their pixels before decoding. No picture is kept."""
import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from typing import Any, AsyncIterator, List, Mapping, Optional, Protocol, TypeVar

import numpy as np
from starlette.requests import ClientDisconnect

from fashionai.images.decoder import decode_upright
from fashionai.images.headers import HEIC, header_of
from fashionai.images.heic import NEEDED, can_read_heic
from fashionai.serving.forms import PART_BYTES, Form, FormReader
from fashionai.serving.limits import MEGA, Busy, Limits, Refusal

_ALWAYS = ('JPEG', 'PNG', 'WebP', 'BMP', 'TIFF')

FORMATS = (*_ALWAYS, HEIC)
"""The formats that are read, by the names in their headers; HEIC needs a package."""

READABLE = f'{", ".join(_ALWAYS[:-1])} or {_ALWAYS[-1]}'
"""The formats that are read without a further package, as text."""

_WANTED = f'wanted a {READABLE} picture'


@dataclass(eq=False)
class _Arrival:
    """A body that is arriving: the number of bytes so far, and the task that reads it."""

    size: int = 0
    task: 'Optional[asyncio.Task[None]]' = None


_Body = TypeVar('_Body', covariant=True)


class _Reader(Protocol[_Body]):
    """Takes the bytes of a body as they arrive, and makes a value of them."""

    def take(self, chunk: bytes) -> None:
        """Takes the next bytes."""

    def result(self) -> _Body:
        """Returns the value, after the last bytes."""


class _Bytes:
    """The value is the bytes."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []

    def take(self, chunk: bytes) -> None:
        self._parts.append(chunk)

    def result(self) -> bytes:
        return b''.join(self._parts)


class Uploads:
    """Reads the bodies of requests as they arrive. All bodies together take a limited amount of memory.

    If the memory is taken, the body that has been arriving for longest is refused, so that complete bodies never wait
    for incomplete ones.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits, self._free = limits, limits.waiting * limits.megabytes * MEGA
        self._arriving: List[_Arrival] = []  # the longest time first

    @asynccontextmanager
    async def received(self, headers: Mapping[str, str], chunks: AsyncIterator[bytes],
                       end: float = inf) -> AsyncIterator[bytes]:
        """Yields the body of a request; its memory counts as taken during the block.

        Raises Refusal: 413 for more bytes than the limit, 408 if it arrives too slowly, or not before `end`, a time of
        the loop's clock in seconds, 422 if it is empty, 503 if there is no memory for it, 400 if the client has closed
        the connection.
        """
        async with self._held(headers, chunks, self._limits.megabytes * MEGA, end, _Bytes()) as data:
            yield data

    @asynccontextmanager
    async def form(self, headers: Mapping[str, str], chunks: AsyncIterator[bytes],
                   end: float = inf) -> AsyncIterator[Form]:
        """Yields the pictures of a form. Raises Refusal as `received` and FormReader do."""
        most = self._limits.form_pictures * (self._limits.megabytes * MEGA + PART_BYTES)
        reader = FormReader(headers['content-type'], self._limits)
        async with self._held(headers, chunks, most, end, reader) as form:
            yield form

    @asynccontextmanager
    async def _held(self, headers: Mapping[str, str], chunks: AsyncIterator[bytes], most: float, end: float,
                    reader: _Reader[_Body]) -> AsyncIterator[_Body]:
        said = headers.get('content-length', '')
        if said.isdigit():
            _check_length(int(said), most)
        arrival = _Arrival()
        try:
            await self._whole(arrival, chunks, most, end, reader)
            yield reader.result()
        finally:
            self._free += arrival.size

    async def _whole(self, arrival: _Arrival, chunks: AsyncIterator[bytes], most: float, end: float,
                     reader: _Reader[Any]) -> None:
        arrival.task = asyncio.ensure_future(self._read(arrival, chunks, most, reader))
        self._arriving.append(arrival)
        seconds = min(self._limits.seconds, end - asyncio.get_running_loop().time())
        try:
            done, _ = await asyncio.wait({arrival.task}, timeout=seconds)
        finally:
            arrival.task.cancel()
            if arrival in self._arriving:
                self._arriving.remove(arrival)
        if not done:
            raise Refusal(408, f'the picture did not arrive within {seconds:.3g} seconds')
        if arrival.task.cancelled():
            raise Busy('too many pictures are arriving, and this one has taken the longest')
        arrival.task.result()

    async def _read(self, arrival: _Arrival, chunks: AsyncIterator[bytes], most: float, reader: _Reader[Any]) -> None:
        try:
            async for chunk in chunks:
                _check_length(arrival.size + len(chunk), most)
                self._make_room(arrival, len(chunk))
                reader.take(chunk)
        except ClientDisconnect:
            raise Refusal(400, 'the connection was closed before the picture had arrived') from None
        if not arrival.size:
            raise Refusal(422, f'the picture is empty, 0 bytes arrived: {_WANTED} as the body of the request')

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


def _check_length(length: int, most: float) -> None:
    if length > most:
        raise Refusal(413, f'the body has more than {most / MEGA:g} MB: wanted smaller pictures')


def decoded(data: bytes, limits: Limits) -> np.ndarray:
    """Returns the picture in a file's bytes as (h, w, 3) uint8 BGR, turned as its EXIF orientation says.

    Raises Refusal: 415 if the bytes are no picture of FORMATS, 413 if the picture has too many pixels (it is not
    decoded then), and 422 if the file is cut off or damaged.
    """
    try:
        header = header_of(data)
        if header is None or header.format not in FORMATS:
            raise Refusal(415, f'these {len(data)} bytes are of another format: {_WANTED}')
        if header.format == HEIC and not can_read_heic():
            raise Refusal(415, f'the picture is a HEIC file, which this service cannot read: {_WANTED} ({NEEDED})')
        if header.megapixels > limits.megapixels:
            height, width = header.size_hw
            raise Refusal(413, f'the picture has {width} x {height} pixels, {header.megapixels:.1f} million: '
                               f'wanted {limits.megapixels:g} million at most')
        return decode_upright(data, 'the picture', limits.megapixels)
    except ValueError as error:
        raise Refusal(422, f'the picture cannot be decoded: its {len(data)} bytes are cut off, damaged, or of a rare '
                           f'kind of their format: {error}') from None
