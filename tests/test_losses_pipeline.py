"""The flags of losses, data and updates through the entry points: evaluate.py's files, train.py, freeze.py, run.py."""
import json
from dataclasses import replace
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

from fashionai.annotations import read_annotations, write_annotations
from fashionai.cli import evaluate, freeze, run, synthesize, train


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory, finish: Callable[..., str]) -> Path:
    """A folder with generated garments and the errors of a poor guess at the training images."""
    folder = tmp_path_factory.mktemp('losses')
    finish(synthesize.main, '--output', folder / 'data', '--train', 10, '--val', 5, '--test', 5, '--size', 96)
    table = folder / 'data/train/train.csv'
    truth = read_annotations(table)
    guess = truth.keypoints + np.arange(len(truth))[:, None, None] * np.array([1, 2, 0])
    write_annotations(folder / 'guess.csv', replace(truth, keypoints=guess.astype(np.int32)))
    finish(evaluate.main, '--truth', table, '--submission', folder / 'guess.csv', '--json', folder / 'ne.json',
           '--errors', folder / 'errors.csv')
    return folder


def training(place: Path) -> list:
    return ['--model', 'testing', '--datapath', place / 'data', '--imgpath', place / 'data', '--batchsize', 2, '--gpus',
            1, '--input-width', 64, '--input-height', 64, '--workers', 0, '--max-steps', 2, '--validate-every', 0,
            '--modelpath', place / 'trained', '--logpath', place / 'logs']


def test_all_of_them_together(place: Path, finish: Callable[..., str]) -> None:
    output = finish(train.main, *training(place), '--tag', 'all', '--loss', 'focal', '--keypoint-weights',
                    place / 'ne.json', '--hard-keypoints', 3, '--occluded', 'counted', '--sampling',
                    place / 'errors.csv', '--rotation', 30, '--photometric', '--type-head', 'along', '--type-weight',
                    2, '--average-decay', 0.9, '--lr', 'cosine:1e-3', '--cutout', 1, '--garment-crops', 0.5)
    assert 'step 2/2' in output and '(type ' in output
    runs = list((place / 'trained' / 'all').iterdir())
    assert [each.name for each in runs] == [
        'testing_batch-2_lr-cosine-1e-3_gpus-1_64x64_all_type_head-along_loss-focal_keypoint_weights-ne_hard_keypoints-3_'
        'type_weight-2.0_sampling-errors_occluded-counted_rotation-30_photometric-True_cutout-1.0_garment_crops-0.5_'
        'average_decay-0.9']
    record = json.loads((runs[0] / 'run.json').read_text())
    assert record['loss'] == {'loss': 'focal', 'keypoint_weights': str(place / 'ne.json'), 'hard_keypoints': 3,
                              'type_weight': 2}
    assert record['data'] == {'sampling': str(place / 'errors.csv'), 'occluded': 'counted', 'rotation': 30,
                              'photometric': True, 'cutout': 1, 'garment_crops': 0.5}
    assert record['updates'] == {'average_decay': 0.9}
    finish(freeze.main, '--modelpath', place / 'trained', '--tag', 'all', '--output', place / 'graph.pb', '--half')
    finish(run.main, '--modelpath', place / 'graph.pb', '--tag', 'skirt', '--imagepath', place / 'data/test', '--csv',
           place / 'data/test/test.csv', '--inputsize', 64, '--resolution', '64x64', '--output', place / 'skirt.csv')
    assert len(read_annotations(place / 'skirt.csv')) == 1


@pytest.mark.parametrize('flags, message', [
    (['--hard-keypoints', 4], 'error: --hard-keypoints 4'),
    (['--checkpoint', 'run', '--pretrain_path', 'vgg19.npy'], 'error: --checkpoint and --pretrain_path'),
    (['--sampling', 'fairly'], 'argument --sampling: ')])
def test_what_is_refused(place: Path, finish: Callable[..., str], flags: list, message: str) -> None:
    code = 1 if message.startswith('error') else 2
    output = finish(train.main, *training(place), '--tag', 'skirt', *flags, code=code)
    assert message in output and 'Traceback' not in output
