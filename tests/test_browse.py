"""browse.py from the command line, on generated garments."""
from pathlib import Path
from typing import Callable, List

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations
from fashionai.cli import browse
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import SAMPLE_FIELDS, InputShape, SampleEncoder
from fashionai.dataflow.sampling import draw_keys
from fashionai.garments.table import GARMENTS
from fashionai.synthetic.dataset import write_dataset


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp('browse') / 'data'
    write_dataset(place, (5, 5, 0), seed=4, size=128, workers=1)
    return place


def flags(data: Path, output: Path, *more: str) -> List[str]:
    return ['--datapath', str(data), '--imgpath', str(data), '--output', str(output), '--tag', 'all', '--side', '64',
            '--input-width', '64', '--input-height', '96', '--model', 'testing', *more]


def test_a_sheet_is_the_first_samples_of_a_training(data: Path, tmp_path: Path, finish: Callable[..., str]) -> None:
    output = tmp_path / 'new' / 'sheet.png'
    text = finish(browse.main, *flags(data, output, '--count', '5', '--columns', '3', '--seed', '2', '--photometric'))
    rows = read_annotations(data / 'train' / 'train.csv')
    keys = [key for key, _ in zip(draw_keys(np.ones(5), 2), range(5))]
    assert text.splitlines()[:5] == [f'{number} {rows.categories[row]} {rows.image_ids[row]}'
                                     for number, (_, row) in enumerate(keys, 1)]
    sheet = cv2.imread(str(output))
    assert sheet.shape == (2 * (12 + 4 * 64), 3 * 64, 3)
    assert (sheet[-256:, -64:] == 255).all(), 'five samples leave one place of six empty'

    encoder = SampleEncoder(rows, data / 'train', GARMENTS.joint, InputShape((96, 64), 8), 2,
                            DataOptions(photometric=True))
    sample = dict(zip(SAMPLE_FIELDS, encoder(keys[0])))
    shown = sheet[12 + 64:12 + 128, 11:53].astype(int)  # 64x96 on a square of 64, but for its border
    wanted = cv2.resize(sample['image'], (43, 64), interpolation=cv2.INTER_AREA)[:, :42].astype(int)
    assert np.median(np.abs(shown - wanted)) < 12


def test_flags_reach_the_samples(data: Path, tmp_path: Path, finish: Callable[..., str]) -> None:
    pictures = []
    for number, more in enumerate(([], [], ['--rotation', '90'], ['--stride', '4'], ['--seed', '3'])):
        output = tmp_path / f'{number}.png'
        finish(browse.main, *flags(data, output, '--count', '2', *more))
        pictures.append(cv2.imread(str(output)))
    assert pictures[0].shape == (12 + 256, 128, 3) and (pictures[0] == pictures[1]).all()
    assert all((pictures[0] != other).any() for other in pictures[2:])


@pytest.mark.parametrize('more, message', [
    (['--output', 'sheet.none'], '--output sheet.none: wanted the name of a picture'),
    (['--rotation', '200'], '--rotation 200'), (['--occluded', 'never'], '--occluded never'),
    (['--tag', 'hat'], "unknown garment type 'hat'"), (['--model', 'none'], "unknown network 'none'"),
    (['--input-width', '60'], 'does not divide into cells')])
def test_faults_are_named(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finish: Callable[..., str],
                          more: List[str], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in finish(browse.main, *flags(data, tmp_path / 'sheet.png', *more), code=1)
