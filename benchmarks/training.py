"""Measures a training step: the session alone on one batch, the whole loop on it, and the loop fed by workers.

The first two alternate, a step of one and a step of the other; so do sessions with --xla and with --precision mixed, if
they are asked for. Without --datapath, generated pictures are used.
"""
import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from dataflow import generated_rows
from timing import Line, Task, Timing, circumstances, format_table, peak_memory_mb

from fashionai.cli.entry_point import guarded
from fashionai.cli.training_flags import DEFAULT_WORKERS, labelled_rows
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.garments.table import GARMENTS
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode

_WARM_UP = 3
"""The number of first steps that do not count."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--model', default='mobilenet_small', help='name of the network')
    add('--tag', default='all', help='garment type, or all for the joint network')
    add('--datapath', help='folder with train/train.csv and its images')
    add('--batchsize', type=at_least(1), default=8, help='images of a step')
    add('--size', type=at_least(8), default=368, help='side of the network input in pixels')
    add('--gpus', type=at_least(1), default=1, help='towers that share the batch')
    add('--workers', type=at_least(0), default=DEFAULT_WORKERS, help='worker processes; 0: no measurement with workers')
    add('--steps', type=at_least(1), default=10, help='timed steps')
    add('--precision', choices=('float32', 'mixed'), default='float32', help='mixed: measure mixed precision too')
    add('--xla', action='store_true', help='measure XLA too')
    return parser.parse_args(argv)


def settings_of(args: argparse.Namespace, folder: Path) -> Any:
    """Returns TrainingSettings without validation and without checkpoints."""
    from fashionai.training.loop import TrainingSettings
    return TrainingSettings(
        model=args.model, garment=GARMENTS.of(args.tag), input_hw=(args.size, args.size), batch_size=args.batchsize,
        towers=args.gpus, learning_rate='1e-4', decay_steps=30000, warmup_steps=100,
        max_steps=_WARM_UP + args.steps + 1, epoch_steps=1000, validate_every=0, save_every=10 ** 9, keep=1,
        run_folder=folder, log_folder=folder, seed=0)


def random_batch(settings: Any) -> List[np.ndarray]:
    """Returns a batch of noise, in which every map counts."""
    from fashionai.training.loop import batch_shapes
    random, shapes = np.random.RandomState(0), batch_shapes(settings)
    return ([random.randint(0, 256, shapes[0]).astype(np.uint8)] +
            [random.rand(*shape).astype(np.float32) for shape in shapes[1:3]] +
            [np.ones(shape, np.float32) for shape in shapes[3:]])


def bare_step(settings: Any, batch: List[np.ndarray]) -> Task:
    """Returns a task: a step of the same graph in a session of its own, and nothing else."""
    import tensorflow.compat.v1 as tf

    from fashionai.training.loop import training_graph
    from fashionai.training.towers import tower_devices
    with tf.Graph().as_default() as own:
        devices = tower_devices(settings.towers)
        graph = training_graph(settings, tf.train.get_or_create_global_step(), devices)
        session = tf.Session(graph=own, config=settings.execution.session_config(devices))
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    return lambda: session.run(graph.train, dict(zip(graph.batch.tensors, batch)))


def bare_steps(args: argparse.Namespace, settings: Any, batch: List[np.ndarray]) -> Dict[str, Task]:
    """A bare step under the defaults, and one under each flag that is to be tried."""
    from fashionai.training.execution import Execution
    tried = {'session alone': Execution(), '--xla': Execution(xla=args.xla), '--precision mixed':
             Execution(precision=args.precision)}
    return {name: bare_step(replace(settings, execution=execution), batch) for name, execution in tried.items()
            if name == 'session alone' or execution.changes}


class Resident:
    """A stand-in for the queue of batches, which always has the same batch. The loop does a step between two calls."""

    capacity = fill = 1

    def __init__(self, batch: List[np.ndarray], bare: Mapping[str, Task]) -> None:
        self._batch, self._bare, self._returned = batch, bare, 0.
        self.loop: List[float] = []
        self.alone: Dict[str, List[float]] = {name: [] for name in bare}

    def get(self) -> List[np.ndarray]:
        """Times bare steps, then returns the batch."""
        if self._returned:
            self.loop.append(time.perf_counter() - self._returned)
        for name, bare in self._bare.items():
            start = time.perf_counter()
            bare()
            self.alone[name].append(time.perf_counter() - start)
        self._returned = time.perf_counter()
        return self._batch


class Fed:
    """A queue of batches that notes when each is asked for, and how many are ready then."""

    def __init__(self, queue: Any) -> None:
        self._queue, self.capacity = queue, queue.capacity
        self.asked: List[float] = []
        self.ready: List[int] = []

    @property
    def fill(self) -> int:
        """The number of batches that are ready."""
        return self._queue.fill

    def get(self) -> Sequence[np.ndarray]:
        """Returns the next batch."""
        self.asked.append(time.perf_counter())
        self.ready.append(self.fill)
        return self._queue.get()


def fed_by_workers(args: argparse.Namespace, folder: Path) -> Fed:
    """Trains on samples that worker processes make."""
    from fashionai.dataflow.flow import TrainingFlow
    from fashionai.networks.catalog import network_spec
    from fashionai.training.feeding import BatchQueue
    from fashionai.training.loop import train
    if args.datapath:
        args.imgpath, args.allow_outside = args.datapath, False
        rows, root = labelled_rows(args, 'train', GARMENTS)
    else:
        rows, root = generated_rows(folder, 4 * args.batchsize).of_type(args.tag), folder
    shape = InputShape((args.size, args.size), network_spec(args.model).stride)
    stream = TrainingFlow(SampleEncoder(rows, root, GARMENTS.of(args.tag), shape, 0), args.batchsize, args.workers)
    with BatchQueue(stream) as queue:
        fed = Fed(queue)
        train(settings_of(args, folder / 'fed'), fed, lambda session: None, None)  # type: ignore[arg-type]
    return fed


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    import tensorflow as tf

    from fashionai.training.loop import train
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for run in ('fed', 'resident'):
            (folder / run).mkdir()
        fed = fed_by_workers(args, folder) if args.workers else None  # first, because workers are forked
        settings = settings_of(args, folder / 'resident')
        batch = random_batch(settings)
        memory_mb = peak_memory_mb()
        resident = Resident(batch, bare_steps(args, settings, batch))
        train(settings, resident, lambda session: None, None)  # type: ignore[arg-type]
    timed = {name: seconds[_WARM_UP:-1] for name, seconds in resident.alone.items()}
    timed['the loop'] = resident.loop[_WARM_UP:]
    lines = [Line(name, Timing(tuple(seconds)), args.batchsize, 'image') for name, seconds in timed.items()]
    if fed:
        steps = tuple(np.diff(fed.asked)[_WARM_UP:])
        lines.append(Line(f'fed by workers, {args.workers}', Timing(steps), args.batchsize, 'image'))
    print(circumstances(tf))
    print(format_table(lines))
    print(f'{args.model}, {args.batchsize} images of {args.size}x{args.size} over {args.gpus} towers; maximum memory: '
          f'{memory_mb:.0f} MB {"of the training fed by workers" if fed else "before the first session"}, '
          f'{peak_memory_mb():.0f} MB in all, with all sessions')
    print('first steps: ' + ', '.join(f'{name} {seconds[0]:.1f} s' for name, seconds in resident.alone.items()))
    if fed:
        print(f'batches ready, of {fed.capacity}: {np.mean(fed.ready[_WARM_UP:]):.1f} on average, '
              f'{min(fed.ready[_WARM_UP:])} at least')
    return 0


if __name__ == '__main__':
    sys.exit(main())
