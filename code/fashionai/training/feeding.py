"""Batches made ready while the graph runs."""
import logging
import queue
import threading
from typing import Any, List, Optional, Sequence

import numpy as np

from fashionai.dataflow.streams import BatchStream

logger = logging.getLogger(__name__)


class BatchQueue:
    """A bounded queue that a thread fills from a stream of batches, within a `with` block.

    The block starts the workers and the thread; enter it before a TensorFlow session exists, since workers are forked.
    Its end waits for the thread and closes the stream: nothing is left that could disturb the end of the process.
    """

    def __init__(self, stream: BatchStream, capacity: int = 8, patience_s: float = 60) -> None:
        self.capacity = capacity
        self._stream, self._patience_s = stream, patience_s
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
            self._discard()  # the thread may wait for a place in the queue
            self._thread.join(0.1)
        self._stream.close()

    @property
    def fill(self) -> int:
        """Batches that are ready."""
        return self._queue.qsize()

    def get(self) -> Sequence[np.ndarray]:
        """The next batch. Raises at once what stopped the stream, such as an InputError that names a bad image."""
        batch = None
        while batch is None:
            if self._failure:
                raise self._failure
            try:
                batch = self._queue.get(timeout=self._patience_s)
            except queue.Empty:
                logger.warning('no batch for %.0f s: waiting for the data workers', self._patience_s)
        return batch

    def _fill(self) -> None:
        try:
            for batch in self._stream:
                self._queue.put(batch)
        except Exception as error:  # for the thread that trains
            self._failure = error
            self._queue.put(None)  # ends its waiting

    def _discard(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            pass
