"""The generated data set has the original's layout, and the same bytes for any number of workers."""
import re
from pathlib import Path
from typing import Dict

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations, read_test_list
from fashionai.cli import synthesize


def draw(output: Path, workers: int, seed: int = 5) -> Dict[str, bytes]:
    """Draws a small data set; returns every file's bytes by its path."""
    counts = ['--train', '10', '--val', '5', '--test', '5']
    options = ['--seed', str(seed), '--size', '96', '--workers', str(workers)]
    assert synthesize.main(['--output', str(output)] + counts + options) == 0
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob('*') if path.is_file()}


@pytest.fixture(scope='module')
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('synthetic') / 'set'
    draw(folder, workers=1)
    return folder


@pytest.mark.parametrize('table, count', [('train/train.csv', 10), ('train/val.csv', 5), ('test/answer.csv', 5)])
def test_tables_and_images_agree(output: Path, table: str, count: int) -> None:
    annotations = read_annotations(output / table)
    assert len(annotations) == count
    types = list(annotations.categories)
    assert all(types.count(tag) == count // 5 for tag in types)
    for image_id, tag in zip(annotations.image_ids, annotations.categories):
        assert re.fullmatch(f'Images/{tag}/[0-9a-f]{{32}}[.]jpg', image_id)
        image = cv2.imread(str((output / table).parent / image_id))
        assert max(image.shape) == 96


def test_test_list_has_no_labels(output: Path) -> None:
    lines = (output / 'test/test.csv').read_text().splitlines()
    assert lines[0] == 'image_id,image_category'
    assert read_test_list(output / 'test/test.csv').image_ids == read_annotations(output / 'test/answer.csv').image_ids
    assert all(line.count(',') == 1 for line in lines)


def test_splits_share_no_image(output: Path) -> None:
    tables = ('train/train.csv', 'train/val.csv', 'test/answer.csv')
    ids = [image_id for table in tables for image_id in read_annotations(output / table).image_ids]
    assert len(set(ids)) == len(ids) == 20


def test_same_seed_same_bytes_whatever_the_workers(output: Path, tmp_path: Path) -> None:
    alone = {str(path.relative_to(output)): path.read_bytes() for path in output.rglob('*') if path.is_file()}
    assert draw(tmp_path / 'two', workers=2) == alone


def test_other_seed_other_pictures(output: Path, tmp_path: Path) -> None:
    draw(tmp_path / 'other', workers=1, seed=6)
    first, second = (read_annotations(folder / 'train/train.csv') for folder in (output, tmp_path / 'other'))
    assert not set(first.image_ids) & set(second.image_ids)
    assert np.any(first.keypoints != second.keypoints)


def test_a_folder_in_use_is_not_mixed_with_new_pictures(output: Path, capsys: pytest.CaptureFixture) -> None:
    assert synthesize.main(['--output', str(output), '--train', '1']) == 1
    assert 'not empty' in capsys.readouterr().err


@pytest.mark.parametrize('option, value', [('--train', '-1'), ('--size', '8'), ('--workers', '0'), ('--seed', '-3')])
def test_bad_numbers_are_refused(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(SystemExit):
        synthesize.main(['--output', str(tmp_path / 'set'), option, value])
