"""HEIC files of telephones: upright, whole, or refused with a line that says what is needed; and AVIF files, whose
headers are alike."""
import io
import struct
from pathlib import Path
from typing import Optional

import cv2
import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.images import heic
from fashionai.images.decoder import TURNS, decode_image, decode_upright, read_upright
from fashionai.images.headers import header_of
from fashionai.images.sources import pictures_of, sources_of


def heic_of(pixels: np.ndarray, orientation: int = 1) -> bytes:
    """Returns a HEIC file of RGB or RGBA pixels, with an EXIF orientation."""
    pillow_heif = pytest.importorskip('pillow_heif')
    image = pytest.importorskip('PIL.Image')
    pillow_heif.register_heif_opener()
    exif, file = image.Exif(), io.BytesIO()
    exif[0x112] = orientation
    image.fromarray(pixels).save(file, 'HEIF', quality=95, exif=exif.tobytes())
    return file.getvalue()


def red_over_blue() -> np.ndarray:
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :, 0] = pixels[32:, :, 2] = 220
    return pixels


def test_colours_and_size_are_those_of_the_picture() -> None:
    data = heic_of(red_over_blue())
    header = header_of(data)
    assert header is not None and header.format == 'HEIC' and header.megapixels == pytest.approx(0.0061, abs=1e-3)
    for picture in (decode_upright(data, 'a.heic'), decode_image(data, 'a.heic')):
        assert picture.shape == (64, 96, 3) and picture.dtype == np.uint8
        np.testing.assert_allclose(picture[5, 5], [0, 0, 220], atol=12)
        np.testing.assert_allclose(picture[60, 90], [220, 0, 0], atol=12)


def test_a_picture_is_turned_once() -> None:
    """Turned right by 90 degrees, what was above is on the right."""
    data = heic_of(red_over_blue(), 6)
    picture, header = decode_upright(data, 'a.heic'), header_of(data)
    assert picture.shape == (96, 64, 3)
    assert header is not None and (header.size_hw, header.orientation) == ((96, 64), 1)
    np.testing.assert_allclose(picture[48, 60], [0, 0, 220], atol=12)
    np.testing.assert_allclose(picture[48, 3], [220, 0, 0], atol=12)


def avif_of(pixels: np.ndarray, orientation: int = 1) -> bytes:
    """Returns an AVIF file of RGB or RGBA pixels, with a turn and a mirroring."""
    image, features = pytest.importorskip('PIL.Image'), pytest.importorskip('PIL.features')
    if 'avif' not in features.modules or not features.check('avif'):
        pytest.skip('this Pillow writes no AVIF')
    if 'AVIF: ' not in cv2.getBuildInformation():
        pytest.skip('this OpenCV reads no AVIF')
    exif, file = image.Exif(), io.BytesIO()
    exif[0x112] = orientation
    image.fromarray(pixels).save(file, 'AVIF', quality=95, exif=exif.tobytes())
    return file.getvalue()


@pytest.mark.parametrize('orientation', range(1, 9))
def test_avif_pictures_are_turned_for_those_who_ask(orientation: int) -> None:
    pixels = red_over_blue()
    pixels[:, 48:, 1] = 120
    data = avif_of(pixels, orientation)
    stored = decode_image(data, 'a.avif')
    np.testing.assert_allclose(stored[4::8, 4::8], pixels[4::8, 4::8, ::-1], atol=12)
    np.testing.assert_array_equal(decode_upright(data, 'a.avif'), TURNS[orientation](stored))


def test_transparent_avif_pictures_stand_before_black() -> None:
    pixels = np.dstack([np.full((64, 64, 3), 200, np.uint8), np.full((64, 64), 255, np.uint8)])
    pixels[:, 32:, 3] = 0
    picture = decode_upright(avif_of(pixels), 'a.avif')
    assert picture[:, :24].min() > 180 and picture[:, 40:].max() < 20


@pytest.mark.parametrize('channels', [3, 4])
def test_avif_pictures_of_10_bits(channels: int) -> None:
    pixels = np.full((64, 64, channels), 600, np.uint16)
    try:
        data = cv2.imencode('.avif', pixels, (cv2.IMWRITE_AVIF_DEPTH, 10))[1].tobytes()
    except (AttributeError, cv2.error):
        pytest.skip('this OpenCV writes no AVIF')
    share = 1 if channels == 3 else 600 / 1023
    np.testing.assert_allclose(decode_image(data, 'a.avif'), 600 / 1023 * 255 * share, atol=2)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack('>I4s', 8 + len(content), kind) + content


