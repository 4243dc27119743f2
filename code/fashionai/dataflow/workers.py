"""Processes that make samples. The trainer notices when one of them dies, and they notice when the trainer dies."""
import ctypes
import logging
import os
import signal
import threading
import time
import traceback
from typing import Any, Callable, List, NamedTuple, Union

import cv2
import numpy as np
import zmq
from tensorpack.dataflow import DataFlow, MultiProcessMapDataZMQ

from fashionai.dataflow.encoder import SampleEncoder
from fashionai.dataflow.sampling import Key
from fashionai.dataflow.streams import wait_for
from fashionai.errors import InputError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3): memory is given back where so many bytes are free at the end, or where a piece of so many is."""

_CHECK_S = 1.
"""How often a trainer looks after its workers, and a worker after its trainer."""


class WorkerFailed(NamedTuple):
    """What a worker sends in place of a sample: an exception would end the worker.

    message: one line about bad input, or the traceback of a fault of the program.
    """

    message: str
    bad_input: bool


class WorkerPool(MultiProcessMapDataZMQ):
    """Samples by worker processes, in no certain order: each a list of arrays, or WorkerFailed.

    The iteration raises InputError, naming the worker, if one has ended, and whatever `go_on` raises, which is called
    at least twice a second.
    """

    def __init__(self, keys: DataFlow, encoder: SampleEncoder, workers: int, buffer_size: int,
                 go_on: Callable[[], None]) -> None:
        super().__init__(keys, num_proc=workers, map_func=_Guarded(encoder), buffer_size=buffer_size)
        self._go_on, self._checked_at, self._trainer = go_on, 0., os.getpid()

    def close(self) -> None:
        """End the workers and close the socket; the iteration has ended. Does nothing in a process forked from this."""
        if self._procs and not self.context.closed and os.getpid() == self._trainer:
            self.socket.close(linger=0)  # the context may have forgotten it, in a collection of garbage
            self.context.destroy(linger=0)
            started = [process for process in self._procs if process.pid]
            for process in started:
                process.terminate()
            for process in started:
                process.join()

    __del__ = close
    """The base class prints that it did so."""

    def _create_worker(self, identity: bytes, pipe_name: str, high_water_mark: int) -> '_Worker':
        return _Worker(identity, self.map_func, pipe_name, high_water_mark)

    def _send(self, key: Key) -> None:
        wait_for(self.socket, zmq.POLLOUT, self._check)
        super()._send(key)

    def _recv(self) -> Union[List[np.ndarray], WorkerFailed]:
        wait_for(self.socket, zmq.POLLIN, self._check)
        if time.monotonic() - self._checked_at > _CHECK_S:  # the others may make samples enough
            self._check()
        return super()._recv()

    def _check(self) -> None:
        self._go_on()
        self._checked_at = time.monotonic()
        for number, process in enumerate(self._procs, 1):
            if process.exitcode is not None:
                raise InputError(f'data worker {number} of {len(self._procs)}, process {process.pid}, '
                                 f'{_manner(process.exitcode)}: try fewer --workers')


def _manner(exit_code: int) -> str:
    """How a process ended."""
    if exit_code == -signal.SIGKILL:
        return 'was killed (SIGKILL), perhaps for want of memory'
    return f'was ended by {signal.Signals(-exit_code).name}' if exit_code < 0 else f'ended with exit code {exit_code}'


class _Worker(MultiProcessMapDataZMQ._Worker):
    """A process that ends when it is told to, or when the process that made it has ended."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._trainer = os.getpid()

    def run(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # that of the trainer saves a checkpoint
        threading.Thread(target=self._end_with_trainer, daemon=True).start()
        super().run()

    def _end_with_trainer(self) -> None:
        """python-prctl, if it is there, sends SIGHUP at the trainer's death; under nohup, nobody heeds that."""
        while os.getppid() == self._trainer:
            time.sleep(_CHECK_S)
        os._exit(1)


def settle_worker() -> None:
    """Make this process a data worker, of one core and of memory that it keeps.

    Where freed arrays go back to the kernel, it clears every page of them anew for the next sample, and that is a good
    part of a sample's time. What is kept is bounded by what a sample needs.
    """
    cv2.setNumThreads(0)  # the workers share the cores already
    logging.getLogger('fashionai.images').setLevel(logging.ERROR)  # every epoch would say again how files are read
    keep = getattr(ctypes.CDLL(None), 'mallopt', None)  # the C library's, where it is glibc
    if keep:
        keep(_M_MMAP_THRESHOLD, 2 ** 25)
        keep(_M_TRIM_THRESHOLD, 2 ** 26)


class _Guarded:
    """The encoder in a worker: settles the process first, and returns what goes wrong."""

    def __init__(self, encoder: SampleEncoder) -> None:
        self._encoder, self._settled = encoder, False

    def __call__(self, key: Key) -> Union[List[np.ndarray], WorkerFailed]:
        if not self._settled:
            settle_worker()
            self._settled = True
        try:
            return self._encoder(key)
        except InputError as error:
            return WorkerFailed(str(error), True)
        except Exception:
            return WorkerFailed(f'a data worker failed on row {key[1]}\n{traceback.format_exc()}', False)
