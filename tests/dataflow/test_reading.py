"""Pictures of a data set keep their pixels as stored; a user's are turned as a camera says."""
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashionai.dataflow.reading import decode_upright, read_image, read_or_reason, read_upright

TURNED_RIGHT = (b'\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00'
                b'\x06\x00\x00\x00\x00\x00\x00\x00')
"""An EXIF segment that says no more than orientation 6: to be seen upright, turn it right by 90 degrees."""


@pytest.fixture()
def photograph(tmp_path: Path) -> Path:
    """Stored 32 wide and 16 high, white on the left; held upright 16 wide and 32 high, white above."""
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:, :16] = 255
    data = cv2.imencode('.jpg', stored)[1].tobytes()
    path = tmp_path / 'photograph.jpg'
    path.write_bytes(data[:2] + TURNED_RIGHT + data[2:])
    return path


def test_orientation_is_for_those_who_ask(photograph: Path) -> None:
    stored, upright = read_image(photograph), read_upright(photograph)
    assert stored.shape == (16, 32, 3) and stored[:, :14].min() > 200 and stored[:, 18:].max() < 50
    assert upright.shape == (32, 16, 3) and upright[:14].min() > 200 and upright[18:].max() < 50
    np.testing.assert_array_equal(decode_upright(photograph.read_bytes(), 'an upload'), upright)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'an upload: not a picture that OpenCV can read \(4 bytes\)'):
        decode_upright(b'text', 'an upload')
    with pytest.raises(ValueError, match=r'an upload: not a picture that OpenCV can read \(0 bytes\)'):
        decode_upright(b'', 'an upload')
    whole = cv2.imencode('.jpg', np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    with pytest.raises(ValueError, match='an upload: cut off'):
        decode_upright(whole[:-9], 'an upload')
    missing = tmp_path / 'missing.jpg'
    assert read_or_reason(missing, read_upright) == read_or_reason(missing) == f'{missing}: no such file'
