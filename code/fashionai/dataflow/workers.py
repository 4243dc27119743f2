"""Worker processes that make samples. The trainer notices if a worker dies; workers notice if the trainer dies."""
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
"""Options of mallopt(3): the number of free bytes, at the end of the heap or in one piece, that are given back."""

_CHECK_S = 1.
"""Seconds between two checks of the workers by the trainer, and of the trainer by a worker."""


class WorkerFailed(NamedTuple):
    """What a worker sends instead of a sample if it failed. An exception would end the worker.

    message: one line about bad input, or the traceback of an error of the program. bad_input: whether it is the former.
    """

    message: str
    bad_input: bool


class WorkerPool(MultiProcessMapDataZMQ):
    """The samples of worker processes, in no particular order. Each is a list of arrays, or WorkerFailed.

    The iteration calls `go_on` at least twice per second and raises its exceptions. It raises InputError, naming the
    worker, if a worker has ended.
    """

    def __init__(self, keys: DataFlow, encoder: SampleEncoder, workers: int, buffer_size: int,
                 go_on: Callable[[], None]) -> None:
        super().__init__(keys, num_proc=workers, map_func=_Guarded(encoder), buffer_size=buffer_size)
        self._go_on, self._checked_at, self._trainer = go_on, 0., os.getpid()

    def close(self) -> None:
        """Ends the workers and closes the socket. The iteration must have ended. Does nothing in a forked process."""
        if self._procs and not self.context.closed and os.getpid() == self._trainer:
            self.socket.close(linger=0)  # after a garbage collection, the context may have lost it
            self.context.destroy(linger=0)
            started = [process for process in self._procs if process.pid]
            for process in started:
                process.terminate()
            for process in started:
                process.join()

    __del__ = close
    """The method of the base class would print a message."""

    def _create_worker(self, identity: bytes, pipe_name: str, high_water_mark: int) -> '_Worker':
        return _Worker(identity, self.map_func, pipe_name, high_water_mark)

    def _send(self, key: Key) -> None:
        wait_for(self.socket, zmq.POLLOUT, self._check)
        super()._send(key)

    def _recv(self) -> Union[List[np.ndarray], WorkerFailed]:
        wait_for(self.socket, zmq.POLLIN, self._check)
        if time.monotonic() - self._checked_at > _CHECK_S:  # even if other workers deliver enough samples
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
    """Returns how a process ended, in words."""
    if exit_code == -signal.SIGKILL:
        return 'was killed (SIGKILL), perhaps because memory was full'
    return f'was ended by {signal.Signals(-exit_code).name}' if exit_code < 0 else f'ended with exit code {exit_code}'


class _Worker(MultiProcessMapDataZMQ._Worker):
    """A worker process. It ends when it is terminated, or when the trainer has ended."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._trainer = os.getpid()

    def run(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the handler of the trainer saves a checkpoint
        threading.Thread(target=self._end_with_trainer, daemon=True).start()
        super().run()

    def _end_with_trainer(self) -> None:
        """Ends this process when the trainer has ended. SIGHUP by python-prctl is not enough: nohup ignores it."""
        while os.getppid() == self._trainer:
            time.sleep(_CHECK_S)
        os._exit(1)


def prepare_worker() -> None:
    """Prepares this process as a data worker: it uses one core and keeps its freed memory.

    If freed arrays went back to the kernel, the kernel would have to clear their pages again for the next sample, which
    takes a large part of a sample's time. The kept memory is not more than a sample needs.
    """
    cv2.setNumThreads(0)  # the workers already use the cores
    logging.getLogger('fashionai.images').setLevel(logging.ERROR)  # else each epoch repeats the same warnings
    keep = getattr(ctypes.CDLL(None), 'mallopt', None)  # only in glibc
    if keep:
        keep(_M_MMAP_THRESHOLD, 2 ** 25)
        keep(_M_TRIM_THRESHOLD, 2 ** 26)


class _Guarded:
    """The encoder in a worker. It prepares the process first, and returns WorkerFailed instead of raising."""

    def __init__(self, encoder: SampleEncoder) -> None:
        self._encoder, self._prepared = encoder, False

    def __call__(self, key: Key) -> Union[List[np.ndarray], WorkerFailed]:
        if not self._prepared:
            prepare_worker()
            self._prepared = True
        try:
            return self._encoder(key)
        except InputError as error:
            return WorkerFailed(str(error), True)
        except Exception:
            return WorkerFailed(f'a data worker failed on row {key[1]}\n{traceback.format_exc()}', False)
