"""Headers of every response: browsers run nothing but the page's own files, and ask for them anew."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; "
                               "frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache'}


class Headers:
    """Adds HEADERS to what an application answers."""

    def __init__(self, app: 'ASGIApp') -> None:
        self._app = app

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        async def add(message: 'Message') -> None:
            if message['type'] == 'http.response.start':
                message['headers'] = [*message['headers'],
                                      *((name.lower().encode(), value.encode()) for name, value in HEADERS.items())]
            await send(message)

        await self._app(scope, receive, add if scope['type'] == 'http' else send)
