"""The flags that say which graphs look at pictures, and how; run.py and predict.py have them in common."""
import argparse
from pathlib import Path
from typing import List, Sequence

from fashionai.cli import PROJECT_ROOT, add_garments_option, at_least, chosen_garments, resolve, size_hw
from fashionai.codec.decoding import DECODERS
from fashionai.garments import Garments
from fashionai.inference.canvas import JOINS
from fashionai.inference.engines import ENGINES, exported_beside, needs_tensorflow
from fashionai.inference.models import trained_garments, trained_hw, usual_graph
from fashionai.inference.opening import Look
from fashionai.inference.predictor import ASSEMBLIES, PredictionOptions
from fashionai.inference.second_pass import SECOND_PASSES
from fashionai.inference.tiling import DEFAULT_TILING, TILINGS
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales
from fashionai.networks.contract import OUTPUTS
from fashionai.stack import graph_mode


def add_look_options(parser: argparse.ArgumentParser) -> None:
    """Add them, as a group of their own, and --garments."""
    add_garments_option(parser)
    add = parser.add_argument_group('how pictures are looked at').add_argument
    add('--modelpath', help='frozen graph or exported model, or several with commas between: their heat maps are '
        'averaged (default: models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or the supplied one)')
    add('--engine', choices=ENGINES, help='what computes the network, of the model that export.py left beside the '
        'graph (default: TensorFlow, or what the ending of --modelpath says)')
    add('--inputsize', help='side of the square canvas in pixels (default: the longer one that the first graph was '
        'trained at; 368 where it does not say)')
    add('--resolution', help='input of the network, WIDTHxHEIGHT, or one for each graph (default: what each was '
        'trained at; 368x368 where it does not say)')
    add('--scales', default=DEFAULT_SCALES, help='list of None, s, (s, step) or (cx, cy, s) (default: %(default)s)')
    add('--windows', default=DEFAULT_TILING, choices=TILINGS, help='exact: as --scales says. merged: overlapping ones '
        'of a scale as one, and without the padding of images that are not square (default: %(default)s)')
    add('--merge', default='addup', choices=JOINS, help='windows joined by maximum (addup) or mean (average)')
    add('--maps', default='last', choices=OUTPUTS, help='of the last stage, or the mean of the last two')
    add('--decode', default='blur', choices=DECODERS, help='how a point is read off its heat map (default: blur)')
    add('--assembly', default='peaks', choices=ASSEMBLIES, help='the highest peaks, or those that the fields join best')
    add('--second-pass', choices=SECOND_PASSES, help='look again at the garment set upright: replace or average')
    add('--no-flip', action='store_true', help='do not look at the mirror image too: half the time')
    add('--batch', type=at_least(1), default=1, help='images that are looked at together (default: %(default)s)')
    add('--threads', type=at_least(0), default=0, help='threads of the network (default: one a core)')


def graphs_of(args: argparse.Namespace, tag: str) -> List[Path]:
    """The graphs that the flags name, or the usual one for a tag. Raises ValueError where there is none."""
    if args.modelpath:
        graphs = [resolve(path) for path in args.modelpath.split(',')]
    else:
        graphs = [usual_graph(tag, PROJECT_ROOT / 'models/trained')]
    return [exported_beside(graph, args.engine) for graph in graphs] if args.engine else graphs


def garments_of(args: argparse.Namespace, graphs: Sequence[Path]) -> Garments:
    """The table of --garments; without it, the one that the graphs were trained with."""
    return chosen_garments(args) if args.garments else trained_garments(graphs)


def look_of(args: argparse.Namespace, graphs: Sequence[Path]) -> Look:
    """How the flags have pictures looked at by those graphs. Raises ValueError for values that mean nothing."""
    sizes = [trained_hw(graph) for graph in graphs]
    canvas_hw = size_hw(args.inputsize) if args.inputsize else (max(sizes[0]),) * 2
    if canvas_hw[0] != canvas_hw[1]:
        raise ValueError(f'--inputsize {args.inputsize}: the canvas is a square, wanted one number such as 368')
    options = PredictionOptions(canvas_hw[0], not args.no_flip, args.merge, args.decode, args.assembly)
    resolutions = [size_hw(text) for text in args.resolution.split(',')] if args.resolution else sizes
    return Look(options, parse_scales(args.scales), tuple(resolutions), args.maps, args.second_pass, args.windows,
                args.engine)


def start_engines(graphs: Sequence[Path], look: Look) -> None:
    """Bring TensorFlow into the mode it is used in, where a graph needs it at all."""
    if any(needs_tensorflow(graph, look.engine) for graph in graphs):
        graph_mode()
