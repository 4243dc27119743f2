"""The contract that an exported model has inside, read without the engine of its format.

Every format has a place for what others add: `metadata_props` of ONNX, `rt_info` of OpenVINO, `assets.extra` of a
SavedModel, and for a `.tflite` a ZIP archive behind the model, as TensorFlow Lite's own metadata has its files.
`exporting.formats` writes the contract there.
"""
import os
import zipfile
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Callable, Collection, Iterator, Mapping, Optional, Tuple
from xml.etree import ElementTree

CONTRACT_KEY = 'contract'
"""Its name among the metadata of ONNX and OpenVINO."""

CONTRACT_MEMBER = 'contract.json'
"""Its name as a file: in the archive of a `.tflite`, and in EXTRA_FOLDER of a SavedModel."""

EXTRA_FOLDER = 'assets.extra'
"""The folder of a SavedModel that TensorFlow leaves to others."""

_LARGEST = 1 << 22
"""Bytes that a contract may have."""

_METADATA, _KEY, _VALUE = 14, 1, 2
"""Numbers of fields in onnx.proto: `metadata_props` of a model; `key` and `value` of one entry of them."""

_OTHER_KINDS = {1: 8, 5: 4}
"""Bytes of a protocol buffer's field by how it is stored, besides 0, a varint, and 2, a length and so many bytes."""


def contract_inside(model: Path) -> Optional[str]:
    """The JSON text inside a model; None if there is none, or the file is not of the format that its ending says: the
    engine that opens it will tell what is wrong with it."""
    reader = _READERS.get(model.suffix)
    try:
        return reader(model) if reader else None
    except (OSError, ValueError, KeyError, EOFError, OverflowError, ElementTree.ParseError, NotImplementedError,
            zipfile.BadZipFile):
        return None


def _of_onnx(model: Path) -> Optional[str]:
    with open(str(model), 'rb') as file:
        for _, entry in _fields(file, model.stat().st_size, (_METADATA,)):
            parts = dict(_fields(BytesIO(entry), len(entry), (_KEY, _VALUE)))
            if parts.get(_KEY) == CONTRACT_KEY.encode():
                return parts[_VALUE].decode()
    return None


def _fields(file: BinaryIO, size: int, wanted: Collection[int]) -> Iterator[Tuple[int, bytes]]:
    """Number and content of those fields of a protocol buffer; what is not wanted, such as the graph, is not read."""
    while file.tell() < size:
        number, kind = divmod(_varint(file), 8)
        if kind == 0:
            _varint(file)
            continue
        length = _varint(file) if kind == 2 else _OTHER_KINDS[kind]
        if number in wanted and length <= _LARGEST:
            yield number, file.read(length)
        else:
            file.seek(length, os.SEEK_CUR)


def _varint(file: BinaryIO) -> int:
    """A whole number in groups of 7 bits, the lowest first; the last one lacks the highest bit of its byte."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError('the file ends within a number')
        value |= (byte[0] & 0x7f) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError('a number of more than 64 bits')


def _of_openvino(model: Path) -> Optional[str]:
    content = model.read_bytes()
    if b'<!DOCTYPE' in content:  # OpenVINO writes none; it could define text that grows without bound
        return None
    entry = ElementTree.fromstring(content).find(f'rt_info/{CONTRACT_KEY}')
    return None if entry is None else entry.get('value')


def _of_tflite(model: Path) -> Optional[str]:
    with zipfile.ZipFile(str(model)) as archive, archive.open(CONTRACT_MEMBER) as file:
        return file.read(_LARGEST).decode()


def _of_savedmodel(model: Path) -> Optional[str]:
    with open(str(model / EXTRA_FOLDER / CONTRACT_MEMBER), 'rb') as file:
        return file.read(_LARGEST).decode()


_READERS: Mapping[str, Callable[[Path], Optional[str]]] = MappingProxyType(
    {'.onnx': _of_onnx, '.xml': _of_openvino, '.tflite': _of_tflite, '.savedmodel': _of_savedmodel})
"""By the ending of the model; see contract.EXPORTED."""
