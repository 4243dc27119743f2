"""The files of rows and of their errors of each image, read and written."""
from pathlib import Path
from typing import List

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.evaluation.metrics import PooledError
from fashionai.experiments.image_errors import images_path, read_images
from fashionai.experiments.table import Row, Table, read_rows
from fashionai.garments.table import CSV_KEYPOINTS


def truth(*names: str, hidden: int = 0) -> Annotations:
    """Returns a skirt with four keypoints for each name; of the first, so many are occluded."""
    keypoints: np.ndarray = np.full((len(names), 24, 3), -1)
    ends = ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right')
    keypoints[:, [CSV_KEYPOINTS.index(end) for end in ends]] = [[10, 5, 1], [20, 5, 1], [9, 30, 1], [21, 30, 1]]
    keypoints[:1, CSV_KEYPOINTS.index('hemline_left'), 2] = 1 - hidden
    return Annotations(names, ('skirt',) * len(names), keypoints, 'val.csv')


def row(setting: str, seed: int) -> Row:
    return Row(setting, 'losses', '--loss focal', '', seed, 3_725_949, 4.812, 0.5, 20.3, 7.25, 8.5, '2.21.0', 'command')


def errors(*sums: float) -> List[PooledError]:
    return [PooledError(total, 4) for total in sums]


NAMES = ('509b0d4641', '9dc9c6c38a')
"""The first ten digits of the SHA-256 of `a.jpg` and `b,c.jpg`."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A table of two rows over two images."""
    table = Table.open(tmp_path / 'rows.csv', truth('a.jpg', 'b,c.jpg', hidden=1))
    table.add(row('focal', 2), errors(0.25, 1.2344))
    table.add(row('focal', 1), errors(0, 2))
    return tmp_path / 'rows.csv'


def test_both_files_are_read_as_they_were_written(path: Path) -> None:
    assert images_path(path).name == 'rows-images.csv'
    assert 'jpg' not in images_path(path).read_text()
    table = Table.open(path, truth('a.jpg', 'b,c.jpg', hidden=1))
    assert list(table.rows.values()) == [row('focal', 1), row('focal', 2)]
    assert table.images.names == NAMES and table.images.points.tolist() == [3, 4]
    assert {key: sums.tolist() for key, sums in table.images.sums.items()} == {
        ('focal', 1): [0, 2], ('focal', 2): [0.25, 1.234]}


def test_a_row_that_was_removed_by_hand_loses_its_errors_with_the_next_row(path: Path) -> None:
    path.write_text(''.join(line for line in path.open() if not line.startswith('focal,losses,--loss focal,,2')))
    table = Table.open(path, truth('a.jpg', 'b,c.jpg', hidden=1))
    table.add(row('strange', 1), errors(1, 1))
    assert list(read_images(images_path(path)).sums) == [('focal', 1), ('strange', 1)]


@pytest.mark.parametrize('labels, named', [
    (truth('a.jpg', 'other.jpg', hidden=1), 'other.jpg'), (truth('a.jpg', hidden=1), 'number'),
    (truth('a.jpg', 'b,c.jpg'), 'a.jpg')])
def test_other_images_and_other_labels_are_refused(path: Path, labels: Annotations, named: str) -> None:
    with pytest.raises(ValueError, match=f'rows-images.csv.*val.csv.*{named}.*--output'):
        Table.open(path, labels)


def test_images_of_rows_that_are_gone_do_not_count(path: Path) -> None:
    path.unlink()
    assert Table.open(path, truth('new.jpg')).images.names == ('3ade6e4c3f',)


def test_a_row_without_errors_is_refused(path: Path) -> None:
    images = images_path(path)
    images.write_text(''.join(line for line in images.open() if not line.startswith('focal,2')))
    with pytest.raises(ValueError, match='rows-images.csv.*focal, seed 2.*remove'):
        Table.read(path)
    images.unlink()
    with pytest.raises(OSError, match='rows-images.csv'):
        Table.read(path)


@pytest.mark.parametrize('name, old, new, message', [
    ('rows.csv', '20.3', 'fast', "row 2.*'fast'"), ('rows.csv', 'setting,', 'name,', 'row 1'),
    ('rows-images.csv', '0.250', 'much', "row 4.*'much'"), ('rows-images.csv', '0.250,', '', 'row 4.*2 numbers'),
    ('rows-images.csv', 'focal,2', 'focal,two', 'row 4'), ('rows-images.csv', 'setting', 'name', 'header'),
    ('rows-images.csv', 'measured points', 'points', 'measured points')])
def test_files_of_another_form(path: Path, name: str, old: str, new: str, message: str) -> None:
    file = path.with_name(name)
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=f'{name}.*{message}'):
        Table.read(path)


def test_nothing_to_read(tmp_path: Path) -> None:
    assert read_rows(tmp_path / 'none.csv') == {}
    with pytest.raises(ValueError, match='none.csv'):
        Table.read(tmp_path / 'none.csv')
    with pytest.raises(ValueError, match='val.csv.*visible'):
        Table.open(tmp_path / 'none.csv', truth())
