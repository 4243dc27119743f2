"""A training that is killed and terminated at random moments loses nothing.

Two moments by default; `KILLS=30 python -m pytest -c tests/pytest.ini -s tests/training/test_kills.py` has thirty, and
prints what became of each. Trainings are forked from a process that has loaded TensorFlow, which takes seconds.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.cli import synthesize

KILLS = int(os.environ.get('KILLS', 2))
STEPS = 20 + 20 * KILLS
LONGEST_S = 0.3

TRAINER = """
import os, sys
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # on one core TensorFlow computes the same each time
sys.path.insert(0, sys.argv[1])
from fashionai.cli import train
from fashionai.tf_compat import graph_mode
graph_mode()
import fashionai.dataflow.flow, fashionai.inference.validation, fashionai.training.loop

for line in sys.stdin:
    log, *arguments = line.rstrip().split('\\t')
    child = os.fork()
    if not child:
        output = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.exit(train.main(arguments))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Trainer:
    """Trains in a folder, each time in a new process."""

    def __init__(self, folder):
        self._folder, self._starts = folder, 0
        self._process = subprocess.Popen([sys.executable, '-c', TRAINER, str(Path(synthesize.__file__).parents[2])],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)

    def run(self, name, interrupt=lambda process, log: None):
        """Train the run of a name until it ends; `interrupt` may see to that. Returns how the process ended (an exit
        code, or -n for signal n) and what it said."""
        self._starts += 1
        log = self._folder / f'{self._starts}.log'
        log.touch()
        data = self._folder / 'data'
        flags = ['--model', 'testing', '--tag', 'skirt', '--datapath', data, '--imgpath', data, '--batchsize', 4,
                 '--gpus', 1, '--input-width', 32, '--input-height', 32, '--lr', '1e-3', '--workers', 0, '--max-steps',
                 STEPS, '--save-every', 5, '--validate-every', 10, '--keep', 2, '--modelpath', self._folder / name,
                 '--logpath', self._folder / 'logs']
        self._process.stdin.write('\t'.join(map(str, [log, *flags])) + '\n')
        self._process.stdin.flush()
        interrupt(int(self._process.stdout.readline()), log)
        status = int(self._process.stdout.readline())
        return -(status & 127) or status >> 8, log.read_text()

    def last_saved(self, name):
        """Returns the step of the last checkpoint, 0 if there is none."""
        return max([int(index.stem.split('-')[1]) for index in (self._folder / name).glob('skirt/*/model-*.index')],
                   default=0)

    def run_folder(self, name):
        return next((self._folder / name / 'skirt').iterdir())

    def end(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope='module')
def trainer(tmp_path_factory, finish):
    folder = tmp_path_factory.mktemp('kills')
    finish(synthesize.main, '--output', folder / 'data', '--train', 40, '--val', 10, '--test', 5, '--size', 64,
           '--seed', 3, '--workers', 1)
    trainer = Trainer(folder)
    yield trainer
    trainer.end()


def at_random_moment(trainer, number):
    """Returns a function that sends a signal: every fourth time at the start, else after a checkpoint."""
    def interrupt(process, log):
        saves_first, before = random.random() > 0.25, trainer.last_saved('disturbed')
        while saves_first and trainer.last_saved('disturbed') == before and Path(f'/proc/{process}/fd').exists():
            time.sleep(0.01)
        time.sleep(random.uniform(0, LONGEST_S))
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass  # the training was faster
    return interrupt


def weights(trainer, name, step):
    """Returns all values of a checkpoint, also those of the optimiser, in one array."""
    reader = tf.train.load_checkpoint(str(trainer.run_folder(name) / f'model-{step}'))
    assert reader.get_tensor('global_step') == step
    return np.concatenate([reader.get_tensor(variable).ravel()
                           for variable in sorted(reader.get_variable_to_shape_map()) if variable != 'global_step'])


def test_a_training_that_is_killed_goes_on_to_the_same_end(trainer):
    """Every start resumes from the last checkpoint. The end is the same as without interruptions."""
    assert trainer.run('undisturbed')[0] == 0
    random.seed(1)
    for kill in range(KILLS):
        number = (signal.SIGKILL, signal.SIGTERM)[kill % 2]
        before = trainer.last_saved('disturbed')
        code, output = trainer.run('disturbed', at_random_moment(trainer, number))
        last = trainer.last_saved('disturbed')
        print(f'{number.name}: from step {before}, ended with {code}, last checkpoint {last}')
        assert code in (-number, 143) or (code, last) == (0, STEPS), output
        assert last >= before
        if 'loss' in output and before:
            assert f'step {before} ' in output
        saved = re.search(r'step (\d+) is saved', output)
        assert saved is None or int(saved.group(1)) == last
    code, output = trainer.run('disturbed')
    assert code == 0, output
    wanted, earlier = (weights(trainer, 'undisturbed', step) for step in (STEPS, STEPS - 5))
    apart = np.linalg.norm(weights(trainer, 'disturbed', STEPS) - wanted) / np.linalg.norm(wanted - earlier)
    print(f'the weights are {apart:.2g} of what five steps change apart')
    best = [json.loads((trainer.run_folder(name) / 'best' / 'best.json').read_text())
            for name in ('undisturbed', 'disturbed')]
    if STEPS <= 100:  # rounding grows with the steps: after hundreds it alone parts two runs
        assert apart < 0.2, 'a lost or doubled step changes a fifth or more at once'
        assert best[0]['validation_ne'] == pytest.approx(best[1]['validation_ne'], rel=0.05)
    files = [index.stem for index in (trainer.run_folder('disturbed') / 'best').glob('*.index')]
    assert files == [f'model-{best[1]["step"]}']
