"""The flags of losses, data and updates through the entry points: evaluate.py's files, train.py, freeze.py, run.py."""
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fashionai.annotations import read_annotations, write_annotations

ROOT = Path(__file__).resolve().parents[1]


def finish(script: str, *arguments: object, code: int = 0) -> str:
    """Run to the end; standard output and error together."""
    process = subprocess.run([sys.executable, str(ROOT / 'code' / script), *map(str, arguments)],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    output = process.stdout.decode()
    assert process.returncode == code, output
    return output


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with generated garments and the errors of a poor guess at the training images."""
    folder = tmp_path_factory.mktemp('losses')
    finish('synthesize.py', '--output', folder / 'data', '--train', 10, '--val', 5, '--test', 5, '--size', 96)
    table = folder / 'data/train/train.csv'
    truth = read_annotations(table)
    guess = truth.keypoints + np.arange(len(truth))[:, None, None] * np.array([1, 2, 0])
    write_annotations(folder / 'guess.csv', replace(truth, keypoints=guess.astype(np.int32)))
    finish('evaluate.py', '--truth', table, '--submission', folder / 'guess.csv', '--json', folder / 'ne.json',
           '--errors', folder / 'errors.csv')
    return folder


def training(place: Path) -> list:
    return ['train.py', '--model', 'testing', '--datapath', place / 'data', '--imgpath', place / 'data', '--batchsize',
            2, '--gpus', 1, '--input-width', 64, '--input-height', 64, '--workers', 0, '--max-steps', 2,
            '--validate-every', 0, '--modelpath', place / 'trained', '--logpath', place / 'logs']


def test_all_of_them_together(place: Path) -> None:
    output = finish(*training(place), '--tag', 'all', '--loss', 'focal', '--keypoint-weights', place / 'ne.json',
                    '--hard-keypoints', 3, '--occluded', 'counted', '--sampling', place / 'errors.csv', '--rotation',
                    30, '--photometric', '--type-head', 'along', '--type-weight', 2, '--average-decay', 0.9, '--lr',
                    'cosine:1e-3')
    assert 'step 2/2' in output and '(type ' in output
    runs = list((place / 'trained' / 'all').iterdir())
    assert [run.name for run in runs] == [
        'testing_batch:2_lr:cosine:1e-3_gpus:1_64x64_all_type_head:along_loss:focal_keypoint_weights:ne_hard_keypoints:3_'
        'type_weight:2.0_sampling:errors_occluded:counted_rotation:30_photometric:True_average_decay:0.9']
    record = json.loads((runs[0] / 'run.json').read_text())
    assert record['loss'] == {'loss': 'focal', 'keypoint_weights': str(place / 'ne.json'), 'hard_keypoints': 3,
                              'type_weight': 2}
    assert record['data'] == {'sampling': str(place / 'errors.csv'), 'occluded': 'counted', 'rotation': 30,
                              'photometric': True}
    assert record['updates'] == {'average_decay': 0.9}
    finish('freeze.py', '--modelpath', place / 'trained', '--tag', 'all', '--output', place / 'graph.pb', '--half')
    finish('run.py', '--modelpath', place / 'graph.pb', '--tag', 'skirt', '--imagepath', place / 'data/test', '--csv',
           place / 'data/test/test.csv', '--inputsize', 64, '--resolution', '64x64', '--output', place / 'skirt.csv')
    assert len(read_annotations(place / 'skirt.csv')) == 1


@pytest.mark.parametrize('flags, message', [
    (['--hard-keypoints', 4], 'error: --hard-keypoints 4: skirt has 4 keypoints, wanted 1 to 3'),
    (['--checkpoint', 'run', '--pretrain_path', 'vgg19.npy'], 'error: --checkpoint and --pretrain_path both give'),
    (['--sampling', 'fairly'], 'argument --sampling: wanted balanced, uniform or a file, and fairly does not exist')])
def test_what_is_refused(place: Path, flags: list, message: str) -> None:
    output = finish(*training(place), '--tag', 'skirt', *flags, code=1 if message.startswith('error') else 2)
    assert message in output and 'Traceback' not in output
