"""Reads the headers of picture files, before decoding: format, size, bit depth, and whether the file is complete.

OpenCV 4 accepts half a JPEG and fills the rest with grey, so JPEG files are read segment by segment (ITU-T T.81, annex
B), and PNG files chunk by chunk. In other formats, OpenCV itself refuses files that are cut off.
"""
import re
import struct
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from fashionai.errors import InputError

CUT_OFF = 'cut off, the end of the file is missing'

HEIC = 'HEIC'
"""The format of telephones; reading it needs a package, see images/heic.py."""

AVIF = 'AVIF'

TIFF = 'TIFF'
"""OpenCV turns these pictures, whatever it is told; see images/decoder.py."""

END_OF_JPEG = b'\xff\xd9'
"""The marker after the last data of a JPEG."""

_START_OF_IMAGE, _START_OF_SCAN, _APPLICATION_1, _TEMPORARY = 0xd8, 0xda, 0xe1, 0x01
_EXIF = b'Exif\0\0'
_START_OF_FRAME = frozenset(range(0xc0, 0xd0)) - {0xc4, 0xc8, 0xcc}
_PROGRESSIVE = frozenset((0xc2, 0xc6, 0xca, 0xce))
_LAST_COEFFICIENT = 63
_MARKER = re.compile(rb'\xff+([^\x00\xff\xd0-\xd7])')
"""The next marker of a JPEG; coded data contain stuffed bytes (ff00) and restart markers (ffd0 to ffd7)."""

_TAGS = _WIDTH, _HEIGHT, _BITS, _ORIENTATION, _MAX_VALUE, _EXTRA_SAMPLES = 256, 257, 258, 274, 281, 338
"""The TIFF tags that are read; EXIF data are a TIFF file."""

_UNASSOCIATED = 2
"""The kind of extra samples of a TIFF that are transparency, by which colours are not multiplied yet."""

_OPACITY = 1
"""The same for a channel of a JPEG 2000."""

_ALPHA = b'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha'
"""The name of transparency in AVIF files."""


@dataclass(frozen=True)
class Header:
    """The header of a picture file.

    format: a name in FORMATS.
    size_hw: (height, width) of the pixels as stored.
    bits: bits of a stored value.
    levels: the highest value that the file declares; None if it declares none.
    transparent: whether the picture has transparency that OpenCV reads and does not apply.
    orientation: the EXIF orientation, 1 to 8; read for JPEG, PNG, WebP, TIFF and AVIF. HEIC pictures are upright.
    end: for a JPEG, the position of its end marker; more bytes may follow.
    progressive: for a JPEG, whether its scans refine one picture step by step.
    """

    format: str
    size_hw: Tuple[int, int]
    bits: int = 8
    levels: Optional[int] = None
    transparent: bool = False
    orientation: int = 1
    end: int = 0
    progressive: bool = False

    @property
    def megapixels(self) -> float:
        """The number of pixels in millions."""
        return self.size_hw[0] * self.size_hw[1] / 1e6

    @property
    def upright_hw(self) -> Tuple[int, int]:
        """(height, width) of the upright picture."""
        return upright_size(self.size_hw, self.orientation)


def upright_size(size_hw: Tuple[int, int], orientation: int) -> Tuple[int, int]:
    """Returns (height, width) of the upright picture, from (height, width) as stored and the EXIF orientation, 1 to 8:
    from 5 on, the stored width is the upright height (EXIF 2.3, table 15)."""
    height, width = size_hw
    return (width, height) if orientation >= 5 else (height, width)


def header_of(data: bytes) -> Optional[Header]:
    """Returns the header of a picture file, or None if the format is unknown.

    Raises InputError, without the file's name, if the file is cut off or its header is damaged.
    """
    for is_format, read in _READERS.values():
        if is_format(data):
            try:
                header = read(data)
            except (struct.error, IndexError):
                raise InputError(CUT_OFF) from None
            if min(header.size_hw) < 1:
                raise InputError(f'damaged, its header has a size of {header.size_hw[1]} x {header.size_hw[0]} pixels')
            return header
    return None


