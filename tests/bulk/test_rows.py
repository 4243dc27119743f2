"""Rows in, rows out: the columns, pictures from files and bytes, and errors as a column."""
from pathlib import Path
from typing import Any, Dict, List, Sequence

import cv2
import numpy as np
import pytest

from fashionai.bulk.rows import RowPredictor, RowSettings, arrow_schema
from fashionai.errors import InputError
from fashionai.garments.measurements import fixed_scale
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.predictor import KeypointPrediction

WHITE = 200


class StandIn:
    """In place of networks: every picture is a skirt in a square of the side of its brightness."""

    def __init__(self) -> None:
        self.batches: List[int] = []

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns the corners of the square."""
        self.batches.append(len(images))
        return [KeypointPrediction(float(image.mean()) * np.array([[0, 0], [1, 0], [0, 1], [1, 1]]), np.full(4, 0.7),
                                   np.array([True, True, True, False]), np.full((4, 8, 8), 0.6, np.float32))
                for image in images]


@pytest.fixture
def network() -> StandIn:
    return StandIn()


@pytest.fixture
def predictor(network: StandIn) -> RowPredictor:
    return RowPredictor(GarmentPredictor({'skirt': network}, (), []),
                        RowSettings('model-1', 'a sum', 'skirt', scale=fixed_scale(0.5)))


def png(brightness: int) -> bytes:
    """The bytes of a picture."""
    return cv2.imencode('.png', np.full((300, 250, 3), brightness, np.uint8))[1].tobytes()


def test_a_row_has_type_points_scores_and_lengths(predictor: RowPredictor) -> None:
    row, = predictor.predict([{'id': 'one', 'bytes': png(WHITE)}])
    assert (row['id'], row['source'], row['type'], row['type_sure']) == ('one', None, 'skirt', True)
    assert (row['width'], row['height'], row['error']) == (250, 300, None)
    assert (row['model'], row['model_sum']) == ('model-1', 'a sum')
    points = {point['name']: point for point in row['keypoints']}
    assert list(points) == ['waistband_left', 'waistband_right', 'hemline_left', 'hemline_right']
    assert (points['waistband_right']['x'], points['waistband_right']['y']) == (WHITE, 0)
    assert 0 < points['waistband_left']['score'] <= 1 and not points['hemline_right']['found']
    lengths = {length['name']: length for length in row['lengths']}
    assert (lengths['waist']['pixels'], lengths['waist']['cm'], row['cm_per_pixel']) == (WHITE, WHITE / 2, 0.5)
    assert lengths['hem']['pixels'] is None, 'one of its points was not found'


def test_rows_come_in_order_and_errors_are_a_column(predictor: RowPredictor, tmp_path: Path) -> None:
    (tmp_path / 'good.png').write_bytes(png(50))
    (tmp_path / 'cut.png').write_bytes(png(50)[:200])
    rows: List[Dict[str, Any]] = [
        {'id': 'a', 'path': str(tmp_path / 'good.png')}, {'id': 'b', 'path': tmp_path / 'cut.png'},
        {'id': 'c', 'path': str(tmp_path / 'none.png')}, {'id': 'd', 'bytes': b'no picture'},
        {'id': 'e', 'bytes': None}, {'id': 'f', 'url': None}, {'id': 'g', 'url': f'file://{tmp_path}/good.png'},
        {'id': 'h', 'bytes': png(70)}]
    found = list(predictor.predict(rows))
    assert [row['id'] for row in found] == list('abcdefgh')
    assert [row['id'] for row in found if row['error'] is None] == ['a', 'g', 'h']
    assert all(row['keypoints'] is None and row['type'] is None for row in found if row['error'])
    assert 'cut.png' in found[1]['error'] and found[1]['source'] == str(tmp_path / 'cut.png')
    assert len({tuple(row) for row in found}) == 1, 'all rows have the same columns'


def test_pictures_go_through_the_network_in_batches(network: StandIn) -> None:
    predictor = RowPredictor(GarmentPredictor({'skirt': network}, (), []), RowSettings('', '', 'skirt', batch=4))
    assert len(list(predictor.predict({'id': str(n), 'bytes': png(n)} for n in range(10)))) == 10
    assert sorted(network.batches) == [2, 4, 4]


@pytest.mark.parametrize('row', [{'bytes': b''}, {'id': None, 'bytes': b''}, {'id': '1'}])
def test_a_row_without_an_id_or_a_picture_is_refused(predictor: RowPredictor, row: Dict[str, Any]) -> None:
    with pytest.raises(InputError, match='id'):
        list(predictor.predict([row]))


def test_a_fault_of_the_program_is_raised(predictor: RowPredictor, network: StandIn,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, 'predict', lambda images: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(predictor.predict([{'id': 'one', 'bytes': png(WHITE)}]))


def test_the_schema_has_the_columns_of_a_row(predictor: RowPredictor) -> None:
    pa = pytest.importorskip('pyarrow')
    rows = list(predictor.predict([{'id': 'one', 'bytes': png(WHITE)}, {'id': 'two', 'bytes': b''}]))
    assert arrow_schema().names == list(rows[0])
    assert pa.Table.from_pylist(rows, schema=arrow_schema()).to_pylist() == rows
