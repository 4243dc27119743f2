"""Helpers for the tests of data sets: `made` makes small data sets, as files and as archives."""
import io
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Dict, Union

import cv2
import numpy as np
import pytest

Files = Dict[str, Union[bytes, str]]
ABSENT = '-1_-1_-1'
KEYPOINTS = ('neckline_left,neckline_right,center_front,shoulder_left,shoulder_right,armpit_left,armpit_right,'
             'waistline_left,waistline_right,cuff_left_in,cuff_left_out,cuff_right_in,cuff_right_out,top_hem_left,'
             'top_hem_right,waistband_left,waistband_right,hemline_left,hemline_right,crotch,bottom_left_in,'
             'bottom_left_out,bottom_right_in,bottom_right_out').split(',')
START = 'image_id,image_category'
TOP = ','.join([START, *KEYPOINTS])


def picture(shade: int = 0, width: int = 40, height: int = 60) -> bytes:
    """Returns a JPEG of one grey."""
    return cv2.imencode('.jpg', np.full((height, width, 3), shade, np.uint8))[1].tobytes()


def row(image_id: str, category: str, **cells: str) -> str:
    """Returns a line of a CSV; all cells are absent except those in `cells`."""
    return ','.join([image_id, category] + [cells.get(name, ABSENT) for name in KEYPOINTS])


def table(*rows: str, top: str = TOP) -> str:
    """Returns a CSV file of these lines."""
    return '\n'.join([top, *rows, ''])


def _bytes(content: Union[bytes, str]) -> bytes:
    return content.encode() if isinstance(content, str) else content


def make_folder(root: Path, files: Files) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(_bytes(content))
    return root


def make_tar(path: Path, files: Files, mode: str = 'w') -> Path:
    with tarfile.open(str(path), mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(_bytes(content))
            archive.addfile(member, io.BytesIO(_bytes(content)))
    return path


def make_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(str(path), 'w') as archive:
        for name, content in files.items():
            archive.writestr(name, _bytes(content))
    return path


@pytest.fixture(scope='session')
def made() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(picture=picture, row=row, table=table, folder=make_folder, tar=make_tar, zip=make_zip,
                           start=START)
