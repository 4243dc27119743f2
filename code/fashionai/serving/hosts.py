"""The names that the service goes by: a page of another name, which was made to lead here, gets nothing."""
import ipaddress
from typing import TYPE_CHECKING, Collection

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

ANY = '*'


class Hosts:
    """Refuses requests whose `Host` is neither one of the names, nor a name of the machine for itself, nor the very
    address that the request came to: a browser sends the name under which it found the service, so a foreign page can
    ask for nothing by pointing its own name here (DNS rebinding).

    A name `*.shop.example` stands for every name below it, ANY for all. HTTP/1.0 may lack a `Host`: no browser does.
    """

    def __init__(self, app: 'ASGIApp', names: Collection[str]) -> None:
        self._app, self._names = app, frozenset(name.lower() for name in names)

    async def __call__(self, scope: 'Scope', receive: 'Receive', send: 'Send') -> None:
        host = dict(scope['headers']).get(b'host') if scope['type'] == 'http' else None
        if host is None or self._known(_name(host), (scope.get('server') or ('',))[0]):
            await self._app(scope, receive, send)
            return
        text = host.decode('latin-1')
        await JSONResponse({'detail': f'Host {text!r}: wanted localhost, the address of this machine, or a name that '
                                      '--hosts of serve.py has'}, 400)(scope, receive, send)

    def _known(self, name: str, own_address: str) -> bool:
        return (ANY in self._names or name in self._names or f'.{name}'.endswith('.localhost')
                or any(known.startswith('*.') and name.endswith(known[1:]) for known in self._names)
                or _is_address(name, own_address))


def _name(host: bytes) -> str:
    """`Shop.example:8000` to `shop.example`, `[::1]:8000` to `::1`."""
    text = host.decode('latin-1').strip().lower()
    return text[1:].partition(']')[0] if text.startswith('[') else text.partition(':')[0].rstrip('.')


def _is_address(name: str, own: str) -> bool:
    """Whether it is a loopback address, that of every one of the machine, or the machine's own."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified or name == own
