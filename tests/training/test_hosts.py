"""Several ranks train as one process does; and what happens when one of them stops, dies, or differs.

Ranks are forked from a process that has loaded TensorFlow, which takes seconds. Each has a folder of its own, as hosts
have that share no file system.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.cli import synthesize
from fashionai.training.cluster import Cluster
from fashionai.training.launcher import hosts_of

SERVER = """
import json, os, sys
cores = sorted(os.sched_getaffinity(0))
sys.path.insert(0, sys.argv[1])
from fashionai.cli import send_batches, train
from fashionai.tf_compat import graph_mode
graph_mode()
import fashionai.dataflow.flow, fashionai.inference.validation, fashionai.training.loop
from fashionai.training import run_record
run_record._commit = lambda: 'abc123'  # someone may commit while the tests run

for number, line in enumerate(sys.stdin):
    main, config, log, arguments = json.loads(line)
    child = os.fork() if arguments else log
    if not child:
        output = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ['TF_CONFIG'] = config
        os.sched_setaffinity(0, [cores[number % len(cores)]])  # on one core TensorFlow computes the same each time
        sys.exit({'train': train, 'send_batches': send_batches}[main].main(arguments))
    print(child if arguments else os.waitpid(child, 0)[1], flush=True)
"""

STEPS = 8


def addresses(count: int) -> Tuple[str, ...]:
    return tuple(host.address for host in hosts_of(f'local:{count}'))


class Rank:
    """A running rank, or a training alone."""

    def __init__(self, trainer: 'Trainer', process: int, log: Path, address: str) -> None:
        self._trainer, self.process, self._log, self.address = trainer, process, log, address

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait(self) -> int:
        """Returns the exit code; -n for signal n."""
        status = self._trainer.status(self.process)
        return -(status & 127) or status >> 8

    def comes_to(self, text: str, seconds: float = 1800) -> None:
        until = time.monotonic() + seconds
        while not re.search(text, self.output):
            assert time.monotonic() < until and Path(f'/proc/{self.process}/fd').exists(), self.output
            time.sleep(0.02)


class Trainer:
    """Starts trainings in a folder, each in a new process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._starts = folder, 0
        self._running: Set[int] = set()
        self._process = subprocess.Popen([sys.executable, '-c', SERVER, str(Path(synthesize.__file__).parents[2])],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)

    def ask(self, line: List[Any]) -> str:
        self._process.stdin.write(json.dumps(line) + '\n')
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def start(self, name: str, flags: List[Any], cluster: Optional[Cluster] = None) -> Rank:
        rank = cluster.rank if cluster else 0
        usual = ['--gpus', 1, '--lr', '1e-3', '--max-steps', STEPS, '--validate-every', 0, '--average-decay', 0.9,
                 '--logpath', self.folder / f'logs-{rank}', '--modelpath', self.folder / name / f'rank-{rank}',
                 '--run-name', 'run', '--batchsize', 6]
        return self.run('train', [*usual, *flags], cluster)

    def run(self, main: str, flags: List[Any], cluster: Optional[Cluster] = None) -> Rank:
        self._starts += 1
        log = self.folder / f'{self._starts}.log'
        log.touch()
        data = self.folder / 'data'
        usual = ['--model', 'testing', '--tag', 'skirt', '--datapath', data, '--imgpath', data, '--input-width', 32,
                 '--input-height', 32, '--workers', 0]
        process = int(self.ask([main, cluster.tf_config() if cluster else '', str(log),
                                [str(one) for one in [*usual, *flags]]]))
        self._running.add(process)
        return Rank(self, process, log, cluster.addresses[cluster.rank] if cluster else '')

    def ranks(self, name: str, count: int, *flags: Any) -> List[Rank]:
        """Start that many ranks together."""
        places = addresses(count)
        return [self.start(name, list(flags), Cluster(places, rank)) for rank in range(count)]

    def steps(self, name: str, rank: int = 0) -> List[int]:
        """Returns the steps of the checkpoints that a rank has."""
        files = (self.folder / name).glob(f'rank-{rank}/skirt/run/model-*.index')
        return sorted(int(file.stem.split('-')[1]) for file in files)

    def values(self, name: str, step: int = STEPS) -> Dict[str, np.ndarray]:
        reader = tf.train.load_checkpoint(str(self.folder / name / f'rank-0/skirt/run/model-{step}'))
        return {variable: reader.get_tensor(variable) for variable in reader.get_variable_to_shape_map()}

    def status(self, process: int) -> int:
        self._running.discard(process)
        return int(self.ask(['', '', process, []]))

    def end(self) -> None:
        for process in self._running:  # of a test that failed
            os.kill(process, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope='module')
