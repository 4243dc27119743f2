"""The service by raw sockets: slow, too large, foreign, early and late requests, and the requests that are served."""
import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

import numpy as np
import pytest
from fastapi import FastAPI, Response

from fashionai.serving import app, connections
from fashionai.serving.connections import Server, running
from fashionai.serving.front import Front
from fashionai.serving.limits import Limits
from fashionai.serving.uploads import decoded

CODE = Path(__file__).resolve().parents[2] / 'code'
Address = Tuple[str, int]
Answer = Tuple[int, Dict[str, str], Any]


def head(path: str, method: str = 'GET', host: str = 'localhost', **headers: object) -> bytes:
    lines = [f'{method} {path} HTTP/1.1', f'Host: {host}',
             *(f'{name.replace("_", "-")}: {value}' for name, value in headers.items())]
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


@contextmanager
def connected(address: Address, *parts: bytes) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as opened:
        for part in parts:
            opened.sendall(part)
        yield opened


def answered(opened: socket.socket) -> Answer:
    """Returns status, headers and JSON of the next answer, read to its last byte."""
    file = opened.makefile('rb')
    status = int(file.readline().split()[1])
    fields = [line.decode().partition(':') for line in iter(file.readline, b'\r\n')]
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    return status, headers, json.loads(file.read(int(headers['content-length'])))


def asked(address: Address, *parts: bytes) -> Answer:
    with connected(address, *parts) as opened:
        return answered(opened)


def ended(opened: socket.socket) -> bytes:
    """Returns everything that arrives until the other side closes the connection."""
    return b''.join(iter(lambda: opened.recv(65536), b''))


@contextmanager
def listening(limits: Limits, *hosts: str) -> Iterator[Tuple[Address, Front]]:
    """A server whose front has no service yet; the address is of loopback."""
    door = socket.create_server(('127.0.0.1', 0))
    front = Front(hosts)
    with door, running(Server(front, limits), door):
        yield door.getsockname()[:2], front


@contextmanager
def served(application: Callable, limits: Limits, *hosts: str) -> Iterator[Address]:
    with listening(limits, *hosts) as (address, front):
        front.open(application(limits))
        yield address


@pytest.fixture(scope='module')
def address(application: Callable) -> Iterator[Address]:
    limits = Limits(megabytes=0.1, seconds=0.5, header_seconds=0.2)
    with served(application, limits, 'shop.example', '*.cloth.example') as where:
        yield where


def test_half_a_head_times_out(address: Address) -> None:
    with connected(address, b'GET /health HTTP/1.1\r\nHos') as half, connected(address) as silent:
        status, headers, said = answered(half)
        assert status == 408 and headers['connection'] == 'close' and '0.2 seconds' in said['detail']
        assert ended(half) == ended(silent) == b''


def test_a_head_that_drips_times_out_after_a_whole_request_too(address: Address) -> None:
    with connected(address, head('/health')) as opened:
        assert answered(opened)[0] == 200
        begun = time.monotonic()
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before the last byte
            for byte in b'GET /health HT':
                opened.sendall(bytes([byte]))
                time.sleep(0.01)
        assert answered(opened)[0] == 408 and time.monotonic() - begun < 2


def test_a_slow_body_gets_408_and_holds_no_place(application: Callable, encoded: Callable) -> None:
    limits = Limits(seconds=1.5, waiting=1, queue=1)
    with served(application, limits) as address, ExitStack() as stack:
        half = head('/predict', 'POST', content_length=1000) + b'x'
        slow = [stack.enter_context(connected(address, half)) for _ in range(5)]
        assert asked(address, head('/predict', 'POST', content_length=len(encoded())), encoded())[0] == 200
        assert [answered(opened)[0] for opened in slow] == [408] * 5


@pytest.mark.parametrize('close', [True, False])
def test_a_chunked_body_over_the_limit_gets_413_and_no_reset(address: Address, close: bool) -> None:
    """Also clients that send everything before they read, and close after one request, like urllib."""
    headers = {'transfer_encoding': 'chunked', **({'connection': 'close'} if close else {})}
    chunk = b'%x\r\n%s\r\n' % (50_000, bytes(50_000))
    with connected(address, head('/predict', 'POST', **headers), *[chunk] * 60, b'0\r\n\r\n') as opened:
        status, _, said = answered(opened)
        assert status == 413 and '0.1 MB' in said['detail'] and ended(opened) == b''


@pytest.mark.parametrize('path, status', [('/predict', 413), ('/predict?tag=hat', 422), ('/nowhere', 405)])
def test_no_early_answer_is_lost(address: Address, path: str, status: int) -> None:
    size = 3_000_000
    with connected(address, head(path, 'POST', content_length=size, connection='close'), bytes(size)) as opened:
        assert answered(opened)[0] == status and ended(opened) == b''


def test_who_asks_before_sending_is_answered_at_once(address: Address) -> None:
    with connected(address, head('/predict', 'POST', content_length=3_000_000, expect='100-continue')) as opened:
        begun = time.monotonic()
        assert answered(opened)[0] == 413 and ended(opened) == b'' and time.monotonic() - begun < 2


