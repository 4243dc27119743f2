"""Streams of batches that one thread reads and another ends.

A thread that is still inside ZMQ or OpenCV when the interpreter ends makes the process hang or abort. So nothing here
waits for long without asking whether the stream is to end.
"""
import threading
from typing import Callable

import zmq
from tensorpack.dataflow import DataFlow, DataFlowTerminated

_INTERVAL_MS = 500


class BatchStream(DataFlow):
    """A dataflow of batches. `stop`, then the end of the iteration, then `close`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Make the iteration end soon; any thread may call it."""
        self._stopping.set()

    def close(self) -> None:
        """Release processes and sockets; no thread iterates any more."""

    def _go_on(self) -> None:
        """Raises DataFlowTerminated if the stream is to end."""
        if self._stopping.is_set():
            raise DataFlowTerminated


def wait_for(socket: zmq.Socket, direction: int, go_on: Callable[[], None]) -> None:
    """Return when the socket can receive (zmq.POLLIN) or send (zmq.POLLOUT); until then call `go_on` twice a second,
    which ends the waiting by raising an exception."""
    while not socket.poll(_INTERVAL_MS, direction):
        go_on()
