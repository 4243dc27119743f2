"""The stream of training batches: rows in random order, encoded by worker processes, stacked.

Built on tensorpack's dataflow, so that the same stream runs inside the trainer or on other hosts (see remote.py).
"""
import itertools
from typing import Iterator, List, Tuple, Union

import cv2
import numpy as np
from tensorpack.dataflow import BatchData, DataFlow, MapData, MultiProcessMapDataZMQ

from fashionai.dataflow.encoder import SampleEncoder


class ShuffledRows(DataFlow):
    """An endless stream of (epoch, row): every row once an epoch, in an order the seed gives; begins after `passed`."""

    def __init__(self, rows: int, seed: int, passed: int = 0) -> None:
        self._rows, self._seed, self._passed = rows, seed, passed

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Tuple[int, int]]:
        first_epoch, first = divmod(self._passed, self._rows)
        for epoch in itertools.count(first_epoch):
            order = np.random.RandomState([self._seed, epoch]).permutation(self._rows)
            for row in order[first if epoch == first_epoch else 0:]:
                yield epoch, int(row)


def training_flow(encoder: SampleEncoder, batch_size: int, workers: int, passed: int = 0) -> DataFlow:
    """Endless training batches: lists of arrays (N, ...) in the order of SAMPLE_FIELDS.

    Args:
        encoder: makes one sample.
        batch_size: samples a batch.
        workers: processes that encode; 0 encodes in this process, in an order that depends on the seed alone.
        passed: samples that an interrupted training has seen: the stream goes on after them.

    Raises ValueError, while it is read, for an image that cannot be read, and for whatever else stops a worker.
    """
    rows = ShuffledRows(len(encoder.annotations), encoder.seed, passed)
    if workers:
        samples = MultiProcessMapDataZMQ(rows, num_proc=workers, map_func=_Guarded(encoder),
                                         buffer_size=max(4 * workers, batch_size))
        samples = MapData(samples, _raise_failure)
    else:
        samples = MapData(rows, encoder)
    return BatchData(samples, batch_size)


class _Guarded:
    """Hands a worker's error on as data: an exception would end the worker and leave the trainer waiting."""

    def __init__(self, encoder: SampleEncoder) -> None:
        self._encoder = encoder

    def __call__(self, key: Tuple[int, int]) -> Union[List[np.ndarray], str]:
        cv2.setNumThreads(0)  # the workers share the cores already
        try:
            return self._encoder(key)
        except ValueError as error:
            return str(error)
        except Exception as error:
            return f'a data worker failed on row {key[1]}: {type(error).__name__}: {error}'


def _raise_failure(sample: Union[List[np.ndarray], str]) -> List[np.ndarray]:
    if isinstance(sample, str):
        raise ValueError(sample)
    return sample
