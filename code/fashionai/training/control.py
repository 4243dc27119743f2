"""How the ranks of a training find each other, begin every step together, and notice that one of them is gone.

TensorFlow's all-reduce waits for ever for a rank that has ended, so nobody may enter a step alone. Rank 0 runs a `Hub`,
and every rank a `Member` of it, connected by TCP. A step begins when all ranks have their batch; whoever wants to end
says so before a step, and all end there. Who notices in the middle of a step that another rank is gone ends its
process: the step cannot be left in another way. No TensorFlow is imported here.
"""
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set

from fashionai.errors import InputError
from fashionai.signals import Held, signals_held
from fashionai.training.cluster import Cluster, listening

LOST_CODE = 138
"""The exit code of a rank that has lost another one. Kubeflow's TFJob restarts a process that ends with it."""

_BEAT_S = 1.
"""Seconds between two signs of life."""

_GRACE_S = 5.
"""Seconds that a rank has to finish its step after another rank was lost."""

_START_S = 300.
"""Seconds that the ranks have at least to meet and to begin the first step: they read data and build graphs."""

_LONGEST_LINE = 2 ** 20

STARTING, FETCHING, WAITING, STEPPING, VALIDATING, SAVING, ENDING = (
    'starting', 'waiting for its next batch', 'waiting for the other ranks', 'computing a step', 'validating', 'saving',
    'ending')
"""What a rank may be doing, in the words of messages."""

Message = Dict[str, Any]
Disagreement = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""Returns what differs between what rank 0 and what another rank wants to train, '' if nothing."""

logger = logging.getLogger(__name__)


class PeerLost(Exception):
    """Another rank has ended or is silent; the message names it. The same command resumes from the last checkpoint."""


class Plan(NamedTuple):
    """What a rank wants to train.

    run: the name of the run. agreement: what must be equal on all ranks. saved: the step of the last checkpoint that
    the rank has; of rank 0 it is the step to resume at.
    """

    run: str
    agreement: Mapping[str, Any]
    saved: int


class Connection:
    """A TCP connection that carries JSON objects, one in a line. Forked processes do not keep it open."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(None)
        self._socket, self._lines, self._sending = connected, connected.makefile('rb'), threading.Lock()
        _close_in_children(connected)

    def send(self, message: Message) -> None:
        """Sends an object. An error is no news: the end of the connection will be read."""
        try:
            with self._sending:
                self._socket.sendall(json.dumps(message).encode() + b'\n')
        except OSError:
            pass

    def receive(self) -> Optional[Message]:
        """Returns the next object, {} for a line that is none, and None at the end of the connection."""
        try:
            line = self._lines.readline(_LONGEST_LINE)
        except (OSError, ValueError):  # ValueError: this process has closed it
            return None
        if not line:
            return None
        try:
            found = json.loads(line.decode())
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Ends the connection; `receive` returns None then."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


def _close_in_children(opened: socket.socket) -> None:
    """Makes data workers, which are forked, close a socket. Otherwise it would outlive its killed process."""
    def close() -> None:
        number = opened.detach()
        if number >= 0:
            os.close(number)
    os.register_at_fork(after_in_child=close)


@dataclass
class _Peer:
    """What the hub knows of a rank: its connection, when it was heard, what it does, and the step it waits for."""

    connection: Connection
    heard: float = field(default_factory=time.monotonic)
    doing: str = STARTING
    seconds: float = 0.
    ready: int = -1
    left: bool = False


