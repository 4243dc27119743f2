"""The meeting point of the ranks of a training, in the process of rank 0: it lets every step begin when all are ready.

TensorFlow's all-reduce waits for ever for a rank that has ended, so nobody may enter a step alone. Whoever wants to end
says so before a step, and all end there. No TensorFlow is imported here.
"""
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Set

from fashionai.training.cluster import Cluster, listening
from fashionai.training.control_messages import (
    STARTING,
    STEPPING,
    VALIDATING,
    WAITING,
    Connection,
    Disagreement,
    Message,
    Plan,
    Timing,
    close_in_children,
)

logger = logging.getLogger(__name__)


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

    def __init__(self, cluster: Cluster, plan: Plan, disagreement: Disagreement, stall_s: float,
                 timing: Timing) -> None:
        self._cluster, self._plan, self._disagreement, self._stall_s = cluster, plan, disagreement, stall_s
        self._timing = timing
        self._lock = threading.RLock()
        self._peers: Dict[int, _Peer] = {}
        self._refused: Set[int] = set()
        self._complete = False
        self._step = 0
        self._stop: Optional[Message] = None
        self._lost = ''
        self._progress = time.monotonic()
        self._socket = listening(cluster.control[1], f'{cluster.named(0)}, where the other ranks meet it,')
        close_in_children(self._socket)
        self._closed = threading.Event()
        logger.info('%s waits for the others at port %d', cluster.named(0), cluster.control[1])
        for task in self._accept, self._watch:
            threading.Thread(target=task, name='hub', daemon=True).start()

    def close(self) -> None:
        """Waits until the other ranks have left, for some seconds at most, and stops."""
        until = time.monotonic() + 2 * self._timing.grace
        while time.monotonic() < until and not self._others_left():
            time.sleep(self._timing.beat / 20)
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
        while not self._closed.wait(self._timing.beat):
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
        return self._stall_s if self._step > 1 else max(self._stall_s, self._timing.start)

    def _silent(self, peer: _Peer) -> bool:
        return time.monotonic() - peer.heard > max(5 * self._timing.beat, self._stall_s / 2)

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
