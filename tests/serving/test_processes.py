"""Several processes behind one port, and a service that takes the port over from another, as a user starts them.

The network is the supplied one in ONNX Runtime, at a small size, so that a picture takes a moment only.
"""
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence, Set

import pytest

from fashionai.serving.listener import open_listener

CODE = Path(__file__).resolve().parents[2] / 'code'
SMALL = ('--resolution', '64x64', '--inputsize', '64', '--scales', '[1.0]', '--no-flip', '--access-log', '')
PATIENCE = 180
"""Seconds; test machines are busy."""

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='sockets change hands on Linux')


def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as door:
        return door.getsockname()[1]


@contextmanager
def service(port: int, *flags: object) -> 'Iterator[subprocess.Popen[str]]':
    command = [sys.executable, str(CODE / 'serve.py'), '--port', str(port), *SMALL, *map(str, flags)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, universal_newlines=True)
    try:
        yield process
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


def wait_until_it_serves(process: 'subprocess.Popen[str]') -> None:
    line = next((line for line in process.stderr if 'serving at' in line), 'it ended')
    assert 'serving at' in line, line


def wait_for(wanted: Callable[[], bool]) -> None:
    latest = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < latest
        time.sleep(0.05)


def status_of(port: int, body: bytes) -> int:
    """The status of an answer through a connection of its own; 0 if there is none."""
    connection = HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
    try:
        connection.request('POST', '/predict?tag=skirt', body)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def metrics(port: int) -> Dict[str, float]:
    connection = HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
    connection.request('GET', '/metrics', headers={'Connection': 'close'})
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return {name: float(value) for name, _, value in (line.rpartition(' ') for line in lines if line[0] != '#')}


def workers_of(process: 'subprocess.Popen[str]') -> Set[int]:
    """The processes that serve: the children of the supervisor that run its main function."""
    children = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()
    return {int(pid) for pid in children if b'spawn_main' in Path(f'/proc/{pid}/cmdline').read_bytes()}


