"""Mistakes in the flags of the entry points: each ends as one line and exit code 1 or 2, not as a fault.

The entry points get a command that works, and one flag more, which wins over the same flag before it.
"""
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from fashionai.cli import classify, experiments, export, freeze, predict, run, send_batches, synthesize, train

ROOT = Path(__file__).resolve().parents[1]
GRAPH = ROOT / 'models/trained/supplied/graph/frozen_graph.pb'
MAINS = {module.__name__.rpartition('.')[2]: module.main
         for module in (classify, experiments, export, freeze, predict, run, send_batches, synthesize, train)}

NUMBERS = ['', 'nan', 'inf', '-1', '1.5', '1e3', '٣', '99999999999999999999', '9' * 5000]
"""None of these is a whole number of a flag."""

SMALL_NUMBERS = [*NUMBERS, '0']

FLAGS: Dict[str, Dict[str, List[str]]] = {
    'train': {
        '--model': ['', 'no network', 'nan'], '--tag': ['', 'shoe'],
        '--datapath': ['{garbage}', '{empty}', 'none', ',', 'a,b'], '--input-width': [*SMALL_NUMBERS, '65'],
        '--hosts': ['nan', 'a', 'a:0', 'a:1,a:1', 'local:0', 'local:7', ','], '--stall-seconds': SMALL_NUMBERS,
        '--restarts': NUMBERS, '--batchsize': [*SMALL_NUMBERS, '1000'], '--workers': NUMBERS,
        '--gpus': [*SMALL_NUMBERS, '3', '65'],
        '--lr': ['', 'nan', '0', '-1', 'inf', 'cosine:', 'cosine:1,2', 'cosine:inf', ','],
        '--sampling': ['', '{folder}', '{garbage}', '{empty}', '{other}', 'none'], '--rows': [*SMALL_NUMBERS, '1000'],
        '--keypoint-weights': ['', '{folder}', '{garbage}', '{empty}', '{other}', '{list}'], '--loss': ['', 'l3'],
        '--type-weight': ['', 'nan', 'inf', '-1', '0'], '--average-decay': ['', 'nan', '1', '-1', '1e999'],
        '--garments': ['{folder}', '{garbage}', '{other}', '{list}', 'none'], '--stages': [*SMALL_NUMBERS, '7'],
        '--rotation': [*NUMBERS, '181'], '--hard-keypoints': [*SMALL_NUMBERS, '24'],
        '--checkpoint': ['{folder}', '{garbage}'], '--precision': ['', 'int8'], '--max-steps': SMALL_NUMBERS,
        '--pretrain_path': ['none', '{folder}', '{garbage}', '{garbage}.npz', '{empty}.npz'],
        '--modelpath': ['{garbage}', '/dev/null']},
    'freeze': {
        '--checkpoint': ['{folder}', '{garbage}', '{empty}', 'none', '/dev/null'], '--modelpath': ['{folder}', 'none'],
        '--output': ['{folder}', '{garbage}/x']},
    'run': {
        '--tag': ['', 'shoe', 'nan'], '--imagepath': ['none', '{garbage}'], '--output': ['{folder}', '{garbage}/x'],
        '--csv': ['{folder}', '{garbage}', '{empty}', '{other}', '{list}', 'none', '/dev/null'],
        '--modelpath': ['{folder}', '{garbage}', '{empty}', '{list}', 'none', ',', '{garbage}.onnx', '/dev/null'],
        '--inputsize': ['nan', '0', '-1', '1x2', '²', '100000', '9' * 5000], '--batch': SMALL_NUMBERS,
        '--resolution': ['nan', '0', '1x2x3', ',', '-1'], '--threads': [*NUMBERS, '1025'],
        '--scales': ['nan', '[]', '[nan]', '[1e400]', '[(1,1e-9)]', '[' * 5000, '[None'],
        '--garments': ['{folder}', '{garbage}', '{other}', 'none']},
    'predict': {
        '--tag': ['', 'shoe'], '--every': SMALL_NUMBERS, '--output': ['{folder}', '{garbage}/x'],
        '--draw': ['{garbage}', '{garbage}/x'], '--cm-per-pixel': ['', 'nan', 'inf', '-1', '0', '1e999'],
        '--reference': ['nan', 'a,b', 'a,b=', 'a,b=nan', '=', ','], '--size': ['S', '{folder}'],
        '--grades': ['{folder}', '{garbage}', '{empty}', '{other}', 'none'], '--report': ['{folder}', 'a.html']},
    'classify': {
        '--modelpath': ['{folder}', '{garbage}', '{empty}', 'none'], '--csv': ['{folder}', '{garbage}', '{empty}'],
        '--threads': NUMBERS, '--imagepath': ['none']},
    'export': {
        '--to': ['', 'pdf'], '--csv': ['{folder}', '{garbage}', '{empty}', '{list}'], '--size': ['nan', '0', '-1'],
        '--output': ['{folder}', 'x.pb'], '--tag': ['shoe'], '--modelpath': ['{folder}', '{garbage}']},
    'synthesize': {
        '--train': NUMBERS, '--size': [*NUMBERS, '63', '8193'], '--workers': [*SMALL_NUMBERS, '1025'],
        '--seed': NUMBERS, '--output': ['{folder}', '{garbage}', '{garbage}/x', 'x' * 5000]},
    'send_batches': {'--remote-data': ['', 'nan', 'tcp://', 'http://localhost:1'], '--datapath': ['none', '{garbage}'],
                     '--batchsize': ['1000']},
    'experiments': {
        '--only': ['nothing'], '--seeds': ['nan', '-1', '1.5'], '--datapath': ['none', '{garbage}', '{folder}'],
        '--output': ['{garbage}', '{other}', '{folder}'], '--steps': NUMBERS}}