def trainer(tmp_path_factory: pytest.TempPathFactory, finish: Callable[..., str]) -> Iterator[Trainer]:
    folder = tmp_path_factory.mktemp('hosts')
    finish(synthesize.main, '--output', folder / 'data', '--train', 60, '--val', 10, '--test', 5, '--size', 64,
           '--seed', 3, '--workers', 1)
    trainer = Trainer(folder)
    yield trainer
    trainer.end()


KINDS = ('weights', 'Adam', 'moving', 'average')


def kind(variable: str) -> str:
    return next((kind for kind in KINDS[:0:-1] if kind in variable), KINDS[0])


def apart(one: Dict[str, np.ndarray], other: Dict[str, np.ndarray]) -> Dict[str, float]:
    """Returns by kind of variable how far the values of two trainings are apart, relative to their norm."""
    assert set(one) == set(other)
    found = {}
    for name in KINDS:
        mine, theirs = (np.concatenate([values[variable].ravel() for variable in sorted(values)
                                        if kind(variable) == name and variable != 'global_step'])
                        for values in (one, other))
        found[name] = float(np.linalg.norm(mine - theirs) / np.linalg.norm(mine))
    return found


@pytest.mark.parametrize('ranks', [2, 3])
def test_ranks_train_as_the_towers_of_one_process_do(trainer: Trainer, ranks: int) -> None:
    """Batch norm and its moving averages, Adam's moments and the averages of the weights too."""
    trainings = [trainer.start(f'alone-{ranks}', ['--gpus', ranks]), trainer.start(f'fewer-{ranks}', []),
                 *trainer.ranks(f'together-{ranks}', ranks, '--save-every', 4)]
    assert [training.wait() for training in trainings] == [0] * (2 + ranks), [one.output for one in trainings]
    together, alone, fewer = (trainer.values(f'{name}-{ranks}') for name in ('together', 'alone', 'fewer'))
    assert trainer.steps(f'together-{ranks}') == [4, 8]
    assert not any(trainer.steps(f'together-{ranks}', rank) for rank in range(1, ranks)), 'they need no checkpoint'
    for name, difference in apart(alone, together).items():
        assert difference < 1e-3
        assert apart(alone, fewer)[name] > 30 * difference, 'another batch norm gives other weights'


def test_ranks_go_on_from_the_checkpoint_that_rank_0_alone_has(trainer: Trainer) -> None:
    for steps in (4, STEPS):
        started = trainer.ranks('resumed', 2, '--max-steps', steps)
        assert [rank.wait() for rank in started] == [0, 0], [rank.output for rank in started]
    whole = trainer.ranks('whole', 2)
    assert [rank.wait() for rank in whole] == [0, 0], [rank.output for rank in whole]
    assert 'step 4 ' in started[0].output and trainer.steps('resumed') == [4, STEPS]
    assert max(apart(trainer.values('whole'), trainer.values('resumed')).values()) < 1e-3


def test_a_rank_that_is_told_to_end_ends_all_with_a_checkpoint(trainer: Trainer) -> None:
    first, second = trainer.ranks('told', 2, '--max-steps', 10 ** 6, '--save-every', 10 ** 6)
    first.comes_to(r'step \d+/')
    os.kill(second.process, signal.SIGTERM)
    assert (first.wait(), second.wait()) == (143, 143), first.output + second.output
    (saved,) = trainer.steps('told')
    assert f'step {saved} is saved' in first.output
    again = trainer.ranks('told', 2, '--max-steps', saved + 2)
    assert [rank.wait() for rank in again] == [0, 0], again[0].output
    assert f'step {saved} ' in again[0].output and trainer.steps('told')[-1] == saved + 2


