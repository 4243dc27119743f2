"""Middleware of the service: it checks the host of requests, adds headers, and keeps early answers readable."""
import asyncio
import ipaddress
from typing import TYPE_CHECKING, Collection

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = '*'
"""The name that stands for every host."""

HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; "
                               "frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache'}
"""Headers of every response: browsers run only the page's own files, and request them anew each time."""

_LINGER_SECONDS = 10
"""After an early answer, the rest of a body is read for so long at most; most of it may already be under way."""


class Headers:
    """Adds HEADERS to the responses of an application."""

    def __init__(self, app: 'ASGIApp') -> None:
        self._app = app

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        async def add(message: 'Message') -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message['headers'],
                                      *((name.lower().encode(), value.encode()) for name, value in HEADERS.items())]
            await send(message)

        await self._app(scope, receive, add if scope['type'] == 'http' else send)


class Hosts:
    """Refuses a request unless its `Host` is one of the names, a name of this machine such as localhost, or the address
    that the request came to.

    A browser sends the name by which it found the service. A foreign page can therefore not use the service by pointing
    its own name to this machine (DNS rebinding).

    A name `*.shop.example` stands for every name below shop.example, and ANY for all names. A request of HTTP/1.0 may
    have no `Host`; no browser sends such a request.
    """

    def __init__(self, app: 'ASGIApp', names: Collection[str]) -> None:
        self._app, self._names = app, frozenset(name.lower() for name in names)

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        host = dict(scope['headers']).get(b'host') if scope['type'] == 'http' else None
        if host is None or self._known(_name(host), (scope.get('server') or ('',))[0]):
            await self._app(scope, receive, send)
            return
        text = host.decode('latin-1')
        await JSONResponse({'detail': f'Host {text!r} is unknown: wanted localhost, the address of this machine, or a '
                                      'name in --hosts of serve.py'}, 400)(scope, receive, send)

    def _known(self, name: str, own_address: str) -> bool:
        return (ANY in self._names or name in self._names or f'.{name}'.endswith('.localhost')
                or any(known.startswith('*.') and name.endswith(known[1:]) for known in self._names)
                or _is_address(name, own_address))


class Lingering:
    """After an answer that did not wait for the request's body, keeps the connection open until the body has ended, for
    _LINGER_SECONDS at most, and drops what arrives.

    The system resets a connection that is closed while bytes arrive. A client that sends everything before it reads
    would then never see the answer.
    """

    def __init__(self, app: 'ASGIApp') -> None:
        self._app = app

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        if scope['type'] == 'http' and _has_body(scope):
            exchange = _Exchange(receive, send, b'expect' in dict(scope['headers']))
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """A request with a body, and its answer. `waits`: the client sends the body only when it is asked for it."""

    def __init__(self, receive: 'Receive', send: 'Send', waits: bool) -> None:
        self._receive, self._send = receive, send
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
                await asyncio.wait_for(self._drop(), _LINGER_SECONDS)
            except asyncio.TimeoutError:
                pass
        await self._send({'type': 'http.response.body', 'body': b''})

    async def _drop(self) -> None:
        while not self._ended:
            await self.receive()


def _has_body(scope: 'Scope') -> bool:
    headers = dict(scope['headers'])
    return b'transfer-encoding' in headers or headers.get(b'content-length', b'0') != b'0'


def _name(host: bytes) -> str:
    """Returns the name in a `Host`: `Shop.example:8000` becomes `shop.example`, and `[::1]:8000` becomes `::1`."""
    text = host.decode('latin-1').strip().lower()
    return text[1:].partition(']')[0] if text.startswith('[') else text.partition(':')[0].rstrip('.')


def _is_address(name: str, own: str) -> bool:
    """Returns whether the name is a loopback address, the unspecified address, or the machine's own address."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified or name == own
