"""Observes requests: their ids, their line in the access log, and their part of the metrics."""
import json
import logging
import re
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from logging.handlers import WatchedFileHandler
from typing import TYPE_CHECKING, Optional

from fashionai.errors import InputError
from fashionai.serving.metrics import Metrics

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ID_HEADER = 'X-Request-Id'

_SANE_ID = re.compile(r'[\w.:/+=@-]{1,128}', re.ASCII)
_PATHS = ('/predict', '/preview', '/model', '/health', '/ready', '/metrics')
_PROBES = ('/health', '/ready', '/metrics')
_LONGEST_PATH = 200
"""Characters of a path in the access log."""

_FACTS = 'fashionai.facts'


@dataclass
class Facts:
    """What is known about a request.

    Attributes:
        id: the id that the client gave, or a new one.
        pictures: the number of its pictures.
        queue_seconds: the longest time that one of its pictures waited for its turn.
    """

    id: str
    pictures: int = 0
    queue_seconds: float = 0


def facts_of(scope: 'Scope') -> Facts:
    """Returns the facts of a request, which its handler completes."""
    return scope.setdefault(_FACTS, Facts(_id_of(scope)))


class Observer:
    """Counts requests, and writes a line of JSON for each to the access log."""

    def __init__(self, metrics: Metrics, log: Optional[logging.Handler] = None) -> None:
        self.metrics, self._access = metrics, log

    def over(self, app: 'ASGIApp') -> 'ASGIApp':
        """Returns an application that passes requests to `app`, and observes them."""
        async def observed(scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
            exchange = _Exchange(scope, receive, send)
            try:
                await app(scope, exchange.receive, exchange.send)
            finally:
                self._end(scope, exchange)
        return observed

    def refused(self, status: int, client: Optional[str]) -> None:
        """Counts a connection that was refused before its request was known."""
        self._count('', '', status, 0)
        self._log(status, client=client)

    def _end(self, scope: 'Scope', exchange: '_Exchange') -> None:
        seconds, facts, path = time.monotonic() - exchange.start, facts_of(scope), scope['path']
        self._count(scope['method'], path, exchange.status, seconds)
        if path in _PROBES and exchange.status == 200:
            return
        self._log(exchange.status, id=facts.id, client=(scope.get('client') or [None])[0], method=scope['method'],
                  path=path[:_LONGEST_PATH], ms=_ms(seconds), queue_ms=_ms(facts.queue_seconds),
                  bytes=exchange.bytes, pictures=facts.pictures)

    def _count(self, method: str, path: str, status: int, seconds: float) -> None:
        self.metrics.requests.labels(path if path in _PATHS else 'other', status).inc()
        if (method, path) == ('POST', '/predict'):
            self.metrics.seconds.labels(status).observe(seconds)

    def _log(self, status: int, **facts: object) -> None:
        if self._access:
            now = datetime.now(timezone.utc).isoformat(timespec='milliseconds')
            self._access.handle(logging.makeLogRecord({'msg': json.dumps({'time': now, 'status': status, **facts})}))


class _Exchange:
    """A request and its answer: counts the bytes that arrive, and sees the status. The answer gets the id."""

    def __init__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        self._receive, self._send, self._id = receive, send, facts_of(scope).id
        self.start, self.bytes, self.status = time.monotonic(), 0, 500

    async def receive(self) -> 'Message':
        message = await self._receive()
        self.bytes += len(message.get('body', b''))
        return message

    async def send(self, message: 'Message') -> None:
        if message['type'] == 'http.response.start':
            self.status = message['status']
            message = {**message, 'headers': [*message['headers'], (ID_HEADER.lower().encode(), self._id.encode())]}
        await self._send(message)


def open_access_log(place: str) -> Optional[logging.Handler]:
    """Returns the access log that goes to a file, or to stderr (`-`); None for ''. Several processes may share the
    file, and it may be moved away at any time: a new one is begun then. Raises InputError if it cannot be written."""
    if place in ('', '-'):
        return logging.StreamHandler() if place else None
    try:
        return WatchedFileHandler(place)
    except OSError as error:
        raise InputError(f'--access-log {place}: {error.strerror}; wanted a file that can be written, or -') from None


def _id_of(scope: 'Scope') -> str:
    given = dict(scope['headers']).get(ID_HEADER.lower().encode(), b'').decode('latin-1')
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
