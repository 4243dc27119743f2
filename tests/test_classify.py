"""classify.py from command line to table, with a graph that predicts types from colours."""
import csv
from pathlib import Path
from typing import Callable, List

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.cli import classify, entry_point
from fashionai.garments.table import GARMENTS
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME, TYPES_NAME

COLOURS = {'blouse': (255, 0, 0), 'dress': (0, 255, 0), 'outwear': (0, 0, 255)}


def write_graph(path: Path, with_types: bool = True) -> Path:
    """Blue is a blouse, green a dress, red an outwear."""
    joint = GARMENTS.of('all')
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        kernel = tf.zeros((8, 8, 3, joint.num_heatmaps + joint.num_fields))
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        if with_types:
            logits = tf.reduce_max(image, axis=(1, 2)) / 64
            tf.nn.softmax(tf.pad(logits, [[0, 0], [0, 2]], constant_values=-9), name=TYPES_NAME)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """Four pictures. In the list, the last one has another type than its colour says."""
    lines = ['image_id,image_category']
    for number, (shown, said) in enumerate([('blouse',) * 2, ('dress',) * 2, ('outwear',) * 2, ('dress', 'outwear')]):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((30, 20, 3), COLOURS[shown], np.uint8))
        lines.append(f'{number}.png,{said}')
    (tmp_path / 'test.csv').write_text('\n'.join(lines) + '\n')
    return tmp_path


def arguments(data: Path, *more: object) -> List[object]:
    return ['--modelpath', write_graph(data / 'graph.pb'), '--imagepath', data, '--output', data / 'types.csv', *more]


def test_types_are_told_and_counted(data: Path, finish: Callable) -> None:
    printed = finish(classify.main, *arguments(data))
    assert '75.0%' in printed and 'outwear            0         1         1' in printed
    with open(str(data / 'types.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['image_id'] for row in rows] == ['0.png', '1.png', '2.png', '3.png']
    assert [row['first'] for row in rows] == ['blouse', 'dress', 'outwear', 'dress']
    assert [row['image_category'] for row in rows][3] == 'outwear'
    most = np.exp(255 / 64) / (np.exp(255 / 64) + 2 + 2 * np.exp(-9))
    np.testing.assert_allclose([float(row['first_probability']) for row in rows], most, atol=1e-4)


def test_the_supplied_network_needs_no_tensorflow(data: Path, finish: Callable,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('onnxruntime')
    monkeypatch.setattr(entry_point, 'PROJECT_ROOT', data)
    monkeypatch.setattr(classify, 'has_tensorflow', lambda: False)
    monkeypatch.setattr(classify, 'graph_mode', lambda: pytest.fail('TensorFlow was started'))
    finish(classify.main, '--imagepath', data, '--output', data / 'types.csv')
    assert len((data / 'types.csv').read_text().splitlines()) == 5


def test_an_image_that_cannot_be_read_is_named_and_the_others_told(data: Path, finish: Callable) -> None:
    (data / '1.png').write_text('no picture')
    printed = finish(classify.main, *arguments(data), code=1)
    assert '1 of 4' in printed and '1.png' in printed
    assert len((data / 'types.csv').read_text().splitlines()) == 4


def test_a_network_that_tells_no_types_is_refused(data: Path, finish: Callable) -> None:
    graph = write_graph(data / 'other.pb', with_types=False)
    printed = finish(classify.main, *arguments(data, '--modelpath', graph), code=1)
    assert 'error: ' in printed and 'other.pb' in printed and '--type-head along' in printed


def test_the_table_counts() -> None:
    right = ['blouse', 'skirt', 'skirt', 'dress']
    order = [('blouse', 'dress', 'skirt'), ('skirt', 'dress', 'blouse'), ('dress', 'skirt', 'blouse'),
             ('blouse', 'skirt', 'dress')]
    assert classify.format_types(right, order, ('blouse', 'skirt', 'dress')).splitlines() == [
        'the type is right in 50.0% of 4 images, and among the first two in 75.0%', '',
        'of        blouse   skirt   dress  were taken for',
        'blouse         1       0       0',
        'skirt          0       1       1',
        'dress          1       0       0']
