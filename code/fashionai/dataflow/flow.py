"""The stream of training batches: rows in random order, encoded by worker processes, stacked.

Built on tensorpack's dataflow, so that the same stream runs inside the trainer or on other hosts (see remote.py).
"""
import itertools
from typing import Iterator, List, Optional, Union

import cv2
import numpy as np
from tensorpack.dataflow import BatchData, DataFlow, MapData, MultiProcessMapDataZMQ

from fashionai.dataflow.encoder import Key, SampleEncoder
from fashionai.dataflow.sampling import draw_rows


class ShuffledRows(DataFlow):
    """An endless stream of the keys of SampleEncoder, which begins after `passed` of them.

    An epoch has as many draws as there are rows; `weights` (N,) say how often each is drawn, and the seed in which
    order. With equal weights, every row is drawn once an epoch.
    """

    def __init__(self, weights: np.ndarray, seed: int, passed: int = 0) -> None:
        self._weights, self._seed, self._passed = weights, seed, passed

    def __len__(self) -> int:
        return len(self._weights)

    def __iter__(self) -> Iterator[Key]:
        first_epoch, first = divmod(self._passed, len(self))
        for epoch in itertools.count(first_epoch):
            drawn, earlier = draw_rows(self._weights, np.random.RandomState([self._seed, epoch]))
            start = first if epoch == first_epoch else 0
            for row, repeat in zip(drawn[start:].tolist(), earlier[start:].tolist()):
                yield (epoch, row, repeat) if repeat else (epoch, row)


def training_flow(encoder: SampleEncoder, batch_size: int, workers: int, passed: int = 0,
                  weights: Optional[np.ndarray] = None) -> DataFlow:
    """Endless training batches: lists of arrays (N, ...) in the order of SAMPLE_FIELDS.

    Args:
        encoder: makes one sample.
        batch_size: samples a batch.
        workers: processes that encode; 0 encodes in this process, in an order that depends on the seed alone.
        passed: samples that an interrupted training has seen: the stream goes on after them.
        weights: how often each row is drawn (see sampling.py); None: every row once an epoch.

    Raises ValueError, while it is read, for an image that cannot be read, and for whatever else stops a worker.
    """
    weights = np.ones(len(encoder.annotations)) if weights is None else weights
    rows = ShuffledRows(weights, encoder.seed, passed)
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

    def __call__(self, key: Key) -> Union[List[np.ndarray], str]:
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
