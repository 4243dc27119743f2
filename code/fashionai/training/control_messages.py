"""What the ranks of a training say to each other, and over what connection. hub.py and member.py have the two ends.

No TensorFlow is imported here.
"""
import json
import os
import socket
import threading
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

LOST_CODE = 138
"""The exit code of a rank that has lost another one. Kubeflow's TFJob restarts a process that ends with it."""

_LONGEST_LINE = 2 ** 20

STARTING, FETCHING, WAITING, STEPPING, VALIDATING, SAVING, ENDING = (
    'starting', 'waiting for its next batch', 'waiting for the other ranks', 'computing a step', 'validating', 'saving',
    'ending')
"""What a rank may be doing, in the words of messages."""

Message = Dict[str, Any]
Disagreement = Callable[[Mapping[str, Any], Mapping[str, Any]], str]
"""Returns what differs between what rank 0 and what another rank wants to train, '' if nothing."""


@dataclass(frozen=True)
class Timing:
    """How long ranks wait for each other, in seconds.

    Attributes:
        beat: between two signs of life.
        grace: that a rank has to finish its step after another rank was lost.
        start: that the ranks have at least to meet and to begin the first step: they read data and build graphs.
    """

    beat: float = 1.
    grace: float = 5.
    start: float = 300.


USUAL_TIMING = Timing()

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
        close_in_children(connected)

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


def close_in_children(opened: socket.socket) -> None:
    """Makes data workers, which are forked, close a socket. Otherwise it would outlive its killed process."""
    def close() -> None:
        number = opened.detach()
        if number >= 0:
            os.close(number)
    os.register_at_fork(after_in_child=close)
