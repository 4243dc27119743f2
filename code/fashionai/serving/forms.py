"""Reads the pictures of a form (multipart/form-data) as its bytes arrive. They stay in memory."""
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from fashionai.serving.limits import MEGA, Limits, Refusal

TYPE = 'multipart/form-data'

ONE, SEVERAL = 'picture', 'pictures'
"""The fields of a form: one picture, which is answered like a body that is a picture; or any number, with a list as the
answer."""

PART_BYTES = 20_000
"""What a part of a form may have beside its picture: its head, and the boundary."""

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A picture as it was sent: the name of its file, '' if none was sent, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """The pictures of a form. `several`: whether the answer is a list."""

    uploads: List[Upload]
    several: bool


class FormReader:
    """Takes the bytes of a form, and limits each picture and their number.

    Raises Refusal, 422, if the type of the content has no boundary.
    """

    def __init__(self, content_type: str, limits: Limits) -> None:
        _, options = parse_options_header(content_type)
        if not options.get(b'boundary'):
            raise Refusal(422, f'found a form without a boundary in its Content-Type: wanted {TYPE}; boundary=...')
        self._limits = limits
        self._uploads: List[Upload] = []
        self._fields: List[str] = []
        self._name, self._field, self._value = '', b'', b''
        self._headers: Dict[bytes, bytes] = {}
        self._data = bytearray()
        self._ended = False
        self._parser = MultipartParser(options[b'boundary'], {
            'on_part_begin': self._begin, 'on_header_field': self._of('_field'), 'on_header_value': self._of('_value'),
            'on_header_end': self._header, 'on_headers_finished': self._open, 'on_part_data': self._take,
            'on_part_end': self._close, 'on_end': self._end})

    def take(self, chunk: bytes) -> None:
        """Takes the next bytes. Raises Refusal: 413 for a picture that is too large, and for too many pictures; 422 for
        a form that is damaged or has other fields."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Refusal(422, f'the form cannot be read: {error}') from None

    def result(self) -> Form:
        """Returns the form after its last byte. Raises Refusal, 422, if it is cut off or has no picture."""
        if not self._ended or not self._uploads:
            why = 'has no picture' if self._ended else 'is cut off'
            raise Refusal(422, f'the form {why}: wanted the field {ONE}, or {SEVERAL} once for each picture')
        return Form(self._uploads, self._fields[0] == SEVERAL)

    def _begin(self) -> None:
        self._headers, self._field, self._value, self._data = {}, b'', b'', bytearray()
        if len(self._uploads) >= self._limits.form_pictures:
            raise Refusal(413, f'the form has more than {self._limits.form_pictures} pictures: send the rest in '
                               'another request')

    def _of(self, name: str) -> Callable[[bytes, int, int], None]:
        """Returns a callback that adds bytes to an attribute."""
        def add(data: bytes, start: int, end: int) -> None:
            setattr(self, name, getattr(self, name) + data[start:end])
        return add

    def _header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field, self._value = b'', b''

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b'content-disposition'))
        field, self._name = _text(options.get(b'name')), _text(options.get(b'filename'))
        if field not in (ONE, SEVERAL):
            raise Refusal(422, f'the form has the field {field!r}: wanted {ONE} or {SEVERAL}; parameters belong into '
                               'the address, such as /predict?tag=auto')
        self._fields.append(field)
        if self._fields != [ONE] and set(self._fields) != {SEVERAL}:
            raise Refusal(422, f'the form has the fields {", ".join(self._fields)}: wanted one {ONE}, or {SEVERAL} '
                               'once for each picture')

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if len(self._data) > self._limits.megabytes * MEGA:
            raise Refusal(413, f'picture {len(self._fields)} of the form has more than {self._limits.megabytes:g} MB: '
                               'wanted a smaller file')

    def _close(self) -> None:
        self._uploads.append(Upload(self._name, bytes(self._data)))
        self._data = bytearray()

    def _end(self) -> None:
        self._ended = True


def _text(value: Optional[bytes]) -> str:
    return (value or b'').decode('utf-8', 'replace')[:_LONGEST_NAME]
