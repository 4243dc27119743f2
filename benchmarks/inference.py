"""Measures the speed of predictions: the original's way, exact windows, merged windows, and other engines.

A line in images is of whole predictions. A line in GFLOP is of the network alone, to compare with the machine's matrix
products.
"""
import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from machine import product_gflop, tensorflow_product
from original_points import original_points
from peers import PACKAGES, PEERS
from timing import Line, Task, Timing, circumstances, format_table, interleaved, picture

from fashionai.cli.entry_point import guarded, resolve
from fashionai.garments.table import GARMENTS, Garment
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.inference.windows import DEFAULT_SCALES, TILINGS, exact_windows, parse_scales, windows_of
from fashionai.model_files.contract import Contract, contract_path
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import Forward
from fashionai.option_group import at_least, size_hw
from fashionai.tf_compat import graph_mode

_ORIGINAL = 'the original way'

_SIDE = 2048
"""The side of the matrices whose product the network is compared with."""

_AGREEMENT = 1e-2
"""Another engine may differ by this share of the largest output."""


class Watched:
    """A network that keeps the seconds of its calls, summed by round."""

    def __init__(self, forward: Forward) -> None:
        self._forward, self.rounds = forward, [0.]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        maps = self._forward(images)
        self.rounds[-1] += time.perf_counter() - start
        return maps


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--modelpath', help='frozen graph with its contract; without it, --model is used')
    add('--model', default='mobilenet_small', help='name of a network, which gets random weights')
    add('--tag', default='skirt', help='garment type of --model, or all')
    add('--sizes', default='512x512,342x512', help='sizes of the pictures, WIDTHxHEIGHT; each has a table')
    add('--resolution', type=at_least(8), default=368, help='side of the network input and of the canvas in pixels')
    add('--scales', default=DEFAULT_SCALES, help='scales of the windows, as in run.py')
    add('--batch', type=at_least(1), default=1, help='images that go through the network together')
    add('--threads', type=at_least(0), default=0, help='threads of the network; 0: one for each core')
    add('--no-flip', action='store_true', help='without the mirror image')
    add('--repetitions', type=at_least(1), default=5, help='timed rounds')
    return parser.parse_args(argv)


def engines(graph: Path, own: Forward, args: argparse.Namespace) -> Dict[str, Forward]:
    """Returns the other engines that are installed. Raises ValueError if one gives other maps."""
    images = np.random.RandomState(0).uniform(0, 255, (1, args.resolution, args.resolution, 3)).astype(np.float32)
    wanted, found = own(images), {}
    for name, open_graph in PEERS.items():
        try:
            found[name] = open_graph(graph, args.threads)
        except ImportError:
            print(f'{name} is not measured: pip install {PACKAGES[name]}')
            continue
        difference = np.abs(found[name](images) - wanted).max()
        if not difference <= _AGREEMENT * np.abs(wanted).max():
            raise ValueError(f'{name} gives other maps than TensorFlow: they differ by {difference:.3g}')
    return found


def work_gflop(contract: Contract, args: argparse.Namespace, way: str, image_hw: Tuple[int, int]) -> float:
    """Returns the operations of the network for one image, in 10^9."""
    from fashionai.model_files.cost import network_cost
    from fashionai.networks.head_options import HeadOptions
    side, head = args.resolution, HeadOptions.of(contract.head)
    windows = windows_of(parse_scales(args.scales), side, (side, side), image_hw)
    parts = TILINGS.get(way, exact_windows)(windows, (side, side), contract.input_hw, image_hw, side)
    flop = sum(network_cost(contract.model, GARMENTS.of(contract.tag), part.size_hw, head).flop for part in parts)
    return (1 if args.no_flip else 2) * flop / 1e9


def measured(networks: Mapping[str, Tuple[str, Forward]], stride: int, garment: Garment, args: argparse.Namespace,
             image_hw: Tuple[int, int]) -> Tuple[Timing, Dict[str, Tuple[Timing, Timing]]]:
    """Returns the timing of the matrix product, and by name those of whole predictions and of the network alone.

    `networks` are (tiling or _ORIGINAL, network) by name. With a joint network, the points of a dress are predicted.
    """
    side, scales = args.resolution, parse_scales(args.scales)
    wanted = GARMENTS.get(garment.name, GARMENTS['dress'])
    images = [picture(*image_hw, seed) for seed in range(args.batch)]
    watched = {name: Watched(forward) for name, (_, forward) in networks.items()}

    def prediction_of(network: Forward, way: str) -> Task:
        if way == _ORIGINAL:
            return lambda: [original_points(network, garment, wanted, scales, side, image) for image in images]
        network_input = NetworkInput(network, garment, stride, (side, side), scales, way)
        options = PredictionOptions(side, flip=not args.no_flip)
        return partial(Predictor([network_input], wanted, options).predict, images)

    def task(name: str) -> Task:
        network = watched[name]
        predict_images = prediction_of(network, networks[name][0])

        def predict() -> None:
            network.rounds.append(0)
            predict_images()
        return predict

    product = tensorflow_product(_SIDE, args.threads)
    timings = interleaved({'': product, **{name: task(name) for name in networks}}, args.repetitions)
    kept = {name: Timing(tuple(network.rounds[-args.repetitions:])) for name, network in watched.items()}
    return timings[''], {name: (timings[name], kept[name]) for name in networks}


def table(product: Timing, seconds: Mapping[str, Tuple[Timing, Timing]], gflop: Mapping[str, float],
          batch: int) -> List[Line]:
    """Returns the lines of whole predictions, then of networks alone; `gflop` is of an image, by the same names."""
    whole = [Line(name, both[0], batch, 'image') for name, both in seconds.items()]
    alone = [Line(f'{name}, network alone', both[1], gflop[name] * batch, 'GFLOP') for name, both in seconds.items()]
    return whole + [Line('matrix product', product, product_gflop(_SIDE), 'GFLOP')] + alone


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    sizes = [size_hw(size) for size in args.sizes.split(',')]
    graph_mode()
    import tensorflow as tf
    from graphs import random_graph

    from fashionai.engines.frozen_graph import FrozenGraph
    with tempfile.TemporaryDirectory() as folder:
        path = resolve(args.modelpath) if args.modelpath else random_graph(args.model, args.tag, Path(folder))
        contract = Contract.load(contract_path(path))
        with FrozenGraph(ModelFile.open(path), GARMENTS.of(contract.tag), args.threads) as graph:
            ways = [*([] if args.no_flip else [_ORIGINAL]), *TILINGS]
            networks: Dict[str, Tuple[str, Forward]] = {way: (way, graph.forward) for way in ways}
            networks.update({f'exact, {name}': ('exact', forward)
                             for name, forward in engines(path, graph.forward, args).items()})
            print(circumstances(tf))
            for image_hw in sizes:
                gflop = {name: work_gflop(contract, args, way, image_hw) for name, (way, _) in networks.items()}
                product, seconds = measured(networks, graph.stride, graph.garment, args, image_hw)
                print(f'\n{contract.model}, {contract.tag}: {args.batch} at once of {image_hw[1]}x{image_hw[0]} pixels')
                print(format_table(table(product, seconds, gflop, args.batch)))
                for name, (whole, alone) in seconds.items():
                    print(f'{name}: {gflop[name]:.1f} GFLOP an image; the network has '
                          f'{alone.median / whole.median:.1%} of the time')
    return 0


if __name__ == '__main__':
    sys.exit(main())
