"""A queue that prepares batches while the graph runs."""
import logging
import queue
import threading
from typing import Any, List, Optional, Sequence

import numpy as np

from fashionai.dataflow.streams import BatchStream

logger = logging.getLogger(__name__)

_PATIENCE_S = 60
"""After so many seconds without a batch, the log says so."""


class BatchQueue:
    """A bounded queue that a thread fills from a stream of batches. Use it in a `with` block.

    The block starts the workers and the thread. Enter it before you make a TensorFlow session, because the workers are
    forked. The end of the block waits for the thread and closes the stream, so that nothing disturbs the end of the
    process. `capacity`: the largest number of batches in the queue.
    """

    def __init__(self, stream: BatchStream, capacity: int = 8) -> None:
        self.capacity = capacity
        self._stream = stream
        self._queue: queue.Queue[Optional[List[np.ndarray]]] = queue.Queue(capacity)
        self._failure: Optional[Exception] = None
        self._thread = threading.Thread(target=self._fill, name='batches', daemon=True)

    def __enter__(self) -> 'BatchQueue':
        try:
            self._stream.reset_state()
            self._thread.start()
        except BaseException:
            self._stream.close()
            raise
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stream.stop()
        while self._thread.is_alive():
            self._discard()  # the thread may be waiting for a free place in the queue
            self._thread.join(0.1)
        self._stream.close()

    @property
    def fill(self) -> int:
        """The number of batches that are ready."""
        return self._queue.qsize()

    def get(self) -> Sequence[np.ndarray]:
        """Returns the next batch. If the stream failed, raises its exception at once, such as an InputError that
        names a bad image."""
        batch = None
        while batch is None:
            if self._failure:
                raise self._failure
            try:
                batch = self._queue.get(timeout=_PATIENCE_S)
            except queue.Empty:
                logger.warning('no batch was ready for %d s: waiting for the data workers', _PATIENCE_S)
        return batch

    def _fill(self) -> None:
        try:
            for batch in self._stream:
                self._queue.put(batch)
        except Exception as error:  # `get` raises it in the training thread
            self._failure = error
            self._queue.put(None)  # ends the waiting of `get`

    def _discard(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            pass
