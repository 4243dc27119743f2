"""A rank of a training among the others: it begins every step together with them, and notices that one of them is gone.

Rank 0 runs a `Hub`, and every rank a `Member`, connected by TCP. Who notices in the middle of a step that another rank
is gone ends its process: the step cannot be left in another way. No TensorFlow is imported here.
"""
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from typing import Any, Callable, Iterator, List, Optional

from fashionai.errors import InputError
from fashionai.signals import Held, signals_held
from fashionai.training.cluster import Cluster
from fashionai.training.control_messages import (
    ENDING,
    FETCHING,
    LOST_CODE,
    SAVING,
    STARTING,
    STEPPING,
    USUAL_TIMING,
    VALIDATING,
    WAITING,
    Connection,
    Disagreement,
    Message,
    PeerLost,
    Plan,
    Timing,
)
from fashionai.training.hub import Hub

logger = logging.getLogger(__name__)


class Member:
    """A rank among the others. Use it in a `with` block, which leaves the others at its end.

    The rank has joined when the constructor returns: `first_step` is the step at which rank 0 resumes.

    Raises InputError if rank 0 refuses this rank, and PeerLost if a rank does not come.
    """

    def __init__(self, cluster: Cluster, plan: Plan, disagreement: Disagreement, stall_s: float,
                 end: Callable[[int], Any] = os._exit, timing: Timing = USUAL_TIMING) -> None:
        """
        Args:
            cluster: the ranks.
            plan: what this rank wants to train.
            disagreement: compares the agreements of two ranks; rank 0 uses it.
            stall_s: seconds without a step after which a rank counts as lost; at the start at least `timing.start`.
            end: ends this process, whatever its threads do.
            timing: how long ranks wait for each other.
        """
        self.cluster, self._plan, self._stall_s, self._end = cluster, plan, stall_s, end
        self._timing = timing
        self._changed = threading.Condition()
        self._answers: List[Message] = []
        self._doing, self._since = STARTING, time.monotonic()
        self._heard, self._lost, self._lost_at, self._stopped_at = time.monotonic(), '', 0., 0.
        self._steps, self._left = 0, False
        self._held: Optional[Held] = None
        self._hub = None if cluster.rank else Hub(cluster, plan, disagreement, stall_s, timing)
        try:
            self._connection = self._connected()
            for task in self._read, self._beat:
                threading.Thread(target=task, name='member', daemon=True).start()
            self.first_step = int(self._answer('start')['start'])
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> 'Member':
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if error is not None:
            self._connection.send(_stop_message(error))
        self._connection.send({'bye': True})
        self._close()

    def _close(self) -> None:
        self._left = True
        if self._hub:
            self._hub.close()
        if hasattr(self, '_connection'):
            self._connection.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """The block is a step: it begins when all ranks are ready for it. SIGTERM and Ctrl-C wait for its end.

        Raises what ended the training on another rank: SystemExit or KeyboardInterrupt for a signal, InputError for
        anything else; PeerLost if another rank is gone.
        """
        with signals_held() as self._held:
            self._connection.send({'ready': self._steps})
            self._now(WAITING)
            self._answer('go')
            self._steps += 1
            self._now(STEPPING)
            yield
            self._now(FETCHING)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """The block does something else, VALIDATING or SAVING. The other ranks wait for the end of a validation.

        A signal that waits for the end of a step is not held back in a validation.
        """
        before = self._doing
        self._now(what)
        try:
            with self._held.released() if self._held and what == VALIDATING else nullcontext():
                yield
        finally:
            self._now(before)

    def check(self) -> None:
        """Raises PeerLost if another rank is lost, or becomes so within two signs of life."""
        with self._changed:
            self._changed.wait_for(lambda: self._lost, 2 * self._timing.beat)
            if self._lost:
                raise PeerLost(self._lost)

    def _now(self, what: str) -> None:
        self._doing, self._since = what, time.monotonic()

    def _connected(self) -> Connection:
        """Returns a connection to the hub that has asked to join."""
        host, port = self.cluster.control
        patience_s, said = max(self._stall_s, self._timing.start), ''
        until = time.monotonic() + patience_s
        while True:
            try:
                connection = Connection(socket.create_connection((host, port), timeout=patience_s))
            except OSError as error:
                if time.monotonic() > until:
                    raise PeerLost(f'{self.cluster.named(0)} cannot be reached at port {port} within '
                                   f'{patience_s:.0f} s: {error.strerror or error}') from None
                said = self._said(f'waiting for {self.cluster.named(0)} at port {port}', said)
                continue
            connection.send({'join': self.cluster.rank, 'cluster': list(self.cluster.addresses),
                             **self._plan._asdict()})
            answer = connection.receive()
            if answer is not None and 'busy' not in answer:
                return self._accepted(connection, answer)
            connection.close()
            if time.monotonic() > until:
                raise PeerLost(f'{self.cluster.named(0)} has a training with all its ranks already, and it did not end '
                               f'within {patience_s:.0f} s')
            said = self._said(f'waiting for the end of a training that {self.cluster.named(0)} has already', said)

    def _said(self, message: str, before: str) -> str:
        """Logs a message, unless it was the last one, and waits for a moment. Returns the message."""
        if message != before:
            logger.info('%s', message)
        time.sleep(self._timing.beat / 2)
        return message

    def _accepted(self, connection: Connection, answer: Message) -> Connection:
        """Keeps the first answer for `_answer`. Raises InputError if it is no answer of a hub."""
        if not answer:
            raise InputError(f'port {self.cluster.control[1]} of {self.cluster.named(0)}, where the ranks meet, has '
                             'another program: give other ports')
        if 'refused' in answer:
            raise InputError(answer['refused'])
        self._follow(answer)
        return connection

    def _read(self) -> None:
        """Follows what the hub says, until the connection ends."""
        while True:
            message = self._connection.receive()
            with self._changed:
                if message is None:
                    if not self._left:
                        self._lose(f'{self.cluster.named(0)} has ended')
                    return
                self._follow(message)

    def _follow(self, message: Message) -> None:
        with self._changed:
            self._heard = time.monotonic()
            if 'lost' in message:
                self._lose(str(message['lost']))
            elif 'alive' not in message:
                if 'stop' in message and not self._stopped_at:
                    self._stopped_at = time.monotonic()
                self._answers.append(message)
                self._changed.notify_all()

    def _lose(self, message: str) -> None:
        if not self._lost:
            self._lost, self._lost_at = message, time.monotonic()
            self._changed.notify_all()

    def _answer(self, wanted: str) -> Message:
        """Returns the hub's message of that kind when it comes. Raises as `step`."""
        asked = False
        with self._changed:
            while True:
                while self._answers:  # in their order: a step that was let go comes before a stop
                    message = self._answers.pop(0)
                    if 'stop' in message:
                        raise _stopped(message, self.cluster)
                    if wanted in message:
                        return message
                if self._lost:
                    raise PeerLost(self._lost)
                if self._held and self._held.pending and not asked:
                    self._connection.send({'stop': 'a signal', 'code': 128 + self._held.pending[0]})
                    asked = True
                self._changed.wait(self._timing.beat / 10)

    def _beat(self) -> None:
        """Gives signs of life, and ends the process if a rank is lost and this one cannot leave its step."""
        while not self._left:
            time.sleep(self._timing.beat)
            now = time.monotonic()
            self._connection.send({'doing': self._doing, 'seconds': now - self._since})
            with self._changed:
                if now - self._heard > self._stall_s + 3 * self._timing.beat:
                    self._lose(f'{self.cluster.named(0)} is silent for {now - self._heard:.0f} s')
            grace = self._timing.grace
            if self._lost and self._stuck(now, self._lost_at, grace):
                self._leave(self._lost, LOST_CODE)
            elif self._stopped_at and self._doing == STEPPING and self._stuck(now, self._stopped_at, 6 * grace):
                self._leave('another rank stopped in the middle of a step', LOST_CODE)

    def _stuck(self, now: float, since: float, patience_s: float) -> bool:
        """Returns whether this rank has gone on with what it does for some seconds, after a moment when it should
        end."""
        return not self._left and self._doing != SAVING and now - max(since, self._since) > patience_s

    def _leave(self, message: str, code: int) -> None:
        """Ends this process."""
        print(f'error: {message}', file=sys.stderr, flush=True)
        self._end(code)


def _stop_message(error: BaseException) -> Message:
    """Returns what the other ranks are told when an exception ends this one."""
    if isinstance(error, KeyboardInterrupt):
        return {'stop': 'a signal', 'code': 128 + signal.SIGINT}
    if isinstance(error, SystemExit):
        return {'stop': 'a signal', 'code': error.code if isinstance(error.code, int) else 1}
    if isinstance(error, PeerLost):
        return {'doing': ENDING}
    return {'stop': str(error) if isinstance(error, (InputError, OSError)) else f'a fault: {error!r}', 'code': 1}


def _stopped(stop: Message, cluster: Cluster) -> BaseException:
    """Returns the exception that ends this rank because another one stops."""
    if stop['code'] == 128 + signal.SIGINT:
        return KeyboardInterrupt()
    if stop['code'] > 128:
        return SystemExit(stop['code'])
    return InputError(stop['stop'] if 'rank' not in stop else f'{cluster.named(stop["rank"])}: {stop["stop"]}')
