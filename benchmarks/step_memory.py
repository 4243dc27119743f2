"""Measures the memory of a training step by the number of images and towers. Each line is a process of its own.

"A step adds" is the maximum memory of the process minus its memory before, which has the weights and the optimiser's
values; so it is activations and gradients. CPUs stand in for GPUs.
"""
import argparse
import logging
import multiprocessing
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any, Optional, Sequence

from timing import circumstances, peak_memory_mb
from training import bare_step, random_batch, settings_of

from fashionai.cli.entry_point import guarded
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--model', default='mobilenet_small', help='name of the network')
    add('--tag', default='all', help='garment type, or all for the joint network')
    add('--size', type=at_least(8), default=368, help='side of the network input in pixels')
    add('--batchsize', type=at_least(1), nargs='+', default=[4, 8, 16], help='images of a step')
    add('--gpus', type=at_least(1), nargs='+', default=[1, 4], help='towers that share the batch')
    add('--steps', type=at_least(1), default=2, help='number of steps')
    return parser.parse_args(argv)


def measure(args: argparse.Namespace, results: Any) -> None:
    """Puts the memory of this process before its first step, and its maximum, in MB, into a queue."""
    logging.disable(logging.WARNING)  # of TensorFlow, about itself
    graph_mode()
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(args, Path(folder))
        batch = random_batch(settings)
        step = bare_step(settings, batch)
        before = peak_memory_mb()
        for _ in range(args.steps):
            step()
    results.put((before, peak_memory_mb()))


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    spawn = multiprocessing.get_context('spawn')
    print(circumstances())
    print(f'{args.model}, inputs of {args.size}x{args.size}; MB of 10^6 bytes')
    print(f'{"images":>6} {"towers":>6} {"at most":>8} {"a step adds":>12}')
    for batch_size, towers in product(args.batchsize, args.gpus):
        case = argparse.Namespace(**{**vars(args), 'batchsize': batch_size, 'gpus': towers})
        results = spawn.SimpleQueue()
        process = spawn.Process(target=measure, args=(case, results))
        process.start()
        process.join()
        if process.exitcode:
            raise ValueError(f'a step of {batch_size} images on {towers} towers failed: see above')
        before, most = results.get()
        print(f'{batch_size:>6} {towers:>6} {most:>8.0f} {most - before:>12.0f}', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
