"""Labelled rows of one data folder or of several."""
import argparse
from pathlib import Path

import numpy as np
import pytest

from fashionai.annotations import Annotations, image_path, write_annotations
from fashionai.cli.training_flags import labelled_rows
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS


def folder(path: Path, name: str, types: tuple) -> Path:
    """A data folder of a picture a type, in training and validation; x of every point is the number of its row."""
    (path / name / 'train').mkdir(parents=True)
    ids = tuple(f'Images/{number}.jpg' for number in range(len(types)))
    keypoints = np.repeat(np.arange(len(types), dtype=np.int32), 72).reshape(-1, 24, 3)
    keypoints[..., 2] = 1
    for split in ('train', 'val'):
        write_annotations(path / name / 'train' / f'{split}.csv', Annotations(ids, types, keypoints, 'test'))
    (path / name / 'train' / 'Images').mkdir()
    for image_id in ids:
        (path / name / 'train' / image_id).write_text(name)
    return path / name


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    real, made = ('skirt', 'dress'), ('dress', 'skirt', 'skirt')
    both = f'{folder(tmp_path, "real", real)},{folder(tmp_path, "deep/made", made)}'
    return argparse.Namespace(datapath=both, imgpath=both, tag='skirt', allow_outside=False)


def test_training_takes_the_rows_of_all_folders(options: argparse.Namespace) -> None:
    rows, root = labelled_rows(options, 'train', GARMENTS)
    assert [(root / image_id).read_text() for image_id in rows.image_ids] == ['real', 'deep/made', 'deep/made']
    assert rows.image_ids[0] == 'Images/0.jpg', 'ids of the first folder are those of its table'
    assert rows.keypoints[:, 0, 0].tolist() == [0, 1, 2] and rows.categories == ('skirt',) * 3


def test_validation_takes_the_first_folder(options: argparse.Namespace) -> None:
    rows, root = labelled_rows(options, 'val', GARMENTS)
    assert rows.image_ids == ('Images/0.jpg',) and (root / 'Images/0.jpg').read_text() == 'real'


def test_a_receiver_needs_no_pictures(options: argparse.Namespace) -> None:
    options.imgpath = 'nowhere,nowhere'
    assert len(labelled_rows(options, 'train', GARMENTS, with_images=False)[0]) == 3


def test_each_table_needs_its_pictures(options: argparse.Namespace) -> None:
    (Path(options.datapath.split(',')[1]) / 'train/Images/2.jpg').unlink()
    with pytest.raises(InputError, match='1 of 2 .*made/train/train.csv'):
        labelled_rows(options, 'train', GARMENTS)
    options.imgpath = 'data'
    with pytest.raises(InputError, match='--datapath .*2.*--imgpath 1'):
        labelled_rows(options, 'train', GARMENTS)


def test_ids_that_lead_out_of_the_folder_and_ids_with_backslashes(options: argparse.Namespace) -> None:
    _, second = (Path(folder) / 'train' for folder in options.datapath.split(','))
    text = (second / 'train.csv').read_text()
    (second / 'train.csv').write_text(text.replace('Images/', 'Images\\'))
    rows, root = labelled_rows(options, 'train', GARMENTS)
    assert all(image_path(root, image_id).is_file() for image_id in rows.image_ids)
    (second / 'train.csv').write_text(text.replace('Images/', f'../{second.name}/Images/'))
    with pytest.raises(InputError, match='train.csv, row 3'):
        labelled_rows(options, 'train', GARMENTS)
    options.allow_outside = True
    assert len(labelled_rows(options, 'train', GARMENTS)[0]) == len(rows)


def test_errors_of_a_folder_that_is_not_the_first_are_refused(options: argparse.Namespace, tmp_path: Path) -> None:
    """They would not be found, since its ids get a path, and its rows would have the weight of an unknown error."""
    errors = tmp_path / 'errors.csv'
    options.sampling = str(errors)
    first = 'image_id,image_category,ne,points\nImages/0.jpg,skirt,60,4\nelsewhere.jpg,skirt,5,4\n'
    errors.write_text(first)
    assert len(labelled_rows(options, 'train', GARMENTS)[0]) == 3
    errors.write_text(first + 'Images/2.jpg,skirt,20,4\n')
    with pytest.raises(InputError, match=r'errors\.csv.* 1 .*made/train/train\.csv.*Images/2\.jpg'):
        labelled_rows(options, 'train', GARMENTS)
    labelled_rows(options, 'val', GARMENTS)
    options.datapath = options.imgpath = options.datapath.split(',')[1]
    assert len(labelled_rows(options, 'train', GARMENTS)[0]) == 2, 'a single folder may be any'
