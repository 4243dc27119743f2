"""Measures how long clients wait for a service that many use at a time. Each client sends a picture again and again.

Start the service first: `./begin_to_serve.sh --preset fast`. A refused client tries again after `Retry-After`, as the
page does; its time counts from its first try. With `--service`, the memory of the service is measured too.
"""
import argparse
import random
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Iterator, List, Optional, Sequence
from urllib.parse import urlsplit

import numpy as np
from timing import circumstances

from fashionai.cli.entry_point import guarded, resolve
from fashionai.errors import InputError
from fashionai.option_group import at_least


class Client(threading.Thread):
    """Sends a picture until a time of `time.monotonic`; keeps the seconds of each answer, and counts refusals."""

    def __init__(self, url: str, picture: bytes, end: float) -> None:
        super().__init__(daemon=True)
        self._url, self._picture, self._end = urlsplit(url), picture, end
        self.waits: List[float] = []
        self.refused, self.failed = 0, 0

    def run(self) -> None:
        """Sends pictures until the end, and waits for the last answer."""
        while time.monotonic() < self._end:
            start = time.monotonic()
            try:
                while self._asked() == 503:
                    self.refused += 1
                self.waits.append(time.monotonic() - start)
            except (OSError, HTTPException):
                self.failed += 1
                time.sleep(0.1)

    def _asked(self) -> int:
        """Returns the status of one answer; after a 503, waits until the client may try again."""
        connection = HTTPConnection(self._url.hostname or '', self._url.port, timeout=300)
        try:
            connection.request('POST', f'{self._url.path.rstrip("/")}/predict?{self._url.query}', self._picture)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 503):
            raise HTTPException(answer.status)
        if answer.status == 503:
            time.sleep(float(answer.headers.get('Retry-After', 1)) * random.uniform(0.5, 1.5))
        return answer.status


class Memory(threading.Thread):
    """Measures the memory of a process and all its descendants each second. Pages that they share count once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self.most, self.ended = 0., threading.Event()

    def run(self) -> None:
        """Measures until `ended` is set; `most` is the highest value in MB."""
        while not self.ended.wait(1):
            self.most = max(self.most, sum(map(_proportional_mb, _family(self._pid))))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f'/proc/{pid}/task').glob('*/children'):
        for child in children.read_text().split():
            yield from _family(int(child))


def _proportional_mb(pid: int) -> float:
    try:
        lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith('Pss:')) * 1024 / 1e6


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the clients and prints how long they waited."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('picture', help='the picture that every client sends')
    parser.add_argument('--url', default='http://127.0.0.1:8000', help='the service (default: %(default)s)')
    parser.add_argument('--clients', type=at_least(1), default=50, help='number of clients (default: %(default)s)')
    parser.add_argument('--seconds', type=float, default=15, help='duration in seconds (default: %(default)s)')
    parser.add_argument('--service', type=at_least(1), metavar='PID', help='process number of the service, to '
                        'measure its memory (Linux)')
    args = parser.parse_args(argv)
    picture = Path(resolve(args.picture)).read_bytes()
    end = time.monotonic() + args.seconds
    clients = [Client(args.url, picture, end) for _ in range(args.clients)]
    memory = Memory(args.service) if args.service else None
    for thread in [*clients, *([memory] if memory else [])]:
        thread.start()
    for client in clients:
        client.join()
    if memory:
        memory.ended.set()
        memory.join()
    waits = np.array([wait for client in clients for wait in client.waits])
    if not len(waits):
        raise InputError(f'no answer from {args.url} in {args.seconds:g} seconds: wanted a running service')
    print(circumstances(), '\n')
    print(f'{args.clients} clients, {args.seconds:g} s: {len(waits)} answers, {sum(c.refused for c in clients)} '
          f'refusals, {sum(c.failed for c in clients)} failures; ' +
          ', '.join(f'p{each} {np.percentile(waits, each):.2f} s' for each in (50, 90, 95, 99)) +
          f', longest {waits.max():.2f} s' + (f'; at most {memory.most:.0f} MB' if memory else ''))
    return 0


if __name__ == '__main__':
    sys.exit(main())
