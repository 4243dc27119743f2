"""The socket at which a service listens, and how a new service takes it over from the one before it.

The new service gets the listening socket itself, through a Unix socket. Connections that clients make meanwhile wait in
the listening socket, so none is refused or reset.
"""
import errno
import logging
import os
import socket
import struct
import sys
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Callable, Iterator, Optional

from fashionai.errors import InputError

_READY = b'1'
"""What a successor sends when it serves, and the answer to it."""

_LINUX = sys.platform == 'linux'
_ANSWER_SECONDS = 10
_CREDENTIALS = struct.Struct('3i')

_LOG = logging.getLogger(__name__)


class Listener:
    """A listening socket, which a successor of this process may take over.

    Attributes:
        socket: the socket.
        replaces: whether another service serves at it until this one does.
    """

    def __init__(self, listening: socket.socket, predecessor: 'Optional[Predecessor]' = None) -> None:
        self.socket, self._predecessor = listening, predecessor
        self.replaces = predecessor is not None

    @property
    def address(self) -> str:
        """The address as a URL."""
        host, port = self.socket.getsockname()[:2]
        return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'

    @contextmanager
    def offered(self, taken: Callable[[], None]) -> Iterator[None]:
        """Call it when this process serves: its predecessor ends then. During the block, one successor can take the
        socket over; when it serves, `taken` is called, in another thread."""
        if self._predecessor:
            self._predecessor.end()
        with _offering(self.socket, taken) if _LINUX else _nothing():
            yield


class Predecessor:
    """The service before this one, which goes on until `end`."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def end(self) -> None:
        """Says that this process serves now."""
        try:
            self._line.sendall(_READY)
            self._line.recv(1)
        except OSError:
            _LOG.info('the service before this one has ended already')
        self.close()

    def close(self) -> None:
        """Forgets it. It goes on if it was not told to end."""
        self._line.close()


@contextmanager
def open_listener(host: str, port: int, replace: bool = False) -> Iterator[Listener]:
    """Yields a socket that listens. With `replace`, it is that of the service which listens there, if there is one.

    Raises InputError if the address or the port cannot be used.
    """
    predecessor = None
    try:
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        taken = _taken_over(host, port, family) if replace else None
        if taken:
            listening, predecessor = taken
        else:
            listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = getattr(error, 'strerror', None) or error
        hint = ', or take it over from a running service with --replace' if _LINUX and not replace else ''
        raise InputError(f'cannot listen at {host}, port {port}: {why}; choose another port with --port'
                         f'{hint}') from None
    with listening:
        try:
            yield Listener(listening, predecessor)
        finally:
            if predecessor:
                predecessor.close()


def _taken_over(host: str, port: int, family: int) -> 'Optional[tuple[socket.socket, Predecessor]]':
    """Returns the socket of the service that listens at an address, and that service; None if there is none."""
    if not _LINUX:
        raise InputError('--replace works on Linux: end the service first')
    address = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(_ANSWER_SECONDS)
        line.connect(_name_of(address))
        _check_peer(line)
        _, descriptors, _, _ = socket.recv_fds(line, 1, 1)
        if not descriptors:
            raise OSError(errno.EADDRINUSE, 'the service that has it did not hand its socket over')
    except OSError as error:
        line.close()
        if error.errno == errno.ECONNREFUSED:  # nobody offers a socket
            return None
        raise
    return socket.socket(fileno=descriptors[0]), Predecessor(line)


@contextmanager
def _offering(listening: socket.socket, taken: Callable[[], None]) -> Iterator[None]:
    name = _name_of(listening.getsockname())
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as offer:
        try:
            offer.bind(name)
        except OSError as error:
            _LOG.warning('this service cannot be replaced while it runs: %s', error.strerror)
            yield
            return
        offer.listen(1)
        thread = Thread(target=_hand_over, args=(offer, listening, taken), daemon=True)
        thread.start()
        try:
            yield
        finally:
            with suppress(OSError):  # closed already
                offer.shutdown(socket.SHUT_RDWR)  # ends the wait of the thread
            thread.join(1)


def _hand_over(offer: socket.socket, listening: socket.socket, taken: Callable[[], None]) -> None:
    """Hands the listening socket to those who ask for it, until one of them serves, or the offer is closed."""
    while True:
        try:
            line, _ = offer.accept()
        except OSError:
            return
        with line:
            try:
                _check_peer(line)
                socket.send_fds(line, [_READY], [listening.fileno()])
                if line.recv(1) != _READY:
                    continue  # it has ended before it served
                offer.close()  # so that the successor can offer the socket
                line.sendall(_READY)
            except OSError as error:
                _LOG.warning('the socket was not handed over: %s', error.strerror)
                continue
        _LOG.info('another service has taken over: this one ends')
        taken()
        return


def _check_peer(line: socket.socket) -> None:
    """Raises PermissionError if the process at the other end is of another user, who is not the administrator."""
    _, user, _ = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    if user not in (0, os.getuid()):
        raise PermissionError(errno.EPERM, f'a process of user {user} is at the other end')


def _name_of(address: 'tuple') -> str:
    """Returns the name of the Unix socket for an address. It is abstract: no file, gone with its process."""
    return f'\0fashionai-serve {address[0]} {address[1]}'


@contextmanager
def _nothing() -> Iterator[None]:
    yield
