"""Several processes that serve at one socket, and the supervisor that starts them, restarts them and ends them."""
import logging
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Callable, Iterator, List, Optional

READY, DRAIN, LEAVE = 'ready', 'drain', 'leave'
"""What a process says when it serves; and what it is told: to end and refuse new requests, or to end and leave new
requests to the others, as Server.leave does."""

Target = Callable[[Connection, bool], None]
"""The main function of a process, which can be pickled. It gets its end of a pipe, and whether it is to accept
connections while it still loads. If the pipe is closed, the supervisor is gone: it is to end then."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
"""Seconds until a process that has ended is started again; twice as long after each process that was never ready."""

_EXIT_SECONDS = 5
"""A process that has closed its pipe must have ended so much later; it is killed then."""

_LOG = logging.getLogger(__name__)


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    line: Connection
    ready: bool = False


class Supervisor:
    """Starts processes, starts another one for each that ends by itself, and ends all when it is told to.

    Args:
        target: the main function of the processes.
        count: the number of processes.
        early: whether the first processes accept connections while they still load.
        grace: seconds in which a process must have ended after it is told to; it is killed then.
        gone: is called with the number of each process that has ended.
    """

    def __init__(self, target: Target, count: int, early: bool, grace: float,
                 gone: Callable[[int], None] = lambda pid: None) -> None:
        self._target, self._count, self._early, self._grace, self._gone = target, count, early, grace, gone
        self._context = get_context('spawn')
        self._wake, self._woken = self._context.Pipe(duplex=False)[::-1]
        self._workers: List[_Worker] = []
        self._starts: List[float] = []  # times of time.monotonic at which a process is started
        self._pause = _FIRST_PAUSE
        self._served = self._ending = self._killing = False
        self._latest = inf
        self._failed: Optional[int] = None  # the exit code of a process, if the first one ended before it was ready

    @contextmanager
    def running(self) -> Iterator[Callable[[], None]]:
        """Starts the processes; the block begins when all are ready. Yields a function that waits for the end: for
        Ctrl+C or SIGTERM, whose usual effect follows then, or for `leave`. If such a signal comes before all are ready,
        there is no block: its usual effect, which is assumed to be an exception, follows at once.

        Raises SystemExit with the exit code of the first process if it ends before it is ready. It has said why.
        """
        signals: List[int] = []

        def end(number: int, frame: Optional[FrameType]) -> None:
            self._killing = self._killing or (self._ending and number == signal.SIGINT)
            signals.append(number)
            self._wake.send(DRAIN)
        before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._begin()
            if not signals:
                yield self._until_ended
        finally:
            self._end(DRAIN)
            self._until_ended()
            for each, handler in before.items():
                signal.signal(each, handler)
        for number in reversed(signals):
            signal.raise_signal(number)

    def leave(self) -> None:
        """Ends the processes, because another service serves at the same socket. Any thread may call it."""
        self._wake.send(LEAVE)

    def _begin(self) -> None:
        """Starts one process, and the others when it is ready, so that a fault that all have is reported once."""
        self._start(self._early)
        self._until_ready(1)
        for _ in range(self._count - 1):
            self._start(early=False)
        self._until_ready(self._count)

    def _until_ready(self, count: int) -> None:
        while not self._ending and sum(worker.ready for worker in self._workers) < count:
            self._turn()
            if self._failed is not None:
                raise SystemExit(self._failed)

    def _until_ended(self) -> None:
        while self._workers or self._starts:
            self._turn()

    def _turn(self) -> None:
        """Waits until something happens, and deals with it."""
        wait([self._woken, *(each for worker in self._workers for each in (worker.line, worker.process.sentinel))],
             self._seconds())
        if self._woken.poll():
            self._end(self._woken.recv())
        for worker in list(self._workers):
            self._hear(worker)
        for due in [start for start in self._starts if start <= time.monotonic()]:
            self._starts.remove(due)
            self._start(early=False)
        if self._killing or time.monotonic() > self._latest:
            for worker in self._workers:
                worker.process.kill()

    def _seconds(self) -> Optional[float]:
        """Returns how long to wait at most."""
        first = min([*self._starts, self._latest])
        return None if first == inf else max(0.01, first - time.monotonic())

    def _start(self, early: bool) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=self._target, args=(theirs, early), name='fashionai-serve')
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _hear(self, worker: _Worker) -> None:
        try:
            if worker.line.poll() and worker.line.recv() == READY:
                worker.ready, self._served, self._pause = True, True, _FIRST_PAUSE
        except EOFError:
            worker.process.join(_EXIT_SECONDS)
            worker.process.kill()
            worker.process.join()
        if worker.process.exitcode is not None:
            self._lost(worker)

    def _lost(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.line.close()
        self._gone(worker.process.pid or 0)
        if self._ending:
            return
        if not self._served and not worker.ready:
            self._failed = worker.process.exitcode or 1
            return
        _LOG.warning('process %d of the service ended (%s): another is started in %g s', worker.process.pid,
                     worker.process.exitcode, self._pause)
        self._starts.append(time.monotonic() + self._pause)
        if not worker.ready:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _end(self, how: str) -> None:
        """Tells every process to end."""
        if not self._ending:
            self._ending, self._latest = True, time.monotonic() + self._grace
            self._starts.clear()
        for worker in self._workers:
            try:
                worker.line.send(how)
            except OSError:  # it has ended
                pass
