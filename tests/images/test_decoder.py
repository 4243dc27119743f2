"""Complete pictures are decoded, with every allowed OpenCV; incomplete pictures are recognised and refused."""
import io
import logging
import os
import socket
import struct
import zlib
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Mapping, Sequence

import cv2
import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.images.decoder import (
    BACKGROUND_BGR,
    Unreadable,
    decode_image,
    decode_upright,
    read_image,
    read_or_unreadable,
    read_upright,
)
from fashionai.images.headers import Header, header_of

TURN_RIGHT = b'II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00'
"""EXIF data with orientation 6 only: the picture must be turned right by 90 degrees."""


UPRIGHT: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored, 2: np.fliplr, 3: lambda stored: np.rot90(stored, 2), 4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1), 6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1), 8: np.rot90}
"""Functions from stored to upright pixels, by EXIF orientation."""


def segment(marker: int, content: bytes) -> bytes:
    """Returns a segment of a JPEG."""
    return bytes([0xff, marker]) + struct.pack('>H', len(content) + 2) + content


def chunk(kind: bytes, content: bytes) -> bytes:
    """Returns a chunk of a PNG."""
    return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))


def png(pixels: np.ndarray, more: bytes = b'') -> bytes:
    """Returns a PNG file, by its specification: (h, w, channels), grey with or without transparency, RGB or RGBA."""
    height, width, channels = pixels.shape
    depth, kind = pixels.dtype.itemsize * 8, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b''.join(b'\0' + row.astype(pixels.dtype.newbyteorder('>')).tobytes() for row in pixels)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, 0)) + more
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def tiff(pixels: np.ndarray, tags: Mapping[int, int] = MappingProxyType({})) -> bytes:
    """Returns a TIFF file, by its specification: (h, w, channels), grey or RGB, more channels as `tags` say."""
    height, width, channels = pixels.shape
    bits = struct.pack(f'<{channels}H', *[pixels.dtype.itemsize * 8] * channels)
    values = {256: width, 257: height, 258: 0, 259: 1, 262: 2 if channels >= 3 else 1, 273: 0, 277: channels,
              278: height, 279: pixels.nbytes, **tags}
    end = 8 + 2 + 12 * len(values) + 4
    values[273] = end + len(bits)
    entries = [struct.pack('<HHI', tag, 3, 1) + struct.pack('<HH', value, 0) for tag, value in sorted(values.items())]
    bits_or_place = (bits + bytes(2))[:4] if channels < 3 else struct.pack('<I', end)
    entries[2] = struct.pack('<HHI', 258, 3, channels) + bits_or_place
    return b'II*\0' + struct.pack('<IH', 8, len(values)) + b''.join(entries) + bytes(4) + bits + pixels.tobytes()


def jpeg(*parameters: int, side: int = 160) -> bytes:
    """Returns a JPEG that looks like a photograph."""
    noise = np.random.RandomState(0).randint(0, 255, (side + 40, side, 3)).astype(np.uint8)
    return cv2.imencode('.jpg', cv2.GaussianBlur(noise, (0, 0), 2), parameters)[1].tobytes()


