"""Opens weight files that are pickles safely.

A pickle can name any function, which is then called while the pickle is read. Here a file may name only the types that
hold numbers. Each of these names is replaced by a class or function of this project, and any other name is refused.
"""
import pickle
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Mapping, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError

Allowed = Mapping[Tuple[str, str], Any]
"""(module, name) that a file may name -> the object that replaces it."""


class Unpickler(pickle.Unpickler):
    """Reads a pickle that has only allowed names. Strings of Python 2 become strings with one character per byte.

    `load` raises UnpicklingError, with the name, for any other name.
    """

    def __init__(self, file: BinaryIO, allowed: Allowed) -> None:
        super().__init__(file, encoding='latin1')
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f'it names {module}.{name}, which does not belong in a weight file and was '
                                         'not called')
        return self._allowed[module, name]


def read_npy(path: Path) -> Any:
    """Returns the one object in a `.npy` file, such as a dict of layers. `numpy.asarray` converts its arrays.

    Raises InputError or UnpicklingError if the file has another content, and ValueError if its header is damaged.
    """
    with open(str(path), 'rb') as file:
        first = np.lib.format.read_magic(file) == (1, 0)
        shape, _, dtype = (np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0)(file)
        if shape != () or not dtype.hasobject:
            raise InputError(f'it has an array of {dtype} and shape {shape}: a dict of layers is needed')
        return Unpickler(file, _NUMPY).load().array.item()


class _Dtype:
    """Replaces `numpy.dtype(code, ...)`: a type of number, and its byte order, which the pickled state defines."""

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in _CODES:
            raise pickle.UnpicklingError(f'it has an array of type {code!r}: wanted one of {", ".join(_CODES)}')
        self._code, self._order = code, '='

    def __setstate__(self, state: Sequence[Any]) -> None:
        self._order = '>' if state[1] == '>' else '='

    def array(self, content: Any) -> np.ndarray:
        """Returns an array of numbers or objects with one axis."""
        if self._code == _OBJECT:
            objects = np.empty(len(content), object)
            objects[:] = content
            return objects
        return np.frombuffer(_bytes(content), np.dtype(self._order + self._code))


class _Array:
    """Replaces an array, which the pickled state defines."""

    def __init__(self, *_: Any) -> None:
        self.array = np.zeros(0)

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, dtype, fortran, content = state
        self.array = dtype.array(content).reshape(shape, order='F' if fortran else 'C')

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.array if dtype is None else self.array.astype(dtype)

    def __getitem__(self, place: Any) -> Any:
        return self.array[place]


def _bytes(text: Any, encoding: str = 'latin1') -> bytes:
    """Returns the bytes of a string of Python 2, or of pickle protocol 2, which has one character per byte."""
    return text.encode('latin1') if isinstance(text, str) else bytes(text)


_OBJECT = 'O8'
_CODES = ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1', _OBJECT)

_NUMPY: Allowed = MappingProxyType({
    ('numpy', 'ndarray'): _Array, ('numpy', 'dtype'): _Dtype, ('_codecs', 'encode'): _bytes,
    **{(f'numpy.{core}.multiarray', name): standing for core in ('core', '_core')  # NumPy 1, NumPy 2
       for name, standing in (('_reconstruct', _Array), ('scalar', lambda dtype, content: dtype.array(content)[0]))}})
