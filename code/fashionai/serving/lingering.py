"""Answers that come before the picture has: sent at once, and the rest of the picture read and dropped."""
import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 10
"""For so long the rest of a body is read; most of it may be under way already."""


class Lingering:
    """Keeps a connection open after an answer that did not wait for the request's body, until the body has ended, for
    SECONDS at most. A connection that is closed while bytes arrive is reset by the system, and a client that sends all
    before it reads never sees the answer."""

    def __init__(self, app: 'ASGIApp', seconds: float = SECONDS) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        if scope['type'] == 'http' and _has_body(scope):
            exchange = _Exchange(receive, send, self._seconds, b'expect' in dict(scope['headers']))
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """A request with a body, and its answer. `waits`: the client sends the body when it is asked for it."""

    def __init__(self, receive: 'Receive', send: 'Send', seconds: float, waits: bool) -> None:
        self._receive, self._send, self._seconds = receive, send, seconds
        self._waits, self._ended, self._early = waits, False, False

    async def receive(self) -> 'Message':
        self._waits = False
        message = await self._receive()
        self._ended = message['type'] == 'http.disconnect' or not message.get('more_body')
        return message

    async def send(self, message: 'Message') -> None:
        if message['type'] == 'http.response.start' and not self._ended:
            self._early = True
            message = {**message, 'headers': [*message['headers'], (b'connection', b'close')]}
        if not self._early or message['type'] != 'http.response.body' or message.get('more_body'):
            await self._send(message)
            return
        await self._send({**message, 'more_body': True})
        if not self._waits:
            try:
                await asyncio.wait_for(self._drop(), self._seconds)
            except asyncio.TimeoutError:
                pass
        await self._send({'type': 'http.response.body', 'body': b''})

    async def _drop(self) -> None:
        while not self._ended:
            await self.receive()


def _has_body(scope: 'Scope') -> bool:
    headers = dict(scope['headers'])
    return b'transfer-encoding' in headers or headers.get(b'content-length', b'0') != b'0'
