"""The stream of training batches: rows in random order, encoded by worker processes, stacked.

Built on tensorpack's dataflow, so that the same stream runs inside the trainer or on other hosts (see remote.py).
"""
import ctypes
import logging
from typing import Iterator, List, Optional, Union

import cv2
import numpy as np
from tensorpack.dataflow import BatchData, DataFlow, MapData, MultiProcessMapDataZMQ

from fashionai.dataflow.encoder import SampleEncoder
from fashionai.dataflow.sampling import Key, draw_keys
from fashionai.errors import InputError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3): memory is given back where so many bytes are free at the end, or where a piece of so many is."""


class ShuffledRows(DataFlow):
    """The keys of SampleEncoder in the order of draw_keys, as a stream of tensorpack's."""

    def __init__(self, weights: np.ndarray, seed: int, passed: int = 0) -> None:
        self._weights, self._seed, self._passed = weights, seed, passed

    def __len__(self) -> int:
        return len(self._weights)

    def __iter__(self) -> Iterator[Key]:
        return draw_keys(self._weights, self._seed, self._passed)


def training_flow(encoder: SampleEncoder, batch_size: int, workers: int, passed: int = 0,
                  weights: Optional[np.ndarray] = None) -> DataFlow:
    """Endless training batches: lists of arrays (N, ...) in the order of SAMPLE_FIELDS.

    Args:
        encoder: makes one sample.
        batch_size: samples a batch.
        workers: processes that encode; 0 encodes in this process, in an order that depends on the seed alone.
        passed: samples that an interrupted training has seen: the stream goes on after them.
        weights: how often each row is drawn (see sampling.py); None: every row once an epoch.

    Raises InputError, while it is read, for an image that cannot be read, and for whatever else stops a worker.
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
    """Hands a worker's error on as data: an exception would end the worker and leave the trainer waiting."""

    def __init__(self, encoder: SampleEncoder) -> None:
        self._encoder, self._settled = encoder, False

    def __call__(self, key: Key) -> Union[List[np.ndarray], str]:
        if not self._settled:
            settle_worker()
            self._settled = True
        try:
            return self._encoder(key)
        except ValueError as error:
            return str(error)
        except Exception as error:
            return f'a data worker failed on row {key[1]}: {type(error).__name__}: {error}'


def _raise_failure(sample: Union[List[np.ndarray], str]) -> List[np.ndarray]:
    if isinstance(sample, str):
        raise InputError(sample)
    return sample
