"""Measures the speed of predictions: the original's way, exact windows, merged windows, and other engines.

A line in images is of whole predictions. A line in GFLOP is of the network alone, to compare with the machine's matrix
products. With --modelpath, the pictures are photographs, and the whole preset `standard` has lines too; a network with
random weights finds nothing that its second pass could look at.
"""
import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import cv2
import numpy as np
from machine import product_gflop, tensorflow_product
from original_points import original_points
from peers import PEERS, WITH_INTEGERS, onnx_of, opened
from timing import ROOT, Line, ProcessorTime, Task, Timing, circumstances, format_table, interleaved, picture

from fashionai.annotations import read_annotations
from fashionai.cli.entry_point import guarded, resolve, resolve_network
from fashionai.engines.network import Network
from fashionai.errors import InputError
from fashionai.garments.table import Garment, Garments
from fashionai.images.decoder import read_image
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.config import InferenceOptions
from fashionai.inference.loading import predictors_of
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.inference.windows import DEFAULT_SCALES, DEFAULT_TILING, TILINGS, parse_scales
from fashionai.model_files.model_file import ModelFile
from fashionai.option_group import at_least, size_hw
from fashionai.tf_compat import graph_mode

_ORIGINAL = 'the original way'

_STANDARD = 'standard'
"""The preset that has lines of its own: the windows of both of its passes."""

_SIDE = 2048
"""The side of the matrices whose product the network is compared with."""

_AGREEMENT = 1e-2
"""Another engine may differ by this share of the largest output. A model with integers is not compared: see
code/export.py."""


class Watched(Network):
    """A network that keeps the seconds of its calls, summed by round, and the shapes of their inputs in the last round.

    It says that it was trained at the size that is measured, so that windows have that size.
    """

    def __init__(self, network: Network, model: ModelFile, side: int) -> None:
        super().__init__(model, network.garment, model.garments, 'last')
        self._network, self.trained_hw = network, (side, side)
        self.rounds: List[float] = []
        self.shapes: List[Tuple[int, ...]] = []

    def begin(self) -> None:
        """Begins a round."""
        self.rounds.append(0.)
        self.shapes = []

    def forward(self, images: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        maps = self._network.forward(images)
        self.rounds[-1] += time.perf_counter() - start
        self.shapes.append(images.shape)
        return maps


@dataclass(frozen=True)
class Way:
    """What a line measures. `windows` is a name of TILINGS, or _ORIGINAL or _STANDARD."""

    windows: str
    network: Watched


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--modelpath', help='frozen graph with its contract, or a name of a network of the project; without it, '
        '--model is used')
    add('--model', default='mobilenet_small', help='name of a network, which gets random weights')
    add('--tag', default='skirt', help='garment type of --model, or all')
    add('--sizes', default='512x512,342x512', help='sizes of the pictures, WIDTHxHEIGHT; each has a table')
    add('--resolution', type=at_least(8), help='side of the network input and of the canvas in pixels; without it, the '
        'size that the network was trained at, and 368 for --model')
    add('--scales', default=DEFAULT_SCALES, help='scales of the windows, as in run.py')
    add('--batch', type=at_least(1), default=1, help='images that go through the network together')
    add('--threads', type=at_least(0), default=0, help='threads of the network; 0: one for each core')
    add('--no-flip', action='store_true', help='without the mirror image')
    add('--engines', nargs='*', choices=PEERS, default=list(PEERS), metavar='NAME', help='other engines to measure')
    add('--engine-windows', choices=TILINGS, default=DEFAULT_TILING, help='the windows of the other engines')
    add('--integers', metavar='ONNX', help='a model of the same network from export.py --compute int8')
    add('--repetitions', type=at_least(1), default=5, help='timed rounds')
    return parser.parse_args(argv)


def peers(graph: ModelFile, own: Network, side: int, args: argparse.Namespace, stack: ExitStack) -> Dict[str, Network]:
    """Returns the network in other engines, by name, if they are installed.

    Raises ValueError if one gives other maps.
    """
    if not args.engines:
        return {}
    images = np.random.RandomState(0).uniform(0, 255, (1, side, side, 3)).astype(np.float32)
    wanted = own.forward(images)
    try:
        model = onnx_of(graph, Path(stack.enter_context(tempfile.TemporaryDirectory())))
    except InputError as error:
        print(f'other engines are not measured: {error}')
        return {}
    found = opened(args.engines, model, own.garment, args.threads, stack)
    for name, network in found.items():
        difference = np.abs(network.forward(images) - wanted).max()
        if not difference <= _AGREEMENT * np.abs(wanted).max():
            raise ValueError(f'{name} gives other maps than TensorFlow: they differ by {difference:.3g}')
    if args.integers:
        able = [name for name in found if name in WITH_INTEGERS]
        integers = opened(able, ModelFile.open(resolve(args.integers)), own.garment, args.threads, stack)
        found.update({f'{name}, int8': network for name, network in integers.items()})
    return found


def ways(graph: ModelFile, own: Network, side: int, args: argparse.Namespace, stack: ExitStack) -> Dict[str, Way]:
    """Returns what is measured, by the name of the line."""
    found = {windows: Way(windows, Watched(own, graph, side))
             for windows in (*(() if args.no_flip else (_ORIGINAL,)), *TILINGS)}
    others = peers(graph, own, side, args, stack)
    found.update({f'{args.engine_windows}, {name}': Way(args.engine_windows, Watched(network, graph, side))
                  for name, network in others.items()})
    if args.modelpath:
        found[_STANDARD] = Way(_STANDARD, Watched(own, graph, side))
        found.update({f'{_STANDARD}, {name}': Way(_STANDARD, Watched(network, graph, side))
                      for name, network in others.items()})
    return found