@pytest.mark.parametrize('killed', [0, 1])
def test_who_loses_a_rank_says_which_and_ends(trainer: Trainer, killed: int) -> None:
    ranks = trainer.ranks(f'killed-{killed}', 2, '--max-steps', 10 ** 6, '--save-every', 5, '--keep', 2)
    ranks[0].comes_to(r'step \d+/')
    os.kill(ranks[killed].process, signal.SIGKILL)
    assert ranks[killed].wait() == -signal.SIGKILL
    other = ranks[1 - killed]
    assert other.wait() == 138, other.output
    assert ranks[killed].address in other.output.splitlines()[-1] or killed == 1
    assert ranks[killed].address in other.output and 'Traceback' not in other.output


def test_a_silent_rank_is_named_after_the_stall(trainer: Trainer) -> None:
    ranks = trainer.ranks('silent', 2, '--max-steps', 10 ** 6, '--stall-seconds', 6)
    ranks[0].comes_to(r'step \d+/')
    os.kill(ranks[1].process, signal.SIGSTOP)
    try:
        assert ranks[0].wait() == 138, ranks[0].output
        assert ranks[1].address in ranks[0].output
    finally:
        os.kill(ranks[1].process, signal.SIGCONT)
    assert ranks[1].wait() == 138, ranks[1].output


@pytest.mark.parametrize('flags, named', [(['--seed', 2], '--seed'), (['--max-steps', 3], '--max-steps')])
def test_ranks_of_different_commands_end_as_one_line(trainer: Trainer, flags: List[Any], named: str) -> None:
    places = addresses(2)
    ranks = [trainer.start('different', flags if rank else [], Cluster(places, rank)) for rank in range(2)]
    assert [rank.wait() for rank in ranks] == [1, 1]
    for rank in ranks:
        last = rank.output.splitlines()[-1]
        assert last.startswith('error: ') and named in last and places[1] in last
    assert not trainer.steps('different')


def test_a_bad_image_on_one_rank_ends_all_as_one_line(trainer: Trainer, tmp_path: Path, finish: Callable) -> None:
    """The step before it is saved, as with one process."""
    finish(synthesize.main, '--output', tmp_path / 'data', '--train', 60, '--val', 5, '--test', 5, '--size', 64,
           '--seed', 3, '--workers', 1)
    flags = ['--datapath', tmp_path / 'data', '--imgpath', tmp_path / 'data', '--max-steps', 10 ** 6]
    pictures = sorted((tmp_path / 'data/train/Images').rglob('*.jpg'))
    assert pictures
    ranks = trainer.ranks('bad', 2, *flags)
    ranks[0].comes_to(r'step \d+/')
    for picture in pictures:
        picture.write_bytes(picture.read_bytes()[:200])
    assert [rank.wait() for rank in ranks] == [1, 1]
    assert all(rank.output.splitlines()[-1].startswith('error: ') for rank in ranks)
    assert '.jpg' in ranks[0].output and '.jpg' in ranks[1].output
    (saved,) = trainer.steps('bad')
    assert saved > 0


def test_ranks_take_batches_of_other_hosts_at_their_own_addresses(trainer: Trainer) -> None:
    places = [f'ipc://{trainer.folder}/batches-{rank}' for rank in range(2)]
    ranks = trainer.ranks('remote', 2, '--remote-data', ','.join(places))
    senders = [trainer.run('send_batches', ['--remote-data', place, '--batchsize', 3]) for place in places]
    assert [rank.wait() for rank in ranks] == [0, 0], [rank.output for rank in ranks]
    assert trainer.steps('remote') == [STEPS]
    for sender in senders:
        os.kill(sender.process, signal.SIGTERM)
        sender.wait()