@pytest.mark.parametrize('host, status', [
    ('localhost', 200), ('localhost:8000', 200), ('127.0.0.1', 200), ('[::1]:80', 200), ('0.0.0.0:8000', 200),
    ('SHOP.example.', 200), ('a.b.cloth.example', 200), ('cloth.example', 400), ('acloth.example', 400),
    ('evil.example', 400), ('localhost.evil.example', 400), ('192.168.7.7', 400), ('', 400)])
def test_the_host_is_checked(address: Address, host: str, status: int) -> None:
    """A page of evil.example that points its name to this address (DNS rebinding) sends its own name."""
    found, _, said = asked(address, head('/health', host=host))
    assert found == status and (status == 200 or '--hosts' in said['detail'])


def test_every_host_may_be_allowed(application: Callable) -> None:
    with served(application, Limits(), '*') as address:
        assert asked(address, head('/health', host='any.example'))[0] == 200
        assert asked(address, b'GET /health HTTP/1.0\r\n\r\n')[0] == 200, 'which may lack a Host'


def test_idle_connections_give_way_and_busy_ones_do_not(application: Callable) -> None:
    limits = Limits(connections=3, seconds=5)
    with served(application, limits) as address, ExitStack() as stack:
        idle = [stack.enter_context(connected(address, b'GET')) for _ in range(3)]
        time.sleep(0.05)
        assert asked(address, head('/health'))[0] == 200
        assert answered(idle[0])[0] == 408 and ended(idle[0]) == b'', 'the one that had waited longest'
        half = head('/predict', 'POST', content_length=1000)
        for _ in range(3):
            stack.enter_context(connected(address, half))
            time.sleep(0.05)
        status, headers, said = asked(address)
        assert status == 503 and headers['retry-after'] == '1' and '3 connections' in said['detail']


def test_what_fails_to_be_accepted_is_logged_once(tmp_path: Path) -> None:
    """A process may open only a few files, and gets more connections than that."""
    program = f"""
import logging, resource, socket, sys
sys.path.insert(0, {str(CODE)!r})
from fashionai.serving.connections import Server, running
from fashionai.serving.front import Front
from fashionai.serving.limits import Limits
logging.basicConfig()
door = socket.create_server(('127.0.0.1', 0))
with running(Server(Front(), Limits(header_seconds=1)), door) as until_ended:
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    print(door.getsockname()[1], flush=True)
    until_ended()
"""
    with open(str(tmp_path / 'said'), 'w+') as said:
        process = subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE, stderr=said,
                                   universal_newlines=True)
        try:
            address = ('127.0.0.1', int(process.stdout.readline()))
            with ExitStack() as stack:
                for _ in range(30):
                    stack.enter_context(connected(address))
                time.sleep(1.2)
            assert asked(address, head('/health'))[0] == 200, 'it goes on'
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == -signal.SIGTERM
        finally:
            process.kill()
            process.stdout.close()
        said.seek(0)
        line, = said.read().splitlines()
        assert 'Too many open files' in line


def test_an_accept_that_is_tried_again_after_the_end_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio reports each failed connection with a traceback."""
    door = socket.create_server(('127.0.0.1', 0))

    async def session() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(connections._AcceptLog())
        door.close()
        loop.call_soon(loop._start_serving, None, door)  # type: ignore[attr-defined]
        loop.call_soon(int, 'no number')
        await asyncio.sleep(0.01)
    asyncio.run(session())
    record, = caplog.records
    assert 'no number' in str(record.exc_info)


def test_who_does_not_take_an_answer_is_cut_off() -> None:
    service, size = FastAPI(), 30_000_000

    @service.get('/large')
    async def large() -> Response:
        return Response(bytes(size))
    with listening(Limits(seconds=0.3)) as (address, front):
        front.open(service)
        with connected(address, head('/large')) as opened:
            time.sleep(1)
            assert len(ended(opened)) < size


def test_pictures_are_served_in_order_but_for_those_who_have_left(application: Callable, encoded: Callable,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """With one place, the first picture holds it until the second client has gone; then the others follow in order."""
    looked, free = [], threading.Event()

    def slow(data: bytes, limits: Limits) -> np.ndarray:
        looked.append(data)
        assert free.wait(10)
        return decoded(data, limits)
    monkeypatch.setattr(app, 'decoded', slow)
    first, second, *others = (encoded(colour=(0, 0, red)) for red in range(250, 256))

    def request(body: bytes) -> bytes:
        return head('/predict', 'POST', content_length=len(body)) + body
    with served(application, Limits(waiting=1)) as address, connected(address, request(first)) as one:
        with connected(address, request(second)):
            time.sleep(0.1)
        with ExitStack() as stack:
            waiting = [one]
            for body in others:
                waiting.append(stack.enter_context(connected(address, request(body))))
                time.sleep(0.05)
            free.set()
            assert [answered(opened)[0] for opened in waiting] == [200] * 5
    assert looked == [first, *others]


def test_a_deadline_that_passes_in_the_queue_is_answered_at_once_and_costs_no_work(
        application: Callable, encoded: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one place, which the first picture holds until the others have their answers."""
    looked, free = [], threading.Event()

    def slow(data: bytes, limits: Limits) -> np.ndarray:
        looked.append(data)
        assert free.wait(10)
        return decoded(data, limits)
    monkeypatch.setattr(app, 'decoded', slow)
    first, second = encoded(colour=(0, 0, 255)), encoded(colour=(0, 0, 254))

    def request(body: bytes, path: str = '/predict', **headers: object) -> bytes:
        return head(path, 'POST', content_length=len(body), **headers) + body
    with served(application, Limits(waiting=1)) as address, connected(address, request(first)) as one:
        time.sleep(0.1)
        for late in (request(second, X_Deadline_Seconds=0.2), request(second, '/predict?deadline=0.2')):
            status, _, said = asked(address, late)
            assert status == 504 and '0.2 seconds' in said['detail']
        half = head('/predict', 'POST', content_length=1000, X_Deadline_Seconds=0.2) + b'x'
        assert asked(address, half)[0] == 504, 'it passed while the picture was arriving'
        free.set()
        assert answered(one)[0] == 200
        assert asked(address, request(second, X_Deadline_Seconds=10))[0] == 200
    assert looked == [first, second]