CASES = [(program, flag, value) for program, flags in FLAGS.items() for flag, values in flags.items()
         for value in values]


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory, finish: Callable[..., str]) -> Path:
    """Data to be trained and tested on, and files that are wrong whatever a flag wants."""
    folder = tmp_path_factory.mktemp('flags')
    finish(synthesize.main, '--output', folder / 'data', '--train', 10, '--val', 5, '--test', 5,
           '--size', 64, '--workers', 1)
    (folder / 'folder').mkdir()
    (folder / 'folder/file').write_text('')
    for ending in ('', '.npz', '.onnx'):
        (folder / f'garbage{ending}').write_bytes(bytes(range(255, 0, -1)) * 10)
        (folder / f'empty{ending}').write_bytes(b'')
    (folder / 'other').write_text('{"a": [1, 2]}')
    (folder / 'list').write_text('[1, 2]')
    return folder


def command(program: str, place: Path, output: Path) -> List[object]:
    """A command that works."""
    data, small = place / 'data', ['--scales', '[1.0]', '--no-flip', '--resolution', '64x64', '--inputsize', '64']
    training = ['--model', 'testing', '--tag', 'all', '--datapath', data, '--imgpath', data, '--input-width', 64,
                '--input-height', 64, '--batchsize', 2, '--workers', 0]
    looking = ['--modelpath', GRAPH, *small]
    return {
        'train': [*training, '--gpus', 1, '--max-steps', 1, '--validate-every', 0, '--modelpath', output / 'runs',
                  '--logpath', output / 'logs'],
        'freeze': ['--checkpoint', output, '--output', output / 'graph.pb'],
        'run': ['--tag', 'dress', '--imagepath', data / 'test', '--output', output / 'rows.csv', *looking],
        'predict': [data / 'test/Images', '--output', output / 'found.json', '--measure', *looking],
        'classify': ['--modelpath', GRAPH, '--imagepath', data / 'test', '--output', output / 'types.csv'],
        'export': ['--to', 'onnx', '--modelpath', GRAPH, '--tag', 'dress', '--output', output / 'graph.onnx'],
        'synthesize': ['--output', output / 'data', '--train', 1, '--val', 0, '--test', 0, '--size', 64, '--workers',
                       1],
        'send_batches': [*training, '--remote-data', f'ipc://{output}/none'],
        'experiments': ['--only', 'baseline', '--datapath', data, '--work', output / 'work', '--output',
                        output / 'rows.csv']}[program]


@pytest.mark.parametrize('program, flag, value', CASES,
                         ids=[f'{program} {flag} {value[:20]}' for program, flag, value in CASES])
def test_a_mistake_ends_as_one_line(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                    finish: Callable[..., str], program: str, flag: str, value: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ('folder', 'garbage', 'empty', 'other', 'list'):
        value = value.replace(f'{{{name}}}', str(place / name))
    said = finish(MAINS[program], *command(program, place, tmp_path), f'{flag}={value}', code=(1, 2))
    assert 'Traceback' not in said and 'error: ' in said.splitlines()[-1], said
