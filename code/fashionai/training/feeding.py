"""Batches made ready while the graph runs."""
import logging
import multiprocessing
import queue
import threading
from typing import List, Sequence, Union

import numpy as np
from tensorpack.dataflow import DataFlow

from fashionai.errors import InputError

logger = logging.getLogger(__name__)


class BatchQueue:
    """A bounded queue that a thread fills from a dataflow."""

    def __init__(self, flow: DataFlow, capacity: int = 8, patience_s: float = 60) -> None:
        self.capacity = capacity
        self._flow, self._patience_s = flow, patience_s
        self._queue: queue.Queue[Union[List[np.ndarray], Exception]] = queue.Queue(capacity)

    def start(self) -> None:
        """Start the workers and the thread; call it before a TensorFlow session exists, since workers are forked."""
        self._flow.reset_state()
        self._workers = len(multiprocessing.active_children())
        threading.Thread(target=self._fill, daemon=True).start()

    @property
    def fill(self) -> int:
        """Batches that are ready."""
        return self._queue.qsize()

    def get(self) -> Sequence[np.ndarray]:
        """The next batch. What stopped the dataflow (a ValueError that names a bad image) is raised here."""
        while True:
            try:
                batch = self._queue.get(timeout=self._patience_s)
                break
            except queue.Empty:
                if len(multiprocessing.active_children()) < self._workers:
                    raise InputError('a data worker died, perhaps for want of memory: try fewer --workers') from None
                logger.warning('no batch for %.0f s: waiting for the data workers', self._patience_s)
        if isinstance(batch, Exception):
            raise batch
        return batch

    def _fill(self) -> None:
        try:
            for batch in self._flow:
                self._queue.put(batch)
        except Exception as error:  # handed to the thread that trains, which raises it
            self._queue.put(error)
