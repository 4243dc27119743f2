"""The connections of the service, with limits of their number and of the time that each may take."""
import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from socket import socket
from typing import Any, Callable, Dict, Iterator, List, Optional

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from fashionai.serving.front import Front
from fashionai.serving.limits import Limits

_FLUSH_SECONDS = 5
"""At the end of the service, sending the last answers may take so long."""

_ACCEPTED_SECONDS = 0.1
"""After the server has stopped accepting, the connections that it has accepted are known so much later."""

_LOG_SECONDS = 10
"""The minimum time between two log messages of one kind."""

_SIGNAL_SECONDS = 0.2
"""The interval at which the main thread checks for signals, if the system does not wake it."""

_LOG = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """Serves a front at a socket. When it ends, it still serves the requests that it has accepted, for as long as a
    request may take.

    `shared`: other processes accept at the same socket; each then accepts one connection at a time, so that one process
    does not take them all.
    """

    def __init__(self, front: Front, limits: Limits, shared: bool = False) -> None:
        super().__init__(_Config(front, limits, shared))
        self._front, self._limits = front, limits

    def leave(self) -> None:
        """Ends the server, because another process serves at the same socket from now on: it accepts no connection any
        more, and still serves what arrives through those that it has. Any thread may call it."""
        self._front.leaving = True
        self.should_exit = True

    async def startup(self, sockets: Optional[List[socket]] = None) -> None:
        """Starts to listen."""
        asyncio.get_running_loop().set_exception_handler(_AcceptLog())
        await super().startup(sockets)
        for each in sockets or []:
            each.listen(self._limits.connections)

    async def shutdown(self, sockets: Optional[List[socket]] = None) -> None:
        """Refuses new requests, or leaves them to another process; serves the rest, and stops listening."""
        end = asyncio.get_running_loop().time() + self._limits.request_seconds
        await self._finished(end)
        self._stop_accepting()
        await asyncio.sleep(_ACCEPTED_SECONDS)
        await self._finished(end)
        await super().shutdown(sockets)

    async def _finished(self, end: float) -> None:
        """Waits until nothing is unfinished, until `end` at most, a time of the loop's clock in seconds."""
        loop = asyncio.get_running_loop()
        self._front.draining = not self._front.leaving
        while self._unfinished and not self.force_exit and loop.time() < end:
            await asyncio.sleep(0.05)
            if self._front.leaving:
                self._front.draining = False
                self._stop_accepting()

    def _stop_accepting(self) -> None:
        for server in self.servers:
            server.close()

    @property
    def _unfinished(self) -> bool:
        """Whether there are requests that are served; or connections, if nobody is refused."""
        return bool(self.server_state.connections if self._front.leaving else self.server_state.tasks)


@contextmanager
def running(server: Server, door: socket) -> Iterator[Callable[[], None]]:
    """Serves at a listening socket during the block, in a thread.

    Yields a function for the main thread. It waits for the signal to end, Ctrl+C or SIGTERM, and until the last request
    is served; a second Ctrl+C ends this wait. Then the signal has its usual effect.

    Raises what the server raised.
    """
    with ThreadPoolExecutor(1, 'server') as executor:
        served = executor.submit(server.run, [door])

        def until_ended() -> None:
            with server.capture_signals():
                while not served.done():
                    wait([served], _SIGNAL_SECONDS)
        try:
            while not (server.started or served.done()):
                wait([served], 0.01)
            if not served.done():
                yield until_ended
        finally:
            server.should_exit = True
        served.result()


class _Config(uvicorn.Config):
    """The configuration of uvicorn, and the limits, which each connection gets by it."""

    def __init__(self, front: Front, limits: Limits, shared: bool) -> None:
        super().__init__(front, http=Connection, ws='none', log_config=None, log_level='error', access_log=False,
                         backlog=1 if shared else limits.connections, timeout_graceful_shutdown=_FLUSH_SECONDS)
        self.front, self.limits = front, limits


class Connection(H11Protocol):
    """One connection. The head of each request must arrive in time, and the client must accept answers in time.

    If there are too many connections, the one that has been without a request for longest is closed. If all have a
    request that is served, the new connection is answered 503.
    """

    config: _Config

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Accepts the connection if there is room."""
        super().connection_made(transport)
        self._head_timer: Optional[asyncio.TimerHandle] = None
        self._answer_timer: Optional[asyncio.TimerHandle] = None
        self._idle_since = self.loop.time()
        self._watch_head()
        self._make_room()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        """Forgets the connection."""
        super().connection_lost(exc)
        _cancel(self._head_timer)
        _cancel(self._answer_timer)

    def data_received(self, data: bytes) -> None:
        """Takes bytes of a request."""
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Starts the timer of the answer: the client reads more slowly than the service writes."""
        super().pause_writing()
        self._answer_timer = self.loop.call_later(self.config.limits.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stops the timer of the answer: the client has read what was written."""
        super().resume_writing()
        _cancel(self._answer_timer)

    @property
    def _idle(self) -> bool:
        """Whether no complete head of a request has arrived."""
        return self.conn.their_state is h11.IDLE

    def _watch_head(self) -> None:
        if self._idle and self._head_timer is None:
            self._head_timer = self.loop.call_later(self.config.limits.header_seconds, self._end_idle)
        elif not self._idle:
            _cancel(self._head_timer)
            self._head_timer = None

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, Connection) and one is not self
                  and not one.transport.is_closing()]
        if len(others) < self.config.limits.connections:
            return
        idle = [one for one in others if one._idle]
        if idle:
            min(idle, key=lambda one: one._idle_since)._end_idle()
        else:
            self._refuse(503, f'busy with {len(others)} connections: try again in a second')

    def _end_idle(self) -> None:
        """Closes the connection. A client that has sent a part of a head gets an answer first."""
        if self.transport.is_closing():
            return
        if self.conn.trailing_data[0]:
            self._refuse(408, f'the head of the request did not arrive within {self.config.limits.header_seconds:g} '
                              'seconds')
        else:
            self.transport.close()

    def _refuse(self, status: int, reason: str) -> None:
        """Answers without a request that the application knows, and closes the connection."""
        body = json.dumps({'detail': reason}).encode()
        headers = [('content-type', 'application/json'), ('content-length', str(len(body))), ('connection', 'close'),
                   ('retry-after', '1')]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b'')
        self.transport.close()
        self.config.front.observer.refused(status, self.client[0] if self.client else None)


def _cancel(timer: Optional[asyncio.TimerHandle]) -> None:
    if timer:
        timer.cancel()


class _AcceptLog:
    """An exception handler of the event loop.

    asyncio reports each connection that it cannot accept: hundreds a second if the system has no more file descriptors.
    These reports are counted, and logged once in _LOG_SECONDS. asyncio tries again a second later for each, also if the
    socket is closed by then; those reports are dropped.
    """

    def __init__(self) -> None:
        self._count, self._next = 0, 0.

    def __call__(self, loop: asyncio.AbstractEventLoop, context: Dict[str, Any]) -> None:
        if 'accept' in context['message']:
            self._count += 1
            if loop.time() >= self._next:
                _LOG.warning('connections cannot be accepted (%d times): %s', self._count, context.get('exception'))
                self._count, self._next = 0, loop.time() + _LOG_SECONDS
        elif '_start_serving' not in context['message']:
            loop.default_exception_handler(context)
