"""The validation error during training: every image has its own type, in any order of rows."""
from pathlib import Path
from typing import Optional, Tuple

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.dataflow.encoder import InputShape
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.inference.validation import validation_error

JOINT = GARMENTS.joint
SHAPE = InputShape((128, 128), 8)


@pytest.fixture
def truth(tmp_path: Path) -> Annotations:
    """Twenty images of two alternating types. The grey of an image is its row; its points lie on a line of cells."""
    keypoints = np.full((20, 24, 3), -1, np.int32)
    for row in range(20):
        garment = GARMENTS[('skirt', 'trousers')[row % 2]]
        columns = 12 + 16 * np.arange(len(garment.keypoints))
        keypoints[row, garment.csv_indices] = np.stack(
            [columns, np.full_like(columns, 12 + 4 * row), np.ones_like(columns)], axis=1)
        cv2.imwrite(str(tmp_path / f'{row}.png'), np.full((128, 128, 3), 10 * row + 5, np.uint8))
    return Annotations(tuple(f'{row}.png' for row in range(20)), ('skirt', 'trousers') * 10, keypoints, 'test')


def test_a_network_that_knows_the_answers_has_no_error_and_one_that_is_off_has_its_own(
        truth: Annotations, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def forward_with(shift: float, types: Optional[np.ndarray] = None):
        def forward(images: np.ndarray) -> Tuple[np.ndarray, Optional[np.ndarray]]:
            maps = np.zeros((len(images), 16, 16, JOINT.num_heatmaps + JOINT.num_fields), np.float32)
            cells_y, cells_x = np.indices((16, 16)) * 8 + 3.5
            for number, image in enumerate(images):
                for column, (x, y, v) in enumerate(truth.keypoints[int(image.mean()) // 10]):
                    if v == 1:
                        squared = (cells_x - x - shift) ** 2 + (cells_y - y) ** 2
                        maps[number, :, :, column] = np.exp(-squared / 128)
            return maps, None if types is None else types[[int(image.mean()) // 10 for image in images]]
        return forward

    measure = validation_error(truth, tmp_path, JOINT, SHAPE)
    assert measure(forward_with(0)) < 3
    spans = 16.  # the first two keypoints of either type are its normaliser
    assert measure(forward_with(4)) == pytest.approx(100 * 4 / spans, abs=4)
    assert 'garment type' not in caplog.text
    skirt, trousers = np.eye(5)[[3, 4]]
    types = np.where(np.arange(20)[:, None] % 2, trousers, skirt)
    types[[3, 8, 9, 14, 17]] = 0.2, 0.5, 0.3, 0, 0
    with caplog.at_level('INFO'):
        measure(forward_with(0, types))
    assert 'the garment type is right in 75.0 % of 20 images' in caplog.text


def test_images_that_cannot_be_read_are_found_before_anything_is_measured(truth: Annotations, tmp_path: Path) -> None:
    (tmp_path / '7.png').write_bytes(b'not a picture')
    (tmp_path / '9.png').write_bytes(b'')
    with pytest.raises(InputError, match=r'^2 of 20 images of test .*\b7\.png'):
        validation_error(truth, tmp_path, JOINT, SHAPE)