@pytest.mark.parametrize('wide', [False, True])
@pytest.mark.parametrize('axis', [None, 0, 1])
@pytest.mark.parametrize('turns', [0, 1, 2, 3])
def test_turns_to_the_left_and_mirrorings_become_an_orientation(turns: int, axis: Optional[int], wide: bool) -> None:
    """Item 3 is the picture; item 2 has another turn, and its properties are not those of the picture."""
    size, turn = box(b'ispe', struct.pack('>4xII', 96, 64)), box(b'irot', bytes([turns]))
    properties = size + box(b'irot', bytes([turns ^ 1])) + turn + (b'' if axis is None else box(b'imir', bytes([axis])))
    number, entry = ('>I', '>H') if wide else ('>H', '>B')
    mine = [1, 3] if axis is None else [1, 3, 4]
    owners = b''.join(struct.pack(number, item) + bytes([len(listed)]) + b''.join(
        struct.pack(entry, one | (1 << 8 * struct.calcsize(entry) - 1 if one > 1 else 0)) for one in listed)
        for item, listed in ((2, [1, 2]), (3, mine)))
    meta = bytes(4) + box(b'pitm', bytes(4) + struct.pack('>H', 3)) + box(
        b'iprp', box(b'ipco', properties) + box(b'ipma', bytes([wide, 0, 0, wide]) + struct.pack('>I', 2) + owners))
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    turned = np.rot90(pixels, turns)
    turned = turned if axis is None else np.flip(turned, axis)
    for brand in (b'avif', b'heic'):
        header = header_of(box(b'ftyp', brand + bytes(4)) + box(b'meta', meta))
        assert header is not None
        if brand == b'heic':
            assert (header.orientation, header.size_hw) == (1, (96, 64) if turns % 2 else (64, 96))
        else:
            assert header.size_hw == (64, 96)
            np.testing.assert_array_equal(TURNS[header.orientation](pixels), turned)


def test_transparent_pictures_stand_before_black() -> None:
    pixels = np.dstack([np.full((64, 64, 3), 200, np.uint8), np.full((64, 64), 255, np.uint8)])
    pixels[:, 32:, 3] = 0
    picture = decode_upright(heic_of(pixels), 'a.heic')
    assert picture[:, :24].min() > 180 and picture[:, 40:].max() < 20


def test_cut_files_and_large_pictures_are_refused() -> None:
    data = heic_of(red_over_blue())
    for end in (40, len(data) // 2, len(data) - 10):
        with pytest.raises(InputError, match='^a.heic: '):
            decode_upright(data[:end], 'a.heic')
    with pytest.raises(InputError, match='0.005'):
        decode_upright(data, 'a.heic', 0.005)


def test_without_the_package_one_line_says_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(heic, 'can_read_heic', lambda: False)
    sizes = b'ispe\0\0\0\0' + (96).to_bytes(4, 'big') + (64).to_bytes(4, 'big')
    path = tmp_path / 'IMG_1.HEIC'
    path.write_bytes(b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + sizes)
    with pytest.raises(InputError, match='pip install pillow-heif') as caught:
        read_upright(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)
    picture, = pictures_of(sources_of([str(tmp_path)]))
    assert 'pip install pillow-heif' in picture.read().reason


@pytest.mark.parametrize('brands, found', [
    (b'avif\0\0\0\0mif1miaf', 'AVIF'), (b'mif1\0\0\0\0heic', 'HEIC'), (b'mif1\0\0\0\0avif', 'AVIF'),
    (b'heic\0\0\0\0mif1', 'HEIC')])
def test_kinds_of_files_are_told_apart_by_their_brands(brands: bytes, found: str) -> None:
    sizes = b'ispe\0\0\0\0' + (96).to_bytes(4, 'big') + (64).to_bytes(4, 'big')
    header = header_of((8 + len(brands)).to_bytes(4, 'big') + b'ftyp' + brands + sizes)
    assert header is not None and header.format == found and header.size_hw == (64, 96)


def test_a_video_is_no_picture() -> None:
    assert header_of(b'\0\0\0\x18ftypisom\0\0\0\0isommp41' + b'\0' * 99) is None
