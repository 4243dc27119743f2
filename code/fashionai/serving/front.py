"""The front of the service: it answers from the start, also while the networks are still being loaded."""
import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Collection, Optional

from fastapi import FastAPI
from starlette.responses import JSONResponse

from fashionai.serving.answers import Health
from fashionai.serving.limits import Busy
from fashionai.serving.middleware import Hosts, Lingering

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Front:
    """An ASGI application that passes requests to the service as soon as there is one, if their `Host` is of `hosts`.

    While the networks are loaded, and while the last requests are served (`draining`), it answers 503 with
    `Retry-After`. It answers `/health` at all times.
    """

    def __init__(self, hosts: Collection[str] = ()) -> None:
        self.draining = False
        self._service: Optional[FastAPI] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._lifespans = AsyncExitStack()
        self._app = Hosts(Lingering(self._answer), hosts)

    def open(self, service: FastAPI) -> None:
        """Starts to pass requests to the service. Call it from another thread than that of the requests."""
        assert self._loop, 'the server has started'
        asyncio.run_coroutine_threadsafe(self._open(service), self._loop).result()

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        if scope['type'] == 'lifespan':
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _open(self, service: FastAPI) -> None:
        await self._lifespans.enter_async_context(service.router.lifespan_context(service))
        self._service = service

    async def _live(self, receive: 'Receive', send: 'Send') -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        await self._lifespans.aclose()
        await send({'type': 'lifespan.shutdown.complete'})

    async def _answer(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        healthy = scope['path'] == '/health'
        if self._service and (healthy or not self.draining):
            await self._service(scope, receive, send)
        elif healthy:
            await JSONResponse(Health(status='ok', busy_with=0).model_dump())(scope, receive, send)
        else:
            busy = Busy('the service is ending' if self.draining else 'the networks are being loaded')
            await JSONResponse({'detail': busy.reason}, busy.status, busy.headers)(scope, receive, send)