def test_it_is_up_before_it_is_ready(application: Callable, encoded: Callable) -> None:
    with listening(Limits()) as (address, front):
        assert asked(address, head('/health'))[0] == 200
        body = encoded()
        for request in (head('/ready'), head('/predict', 'POST', content_length=len(body)) + body):
            status, headers, said = asked(address, request)
            assert status == 503 and headers['retry-after'] == '1' and 'loaded' in said['detail']
        front.open(application())
        assert asked(address, head('/ready'))[::2] == (200, {'status': 'ready'})


def test_the_end_waits_for_what_has_begun(application: Callable, encoded: Callable,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is still arriving is served, new requests are refused, and then the service does not listen."""
    monkeypatch.setattr(connections, '_FLUSH_SECONDS', 0.1)
    body = encoded()
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(('127.0.0.1', 0)))
        front, limits = Front(), Limits(seconds=5)
        server = Server(front, limits)
        stack.enter_context(running(server, door))
        address = door.getsockname()[:2]
        front.open(application(limits))
        slow = stack.enter_context(connected(address, head('/predict', 'POST', content_length=len(body)), body[:9]))
        time.sleep(0.1)
        server.should_exit = True
        time.sleep(0.3)
        status, headers, _ = asked(address, head('/ready'))
        assert status == 503 and headers['retry-after'] == '1' and asked(address, head('/health'))[0] == 200
        slow.sendall(body[9:])
        assert answered(slow)[0] == 200 and ended(slow) == b''
    with pytest.raises(ConnectionRefusedError):
        asked(address)


def test_who_leaves_to_a_successor_serves_its_connections_to_their_end(application: Callable,
                                                                      encoded: Callable) -> None:
    """A kept connection and one that is still sending are served; both are asked to connect anew."""
    body = encoded()
    with socket.create_server(('127.0.0.1', 0)) as door, ExitStack() as stack:
        address, successor = door.getsockname()[:2], door.dup()
        stack.enter_context(successor)
        front, limits = Front(), Limits(seconds=5)
        server = Server(front, limits)
        with running(server, door):
            front.open(application(limits))
            kept = stack.enter_context(connected(address, head('/ready')))
            assert answered(kept)[0] == 200
            slow = stack.enter_context(connected(address, head('/predict', 'POST', content_length=len(body)), body[:9]))
            time.sleep(0.1)
            server.leave()
            time.sleep(0.5)
            new = stack.enter_context(connected(address, head('/health')))
            kept.sendall(head('/ready'))
            slow.sendall(body[9:])
            for opened in (kept, slow):
                status, headers, _ = answered(opened)
                assert (status, headers['connection']) == (200, 'close') and ended(opened) == b''
        with successor.accept()[0] as accepted:
            assert accepted.recv(4) == b'GET ', 'the new connection waited for the successor'
        assert new.fileno() >= 0


def test_an_end_without_requests_is_quick(application: Callable) -> None:
    with served(application, Limits()) as address, connected(address, head('/health')) as kept:
        assert answered(kept)[0] == 200
        begun = time.monotonic()
    assert time.monotonic() - begun < 3


def test_more_clients_than_places_need_no_retries(application: Callable, encoded: Callable) -> None:
    request, answers = head('/predict', 'POST', content_length=len(encoded())) + encoded(), []

    def client(address: Address) -> None:
        answers.extend(asked(address, request)[0] for _ in range(3))
    with served(application, Limits(waiting=2, batch=2)) as address:
        clients = [threading.Thread(target=client, args=(address,)) for _ in range(12)]
        for each in clients:
            each.start()
        for each in clients:
            each.join()
    assert answers == [200] * 36
