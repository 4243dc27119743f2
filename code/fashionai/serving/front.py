"""The front of the service: it answers from the start, also while the networks are still being loaded."""
import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Collection, Optional

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse

from fashionai.serving.answers import Health
from fashionai.serving.limits import Busy
from fashionai.serving.metrics import Metrics
from fashionai.serving.middleware import Hosts, Lingering
from fashionai.serving.observing import ID_HEADER, Observer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Front:
    """An ASGI application that passes requests to the service as soon as there is one, if their `Host` is of `hosts`.

    While the networks are loaded, and while the last requests are served (`draining`), it answers 503 with
    `Retry-After`. It answers `/health` at all times, and `/metrics` from the time that there is a service.

    Args:
        hosts: names of the service; see Hosts.
        origins: the origins of other websites whose pages may use the service: `https://shop.example`, or `*`.
        observer: sees every request.

    Attributes:
        draining: whether new requests are refused.
        leaving: whether each answer asks the client to make a new connection for its next request.
    """

    def __init__(self, hosts: Collection[str] = (), origins: Collection[str] = (),
                 observer: Optional[Observer] = None) -> None:
        self.draining = self.leaving = False
        self.observer = observer or Observer(Metrics())
        self._service: Optional[FastAPI] = None
        self._first: Optional[FastAPI] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._lifespans = AsyncExitStack()
        self._app = self.observer.over(Hosts(_with_origins(Lingering(self._answer), origins), hosts))

    def open(self, service: FastAPI) -> None:
        """Starts to pass requests to the service: now, or when the server starts. Call it from another thread than that
        of the requests."""
        if not self._loop:
            self._first = service
            return
        asyncio.run_coroutine_threadsafe(self._open(service), self._loop).result()

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        if scope['type'] == 'lifespan':
            await self._live(receive, send)
        else:
            await self._app(scope, receive, self._closing(send))

    async def _open(self, service: FastAPI) -> None:
        await self._lifespans.enter_async_context(service.router.lifespan_context(service))
        self._service = service

    async def _live(self, receive: 'Receive', send: 'Send') -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        if self._first:
            await self._open(self._first)
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        await self._lifespans.aclose()
        await send({'type': 'lifespan.shutdown.complete'})

    async def _answer(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        always = scope['path'] in ('/health', '/metrics')
        if self._service and (always or not self.draining):
            await self._service(scope, receive, send)
        elif scope['path'] == '/health':
            await JSONResponse(Health(status='ok', busy_with=0).model_dump())(scope, receive, send)
        else:
            busy = Busy('the service is ending' if self.draining else 'the networks are being loaded')
            await JSONResponse({'detail': busy.reason}, busy.status, busy.headers)(scope, receive, send)

    def _closing(self, send: 'Send') -> 'Send':
        """Returns a `send` that closes the connection after an answer that begins while `leaving` is set."""
        async def last(message: 'Message') -> None:
            if self.leaving and message['type'] == 'http.response.start':
                message = {**message, 'headers': [*message['headers'], (b'connection', b'close')]}
            await send(message)
        return last


def _with_origins(app: 'ASGIApp', origins: Collection[str]) -> 'ASGIApp':
    """Returns an application that lets the pages of some origins read its answers (CORS)."""
    if not origins:
        return app
    return CORSMiddleware(app, allow_origins=list(origins), allow_methods=['GET', 'POST'],
                          allow_headers=['Content-Type', ID_HEADER, 'X-Deadline-Seconds'],
                          expose_headers=[ID_HEADER, 'Retry-After'])
