"""Lists the layers of a network with their operations, bytes and times in ONNX Runtime, and says which limit of the
machine each kind of layer is near: the rate of matrix products, or that of copies of memory.

Operations are those of the network's own channels; a multiplication and an addition are two. Bytes are what a layer
reads and writes if it does so once: input, weights and output, as the engine stores them, in single precision. It fills
up channels to multiples of 16.
"""
import argparse
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from machine import copying, numpy_product, product_gflop
from timing import Task, Timing, circumstances, interleaved

from fashionai.cli.entry_point import guarded, resolve_network
from fashionai.engines.exported import onnx_runtime
from fashionai.engines.opening import computes_with_integers, open_model
from fashionai.errors import InputError
from fashionai.extras import needed
from fashionai.model_files.model_file import ModelFile
from fashionai.option_group import at_least, size_hw

KINDS = ('3x3 and larger', '1x1', 'depthwise', 'other')
"""The kinds of layers: convolutions by their kernel, and everything else."""

_MATRIX, _MEMORY, _CACHE = 'product of matrices', 'copy of memory', 'copy in the cache'

_SMALL = 4
"""The megabytes of a copy in the cache: about as much as a layer of the network reads or writes."""

_NEAR = 0.5
"""A layer is near a limit if it reaches this share of it."""

