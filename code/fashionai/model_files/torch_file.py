"""Reads PyTorch's weight files without PyTorch, in the format used until version 1.5.

Such a file is a sequence of pickles: a magic number, the version of the format, a description of the machine, a dict of
tensors, and the list of the keys of the storages. Then every storage follows in that order: its length and its numbers.
"""
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Dict, NamedTuple, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.model_files.unpickling import Allowed, Unpickler

_MAGIC = 0x1950a86a20f9469cfc6c


class _Storage(NamedTuple):
    """An array of numbers; tensors are views of it."""

    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """A view of a storage. The offset and the strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: Tuple[int, ...]
    strides: Tuple[int, ...]


def read_torch(path: Path) -> Dict[str, np.ndarray]:
    """Returns the tensors of a state dict by name.

    Raises InputError or UnpicklingError if the file has another content.
    """
    with open(str(path), 'rb') as file:
        magic, _, _, tensors, keys = (_Unpickler(file, _ALLOWED).load() for _ in range(5))
        if magic != _MAGIC:
            raise InputError('this is not a file of PyTorch weights in the format used until version 1.5')
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        numbers = {key: _read_storage(file, storages[key]) for key in keys}
    return {name: _view(numbers[tensor.storage.key], tensor) for name, tensor in tensors.items()}


class _Unpickler(Unpickler):
    """Makes `_Storage`s of the references to storages."""

    def persistent_load(self, identity: Tuple) -> _Storage:
        _, dtype, key, _, length, *_ = identity
        return _Storage(key, dtype, length)


def _tensor(storage: _Storage, offset: int, shape: Tuple[int, ...], strides: Tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_ALLOWED: Allowed = {
    ('collections', 'OrderedDict'): OrderedDict, ('torch._utils', '_rebuild_tensor_v2'): _tensor,
    ('torch', 'FloatStorage'): np.dtype('<f4'), ('torch', 'LongStorage'): np.dtype('<i8')}


def _read_storage(file: BinaryIO, storage: _Storage) -> np.ndarray:
    length = int.from_bytes(file.read(8), 'little')
    numbers = np.frombuffer(file.read(length * storage.dtype.itemsize), storage.dtype)
    if not length == len(numbers) == storage.length:
        raise InputError(f'a storage has {len(numbers)} numbers, but {storage.length} are declared')
    return numbers


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    """Returns a copy of a tensor. Raises InputError if it reaches beyond its storage."""
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides))
    if min(tensor.strides + tensor.shape + (1,)) < 0 or not 0 <= tensor.offset <= last < len(numbers):
        raise InputError(f'a tensor of shape {tensor.shape} reaches beyond the {len(numbers)} numbers of its storage')
    strides = tuple(stride * numbers.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset:], tensor.shape, strides).copy()
