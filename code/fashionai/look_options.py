"""The flags that say which graphs look at pictures, and how; run.py and predict.py have them in common."""
import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from fashionai.cli import PROJECT_ROOT, add_garments_option, at_least, chosen_garments, resolve, size_hw
from fashionai.codec.decoding import DECODERS
from fashionai.errors import InputError
from fashionai.garments import Garments
from fashionai.inference.canvas import JOINS
from fashionai.inference.engines import ENGINES, exported_beside, needs_tensorflow
from fashionai.inference.models import trained_garments, trained_hw, usual_graph
from fashionai.inference.opening import Look
from fashionai.inference.predictor import ASSEMBLIES, PredictionOptions
from fashionai.inference.second_pass import SECOND_PASSES
from fashionai.inference.tiling import DEFAULT_TILING, PERIOD, TILINGS
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales
from fashionai.networks.contract import OUTPUTS
from fashionai.shapes import has_shape
from fashionai.stack import graph_mode

_NO_SECOND_PASS = 'none'


@dataclass(frozen=True)
class _Way:
    """What `--look` stands for: what its flags are where nobody says otherwise. `sizes` are factors of the size that a
    graph was trained at, each looked at and averaged."""

    scales: str = DEFAULT_SCALES
    flip: bool = True
    merge: str = 'addup'
    second_pass: str = _NO_SECOND_PASS
    sizes: Tuple[Fraction, ...] = (Fraction(1),)


WAYS: Mapping[str, _Way] = MappingProxyType({
    'quick': _Way(scales='[1.0]', flip=False),
    'usual': _Way(),
    'thorough': _Way(merge='average', second_pass='agree', sizes=(Fraction(3, 4), Fraction(1), Fraction(4, 3)))})
"""By the name `--look` takes; what each gains and costs is in models/trained/supplied/README.md."""


def add_look_options(parser: argparse.ArgumentParser) -> None:
    """Add them, as a group of their own, and --garments."""
    add_garments_option(parser)
    add = parser.add_argument_group('how pictures are looked at').add_argument
    add('--look', default='usual', choices=WAYS, help='quick: once. usual: at six windows, mirrored too, as the '
        'original. thorough: at three sizes of input, and again at the garment set upright; windows averaged. '
        '--scales, --flip, --merge, --second-pass and --resolution each change their part (default: %(default)s)')
    add('--modelpath', help='frozen graph or exported model, or several with commas between: their heat maps are '
        'averaged (default: models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or the supplied one)')
    add_trust_option(add)
    add('--engine', choices=ENGINES, help='what computes the network, of the model that export.py left beside the '
        'graph (default: TensorFlow, or what the ending of --modelpath says)')
    add('--inputsize', help='side of the square canvas in pixels (default: the longer one that the first graph was '
        'trained at; 368 where it does not say)')
    add('--resolution', help='input of the network, WIDTHxHEIGHT; several with commas between: one for each graph, '
        'or all for the only one, averaged. Images fit into it; it is widened to the next size that is a multiple of '
        f'{PERIOD} more or less than was trained at (default: what each was trained at; 368x368 where it does not say)')
    add('--scales', help='list of None, s, (s, step) or (cx, cy, s); at s = 1 the image just fits the input (default: '
        f'{DEFAULT_SCALES})')
    add('--windows', default=DEFAULT_TILING, choices=TILINGS, help='exact: as --scales says. merged: overlapping ones '
        'of a scale as one, and without the padding of images that are not square (default: %(default)s)')
    add('--merge', choices=JOINS, help='windows joined by maximum (addup) or mean (average) (default: addup)')
    add('--maps', default='last', choices=OUTPUTS, help='of the last stage, or the mean of the last two')
    add('--decode', default='blur', choices=DECODERS, help='how a point is read off its heat map (default: blur)')
    add('--assembly', default='peaks', choices=ASSEMBLIES, help='the highest peaks, or those that the fields join best')
    add('--second-pass', choices=[*SECOND_PASSES, _NO_SECOND_PASS], help='look again at the garment set upright: '
        f'{", ".join(SECOND_PASSES)}; see docs/experiments.md (default: {_NO_SECOND_PASS})')
    add('--flip', action='store_true', default=None, help='look at the mirror image too (default)')
    add('--no-flip', dest='flip', action='store_false', help='do not: half the time')
    add('--batch', type=at_least(1), default=1, help='images that are looked at together (default: %(default)s)')
    add('--threads', type=at_least(0), default=0, help='threads of the network (default: one a core)')


