"""Streams of batches that one thread reads and another thread stops.

If a thread is still inside ZMQ or OpenCV when the interpreter ends, the process hangs or aborts. Therefore every wait
here checks regularly whether the stream must end.
"""
import threading
from typing import Callable

import zmq
from tensorpack.dataflow import DataFlow, DataFlowTerminated

_INTERVAL_MS = 500


class BatchStream(DataFlow):
    """A dataflow of batches. To end it, call `stop`, wait for the end of the iteration, then call `close`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Makes the iteration end soon. Any thread may call it."""
        self._stopping.set()

    def close(self) -> None:
        """Releases processes and sockets. No thread may be iterating."""

    def _go_on(self) -> None:
        """Raises DataFlowTerminated if the stream must end."""
        if self._stopping.is_set():
            raise DataFlowTerminated


def wait_for(socket: zmq.Socket, direction: int, go_on: Callable[[], None]) -> None:
    """Returns when the socket can receive (zmq.POLLIN) or send (zmq.POLLOUT).

    Until then it calls `go_on` twice per second, which can end the wait by raising an exception.
    """
    while not socket.poll(_INTERVAL_MS, direction):
        go_on()
