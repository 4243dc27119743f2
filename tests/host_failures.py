"""Kills the ranks of a training on several hosts, and checks that it ends with the weights of an undisturbed one.

The launcher of --hosts runs them on this machine. Each rank in turn is killed at a random moment, so many times, and
the launcher starts all of them again. The table has a line for each kill. Ranks are forked from a process that has
loaded TensorFlow, which takes seconds; everything else is the real program.

    python tests/host_failures.py --ranks 3 --kills 10
"""
import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Dict, List, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'code'))

import numpy as np  # noqa: E402

from fashionai.cli import synthesize, train  # noqa: E402
from fashionai.tf_compat import graph_mode  # noqa: E402
from fashionai.training import launcher  # noqa: E402
from fashionai.training.cluster import TF_CONFIG, cluster_of  # noqa: E402
from fashionai.training.launcher import Launcher, hosts_of  # noqa: E402

LONGEST_S = 1.5
"""Every fourth kill comes while the ranks start, within so many seconds."""

SAVE_EVERY, STEPS_A_KILL = 2, 8
"""The others come within twice `SAVE_EVERY` steps after a checkpoint, so that `STEPS_A_KILL` are enough."""


class Forked:
    """A rank in a process that is forked from this one, with the interface of Popen."""

    def __init__(self, command: Sequence[str], environment: Dict[str, str]) -> None:
        pipes = [os.pipe() for _ in range(3)]
        self.returncode: Optional[int] = None
        self.pid = os.fork()
        if not self.pid:
            self._train(command, environment, [pipes[0][0], pipes[1][1], pipes[2][1]])
        for used in pipes[0][0], pipes[1][1], pipes[2][1]:
            os.close(used)
        for kept in pipes[0][1], pipes[1][0], pipes[2][0]:
            os.set_inheritable(kept, False)
        self.stdin = os.fdopen(pipes[0][1], 'wb', buffering=0)
        self.stdout, self.stderr = (os.fdopen(pipe[0], 'rb') for pipe in pipes[1:])
        self._lock = threading.Lock()

    @staticmethod
    def _train(command: Sequence[str], environment: Dict[str, str], streams: List[int]) -> None:
        """Runs the command in this process, which has nothing else of its parent, and ends it."""
        try:
            os.setsid()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            os.closerange(3, 256)
            os.environ[TF_CONFIG] = environment[TF_CONFIG]
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, [cores[cluster_of(environment).rank % len(cores)]])  # one core: the same rounding
            sys.stdout, sys.stderr = os.fdopen(1, 'w'), os.fdopen(2, 'w')
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os._exit(train.main(command[command.index('train') + 1:]))
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 1)

    def wait(self, timeout: Optional[float] = None) -> int:
        """Returns the exit code, or -n for signal n."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            with self._lock:
                if self.returncode is None:
                    found, status = os.waitpid(self.pid, os.WNOHANG)
                    if found:
                        self.returncode = -(status & 127) or status >> 8
                        break
            if until is not None and time.monotonic() > until:
                raise launcher.subprocess.TimeoutExpired('rank', timeout or 0)
            time.sleep(0.02)
        return self.returncode


class Killer:
    """Starts ranks, and kills them in turn, each at a random moment."""

    def __init__(self, ranks: int, kills: int, folder: Path) -> None:
        self._order = [rank for _ in range(kills) for rank in range(ranks)]
        self._running: Dict[int, Forked] = {}
        self._folder = folder
        self.table: List[str] = []
        threading.Thread(target=self._work, daemon=True).start()

    def opened(self, command: Sequence[str], environment: Dict[str, str]) -> Forked:
        """Starts a rank."""
        found = Forked(command, environment)
        self._running[cluster_of(environment).rank] = found
        return found

    def last_saved(self) -> int:
        """Returns the step of the last checkpoint."""
        return max([int(index.stem.split('-')[1]) for index in self._folder.glob('all/run/model-*.index')], default=0)

    def _work(self) -> None:
        for number, rank in enumerate(self._order, 1):
            while len(self._running) <= max(self._order) or any(
                    one.returncode is not None for one in self._running.values()):
                time.sleep(0.02)
            moment = self._random_moment()
            victim, saved = self._running[rank], self.last_saved()
            os.kill(victim.pid, signal.SIGKILL)
            start = time.monotonic()
            while self._running[rank] is victim:
                time.sleep(0.02)
            self.table.append(f'| {number} | {rank} | {moment} | {saved} | {time.monotonic() - start:.0f} |')
            print(self.table[-1], flush=True)

    def _random_moment(self) -> str:
        """Waits for a moment, and returns what the ranks do then."""
        before, start = self.last_saved(), time.monotonic()
        if random.random() < 0.25:
            time.sleep(random.uniform(0, LONGEST_S))
            return 'starting' if self.last_saved() == before else 'training'
        while self.last_saved() == before:
            time.sleep(0.01)
        first, until = self.last_saved(), time.monotonic() + random.uniform(0, (time.monotonic() - start) / 2)
        while time.monotonic() < until and self.last_saved() < first + 2 * SAVE_EVERY:
            time.sleep(0.01)
        return 'training'


def values(folder: Path, step: int) -> Dict[str, np.ndarray]:
    """Returns every value of a checkpoint."""
    import tensorflow.compat.v1 as tf
    reader = tf.train.load_checkpoint(str(folder / f'all/run/model-{step}'))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def launched(folder: Path, data: Path, ranks: int, steps: int) -> int:
    """Trains on so many ranks. Returns the exit code of the launcher."""
    flags = ['--model', 'testing', '--tag', 'all', '--datapath', data, '--imgpath', data, '--batchsize', 6, '--gpus', 1,
             '--input-width', 32, '--input-height', 32, '--lr', '1e-3', '--workers', 0, '--max-steps', steps,
             '--save-every', SAVE_EVERY, '--validate-every', 20, '--average-decay', 0.9, '--keep', 3, '--modelpath',
             folder, '--logpath', folder / 'logs', '--run-name', 'run', '--launched']
    return Launcher([str(flag) for flag in flags], [1, 2, 3, 6], 10, pause_s=0.1).run(hosts_of(f'local:{ranks}'))


def trial(ranks: int, kills: int, place: Path) -> float:
    """Kills each rank so many times. Returns how far the weights are from those of an undisturbed training: the norm of
    the difference, relative to the norm of what the training changed in its last `SAVE_EVERY` steps.

    Raises RuntimeError if a training does not come to its end.
    """
    import fashionai.dataflow.flow  # noqa: F401  before the ranks are forked
    import fashionai.inference.validation  # noqa: F401
    import fashionai.training.loop  # noqa: F401
    synthesize.main(['--output', str(place / 'data'), '--train', '60', '--val', '10', '--test', '5', '--size', '64',
                     '--seed', '3', '--workers', '1'])
    steps = ranks * kills * STEPS_A_KILL
    killer = Killer(ranks, kills, place / 'killed')
    launcher._opened = killer.opened  # type: ignore[assignment]
    for name in 'killed', 'undisturbed':
        code = launched(place / name, place / 'data', ranks, steps)
        if code or name == 'killed' and len(killer.table) < ranks * kills:
            raise RuntimeError(f'{name}: exit code {code} after {len(killer.table)} kills')
    apart = compared(place / 'killed', place / 'undisturbed', steps)
    print(f'{ranks} ranks, {len(killer.table)} kills, {steps} steps: exit code 0; the values of the last checkpoint '
          f'are {apart:.2g} of what {SAVE_EVERY} steps change apart')
    return apart


def compared(one: Path, other: Path, step: int) -> float:
    """Returns how far the last checkpoints of two trainings are apart, relative to what the other one changed in its
    last `SAVE_EVERY` steps."""
    wanted, earlier, found = values(other, step), values(other, step - SAVE_EVERY), values(one, step)
    apart, changed = (np.sqrt(sum(np.square(wanted[name] - others[name]).sum() for name in wanted
                                  if name != 'global_step')) for others in (found, earlier))
    return float(apart / changed)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the trial, and prints its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--ranks', type=int, default=2, help='processes that train together')
    parser.add_argument('--kills', type=int, default=10, help='how often each of them is killed')
    parser.add_argument('--seed', type=int, default=1, help='of the moments')
    args = parser.parse_args(argv)
    random.seed(args.seed)
    graph_mode()
    print('| kill | rank | while it was | last checkpoint | seconds until the ranks were started again |')
    print('|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        return int(trial(args.ranks, args.kills, Path(folder)) > 0.2)


if __name__ == '__main__':
    sys.exit(main())