def prediction(way: Way, wanted: Garment, table: Garments, images: Sequence[np.ndarray], side: int,
               args: argparse.Namespace) -> Task:
    """Returns the task of a way: to predict the points of a garment type of a table in all images."""
    network, scales = way.network, parse_scales(args.scales)
    if way.windows == _ORIGINAL:
        return lambda: [original_points(network.forward, network.garment, wanted, scales, side, image)
                        for image in images]
    if way.windows == _STANDARD:
        options = InferenceOptions(_STANDARD, inputsize=str(side), resolution=f'{side}x{side}')
        config = options.config([(side, side)], table)
        return partial(predictors_of([network], wanted.name, config, Lock(), table)[wanted.name].predict, images)
    network_input = NetworkInput(network.forward, network.garment, network.stride, (side, side), scales, way.windows)
    return partial(Predictor([network_input], wanted, PredictionOptions(side, flip=not args.no_flip)).predict, images)


@dataclass(frozen=True)
class Measurement:
    """What was measured of a way: the timing of whole predictions and of the network alone, and of a round the
    operations of the network in 10^9 and the milliseconds of all processors."""

    whole: Timing
    alone: Timing
    gflop: float
    processor: float


def measured(found: Mapping[str, Way], wanted: Garment, model: ModelFile, images: Sequence[np.ndarray], side: int,
             args: argparse.Namespace) -> Tuple[Timing, Dict[str, Measurement]]:
    """Returns the timing of the matrix product, and what was measured of each way."""
    def task(way: Way) -> ProcessorTime:
        predict_images = prediction(way, wanted, model.garments, images, side, args)

        def predict() -> None:
            way.network.begin()
            predict_images()
        return ProcessorTime(predict)

    tasks, flop = {name: task(way) for name, way in found.items()}, lru_cache(maxsize=None)(partial(flop_of, model))
    timings = interleaved({'': tensorflow_product(_SIDE, args.threads), **tasks}, args.repetitions)
    return timings[''], {
        name: Measurement(timings[name], Timing(tuple(way.network.rounds[-args.repetitions:])), work_gflop(way, flop),
                          tasks[name].milliseconds(args.repetitions)) for name, way in found.items()}


def work_gflop(way: Way, flop: Callable[[Tuple[int, int]], int]) -> float:
    """Returns the operations of the network in the last round of a way, in 10^9; `flop` are those of an input."""
    return sum(images * flop((height, width)) for images, height, width, _ in way.network.shapes) / 1e9


def flop_of(model: ModelFile, input_hw: Tuple[int, int]) -> int:
    """Returns the operations of a network for one input."""
    from fashionai.model_files.cost import graph_cost
    return graph_cost(model.path, input_hw).flop


def lines_of(product: Timing, found: Mapping[str, Measurement], images: int) -> List[Line]:
    """Returns the lines of whole predictions of so many images, then of networks alone."""
    whole = [Line(name, each.whole, images, 'image') for name, each in found.items()]
    alone = [Line(f'{name}, network alone', each.alone, each.gflop, 'GFLOP') for name, each in found.items()]
    return whole + [Line('matrix product', product, product_gflop(_SIDE), 'GFLOP')] + alone


def photographs(category: str, count: int, image_hw: Tuple[int, int]) -> List[np.ndarray]:
    """Returns photographs of a garment type, of a size. The colours of their borders fill what is left."""
    folder = ROOT / 'data' / 'photographs'
    names = read_annotations(folder / 'val.csv').of_type(category).image_ids
    return [_fitted(read_image(folder / names[number % len(names)]), image_hw) for number in range(count)]


def _fitted(image: np.ndarray, image_hw: Tuple[int, int]) -> np.ndarray:
    factor = min(side / length for side, length in zip(image_hw, image.shape))
    height, width = (min(side, round(factor * length)) for side, length in zip(image_hw, image.shape))
    top, left = (image_hw[0] - height) // 2, (image_hw[1] - width) // 2
    return cv2.copyMakeBorder(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC), top,
                              image_hw[0] - height - top, left, image_hw[1] - width - left, cv2.BORDER_REPLICATE)


def measure_graph(path: Path, args: argparse.Namespace) -> None:
    """Measures a frozen graph and prints a table for each size of pictures."""
    import tensorflow as tf

    from fashionai.engines.frozen_graph import FrozenGraph
    model = ModelFile.open(path)
    assert model.contract, 'the graphs of benchmarks have a contract'
    tag, side = model.contract.tag, args.resolution or max(model.trained_hw)
    wanted = model.garments.get(tag, model.garments['dress'])
    with ExitStack() as stack:
        own = stack.enter_context(FrozenGraph(model, model.garments.of(tag), model.garments, args.threads))
        found = ways(model, own, side, args, stack)
        print(circumstances(tf))
        for image_hw in map(size_hw, args.sizes.split(',')):
            images = (photographs(wanted.name, args.batch, image_hw) if args.modelpath else
                      [picture(*image_hw, seed) for seed in range(args.batch)])
            product, results = measured(found, wanted, model, images, side, args)
            print(f'\n{model.name}, {tag}: {args.batch} at once of {image_hw[1]}x{image_hw[0]} pixels')
            print(format_table(lines_of(product, results, args.batch)))
            for name, each in results.items():
                print(f'{name}: {each.gflop / args.batch:.1f} GFLOP an image; the network has '
                      f'{each.alone.median / each.whole.median:.1%} of the time; {each.processor / args.batch:.1f} ms '
                      'of processor time an image')


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    graph_mode()
    from graphs import random_graph
    with tempfile.TemporaryDirectory() as folder:
        measure_graph(resolve_network(args.modelpath) if args.modelpath else
                      random_graph(args.model, args.tag, Path(folder)), args)
    return 0


if __name__ == '__main__':
    sys.exit(main())
