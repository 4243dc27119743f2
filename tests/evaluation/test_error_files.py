"""Files of errors that evaluate.py writes are read again; other files are refused with their names."""
import json
from pathlib import Path

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.errors import InputError
from fashionai.evaluation.error_files import read_image_errors, read_keypoint_errors, write_image_errors
from fashionai.evaluation.metrics import PooledError


def test_images_worst_first(tmp_path: Path) -> None:
    path = tmp_path / 'errors.csv'
    truth = Annotations(('a', 'b', 'c', 'd'), ('skirt', 'dress', 'skirt', 'skirt'), np.zeros((4, 24, 3)), '')
    write_image_errors(path, truth, [PooledError(0.5, 4), PooledError(0., 0), PooledError(0.9, 3), PooledError(0., 2)])
    assert path.read_text() == ('image_id,image_category,ne,points\nc,skirt,30.00,3\na,skirt,12.50,4\nd,skirt,0.00,2\n'
                                'b,dress,,0\n')
    assert read_image_errors(path) == {'c': 30., 'a': 12.5, 'd': 0., 'b': None}


@pytest.mark.parametrize('text, message', [
    ('image_id,image_category\na,skirt\n', 'row 1: column 3'),
    ('image_id,image_category,ne,points\na,skirt,high,1\n', "row 2, column ne: 'high'"),
    ('image_id,image_category,ne,points\na,skirt,-1,1\n', 'column ne'),
    ('image_id,image_category,ne,points\na,skirt,nan,1\n', 'column ne'),
    ('image_id,image_category,ne,points\na,skirt,1,1\na,skirt,2,1\n', 'row 3: image a ')])
def test_other_files_of_images(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'errors.csv'
    path.write_text(text)
    with pytest.raises(InputError, match=f'errors.csv, .*{message}'):
        read_image_errors(path)


def keypoint_file(tmp_path: Path, content: object) -> Path:
    path = tmp_path / 'ne.json'
    path.write_text(json.dumps(content))
    return path


def test_keypoints(tmp_path: Path) -> None:
    figures = {'crotch': {'ne': 4.5, 'points': 2}, 'hemline_left': {'ne': None, 'points': 0}, 'other': {'ne': 'x'}}
    path = keypoint_file(tmp_path, {'visible': {'keypoints': figures}})
    assert read_keypoint_errors(path, ('hemline_left', 'crotch')) == {'hemline_left': None, 'crotch': 4.5}
    with pytest.raises(InputError, match='ne.json: 1 of the 2 .*cuff_left_in'):
        read_keypoint_errors(path, ('crotch', 'cuff_left_in'))
    with pytest.raises(InputError, match="ne.json: .*other.*'x'"):
        read_keypoint_errors(path, ('other',))


@pytest.mark.parametrize('content', [[], {}, {'visible': 3}, {'visible': {'ne': 3}}, {'visible': {'keypoints': [1]}},
                                     {'visible': {'keypoints': {'crotch': 3}}}])
def test_other_files_of_keypoints(tmp_path: Path, content: object) -> None:
    with pytest.raises(InputError, match='ne.json: .*--json'):
        read_keypoint_errors(keypoint_file(tmp_path, content), ('crotch',))


def test_a_file_of_keypoints_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / 'ne.json').write_text('image_id,ne\n')
    with pytest.raises(InputError, match='ne.json.*--json'):
        read_keypoint_errors(tmp_path / 'ne.json', ('crotch',))
