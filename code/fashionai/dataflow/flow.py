"""The stream of training batches: rows in random order are encoded by worker processes and stacked.

It uses tensorpack's dataflow, so that the same stream runs inside the trainer or on other hosts (see remote.py).
"""
import itertools
from typing import Callable, Iterator, List, Optional, Tuple, Union

import numpy as np
from tensorpack.dataflow import BatchData, DataFlow, DataFlowTerminated, MapData

from fashionai.dataflow.encoder import SampleEncoder
from fashionai.dataflow.sampling import Key, draw_keys
from fashionai.dataflow.streams import BatchStream
from fashionai.dataflow.workers import WorkerFailed, WorkerPool
from fashionai.errors import InputError


class ShuffledRows(DataFlow):
    """The keys for SampleEncoder in the order of draw_keys, as a dataflow of tensorpack.

    `used` says, for each key of a batch, whether this stream has it; another stream has the others. `go_on` is called
    before each key. It ends the stream by raising an exception.
    """

    def __init__(self, weights: np.ndarray, seed: int, passed: int, used: List[bool],
                 go_on: Callable[[], None]) -> None:
        self._weights, self._seed, self._passed, self._go_on, self._used = weights, seed, passed, go_on, used

    def __len__(self) -> int:
        return len(self._weights)

    def __iter__(self) -> Iterator[Key]:
        keys = draw_keys(self._weights, self._seed, self._passed)
        for key in itertools.compress(keys, itertools.cycle(self._used)):
            self._go_on()
            yield key


class TrainingFlow(BatchStream):
    """An endless stream of training batches: lists of arrays (N, ...) in the order of SAMPLE_FIELDS.

    The iteration raises InputError for an image that cannot be read and for a worker that has ended. It raises
    RuntimeError, with the worker's traceback, for any other failure of a worker.
    """

    def __init__(self, encoder: SampleEncoder, batch_size: int, workers: int, passed: int = 0,
                 weights: Optional[np.ndarray] = None, part: Tuple[int, int] = (0, 1)) -> None:
        """
        Args:
            encoder: makes one sample.
            batch_size: the number of samples in a batch, of all parts together.
            workers: the number of processes that encode. With 0, this process encodes, in an order that depends only on
                the seed.
            passed: the number of samples that an interrupted training has used. The stream starts after them.
            weights: how often each row is drawn (see sampling.py). None means every row once per epoch.
            part: (number, count): this stream makes one of `count` equal parts of each batch, the first is number 0.
        """
        super().__init__()
        weights = np.ones(len(encoder.annotations)) if weights is None else weights
        number, count = part
        used = np.repeat(np.arange(count) == number, batch_size // count).tolist()
        rows = ShuffledRows(weights, encoder.seed, passed, used, self._go_on)
        self._pool: Optional[WorkerPool] = None
        if workers:
            self._pool = WorkerPool(rows, encoder, workers, max(4 * workers, batch_size // count), self._go_on)
            samples = MapData(self._pool, _sample_or_raise)
        else:
            samples = MapData(rows, encoder)
        self._batches = BatchData(samples, batch_size // count)

    def reset_state(self) -> None:
        """Starts the workers."""
        self._batches.reset_state()

    def __iter__(self) -> Iterator[List[np.ndarray]]:
        try:
            yield from self._batches
        except DataFlowTerminated:
            return

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()


def _sample_or_raise(sample: Union[List[np.ndarray], WorkerFailed]) -> List[np.ndarray]:
    if isinstance(sample, WorkerFailed):
        raise InputError(sample.message) if sample.bad_input else RuntimeError(sample.message)
    return sample