def add_trust_option(add: Callable) -> None:
    """Add `--trust-graph` by the `add_argument` of a parser or a group."""
    add('--trust-graph', action='store_true', help='open a graph whatever operations it has, also those that read and '
        'write files: only for files of people you trust; see models/README.md')


def graphs_of(args: argparse.Namespace, tag: str) -> List[Path]:
    """The graphs that the flags name, or the usual one for a tag. Raises InputError where there is none."""
    if args.modelpath:
        graphs = [resolve(path) for path in args.modelpath.split(',')]
    else:
        graphs = [usual_graph(tag, PROJECT_ROOT / 'models/trained')]
    return [exported_beside(graph, args.engine) for graph in graphs] if args.engine else graphs


def garments_of(args: argparse.Namespace, graphs: Sequence[Path]) -> Garments:
    """The table of --garments; without it, the one that the graphs were trained with."""
    return chosen_garments(args) if args.garments else trained_garments(graphs)


def look_of(args: argparse.Namespace, graphs: Sequence[Path], garments: Garments) -> Look:
    """How the flags have pictures of a table's garments looked at by those graphs. Raises InputError for values that
    mean nothing."""
    way = WAYS[args.look]
    trained = [trained_hw(graph) for graph in graphs]
    canvas_hw = size_hw(args.inputsize) if args.inputsize else (max(trained[0]),) * 2
    if canvas_hw[0] != canvas_hw[1]:
        raise InputError(f'--inputsize {args.inputsize}: the canvas is a square, wanted one number such as 368')
    options = PredictionOptions(canvas_hw[0], way.flip if args.flip is None else args.flip, args.merge or way.merge,
                                args.decode, args.assembly)
    resolutions = _named_resolutions(args.resolution, len(graphs)) if args.resolution else [
        list(dict.fromkeys(_suitable(one_hw, factor) for factor in way.sizes)) for one_hw in trained]
    return Look(options, parse_scales(args.scales or way.scales), tuple(map(tuple, resolutions)), args.maps,
                _second_pass(args.second_pass, way, garments), args.windows, args.engine, args.trust_graph)


def _named_resolutions(text: str, graphs: int) -> Sequence[Sequence[Tuple[int, int]]]:
    """The sizes (height, width) that each of so many graphs looks at, of those named in --resolution."""
    named = [size_hw(one) for one in text.split(',')]
    if graphs == 1:
        return [named]
    if len(named) not in (1, graphs):
        raise InputError(f'--resolution names {len(named)} sizes for {graphs} graphs: wanted one for all, or one for '
                         'each')
    return [[size] for size in named * (graphs // len(named))]


def _suitable(trained: Tuple[int, int], factor: Fraction) -> Tuple[int, int]:
    """About that many times a size (height, width), and whole periods of the network's layers from it, so that cells
    stay in their places."""
    height, width = (side + int((factor - 1) * side / PERIOD) * PERIOD for side in trained)
    return height, width


def _second_pass(asked: Optional[str], way: _Way, garments: Garments) -> Optional[str]:
    """The second pass that is asked for; where none is, that of the way, if all types have the mean shape it needs."""
    how = asked or (way.second_pass if all(map(has_shape, garments.values())) else _NO_SECOND_PASS)
    return None if how == _NO_SECOND_PASS else how


def start_engines(graphs: Sequence[Path], look: Look) -> None:
    """Bring TensorFlow into the mode it is used in, where a graph needs it at all."""
    if any(needs_tensorflow(graph, look.engine) for graph in graphs):
        graph_mode()
