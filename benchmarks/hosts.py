"""Measures a training step on 1, 2 and 3 ranks on this machine, and the bytes that a step sends over the network.

Each rank has a core of its own, as long as there are enough, and the same number of images; so with more cores than
ranks, a step takes longer with several ranks only because they exchange gradients and wait for one another. Batches are
noise that is made once. The bytes are those of the loopback device, counted over all steps.
"""
import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from timing import Line, Timing, circumstances, format_table
from training import random_batch

from fashionai.cli.entry_point import guarded
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode
from fashionai.training.cluster import Cluster
from fashionai.training.control_messages import Plan
from fashionai.training.launcher import hosts_of
from fashionai.training.member import Member

_WARM_UP = 3
"""The number of first steps that do not count."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--model', default='efficientnet_lite0', help='name of the network')
    add('--tag', default='all', help='garment type, or all for the joint network')
    add('--size', type=at_least(8), default=192, help='side of the network input in pixels')
    add('--batchsize', type=at_least(1), default=4, help='images of a step on each rank')
    add('--ranks', type=at_least(1, 16), default=3, help='measure 1 to so many ranks')
    add('--steps', type=at_least(1), default=10, help='timed steps')
    return parser.parse_args(argv)


def settings_of(args: argparse.Namespace, cluster: Cluster, folder: Path) -> Any:
    """Returns TrainingSettings without validation and without checkpoints."""
    from fashionai.training.loop import TrainingSettings
    return TrainingSettings(
        model=args.model, garment=GARMENTS.of(args.tag), input_hw=(args.size, args.size),
        batch_size=args.batchsize * cluster.ranks, towers=1, learning_rate='1e-4', decay_steps=30000, warmup_steps=100,
        max_steps=_WARM_UP + args.steps + 1, epoch_steps=1000, validate_every=0, save_every=10 ** 9, keep=1,
        run_folder=folder, log_folder=folder, seed=0, cluster=cluster)


def sent_bytes() -> int:
    """Returns the bytes that the loopback device has sent."""
    line = next(line for line in Path('/proc/net/dev').read_text().splitlines() if line.strip().startswith('lo:'))
    return int(line.split(':')[1].split()[8])


class Resident:
    """A stand-in for the queue of batches, which always has the same batch; it notes when it is asked, and the bytes
    that were sent until then."""

    capacity = fill = 1

    def __init__(self, batch: List[np.ndarray]) -> None:
        self._batch = batch
        self.asked: List[float] = []
        self.bytes: List[int] = []

    def get(self) -> List[np.ndarray]:
        """Returns the batch."""
        self.asked.append(time.perf_counter())
        self.bytes.append(sent_bytes())
        return self._batch


def run_rank(args: argparse.Namespace, cluster: Cluster, folder: Path) -> Dict[str, Any]:
    """Trains as a rank. Returns the seconds of each step, and the bytes that all ranks sent in a step."""
    from fashionai.training.loop import train
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, [cores[cluster.rank % len(cores)]])
    settings = settings_of(args, cluster, folder)
    batches = Resident(random_batch(settings))
    if cluster.ranks == 1:
        train(settings, batches, lambda session: None, None)  # type: ignore[arg-type]
    else:
        with Member(cluster, Plan('benchmark', {}, 0), lambda one, other: '', 600) as team:
            train(settings, batches, lambda session: None, None, None, team)  # type: ignore[arg-type]
    counted = batches.bytes[_WARM_UP:]
    seconds = np.diff(batches.asked)[_WARM_UP:]
    return {'seconds': seconds.tolist(), 'bytes': (counted[-1] - counted[0]) / len(seconds)}


def measured(args: argparse.Namespace, ranks: int, folder: Path) -> Dict[str, Any]:
    """Runs the ranks in processes of their own. Returns what rank 0 found."""
    addresses = tuple(host.address for host in hosts_of(f'local:{ranks}')) if ranks > 1 else ('',)
    children = []
    for rank in range(ranks):
        child = os.fork()
        if not child:
            status = 1
            try:
                found = run_rank(args, Cluster(addresses, rank), folder)
                (folder / f'{ranks}-{rank}.json').write_text(json.dumps(found))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        raise InputError(f'a training on {ranks} ranks failed: see above')
    return dict(json.loads((folder / f'{ranks}-0.json').read_text()))


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    import tensorflow as tf

    import fashionai.training.loop  # noqa: F401  before the ranks are forked
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for ranks in range(1, args.ranks + 1):
            (Path(folder) / str(ranks)).mkdir()
            found[ranks] = measured(args, ranks, Path(folder) / str(ranks))
    print(circumstances(tf) + f', load {os.getloadavg()[0]:.1f}')
    print(format_table([Line(f'{ranks} ranks', Timing(tuple(one['seconds'])), args.batchsize * ranks, 'image')
                        for ranks, one in found.items()]))
    for ranks, one in found.items():
        print(f'{ranks} ranks: {one["bytes"] / 1e6:.2f} MB a step over the network, of all ranks together')
    return 0


if __name__ == '__main__':
    sys.exit(main())
