"""Small projects, and a stand-in for the network: it proposes the usual places, and doubts the first two points."""
import struct
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import cv2
import numpy as np
import pytest

from fashionai.garments.boxes import Box
from fashionai.garments.table import GARMENTS
from fashionai.images.crops import crop_around
from fashionai.inference.missing_keypoints import usual_points
from fashionai.labelling.pictures import add_pictures
from fashionai.labelling.proposals import Doubt, Proposal, look_of
from fashionai.labelling.store import Store

SIZE_HW = (400, 300)

collect_ignore = [] if sys.version_info >= (3, 10) else ['test_app.py', 'test_page.py']


class StandIn:
    """Proposes the usual points of a type: a dress, if nobody chose one."""

    model, types = 'stand-in', tuple(GARMENTS)

    def propose(self, image: np.ndarray, tag: Optional[str], box: Optional[Box]) -> Proposal:
        """Returns a proposal whose first point has a low score, and whose second one was not found."""
        crop = crop_around(box, image.shape[:2])
        part = crop.of(image)
        garment = GARMENTS[tag or 'dress']
        points = crop.moved(usual_points(garment, crop.size_hw)).round(2).tolist()
        scores = [0.125, 0.0] + [0.9] * (len(points) - 2)
        return Proposal(garment.name, {} if tag else {'dress': 0.9, 'skirt': 0.1},
                        {name: (x, y, score, number != 1)
                         for number, (name, (x, y), score) in enumerate(zip(garment.keypoints, points, scores))},
                        Doubt(scores=0.2), look_of(part))


@pytest.fixture(scope='session')
def stand_in() -> StandIn:
    """The stand-in for the network."""
    return StandIn()


@pytest.fixture()
def pictures(tmp_path: Path) -> Callable[..., Path]:
    """`pictures(number)`: a folder with so many pictures, each of another colour: 0.png, 1.png, ..."""
    def make(number: int = 3) -> Path:
        folder = tmp_path / 'pictures'
        folder.mkdir()
        for index in range(number):
            cv2.imwrite(str(folder / f'{index}.png'), np.full((*SIZE_HW, 3), (20 * index, 90, 160), np.uint8))
        return folder
    return make


@pytest.fixture()
def store(tmp_path: Path, pictures: Callable[..., Path]) -> Iterator[Store]:
    """The store of a project with three pictures."""
    with Store(tmp_path / 'project') as opened:
        add_pictures(opened, [str(pictures())], 25)
        yield opened


@pytest.fixture(scope='session')
def turned() -> Callable[[np.ndarray, int], bytes]:
    """`turned(image, orientation)`: a JPEG with this EXIF orientation."""
    def make(image: np.ndarray, orientation: int) -> bytes:
        data = cv2.imencode('.jpg', image)[1].tobytes()
        exif = b'Exif\0\0MM\0*' + struct.pack('>IHHHIHHI', 8, 1, 274, 3, 1, orientation, 0, 0)
        return data[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + data[2:]
    return make


@pytest.fixture(scope='session')
def skirt() -> Callable[..., Any]:
    """`skirt(x)`: the points of a skirt whose upper left one is at (x, 20)."""
    def make(x: float = 30) -> Any:
        return {'waistband_left': (x, 20, 1), 'waistband_right': (x + 90, 21, 1), 'hemline_left': (20, 190.5, 0),
                'hemline_right': (-1, -1, -1)}
    return make