class Hub:
    """The meeting point of all ranks, in the process of rank 0. Its threads answer; nobody else calls it.

    Raises InputError if the port is not free.
    """

    def __init__(self, cluster: Cluster, plan: Plan, disagreement: Disagreement, stall_s: float) -> None:
        self._cluster, self._plan, self._disagreement, self._stall_s = cluster, plan, disagreement, stall_s
        self._lock = threading.RLock()
        self._peers: Dict[int, _Peer] = {}
        self._refused: Set[int] = set()
        self._complete = False
        self._step = 0
        self._stop: Optional[Message] = None
        self._lost = ''
        self._progress = time.monotonic()
        self._socket = listening(cluster.control[1], f'{cluster.named(0)}, where the other ranks meet it,')
        _close_in_children(self._socket)
        self._closed = threading.Event()
        logger.info('%s waits for the others at port %d', cluster.named(0), cluster.control[1])
        for task in self._accept, self._watch:
            threading.Thread(target=task, name='hub', daemon=True).start()

    def close(self) -> None:
        """Waits until the other ranks have left, for some seconds at most, and stops."""
        until = time.monotonic() + 2 * _GRACE_S
        while time.monotonic() < until and not self._others_left():
            time.sleep(_BEAT_S / 20)
        self._closed.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts, so that the port is free
        except OSError:
            pass
        self._socket.close()

    def _others_left(self) -> bool:
        """Returns whether nobody needs the hub any more: all that came have left and, if it refused them, all came."""
        with self._lock:
            gone = {rank for rank, peer in self._peers.items() if peer.left} | self._refused
            others = set(self._peers) if self._complete or not self._stop else set(range(self._cluster.ranks))
            return others - {0} <= gone

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connected, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Connection(connected),), name='hub', daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        """Reads what a rank says until its connection ends."""
        rank = self._joined(connection)
        message = connection.receive() if rank is not None else None
        while rank is not None and message is not None:
            with self._lock:
                self._take(rank, message)
            message = connection.receive()
        if rank is not None:
            with self._lock:
                if not self._peers[rank].left:
                    self._peers[rank].left = True
                    self._lose(f'{self._cluster.named(rank)} has ended while it was {self._peers[rank].doing}')
        connection.close()

    def _joined(self, connection: Connection) -> Optional[int]:
        """Takes a rank in and returns it; returns None after refusing it."""
        asked = connection.receive() or {}
        rank = asked['join'] if isinstance(asked.get('join'), int) else -1
        with self._lock:
            if not 0 <= rank < self._cluster.ranks or asked.get('cluster') != list(self._cluster.addresses):
                return self._refuse(connection, f'{self._cluster.named(0)} has other hosts: {self._hosts()}')
            if asked.get('run') != self._plan.run:
                return self._refuse(connection, f'{self._cluster.named(0)} is training another run, {self._plan.run}: '
                                    'give other ports')
            if self._stop and not self._complete:
                self._refused.add(rank)
                return self._refuse(connection, self._stop['stop'])
            if self._closed.is_set() or self._lost or self._stop or rank in self._peers:
                connection.send({'busy': True})
                return None
            fault = self._fault(rank, asked)
            if fault:
                self._refused.add(rank)
                self._end({'stop': fault, 'code': 1})
                return self._refuse(connection, fault)
            self._peers[rank] = _Peer(connection)
            if len(self._peers) == self._cluster.ranks:
                self._complete, self._progress = True, time.monotonic()
                self._tell({'start': self._plan.saved})
            return rank

    @staticmethod
    def _refuse(connection: Connection, reason: str) -> None:
        connection.send({'refused': reason})

    def _fault(self, rank: int, asked: Message) -> str:
        """Returns why the ranks cannot train together, '' if they can."""
        differing = self._disagreement(self._plan.agreement, asked.get('agreement') or {})
        if differing:
            return f'{self._cluster.named(rank)} differs from {self._cluster.named(0)}: {differing}'
        if asked.get('saved', 0) > self._plan.saved:
            return (f'{self._cluster.named(rank)} has a checkpoint of step {asked["saved"]} of this run, and '
                    f'{self._cluster.named(0)} has {self._plan.saved or "none"}: name the host with the last '
                    'checkpoint first, or copy it there')
        return ''

    def _hosts(self) -> str:
        return ', '.join(self._cluster.addresses)

    def _take(self, rank: int, message: Message) -> None:
        """Follows a message of a rank."""
        peer = self._peers[rank]
        peer.heard = time.monotonic()
        if 'doing' in message:
            peer.doing, peer.seconds = str(message['doing']), float(message.get('seconds', 0))
        if 'ready' in message:
            peer.ready, peer.doing, peer.seconds = int(message['ready']), WAITING, 0.
        if 'stop' in message:
            self._stop = self._stop or {**message, 'rank': rank}
        if 'bye' in message:
            peer.left = True
        self._decide()

    def _decide(self) -> None:
        """Lets the next step begin if all ranks are ready; or ends it for those who wait, if a rank wants to stop."""
        if self._stop:
            self._end(self._stop)
        elif self._complete and all(peer.ready == self._step and not peer.left for peer in self._peers.values()):
            self._tell({'go': self._step})
            self._step += 1
            self._progress = time.monotonic()

    def _end(self, stop: Message) -> None:
        self._stop = stop
        self._tell(stop)

    def _tell(self, message: Message) -> None:
        for peer in self._peers.values():
            if not peer.left:
                peer.connection.send(message)

    def _lose(self, message: str) -> None:
        """Tells all ranks that one of them is lost, unless they are ending already."""
        if not self._lost and not self._stop:
            self._lost = message
            self._tell({'lost': message})

    def _watch(self) -> None:
        """Gives signs of life, and notices that no step begins any more."""
        before = time.monotonic()
        while not self._closed.wait(_BEAT_S):
            now = time.monotonic()
            with self._lock:
                self._tell({'alive': True})
                if any(peer.doing == VALIDATING and not self._silent(peer) for peer in self._peers.values()):
                    self._progress += now - before
                elif now - self._progress > self._patience_s and not any(peer.left for peer in self._peers.values()):
                    self._lose(self._blamed())
            before = now

    @property
    def _patience_s(self) -> float:
        return self._stall_s if self._step > 1 else max(self._stall_s, _START_S)

    def _silent(self, peer: _Peer) -> bool:
        return time.monotonic() - peer.heard > max(5 * _BEAT_S, self._stall_s / 2)

    def _blamed(self) -> str:
        """Returns which rank holds up the others, and how."""
        absent = [rank for rank in range(self._cluster.ranks) if rank not in self._peers]
        if absent:
            return f'{self._names(absent)} did not come within {self._patience_s:.0f} s'
        silent = [rank for rank, peer in self._peers.items() if self._silent(peer)]
        if silent:
            return f'no sign of life from {self._names(silent)}, and no step for {self._patience_s:.0f} s'
        late = [rank for rank, peer in self._peers.items() if peer.ready != self._step and peer.doing != STEPPING]
        if late:
            return '; '.join(f'{self._cluster.named(rank)} has been {self._peers[rank].doing} for '
                             f'{self._peers[rank].seconds:.0f} s' for rank in late)
        return (f'no rank finishes its step within {self._patience_s:.0f} s, though all of them live: can they reach '
                f'each other at {self._hosts()}? Slow steps need more --stall-seconds')

    def _names(self, ranks: List[int]) -> str:
        return ' and '.join(map(self._cluster.named, ranks))