def _jpeg(data: bytes) -> Header:
    size, progressive, orientation, place = (0, 0), False, 0, 2
    coded: Dict[int, int] = {}  # for each component, a bit for each of its 64 coefficients that is complete
    while True:
        found = _MARKER.search(data, place)
        if not found:
            raise InputError(CUT_OFF)
        marker, place = found.group(1)[0], found.end()
        if marker == END_OF_JPEG[1]:
            break
        if marker == _START_OF_IMAGE:
            raise InputError('cut off, another picture starts before its end')
        if marker == _TEMPORARY:
            continue
        length, = struct.unpack_from('>H', data, place)
        if marker in _START_OF_FRAME:
            size, progressive = struct.unpack_from('>HH', data, place + 3), marker in _PROGRESSIVE
            coded = {data[start]: 0 for start in range(place + 8, place + length, 3)}
        if marker == _APPLICATION_1 and not orientation and data[place + 2:place + 8] == _EXIF:
            orientation = _orientation(data[place + 2:place + length])
        if marker == _START_OF_SCAN:
            names = data[place + 3:place + length - 3:2]
            first, last, bits = data[place + length - 3], data[place + length - 2], data[place + length - 1]
            if not progressive:
                first, last, bits = 0, _LAST_COEFFICIENT, 0
            for name in names if bits & 0xf == 0 else b'':  # otherwise, later scans have the lowest bits
                coded[name] = coded.get(name, 0) | (2 << last) - (1 << first)
        place += length
    if not coded or set(coded.values()) != {(2 << _LAST_COEFFICIENT) - 1}:
        raise InputError('cut off, a part of its picture data is missing')
    return Header('JPEG', size, orientation=orientation or 1, end=place - 2, progressive=progressive)


def _png(data: bytes) -> Header:
    chunks = dict(_png_chunks(data))
    if b'IHDR' not in chunks or b'IDAT' not in chunks:
        raise InputError('damaged, it has no picture data')
    width, height, bits, kind = struct.unpack_from('>IIBB', chunks[b'IHDR'])
    significant = max(chunks.get(b'sBIT', b'\0'))
    return Header('PNG', (height, width), bits, 2 ** significant - 1 if significant else None,
                  kind in (4, 6) or b'tRNS' in chunks, _orientation(chunks.get(b'eXIf', b'')))