def test_processes_share_a_port_and_a_dead_one_is_replaced(encoded: Callable) -> None:
    port = free_port()
    with service(port, '--processes', 2) as process:
        wait_until_it_serves(process)
        wait_for(lambda: metrics(port)['fashionai_processes'] == 2)
        threads = [threading.Thread(target=status_of, args=(port, encoded())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert metrics(port)['fashionai_requests_total{path="/predict",status="200"}'] == 20, 'of both together'
        dead, *_ = before = workers_of(process)
        assert len(before) == 2
        os.kill(dead, signal.SIGKILL)
        wait_for(lambda: status_of(port, encoded()) == 200)
        wait_for(lambda: len(workers_of(process) - before) == 1 and metrics(port)['fashionai_processes'] == 2)
        assert metrics(port)['fashionai_requests_total{path="/predict",status="200"}'] >= 21, 'a count stays'
        last = workers_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 143
        assert not any(Path(f'/proc/{pid}').exists() for pid in last)


def test_processes_end_when_their_supervisor_is_killed() -> None:
    port = free_port()
    with service(port, '--processes', 2) as process:
        wait_until_it_serves(process)
        workers = workers_of(process)
        assert len(workers) == 2
        process.kill()
        wait_for(lambda: not any(_runs(pid) for pid in workers))


def _runs(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_a_fault_that_all_processes_have_is_one_line(tmp_path: Path) -> None:
    (tmp_path / 'graph.onnx').write_bytes(b'no graph')
    with service(free_port(), '--processes', 3, '--modelpath', tmp_path / 'graph.onnx') as process:
        said = process.stderr.read()
        assert process.wait(PATIENCE) == 1 and said.count('error:') == 1 and 'graph.onnx' in said


class Client(threading.Thread):
    """Sends a picture again and again until it is stopped: each through a new connection, or all through one that is
    made anew when the service has asked for it."""

    def __init__(self, port: int, body: bytes, keep: bool) -> None:
        super().__init__(daemon=True)
        self._port, self._body, self._keep = port, body, keep
        self.statuses: List[object] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        connection = HTTPConnection('127.0.0.1', self._port, timeout=PATIENCE)
        while not self.stopped.wait(0.05):
            try:
                connection.request('POST', '/predict?tag=skirt', self._body)
                answer = connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
            except (OSError, HTTPException) as error:
                self.statuses.append(repr(error))
                connection.close()
            if not self._keep:
                connection.close()


def stop(clients: Sequence[Client]) -> None:
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join(PATIENCE)


def test_a_restart_under_load_loses_no_request(encoded: Callable) -> None:
    """One process is replaced by two, and these by one again, while clients send pictures all the time."""
    port = free_port()
    clients = [Client(port, encoded(), keep=number % 2 == 0) for number in range(4)]
    with ExitStack() as stack:
        old = stack.enter_context(service(port))
        wait_until_it_serves(old)
        for client in clients:
            client.start()
        for count in (2, 1):
            before = [len(client.statuses) for client in clients]
            new = stack.enter_context(service(port, '--replace', '--processes', count))
            wait_until_it_serves(new)
            assert old.wait(PATIENCE) == 0
            wait_for(lambda: all(len(client.statuses) > past + 3  # noqa: B023  it is called at once
                                 for client, past in zip(clients, before)))  # noqa: B023
            old = new
        stop(clients)
    assert {status for client in clients for status in client.statuses} == {200}


def test_a_successor_that_ends_early_changes_nothing(encoded: Callable) -> None:
    port = free_port()
    with service(port) as old:
        wait_until_it_serves(old)
        with open_listener('127.0.0.1', port, replace=True) as listener:
            assert listener.replaces
        assert status_of(port, encoded()) == 200
        with service(port, '--replace') as new:
            wait_until_it_serves(new)
            assert old.wait(PATIENCE) == 0 and status_of(port, encoded()) == 200


def test_a_service_that_is_told_to_end_first_hands_its_socket_over_too(encoded: Callable) -> None:
    """SIGTERM, and then a new process at the same port: requests that had begun are served, others may be refused with
    503 for a moment, and none is lost."""
    port, body = free_port(), encoded()
    clients = [Client(port, body, keep=False) for _ in range(3)]
    with ExitStack() as stack:
        old = stack.enter_context(service(port, '--seconds', 600))
        wait_until_it_serves(old)
        slow = stack.enter_context(socket.create_connection(('127.0.0.1', port), timeout=PATIENCE))
        slow.sendall(b'POST /predict?tag=skirt HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n' % len(body))
        for client in clients:
            client.start()
        wait_for(lambda: all(client.statuses for client in clients))
        old.send_signal(signal.SIGTERM)
        wait_for(lambda: any(client.statuses[-1] == 503 for client in clients))
        wait_until_it_serves(stack.enter_context(service(port, '--replace', '--processes', 2)))
        slow.sendall(body)
        assert slow.recv(12) == b'HTTP/1.1 200'
        assert old.wait(PATIENCE) == 143
        wait_for(lambda: all(client.statuses[-1] == 200 for client in clients))
        stop(clients)
    assert {status for client in clients for status in client.statuses} == {200, 503}


@pytest.mark.parametrize('count', [1, 2])
def test_a_successor_that_is_ended_while_it_loads_changes_nothing(encoded: Callable, count: int) -> None:
    port = free_port()
    with service(port) as old:
        wait_until_it_serves(old)
        with service(port, '--replace', '--processes', count) as new:
            assert any('network' in line for line in new.stderr), 'it has begun to load'
            new.send_signal(signal.SIGTERM)
            assert new.wait(PATIENCE) in (143, -signal.SIGTERM)
        assert status_of(port, encoded()) == 200 and old.poll() is None


def test_a_port_is_not_shared_without_being_asked(encoded: Callable) -> None:
    port = free_port()
    with service(port) as old:
        wait_until_it_serves(old)
        with service(port, '--processes', 2) as new:
            assert new.wait(PATIENCE) == 1 and '--replace' in new.stderr.read()
        assert status_of(port, encoded()) == 200


@pytest.mark.skipif(os.getuid() != 0, reason='only the administrator can become another user')
def test_another_user_gets_no_socket() -> None:
    program = f"""
import encodings.idna, os, sys
sys.path.insert(0, {str(CODE)!r})
from fashionai.serving.listener import open_listener
os.setuid(65534)
try:
    with open_listener('127.0.0.1', int(sys.argv[1]), replace=True):
        print('taken')
except ValueError:
    print('refused')
"""
    with open_listener('127.0.0.1', 0) as listener, listener.offered(lambda: pytest.fail('taken')):
        port = str(listener.socket.getsockname()[1])
        done = subprocess.run([sys.executable, '-c', program, port], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == 'refused'