class Member:
    """A rank among the others. Use it in a `with` block, which leaves the others at its end.

    The rank has joined when the constructor returns: `first_step` is the step at which rank 0 resumes.

    Raises InputError if rank 0 refuses this rank, and PeerLost if a rank does not come.
    """

    def __init__(self, cluster: Cluster, plan: Plan, disagreement: Disagreement, stall_s: float,
                 end: Callable[[int], Any] = os._exit) -> None:
        """
        Args:
            cluster: the ranks.
            plan: what this rank wants to train.
            disagreement: compares the agreements of two ranks; rank 0 uses it.
            stall_s: seconds without a step after which a rank counts as lost; at the start at least _START_S.
            end: ends this process, whatever its threads do.
        """
        self.cluster, self._plan, self._stall_s, self._end = cluster, plan, stall_s, end
        self._changed = threading.Condition()
        self._answers: List[Message] = []
        self._doing, self._since = STARTING, time.monotonic()
        self._heard, self._lost, self._lost_at, self._stopped_at = time.monotonic(), '', 0., 0.
        self._steps, self._left = 0, False
        self._held: Optional[Held] = None
        self._hub = None if cluster.rank else Hub(cluster, plan, disagreement, stall_s)
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

    def check(self, patience_s: float = 2 * _BEAT_S) -> None:
        """Raises PeerLost if another rank is lost, or becomes so within some seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._lost, patience_s)
            if self._lost:
                raise PeerLost(self._lost)

    def _now(self, what: str) -> None:
        self._doing, self._since = what, time.monotonic()

    def _connected(self) -> Connection:
        """Returns a connection to the hub that has asked to join."""
        host, port = self.cluster.control
        patience_s, said = max(self._stall_s, _START_S), ''
        until = time.monotonic() + patience_s
        while True:
            try:
                connection = Connection(socket.create_connection((host, port), timeout=patience_s))
            except OSError as error:
                if time.monotonic() > until:
                    raise PeerLost(f'{self.cluster.named(0)} cannot be reached at port {port} within '
                                   f'{patience_s:.0f} s: {error.strerror or error}') from None
                said = _said(f'waiting for {self.cluster.named(0)} at port {port}', said)
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
            said = _said(f'waiting for the end of a training that {self.cluster.named(0)} has already', said)

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
                self._changed.wait(_BEAT_S / 10)

    def _beat(self) -> None:
        """Gives signs of life, and ends the process if a rank is lost and this one cannot leave its step."""
        while not self._left:
            time.sleep(_BEAT_S)
            now = time.monotonic()
            self._connection.send({'doing': self._doing, 'seconds': now - self._since})
            with self._changed:
                if now - self._heard > self._stall_s + 3 * _BEAT_S:
                    self._lose(f'{self.cluster.named(0)} is silent for {now - self._heard:.0f} s')
            if self._lost and self._stuck(now, self._lost_at, _GRACE_S):
                self._leave(self._lost, LOST_CODE)
            elif self._stopped_at and self._doing == STEPPING and self._stuck(now, self._stopped_at, 6 * _GRACE_S):
                self._leave('another rank stopped in the middle of a step', LOST_CODE)

    def _stuck(self, now: float, since: float, patience_s: float) -> bool:
        """Returns whether this rank has gone on with what it does for some seconds, after a moment when it should
        end."""
        return not self._left and self._doing != SAVING and now - max(since, self._since) > patience_s

    def _leave(self, message: str, code: int) -> None:
        """Ends this process."""
        print(f'error: {message}', file=sys.stderr, flush=True)
        self._end(code)


def _said(message: str, before: str) -> str:
    """Logs a message, unless it was the last one, and waits for a moment. Returns the message."""
    if message != before:
        logger.info('%s', message)
    time.sleep(_BEAT_S / 2)
    return message


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
