"""The whole chain as a user runs it: synthesize, train, kill, resume, freeze, run, kill, resume, merge, evaluate.

What is killed, and what stands for another host, are processes; the rest are called. (test_experiments.py has processes
of the others.)
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fashionai.cli import evaluate, freeze, run, synthesize, train

ROOT = Path(__file__).resolve().parents[1]
TYPES = ('blouse', 'dress', 'outwear', 'skirt', 'trousers')
RUN_NAME = 'testing_batch-4_lr-1e-3_gpus-2_64x64_all'


def command(script, *arguments):
    return [sys.executable, str(ROOT / script)] + [str(argument) for argument in arguments]


def kill_when(condition, *arguments):
    """Start, and kill -9 the process with its workers as soon as the condition holds."""
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    deadline = time.time() + 200
    while not condition():
        assert time.time() < deadline and process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope='module')
def place(tmp_path_factory, finish):
    """A folder with generated garments."""
    folder = tmp_path_factory.mktemp('pipeline')
    finish(synthesize.main, '--output', folder / 'data', '--train', 15, '--val', 5, '--test', 10, '--size', 96,
           '--seed', 3, '--workers', 1)
    return folder


def training(place, steps):
    return ['--model', 'testing', '--tag', 'all', '--datapath', place / 'data', '--imgpath', place / 'data',
            '--batchsize', 4, '--gpus', 2, '--input-width', 64, '--input-height', 64, '--lr', '1e-3', '--workers', 0,
            '--max-steps', steps, '--save-every', 5, '--validate-every', steps, '--modelpath', place / 'trained',
            '--logpath', place / 'logs']


@pytest.fixture(scope='module')
def graph(place, finish):
    """A frozen graph of a training that was killed and went on."""
    run_folder = place / 'trained' / 'all' / RUN_NAME
    kill_when(lambda: (run_folder / 'model-5.index').exists(), 'code/train.py', *training(place, 100000),
              '--workers', 1)
    saved = max(int(path.stem.split('-')[1]) for path in run_folder.glob('model-*.index'))
    output = finish(train.main, *training(place, saved + 7))
    assert f'step {saved + 7}/{saved + 7}' in output
    assert (run_folder / f'model-{saved + 7}.index').exists()
    assert 'validation NE' in output
    output = finish(freeze.main, '--modelpath', place / 'trained', '--tag', 'all', '--output', place / 'graph.pb')
    assert 'testing, all' in output
    assert json.loads((place / 'graph.json').read_text())['step'] == saved + 7
    return place / 'graph.pb'


def running(place, graph, tag, output, images=None):
    images = images or place / 'data' / 'test'
    return ['--modelpath', graph, '--imagepath', images, '--csv', images / 'test.csv', '--tag', tag, '--test',
            'submit', '--inputsize', 64, '--resolution', '64x64', '--output', output]


def test_the_chain_ends_in_a_measured_submission(place, graph, finish):
    for tag in TYPES:
        finish(run.main, *running(place, graph, tag, place / f'submit_{tag}.csv'))
    merged = place / 'submit.csv'
    subprocess.run(command('submit/merge.py', *[place / f'submit_{tag}.csv' for tag in TYPES], '--list',
                           place / 'data/test/test.csv', '--output', merged), check=True)
    output = finish(evaluate.main, '--truth', place / 'data/test/answer.csv', '--submission', merged, '--json',
                    place / 'ne.json')
    scores = json.loads((place / 'ne.json').read_text())
    assert set(scores['leaderboard']['types']) == set(TYPES)
    assert 'leaderboard' in output and 'visible' in output
    ids = [line.split(',')[0] for line in merged.read_text().splitlines()]
    assert ids == [line.split(',')[0] for line in (place / 'data/test/test.csv').read_text().splitlines()]


def test_a_killed_run_goes_on_to_the_same_file(place, graph, finish):
    images = place / 'many'
    (images / 'Images').mkdir(parents=True)
    skirt = next((place / 'data/test/Images/skirt').iterdir())
    names = [f'Images/{number}.jpg' for number in range(60)]
    for name in names:
        shutil.copy(str(skirt), str(images / name))
    (images / 'test.csv').write_text('image_id,image_category\n' + ''.join(f'{name},skirt\n' for name in names))
    whole, resumed = place / 'whole.csv', place / 'resumed.csv'
    finish(run.main, *running(place, graph, 'skirt', whole, images))

    def rows():
        return len(resumed.read_text().splitlines()) if resumed.exists() else 0

    kill_when(lambda: rows() > 3, 'code/run.py', *running(place, graph, 'skirt', resumed, images))
    assert rows() < 61, 'killed before its end'
    finish(run.main, *running(place, graph, 'skirt', resumed, images))
    assert resumed.read_bytes() == whole.read_bytes()


def test_a_changed_head_goes_through_all_three(place, finish):
    head = ['--stages', 1, '--stride', 4, '--upsampling', 'bilinear', '--pyramid', 'on']
    finish(train.main, *training(place, 2), *head, '--modelpath', place / 'changed')
    assert (place / 'changed' / 'all' / f'{RUN_NAME}_stages-1_pyramid-on_stride-4_upsampling-bilinear').is_dir()
    finish(freeze.main, '--modelpath', place / 'changed', '--tag', 'all', '--output', place / 'changed.pb')
    contract = json.loads((place / 'changed.json').read_text())
    assert contract['stride'] == 4
    assert contract['head'] == {'stages': 1, 'pyramid': 'on', 'stride': 4, 'upsampling': 'bilinear'}
    finish(run.main, *running(place, place / 'changed.pb', 'skirt', place / 'changed.csv'))
    assert len((place / 'changed.csv').read_text().splitlines()) == 3
    output = finish(train.main, *training(place, 5), '--factorised', '--modelpath', place / 'other', code=1)
    assert 'error: ' in output and 'testing' in output and '--factorised' in output and 'Traceback' not in output


def test_a_refine_net_on_top_of_a_trained_network(place, graph, finish):
    refining = training(place, 2) + ['--refine', 'frozen', '--modelpath', place / 'refined']
    output = finish(train.main, *refining, '--checkpoint', place / 'trained' / 'all' / RUN_NAME)
    assert 'variables filled' in output and 'step 2/2' in output
    finish(freeze.main, '--modelpath', place / 'refined', '--tag', 'all', '--output', place / 'refined.pb')
    contract = json.loads((place / 'refined.json').read_text())
    assert (contract['stride'], contract['head']) == (4, {'refine': 'frozen'})
    finish(run.main, *running(place, place / 'refined.pb', 'skirt', place / 'refined.csv'))
    assert len((place / 'refined.csv').read_text().splitlines()) == 3
    assert '--checkpoint' in finish(train.main, *refining, code=1)


def test_remote_workers_feed_the_training(place, finish):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        address = f'tcp://127.0.0.1:{free.getsockname()[1]}'
    flags = ['--model', 'testing', '--tag', 'skirt', '--datapath', place / 'data', '--imgpath', place / 'data',
             '--batchsize', 2, '--input-width', 64, '--input-height', 64, '--remote-data', address, '--occluded',
             'counted', '--sampling', 'uniform']
    worker = subprocess.Popen(command('code/send_batches.py', '--workers', 1, '--seed', 9, *flags),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        output = finish(train.main, *flags, '--gpus', 1, '--max-steps', 3, '--validate-every', 0, '--modelpath',
                        place / 'remote', '--logpath', place / 'logs')
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert 'step 3/3' in output


def test_bad_input_ends_as_one_line(place, graph, finish):
    output = finish(train.main, *training(place, 5), '--gpus', 3, code=1)
    assert output.strip().splitlines()[-1].startswith('error: --batchsize 4 does not divide over --gpus 3')
    output = finish(train.main, *training(place, 5), '--batchsize', 16, code=1)
    assert '15' in output and '--batchsize 16' in output and 'Traceback' not in output
    output = finish(train.main, *training(place, 5), '--datapath', place / 'nowhere', code=1)
    assert 'nowhere/train/train.csv' in output and 'Traceback' not in output
    other = [*training(place, 5), '--modelpath', place / 'other']
    output = finish(train.main, *other, '--pretrain_path', 'vgg20.npy', code=1)
    assert 'vgg20.npy' in output and 'models/README.md' in output and 'Traceback' not in output
    output = finish(run.main, *running(place, place / 'data/test/test.csv', 'skirt', place / 'none.csv'), code=1)
    assert 'error: ' in output and 'Traceback' not in output
    output = finish(train.main, *other, '--remote-data', 'nowhere', code=1)
    assert 'tcp://' in output and 'Traceback' not in output


def test_a_validation_image_that_cannot_be_read_is_found_before_the_first_step(place, finish):
    name = (place / 'data/train/val.csv').read_text().splitlines()[1].split(',')[0]
    image = place / 'data' / 'train' / name
    content = image.read_bytes()
    image.write_bytes(content[:20])
    output = finish(train.main, *training(place, 5), '--modelpath', place / 'unvalidated', code=1)
    image.write_bytes(content)
    assert name in output and 'val.csv' in output and 'Traceback' not in output
    assert not list((place / 'unvalidated').rglob('model-*'))