PLAIN, PROGRESSIVE = jpeg(), jpeg(cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTING = jpeg(cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
THUMBNAIL = jpeg(side=24)
WITH_THUMBNAIL = PLAIN[:2] + segment(0xe1, b'Exif\0\0' + TURN_RIGHT + THUMBNAIL) + PLAIN[2:]
FILES = {'plain': PLAIN, 'progressive': PROGRESSIVE, 'restart markers': RESTARTING, 'thumbnail': WITH_THUMBNAIL}


@pytest.mark.parametrize('kind', FILES)
def test_whole_jpegs_are_read_and_cut_ones_never(kind: str) -> None:
    data = FILES[kind]
    whole = decode_image(data, 'a')
    assert whole.shape == (200, 160, 3)
    for after in (b'\0' * 9, THUMBNAIL, b'a video \xff\xd8\xff'):
        np.testing.assert_array_equal(decode_image(data + after, 'a'), whole)
    start = data.rindex(b'\xff\xda')
    for end in [3, 20, len(data) // 2, (start + len(data)) // 2, len(data) - 100, len(data) - 2, len(data) - 1]:
        for after in (b'', b'\0' * 5000, THUMBNAIL):  # zeros, as an interrupted download may leave them
            with pytest.raises(InputError, match='^a: '):
                decode_image(data[:end] + after, 'a')
            with pytest.raises(InputError):
                decode_upright(data[:end] + after, 'a')


@pytest.mark.parametrize('kind', ['plain', 'restart markers', 'thumbnail'])
def test_an_end_marker_does_not_make_half_a_jpeg_whole(kind: str) -> None:
    data = FILES[kind]
    for end in (len(data) - len(PLAIN) // 2, len(data) - len(PLAIN) // 5):
        with pytest.raises(InputError, match='cut off'):
            decode_image(data[:end] + b'\xff\xd9', 'a')


@pytest.mark.parametrize('orientation', range(1, 9))
def test_half_a_jpeg_is_not_made_whole_by_a_turn(orientation: int) -> None:
    """The grey of missing data is at the end of the file's pixels, wherever a turn puts it."""
    exif = segment(0xe1, b'Exif\0\0' + TURN_RIGHT.replace(b'\x06', bytes([orientation])))
    half = PLAIN[:2] + exif + PLAIN[2:len(PLAIN) // 2] + b'\xff\xd9'
    for decode in (decode_image, decode_upright):
        with pytest.raises(InputError, match='cut off'):
            decode(half, 'a')


@pytest.mark.parametrize('share', [0.2, 0.5, 0.7])
def test_nor_does_it_for_missing_scans(share: float) -> None:
    starts = [place for place in range(len(PROGRESSIVE)) if PROGRESSIVE[place:place + 2] == b'\xff\xda']
    assert len(starts) > 5
    end = starts[int(share * len(starts))]
    for place in (end, end + 300, (starts[-1] + len(PROGRESSIVE)) // 2):
        with pytest.raises(InputError, match='cut off'):
            decode_image(PROGRESSIVE[:place] + b'\xff\xd9', 'a')


def test_a_grey_corner_is_no_fault() -> None:
    grey = cv2.imencode('.jpg', np.full((40, 30, 3), 128, np.uint8))[1].tobytes()
    assert (decode_image(grey, 'a') == 128).all()


def test_cut_pngs_are_refused() -> None:
    data = png(np.random.RandomState(0).randint(0, 255, (60, 40, 3)).astype(np.uint8))
    assert decode_image(data, 'a').shape == decode_image(data + b'more', 'a').shape == (60, 40, 3)
    for end in (20, 40, len(data) // 2, len(data) - 12, len(data) - 1):
        with pytest.raises(InputError, match='cut off'):
            decode_image(data[:end], 'a')
    rows = zlib.compress(b'\0' + b'abc' * 40)  # of sixty
    short = data[:data.index(b'IDAT') - 4] + chunk(b'IDAT', rows) + chunk(b'IEND', b'')
    with pytest.raises(InputError):
        decode_image(short, 'a')


@pytest.mark.parametrize('ending', ['.webp', '.bmp', '.tiff', '.ppm', '.jp2'])
def test_other_formats_are_refused_where_they_are_cut(ending: str) -> None:
    picture = np.random.RandomState(0).randint(0, 255, (60, 40, 3)).astype(np.uint8)
    data = cv2.imencode(ending, picture)[1].tobytes()
    header = header_of(data)
    assert header is not None and header.size_hw == (60, 40)
    assert decode_image(data, 'a').shape == (60, 40, 3)
    for end in (len(data) // 2, len(data) - 10):
        with pytest.raises(InputError):
            decode_image(data[:end], 'a')


def test_orientation_is_for_those_who_ask(tmp_path: Path) -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, :16] = 255  # white on the left; held upright, 16 wide and 32 high, white above
    data = cv2.imencode('.jpg', stored)[1].tobytes()
    path = tmp_path / 'photograph.jpg'
    path.write_bytes(data[:2] + segment(0xe1, b'Exif\0\0' + TURN_RIGHT) + data[2:])
    kept, upright = read_image(path), read_upright(path)
    header = header_of(path.read_bytes())
    assert header is not None and (header.size_hw, header.upright_hw) == (kept.shape[:2], upright.shape[:2])
    assert kept.shape == (16, 32, 3) and kept[:, :14].min() > 200 and kept[:, 18:].max() < 50
    assert upright.shape == (32, 16, 3) and upright[:14].min() > 200 and upright[18:].max() < 50
    np.testing.assert_array_equal(decode_upright(path.read_bytes(), 'an upload'), upright)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('deep', [False, True])
def test_a_tiff_is_turned_for_those_who_ask_alone(orientation: int, deep: bool) -> None:
    stored = np.random.RandomState(0).randint(0, 255, (4, 6, 3)).astype(np.uint8)
    data = tiff(stored[..., ::-1] * (np.uint16(257) if deep else np.uint8(1)), {274: orientation})
    np.testing.assert_array_equal(decode_image(data, 'a'), stored)
    np.testing.assert_array_equal(decode_upright(data, 'a'), UPRIGHT[orientation](stored))
    header = header_of(data)
    assert header is not None and header.size_hw == (4, 6) and header.orientation == orientation


@pytest.mark.parametrize('more, highest, expected, said', [
    (b'', 4095, [[0, 127, 255]], '4095'), (chunk(b'sBIT', b'\x0c' * 3), 4095, [[0, 127, 255]], '4095'),
    (b'', 1023, [[0, 127, 255]], '1023'), (b'', 65535, [[0, 127, 255]], ''),
    (chunk(b'sBIT', b'\x0c' * 3), 4095 * 16, [[0, 127, 255]], ''),  # 12 upper bits, as in the standard
    (chunk(b'sBIT', b'\x0c' * 3), 1023, [[0, 31, 63]], '4095')])
def test_12_bits_in_16_are_brought_to_8(caplog: pytest.LogCaptureFixture, more: bytes, highest: int,
                                       expected: Sequence, said: str) -> None:
    values = np.array([[0, highest // 2, highest]], np.uint16)
    with caplog.at_level(logging.WARNING):
        picture = decode_image(png(np.dstack([values] * 3), more), 'scan.png')
    np.testing.assert_array_equal(picture[..., 1], expected)
    assert (not caplog.records) if not said else (said in caplog.text and 'scan.png' in caplog.text)


def test_a_tiff_says_how_far_its_values_go(caplog: pytest.LogCaptureFixture) -> None:
    data = tiff(np.array([[[0], [512], [1023]]], '<u2'), {281: 4095})  # grey, of at most 4095
    with caplog.at_level(logging.WARNING):
        assert decode_image(data, 'a.tif')[0, :, 0].tolist() == [0, 32, 63]
    assert '4095' in caplog.text
    floats = cv2.imencode('.tiff', np.ones((4, 4, 3), np.float32))[1].tobytes()
    with pytest.raises(InputError, match='a.tif: .*float32'):
        decode_image(floats, 'a.tif')


@pytest.mark.parametrize('kind', ['P2', 'P3', 'P5', 'P6'])
@pytest.mark.parametrize('highest', [1, 5, 100, 254, 255, 1000])
def test_the_highest_value_of_a_pnm_is_white(kind: str, highest: int) -> None:
    values = [0, highest // 2, highest]
    numbers = values * 3 if kind in ('P2', 'P5') else [one for one in values for _ in range(3)] * 3  # three rows
    body = (' '.join(map(str, numbers)).encode() + b'\n' if kind in ('P2', 'P3')
            else np.array(numbers, '>u2' if highest > 255 else 'u1').tobytes())
    picture = decode_image(f'{kind} 3 3\n{highest}\n'.encode() + body, 'a')
    np.testing.assert_allclose(picture[1, :, 0], [0, highest // 2 * 255 / highest, 255], atol=1)


def test_bits_of_a_pnm_are_black_and_white() -> None:
    for data in (b'P1 3 1\n0 1 1\n', b'P4 3 1\n\x60'):
        assert decode_image(data, 'a')[0, :, 0].tolist() == [255, 0, 0]


def test_transparent_pictures_stand_before_one_colour() -> None:
    pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], np.uint8)  # RGBA, all, none, 20 %
    picture = decode_image(png(pixels), 'a')
    behind = np.array(BACKGROUND_BGR)
    expected = [[50, 100, 200], behind, np.rint(0.2 * np.array([50, 100, 200]) + 0.8 * behind)]
    np.testing.assert_array_equal(picture[0], expected)
    deep = decode_image(png(pixels.astype(np.uint16) * 257), 'a')
    np.testing.assert_allclose(deep[0], expected, atol=1)
    grey = decode_image(png(np.array([[[90, 255], [90, 0]]], np.uint8)), 'a')
    np.testing.assert_array_equal(grey[0], [[90] * 3, behind])
    turned = png(pixels, chunk(b'eXIf', TURN_RIGHT))
    assert decode_upright(turned, 'a').shape == (3, 1, 3) and decode_image(turned, 'a').shape == (1, 3, 3)
    np.testing.assert_array_equal(decode_upright(turned, 'a')[:, 0], expected)


def test_transparency_of_other_formats() -> None:
    """Of a TIFF of 16 bits, if its tag 338 says so; OpenCV itself applies that of 8 bits. Of a JPEG 2000."""
    pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 0]]] * 64, np.uint8).repeat(32, axis=1)
    expected = pixels[..., 2::-1] * (pixels[..., 3:] > 0)
    for depth in (pixels, pixels * np.uint16(257)):
        np.testing.assert_array_equal(decode_image(tiff(depth, {338: 2}), 'a'), expected)
        multiplied = depth * (pixels[..., 3:] > 0)
        np.testing.assert_array_equal(decode_image(tiff(multiplied, {338: 1}), 'a'), expected)
    turned = tiff(pixels * np.uint16(257), {338: 2, 274: 6})
    np.testing.assert_array_equal(decode_image(turned, 'a'), expected)
    np.testing.assert_array_equal(decode_upright(turned, 'a'), np.rot90(expected, -1))
    image, features = pytest.importorskip('PIL.Image'), pytest.importorskip('PIL.features')
    if not features.check('jpg_2000'):
        pytest.skip('this Pillow writes no JPEG 2000')
    for mode, same in (('RGBA', expected), ('RGB', pixels[..., 2::-1])):
        file = io.BytesIO()
        image.fromarray(pixels).convert(mode).save(file, 'JPEG2000')
        np.testing.assert_array_equal(decode_image(file.getvalue(), 'a'), same)


@pytest.mark.parametrize('highest, opaque, white', [
    (4095, 4095, 4095), (4095, 65535, 4095), (1000, 4095, 4095), (65535, 65535, 65535)])
def test_transparency_has_the_range_of_the_colours_or_all_16_bits(highest: int, opaque: int, white: int) -> None:
    pixels = np.array([[[highest, highest // 2, 0, opaque], [highest] * 3 + [opaque // 2], [highest] * 3 + [0]]],
                      np.uint16)
    expected = np.array([[0, highest / 2, highest], [highest / 2] * 3, [0] * 3]) * 255 / white
    np.testing.assert_allclose(decode_image(png(pixels), 'a')[0], expected, atol=1.5)


def test_the_pixel_limit_is_that_of_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    def bomb(data: bytes, place: int, form: str) -> bytes:
        size = struct.pack(form, 20000, 20000)
        return data[:place] + size + data[place + len(size):]
    small = png(np.zeros((4, 4, 3), np.uint8))
    assert decode_upright(small, 'a', 16e-6).shape == (4, 4, 3)
    frame = PLAIN.index(b'\xff\xc0') + 5
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('decoded'))
    for data in (bomb(small, 16, '>II'), bomb(PLAIN, frame, '>HH'),
                 b'P6 20000 20000 255\n', b'BM' + bytes(12) + struct.pack('<Iii', 40, 20000, -20000)):
        with pytest.raises(InputError, match='a: 20000 x 20000 .*400.0 million.* 25 million'):
            decode_upright(data, 'a', 25)
    with pytest.raises(InputError, match='^a: '):
        decode_upright(b'\x76\x2f\x31\x01', 'a', 25)  # a format whose size is not read from the header


def test_headers() -> None:
    assert header_of(b'text') is None and header_of(b'') is None
    turned = header_of(png(np.zeros((2, 3, 4), np.uint16), chunk(b'eXIf', TURN_RIGHT)))
    assert turned == Header('PNG', (2, 3), 16, None, True, 6)
    for quality, lossless in ((80, False), (101, True)):
        data = cv2.imencode('.webp', np.full((20, 30, 4), 99, np.uint8), [cv2.IMWRITE_WEBP_QUALITY, quality])[1]
        assert header_of(data.tobytes()) == Header('WebP', (20, 30), transparent=True), lossless


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    for data in (b'text', b''):
        with pytest.raises(InputError, match=f'^an upload: .*{len(data)} bytes'):
            decode_upright(data, 'an upload')
    missing = tmp_path / 'missing.jpg'
    for read in (read_image, read_upright):
        found = read_or_unreadable(missing, read)
        assert isinstance(found, Unreadable) and found.reason.startswith(f'{missing}: ')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes with a name')
def test_what_is_no_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo('pipe.jpg')
    os.symlink('loop.jpg', 'loop.jpg')
    os.symlink('gone', 'link.jpg')
    os.mkdir('folder.jpg')
    listening = socket.socket(socket.AF_UNIX)
    listening.bind('socket.jpg')
    for name, why in (('pipe.jpg', 'pipe'), ('loop.jpg', 'itself'), ('link.jpg', 'does not exist'),
                      ('folder.jpg', 'folder'), ('socket.jpg', 'socket'), ('/dev/zero', 'device')):
        found = read_or_unreadable(name)
        assert isinstance(found, Unreadable) and found.reason.startswith(f'{name}: ') and why in found.reason
    listening.close()
