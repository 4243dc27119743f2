"""Reads the contract inside a model without the engine of its format, and writes that of a frozen graph and of ONNX.

Every format has a place for additional data: a constant that nothing uses in a frozen graph, `metadata_props` in ONNX,
`rt_info` in OpenVINO, `assets.extra` in a SavedModel, and in a `.tflite` a ZIP archive at the end of the file, where
TensorFlow Lite's own metadata has its files. `exporting.formats` writes the contract of exported models there.
"""
import os
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Callable, Collection, Dict, Iterator, Mapping, Optional, Tuple
from xml.etree import ElementTree

CONTRACT_KEY = 'contract'
"""The key of the contract in the metadata of ONNX and OpenVINO."""

CONTRACT_NODE = 'fashionai_contract'
"""The name of the node of a frozen graph that holds the contract: a constant text, to which nothing is connected."""

CONTRACT_MEMBER = 'contract.json'
"""The file name of the contract in the archive of a `.tflite` and in EXTRA_FOLDER of a SavedModel."""

EXTRA_FOLDER = 'assets.extra'
"""The folder of a SavedModel for files that do not belong to TensorFlow."""

_LARGEST = 1 << 22
"""The largest size of a contract in bytes."""

_KEY, _VALUE = 1, 2
"""Field numbers of an entry of a map in a protocol buffer; entries of `metadata_props` in onnx.proto have the same."""

_NAME, _OPERATION, _ATTRIBUTE = 1, 2, 5
"""Field numbers of `NodeDef` in node_def.proto: name, op, attr."""

_TENSOR, _TEXT = 8, 8
"""Field numbers: `tensor` in attr_value.proto, `string_val` in tensor.proto."""

_ATTRIBUTE_TYPE, _TENSOR_TYPE, _SCALAR = bytes([6 << 3, 7]), bytes([1 << 3, 7]), bytes([2 << 3 | 2, 0])
"""Encoded fields: `type` in attr_value.proto and `dtype` in tensor.proto, both DT_STRING; the shape of a scalar."""

_OTHER_KINDS = {1: 8, 5: 4}
"""The size of a field in bytes, by wire type. The other wire types are 0, a varint, and 2, a length and its bytes."""


def contract_inside(model: Path) -> Optional[str]:
    """Returns the JSON text inside a model.

    Returns None if there is none, or if the file does not have the format of its ending: the engine that opens it
    reports what is wrong.
    """
    try:
        return _READERS.get(model.suffix, _GRAPH.read)(model)
    except (OSError, ValueError, KeyError, EOFError, OverflowError, ElementTree.ParseError, NotImplementedError,
            zipfile.BadZipFile):
        return None


def with_contract_inside(content: bytes, text: str, ending: str) -> bytes:
    """Returns the bytes of a frozen graph with a contract inside, in place of one that it has; all else stays as it is.
    With the `ending` of ONNX, they are those of an ONNX model.

    Raises ValueError, KeyError or EOFError if the content is no protocol buffer.
    """
    place = _ONNX if ending == _ONNX_ENDING else _GRAPH
    file, kept = BytesIO(content), []
    while file.tell() < len(content):
        start = file.tell()
        number, entry = _next_field(file, (place.number,))
        if not (number == place.number and place.text_in(entry) is not None):
            kept.append(content[start:file.tell()])
    return b''.join([*kept, _encoded(place.number, place.entry_of(text))])


@dataclass(frozen=True)
class _Place:
    """Where a protocol buffer has the contract.

    number: of the field, one of many entries. text_in: returns the text in an entry, None if it is another entry.
    entry_of: returns the entry for a text.
    """

    number: int
    text_in: Callable[[bytes], Optional[str]]
    entry_of: Callable[[str], bytes]

    def read(self, model: Path) -> Optional[str]:
        """Returns the text in a file, None if it has none."""
        with open(str(model), 'rb') as file:
            found = (self.text_in(entry) for _, entry in _fields(file, model.stat().st_size, (self.number,)))
            return next((text for text in found if text is not None), None)


def _text_in_metadata(entry: bytes) -> Optional[str]:
    parts = _parts(entry, _KEY, _VALUE)
    return parts[_VALUE].decode() if parts.get(_KEY) == CONTRACT_KEY.encode() else None


def _metadata_of(text: str) -> bytes:
    return _encoded(_KEY, CONTRACT_KEY.encode()) + _encoded(_VALUE, text.encode())


def _text_in_node(entry: bytes) -> Optional[str]:
    if _parts(entry, _NAME).get(_NAME) != CONTRACT_NODE.encode():
        return None
    attributes = [_parts(pair, _KEY, _VALUE) for _, pair in _fields(BytesIO(entry), len(entry), (_ATTRIBUTE,))]
    value, = (pair[_VALUE] for pair in attributes if pair[_KEY] == b'value')
    return _parts(_parts(value, _TENSOR)[_TENSOR], _TEXT)[_TEXT].decode()


def _node_of(text: str) -> bytes:
    tensor = _TENSOR_TYPE + _SCALAR + _encoded(_TEXT, text.encode())
    attributes = {b'dtype': _ATTRIBUTE_TYPE, b'value': _encoded(_TENSOR, tensor)}
    return b''.join([_encoded(_NAME, CONTRACT_NODE.encode()), _encoded(_OPERATION, b'Const'), *(
        _encoded(_ATTRIBUTE, _encoded(_KEY, key) + _encoded(_VALUE, value)) for key, value in attributes.items())])


_ONNX_ENDING = '.onnx'
_ONNX = _Place(14, _text_in_metadata, _metadata_of)
"""The field `metadata_props` of onnx.proto."""
_GRAPH = _Place(1, _text_in_node, _node_of)
"""The field `node` of graph.proto."""


def _parts(entry: bytes, *wanted: int) -> Dict[int, bytes]:
    """Returns the contents of the wanted fields by their numbers; of a repeated one, the last."""
    return dict(_fields(BytesIO(entry), len(entry), wanted))


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
    {_ONNX_ENDING: _ONNX.read, '.xml': _of_openvino, '.tflite': _of_tflite, '.savedmodel': _of_savedmodel})
"""The readers by the ending of an exported model; see contract.EXPORTED. A file with any other ending is a frozen
graph."""