Shape = Tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer: operations and bytes of one call, and the median of its seconds."""

    name: str
    kind: str
    flop: int
    size: int
    seconds: float

    @property
    def gflop_rate(self) -> float:
        """GFLOP/s."""
        return self.flop / self.seconds / 1e9

    @property
    def gigabyte_rate(self) -> float:
        """GB/s."""
        return self.size / self.seconds / 1e9


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--modelpath', default='supplied', help='frozen graph with an .onnx beside it, or a name of a network of the '
        'project')
    add('--size', type=size_hw, help='size of the input, WIDTHxHEIGHT; without it, the size that the network was '
        'trained at')
    add('--batch', type=at_least(1), default=2, help='inputs of one call; an image and its mirror image are two')
    add('--side', type=at_least(1), default=2048, help='side of the matrices')
    add('--megabytes', type=at_least(1), default=256, help='megabytes that are copied')
    add('--least', type=float, default=1., help='layers with at least this share of the time, in per cent, are listed')
    add('--repetitions', type=at_least(1), default=30, help='timed rounds')
    return parser.parse_args(argv)


def profiled(model: ModelFile, images: np.ndarray, args: argparse.Namespace,
             folder: Path) -> Tuple[Dict[str, Timing], List[Mapping[str, Any]]]:
    """Returns the timings of the network and of the machine's limits, in turns, and the events of ONNX Runtime's
    profile of the same rounds, without the first."""
    runtime = onnx_runtime()
    options = runtime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / 'profile')
    session = runtime.InferenceSession(str(model.path), options, providers=['CPUExecutionProvider'])
    assert model.contract, 'exported models have a contract'
    inputs, outputs = {model.contract.input_name: images}, [model.contract.output_name]
    cores = len(os.sched_getaffinity(0))
    tasks: Dict[str, Task] = {
        'network': lambda: session.run(outputs, inputs), _MATRIX: numpy_product(args.side),
        _MEMORY: copying(args.megabytes, cores), _CACHE: copying(_SMALL, cores)}
    timings = interleaved(tasks, args.repetitions)
    events = [event for event in json.loads(Path(session.end_profiling()).read_text()) if event.get('cat') == 'Node']
    return timings, events[len(events) // (args.repetitions + 1):]


def kernels(model: Path) -> Dict[str, Shape]:
    """Returns the kernels (outputs, inputs of a group, height, width) of an ONNX model's convolutions, by the names
    that a profile gives them: those of the nodes and of their outputs, with the activation that the engine joins to
    them."""
    graph = needed('onnx').load(str(model)).graph
    weights = {each.name: tuple(each.dims) for each in graph.initializer}
    found: Dict[str, Shape] = {}
    for node in graph.node:
        if node.op_type in ('Cast', 'Mul') and node.input[0] in weights:  # they decode weights
            weights[node.output[0]] = weights[node.input[0]]
        elif node.op_type == 'Conv':
            found[node.name] = found[node.output[0]] = weights[node.input[1]]
        elif node.op_type in ('Relu', 'Clip') and node.input[0] in found:
            found[node.name] = found[node.output[0]] = found[node.input[0]]
    return found


def layers_of(events: Sequence[Mapping[str, Any]], found: Mapping[str, Shape]) -> List[Layer]:
    """Returns the layers of the events of some calls, in order; `found` are the kernels by name."""
    calls: Dict[str, List[Mapping[str, Any]]] = {}
    for event in events:
        calls.setdefault(event['name'], []).append(event)
    return [_layer(name, each, found) for name, each in calls.items()]


def _layer(event_name: str, calls: Sequence[Mapping[str, Any]], found: Mapping[str, Shape]) -> Layer:
    facts = calls[0]['args']
    name = re.sub('(_nchwc)?_kernel_time$', '', event_name)
    kind, flop = 'other', 0
    if facts['op_name'] in ('Conv', 'FusedConv'):
        outputs, inputs, height, width = found[name]
        images, _, rows, columns = next(iter(facts['output_type_shape'][0].values()))
        flop = 2 * images * rows * columns * outputs * inputs * height * width
        kind = 'depthwise' if inputs == 1 else '1x1' if height == width == 1 else '3x3 and larger'
    size = sum(int(facts[key]) for key in ('activation_size', 'parameter_size', 'output_size'))
    return Layer(re.sub(':0$', '', name), kind, flop, size, float(np.median([call['dur'] for call in calls])) / 1e6)


def together(kind: str, layers: Sequence[Layer]) -> Layer:
    """Returns the sum of layers as one."""
    return Layer(f'{kind}: {len(layers)}', kind, sum(layer.flop for layer in layers),
                 sum(layer.size for layer in layers), sum(layer.seconds for layer in layers))


def format_layers(layers: Sequence[Layer], seconds: float, limits: Mapping[str, float]) -> str:
    """Returns a table in Markdown. `seconds` are those of all layers of the network; `limits` are rates by name."""
    rows = ['| layers | ms | share of the time | GFLOP | GFLOP/s | of the matrix rate | MB | GB/s | of the copy rate '
            '| near |', '|---|---|---|---|---|---|---|---|---|---|']
    for layer in layers:
        operations, memory = layer.gflop_rate / limits[_MATRIX], layer.gigabyte_rate / limits[_MEMORY]
        rows.append(f'| {layer.name} | {1e3 * layer.seconds:.3f} | {layer.seconds / seconds:.1%} '
                    f'| {layer.flop / 1e9:.3f} | {layer.gflop_rate:.1f} | {operations:.2f} | {layer.size / 1e6:.1f} '
                    f'| {layer.gigabyte_rate:.1f} | {memory:.2f} | {near(operations, memory)} |')
    return '\n'.join(rows)


def near(operations: float, memory: float) -> str:
    """Returns the limit that shares of the rates of operations and of memory are near."""
    if max(operations, memory) < _NEAR:
        return 'neither'
    return 'operations' if operations > memory else 'memory'


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Measures and prints."""
    args = parse(argv)
    model = open_model(resolve_network(args.modelpath), 'onnxruntime')
    if computes_with_integers(model):
        raise InputError(f'{model.path} computes with integers: wanted a model in single precision')
    height, width = args.size or model.trained_hw
    images = np.random.RandomState(0).uniform(0, 255, (args.batch, height, width, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        timings, events = profiled(model, images, args, Path(folder))
    layers = layers_of(events, kernels(model.path))
    amounts = {_MATRIX: product_gflop(args.side), _MEMORY: 2 * args.megabytes / 1e3, _CACHE: 2 * _SMALL / 1e3}
    limits = {name: amount / timings[name].median for name, amount in amounts.items()}
    seconds = sum(layer.seconds for layer in layers)
    print(circumstances(onnx_runtime()))
    print(f'\n{model.name}: {args.batch} of {width}x{height} pixels in {1e3 * timings["network"].median:.1f} ms; the '
          f'layers take {1e3 * seconds:.1f} ms')
    for name, unit in ((_MATRIX, 'GFLOP/s'), (_MEMORY, 'GB/s'), (_CACHE, 'GB/s')):
        print(f'{name}: {limits[name]:.1f} {unit}')
    groups = [together(kind, [layer for layer in layers if layer.kind == kind]) for kind in KINDS]
    summary = [*(group for group in groups if group.seconds), together('all', layers)]
    listed = [layer for layer in layers if layer.seconds >= args.least / 100 * seconds]
    print('', format_layers(summary, seconds, limits), '', format_layers(listed, seconds, limits), sep='\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
