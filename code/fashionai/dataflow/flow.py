"""The stream of training batches: rows in random order, encoded by worker processes, stacked.

Built on tensorpack's dataflow, so that the same stream runs inside the trainer or on other hosts (see remote.py).
"""
from typing import Iterator, List, Tuple, Union

import numpy as np
from tensorpack.dataflow import BatchData, DataFlow, MapData, MultiProcessMapDataZMQ

from fashionai.dataflow.encoder import SampleEncoder


class ShuffledRows(DataFlow):
    """An endless stream of (epoch, row): every row once an epoch, in an order given by the seed."""

    def __init__(self, rows: int, seed: int, first_epoch: int = 0) -> None:
        self._rows, self._seed, self._first_epoch = rows, seed, first_epoch

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Tuple[int, int]]:
        epoch = self._first_epoch
        while True:
            for row in np.random.RandomState([self._seed, epoch]).permutation(self._rows):
                yield epoch, int(row)
            epoch += 1


def training_flow(encoder: SampleEncoder, batch_size: int, workers: int, first_epoch: int = 0) -> DataFlow:
    """Endless training batches: lists of arrays (N, ...) in the order of SAMPLE_FIELDS.

    Args:
        encoder: makes one sample.
        batch_size: samples a batch.
        workers: processes that encode; 0 encodes in this process, in an order that depends on the seed alone.
        first_epoch: where the random order starts, so that a resumed training does not repeat itself.

    Raises ValueError, while it is read, for an image that cannot be read.
    """
    rows = ShuffledRows(len(encoder.annotations), encoder.seed, first_epoch)
    if workers:
        samples = MultiProcessMapDataZMQ(rows, num_proc=workers, map_func=_Guarded(encoder),
                                         buffer_size=max(4 * workers, batch_size))
        samples = MapData(samples, _raise_failure)
    else:
        samples = MapData(rows, encoder)
    return BatchData(samples, batch_size)


class _Guarded:
    """Hands a worker's ValueError on as data: an exception would end the worker and leave the trainer waiting."""

    def __init__(self, encoder: SampleEncoder) -> None:
        self._encoder = encoder

    def __call__(self, key: Tuple[int, int]) -> Union[List[np.ndarray], str]:
        try:
            return self._encoder(key)
        except ValueError as error:
            return str(error)


def _raise_failure(sample: Union[List[np.ndarray], str]) -> List[np.ndarray]:
    if isinstance(sample, str):
        raise ValueError(sample)
    return sample