def _png_chunks(data: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yields type and content of every chunk before the last one, IEND. The content of picture data is left empty."""
    place = 8
    while True:
        length, kind = struct.unpack_from('>I4s', data, place)
        if place + 12 + length > len(data):
            raise InputError(CUT_OFF)
        if kind == b'IEND':
            return
        yield kind, b'' if kind == b'IDAT' else data[place + 8:place + 8 + length]
        place += 12 + length


def _webp(data: bytes) -> Header:
    length, kind = struct.unpack_from('<I4x4s', data, 4)
    if 8 + length > len(data):
        raise InputError(CUT_OFF)
    if kind == b'VP8X':
        width, height = (1 + int.from_bytes(data[place:place + 3], 'little') for place in (24, 27))
        exif = data.find(b'EXIF', 30)
        return Header('WebP', (height, width), transparent=bool(data[20] & 0x10),
                      orientation=_orientation(data[exif + 8:]) if exif > 0 else 1)
    if kind == b'VP8L':
        packed, = struct.unpack_from('<I', data, 21)
        return Header('WebP', (1 + (packed >> 14 & 0x3fff), 1 + (packed & 0x3fff)), transparent=bool(packed >> 28 & 1))
    width, height = struct.unpack_from('<HH', data, 26)
    return Header('WebP', (height & 0x3fff, width & 0x3fff))


def _bmp(data: bytes) -> Header:
    length, = struct.unpack_from('<I', data, 14)
    width, height = struct.unpack_from('<HH' if length == 12 else '<ii', data, 18)
    return Header('BMP', (abs(height), abs(width)))


def _tiff(data: bytes) -> Header:
    tags = _tiff_tags(data)
    bits = tags.get(_BITS, 8)
    to_apply = bits == 16 and tags.get(_EXTRA_SAMPLES) == _UNASSOCIATED  # OpenCV itself applies that of 8 bits
    return Header(TIFF, (tags.get(_HEIGHT, 0), tags.get(_WIDTH, 0)), bits, tags.get(_MAX_VALUE), to_apply,
                  _orientation_in(tags))


def _tiff_tags(data: bytes) -> Dict[int, int]:
    """Returns the first value of each of _TAGS on the first page of a TIFF or BigTIFF file."""
    order = '<' if data[:2] == b'II' else '>'
    big = struct.unpack_from(order + 'H', data, 2)[0] == 43
    place, = struct.unpack_from(order + ('Q' if big else 'I'), data, 8 if big else 4)
    count, = struct.unpack_from(order + ('Q' if big else 'H'), data, place)
    first, step, room = (place + 8, 20, 8) if big else (place + 2, 12, 4)
    tags: Dict[int, int] = {}
    for start in range(first, first + step * min(count, 4096), step):
        tag, kind, values = struct.unpack_from(order + ('HHQ' if big else 'HHI'), data, start)
        form = {1: 'B', 3: 'H', 4: 'I', 16: 'Q'}.get(kind)
        if form is None or tag not in _TAGS:
            continue
        value = start + step - room
        if values * struct.calcsize(form) > room:
            value, = struct.unpack_from(order + ('Q' if big else 'I'), data, value)
        tags[tag], = struct.unpack_from(order + form, data, value)
    return tags


def _orientation(exif: bytes) -> int:
    """Returns the orientation in EXIF data, 1 to 8; 1 (upright) if they have none."""
    exif = exif[len(_EXIF):] if exif.startswith(_EXIF) else exif
    try:
        return _orientation_in(_tiff_tags(exif))
    except struct.error:
        return 1


def _orientation_in(tags: Dict[int, int]) -> int:
    orientation = tags.get(_ORIENTATION, 1)
    return orientation if 1 <= orientation <= 8 else 1


def _pnm(data: bytes) -> Header:
    text = re.sub(rb'#[^\n]*\n', b' ', data[:4096])
    numbers: List[int] = [int(word) for word in re.findall(rb'\d+', text[2:])[:3]]
    width, height, levels = (numbers + [0, 0, 0])[:3]
    levels = 1 if text[1:2] in b'14' else levels
    return Header('PNM', (height, width), 16 if levels > 255 else 8, levels)


def _jpeg2000(data: bytes) -> Header:
    start = data.find(b'\xff\x4f\xff\x51')
    if start < 0:
        raise InputError(CUT_OFF)
    right, bottom, left, top = struct.unpack_from('>IIII', data, start + 8)
    bits = 1 + (data[start + 42] & 0x7f)
    kinds = _box(data[:start], b'jp2h', b'cdef')[5::6]  # of each channel; OpenCV reads no grey with transparency
    return Header('JPEG 2000', (bottom - top, right - left), bits, 2 ** bits - 1, len(kinds) == 4 and _OPACITY in kinds)


def _is_heif(data: bytes, codings: Sequence[bytes]) -> bool:
    """Returns whether the first box of a file names one of the codings (ISO/IEC 23008-12, annex B): AVIF and HEIC
    differ in nothing else, and videos begin alike."""
    if data[4:8] != b'ftyp':
        return False
    names = data[8:min(int.from_bytes(data[:4], 'big'), 256)]
    return any(names[place:place + 4] in codings for place in range(0, len(names), 4))


def _avif(data: bytes) -> Header:
    properties = _primary_properties(data)
    bits = max(properties.get(b'pixi', b'')[5:], default=8)
    return Header(AVIF, _heif_size(data), bits, transparent=_ALPHA in _box(data, b'meta'),
                  orientation=_heif_orientation(properties))


def _heic(data: bytes) -> Header:
    """Returns the header of the upright picture: HEIC pictures are always decoded so."""
    height, width = _heif_size(data)
    turned = _heif_orientation(_primary_properties(data)) >= 5
    return Header(HEIC, (width, height) if turned else (height, width))


def _heif_size(data: bytes) -> Tuple[int, int]:
    """Returns the largest (height, width) that a part of the picture has."""
    sizes = [struct.unpack_from('>II', data, found.end() + 4) for found in re.finditer(b'ispe', data)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return height, width


def _heif_orientation(properties: Dict[bytes, bytes]) -> int:
    """Returns the EXIF orientation that the properties of a picture say: turns to the left by 90 degrees, and then a
    mirroring, top to bottom (0) or left to right (1). The EXIF data themselves do not count."""
    turns = properties.get(b'irot', b'\0')[0] & 3
    if b'imir' not in properties:
        return (1, 8, 3, 6)[turns]
    return ((4, 5, 2, 7), (2, 7, 4, 5))[properties[b'imir'][0] & 1][turns]


def _primary_properties(data: bytes) -> Dict[bytes, bytes]:
    """Returns type and content of the properties of a file's main picture, such as its turn (ISO/IEC 23008-12, 9.3);
    empty if the file does not say which belong to it."""
    meta = _box(data, b'meta')[4:]
    main, owners = _box(meta, b'pitm'), _box(meta, b'iprp', b'ipma')
    if not main or not owners:
        return {}
    number = int.from_bytes(main[4:], 'big')
    properties = list(_boxes(_box(meta, b'iprp', b'ipco')))
    room, step, place = 4 if owners[0] else 2, 1 + (owners[3] & 1), 8
    for _ in range(int.from_bytes(owners[4:8], 'big')):
        owner, start = owners[place:place + room], place + room + 1
        place = start + step * owners[start - 1]
        if int.from_bytes(owner, 'big') == number:
            essential = 1 << 8 * step - 1  # a bit that is no part of the number of a property, from 1 on
            listed = [int.from_bytes(owners[at:at + step], 'big') & ~essential for at in range(start, place, step)]
            return dict(properties[one - 1] for one in listed if one)
    return {}


def _box(data: bytes, *kinds: bytes) -> bytes:
    """Returns the content of the first box of the first kind, in it that of the second kind, and so on; b'' if there is
    none."""
    for kind in kinds:
        data = next((content for found, content in _boxes(data) if found == kind), b'')
    return data


def _boxes(data: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """Yields type and content of the boxes of a file, or of a box (ISO/IEC 14496-12, 4.2)."""
    place = 0
    while place + 8 <= len(data):
        length, kind = struct.unpack_from('>I4s', data, place)
        start = place + 8
        if length == 1:
            length, start = struct.unpack_from('>Q', data, start)[0], start + 8
        end = place + length if length else len(data)
        if end < start:
            return
        yield kind, data[start:end]
        place = end


_READERS: Dict[str, Tuple[Callable[[bytes], bool], Callable[[bytes], Header]]] = {
    'JPEG': (lambda data: data[:3] == b'\xff\xd8\xff', _jpeg),
    'PNG': (lambda data: data[:8] == b'\x89PNG\r\n\x1a\n', _png),
    'WebP': (lambda data: data[:4] == b'RIFF' and data[8:12] == b'WEBP', _webp),
    'BMP': (lambda data: data[:2] == b'BM', _bmp),
    TIFF: (lambda data: data[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'), _tiff),
    'PNM': (lambda data: data[:1] == b'P' and data[1:2] in (b'1', b'2', b'3', b'4', b'5', b'6')
            and data[2:3].isspace(), _pnm),
    'JPEG 2000': (lambda data: data[4:8] == b'jP  ' or data[:4] == b'\xff\x4f\xff\x51', _jpeg2000),
    AVIF: (lambda data: _is_heif(data, (b'avif', b'avis')), _avif),
    HEIC: (lambda data: _is_heif(data, (b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1')), _heic)}

FORMATS = tuple(_READERS)
"""The formats whose headers are read."""
