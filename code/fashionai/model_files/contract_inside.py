"""Reads the contract inside an exported model, and replaces that of ONNX, without the engine of its format.

Every format has a place for additional data: `metadata_props` in ONNX, `rt_info` in OpenVINO, `assets.extra` in a
SavedModel, and in a `.tflite` a ZIP archive at the end of the file, where TensorFlow Lite's own metadata has its files.
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
"""The key of the contract in the metadata of ONNX and OpenVINO."""

CONTRACT_MEMBER = 'contract.json'
"""The file name of the contract in the archive of a `.tflite` and in EXTRA_FOLDER of a SavedModel."""

EXTRA_FOLDER = 'assets.extra'
"""The folder of a SavedModel for files that do not belong to TensorFlow."""

_LARGEST = 1 << 22
"""The largest size of a contract in bytes."""

_METADATA, _KEY, _VALUE = 14, 1, 2
"""Field numbers in onnx.proto: `metadata_props` of a model; `key` and `value` of an entry."""

_OTHER_KINDS = {1: 8, 5: 4}
"""The size of a field in bytes, by wire type. The other wire types are 0, a varint, and 2, a length and its bytes."""


def contract_inside(model: Path) -> Optional[str]:
    """Returns the JSON text inside a model.

    Returns None if there is none, or if the file does not have the format of its ending: the engine that opens it
    reports what is wrong.
    """
    reader = _READERS.get(model.suffix)
    try:
        return reader(model) if reader else None
    except (OSError, ValueError, KeyError, EOFError, OverflowError, ElementTree.ParseError, NotImplementedError,
            zipfile.BadZipFile):
        return None


def with_contract_inside(model: Path, text: str) -> bytes:
    """Returns the bytes of an ONNX model with another contract inside; all else stays as it is.

    Raises ValueError or EOFError if the file is not an ONNX model.
    """
    content = model.read_bytes()
    file, kept = BytesIO(content), []
    while file.tell() < len(content):
        start = file.tell()
        number, entry = _next_field(file, (_METADATA,))
        if not (number == _METADATA and dict(_fields(BytesIO(entry), len(entry), (_KEY,))).get(_KEY)
                == CONTRACT_KEY.encode()):
            kept.append(content[start:file.tell()])
    entry = _encoded(_KEY, CONTRACT_KEY.encode()) + _encoded(_VALUE, text.encode())
    return b''.join([*kept, _encoded(_METADATA, entry)])


def _of_onnx(model: Path) -> Optional[str]:
    with open(str(model), 'rb') as file:
        for _, entry in _fields(file, model.stat().st_size, (_METADATA,)):
            parts = dict(_fields(BytesIO(entry), len(entry), (_KEY, _VALUE)))
            if parts.get(_KEY) == CONTRACT_KEY.encode():
                return parts[_VALUE].decode()
    return None


def _fields(file: BinaryIO, size: int, wanted: Collection[int]) -> Iterator[Tuple[int, bytes]]:
    """Yields number and content of the wanted fields of a protocol buffer. Others, such as the graph, are skipped."""
    while file.tell() < size:
        number, content = _next_field(file, wanted)
        if content:
            yield number, content


def _next_field(file: BinaryIO, wanted: Collection[int]) -> Tuple[int, bytes]:
    """Returns number and content of the next field of a protocol buffer; b'' if the field is not wanted."""
    number, kind = divmod(_varint(file), 8)
    if kind == 0:
        _varint(file)
        return number, b''
    length = _varint(file) if kind == 2 else _OTHER_KINDS[kind]
    if number in wanted and length <= _LARGEST:
        return number, file.read(length)
    file.seek(length, os.SEEK_CUR)
    return number, b''


def _encoded(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer that holds bytes."""
    return _encoded_varint(8 * number + 2) + _encoded_varint(len(content)) + content


def _encoded_varint(value: int) -> bytes:
    groups = []
    while value > 0x7f:
        groups.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _varint(file: BinaryIO) -> int:
    """Reads an integer in groups of 7 bits, lowest first. The highest bit of a byte is set if another byte follows."""
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
    if b'<!DOCTYPE' in content:  # never by OpenVINO; its entities could expand without limit
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
"""The readers by the ending of the model; see contract.EXPORTED."""
