"""The flags of inference: which networks are used, and how pictures go through them."""
import argparse
import logging
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

from fashionai.cli.entry_point import PROJECT_ROOT, add_garments_option, chosen_garments, resolve
from fashionai.codec.decoding import DECODERS
from fashionai.engines.exported import ENGINES, default_engine, exported_beside, has_tensorflow, needs_tensorflow
from fashionai.errors import InputError
from fashionai.garments.table import Garments
from fashionai.inference.canvas import JOINS
from fashionai.inference.config import (
    DEFAULT_PRESET,
    NO_SECOND_PASS,
    ORIGINAL_NAMES,
    PRESETS,
    InferenceConfig,
    Preset,
    preset_named,
    preset_sizes,
    suitable_second_pass,
)
from fashionai.inference.predictor import ASSEMBLIES, PredictionOptions
from fashionai.inference.second_pass import SECOND_PASSES
from fashionai.inference.tiling import DEFAULT_TILING, PERIOD, TILINGS
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales
from fashionai.model_files.default_model import trained_garments, trained_hw, usual_graph
from fashionai.networks.tensor_names import OUTPUTS
from fashionai.option_group import at_least, size_hw
from fashionai.tf_compat import graph_mode

_LOG = logging.getLogger(__name__)


def add_look_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of inference, as a group of their own, and --garments."""
    add_garments_option(parser)
    add = parser.add_argument_group('how pictures are looked at').add_argument
    add('--preset', default=DEFAULT_PRESET, choices=PRESETS, help='fast: one pass. standard: six windows and their '
        'mirror images, as the original. accurate: three input sizes, and a second pass over the garment set upright. '
        'Explicit flags override the preset (default: %(default)s)')
    add('--look', dest='preset', choices=ORIGINAL_NAMES, default=argparse.SUPPRESS, help='old name of --preset')
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
    add('--second-pass', choices=[*SECOND_PASSES, NO_SECOND_PASS], help='look again at the garment set upright: '
        f'{", ".join(SECOND_PASSES)}; see docs/experiments.md (default: {NO_SECOND_PASS})')
    add('--flip', action='store_true', default=None, help='look at the mirror image too (default)')
    add('--no-flip', dest='flip', action='store_false', help='do not: half the time')
    add('--batch', type=at_least(1), default=1, help='images that are looked at together (default: %(default)s)')
    add('--threads', type=at_least(0, 1024), default=0, help='threads of the network (default: one a core)')


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
    engine = args.engine or (default_engine() if not args.modelpath and not has_tensorflow() else None)
    return [exported_beside(graph, engine) for graph in graphs] if engine else graphs


def garments_of(args: argparse.Namespace, graphs: Sequence[Path]) -> Garments:
    """The table of --garments; without it, the one that the graphs were trained with."""
    return chosen_garments(args) if args.garments else trained_garments(graphs)


def config_of(args: argparse.Namespace, graphs: Sequence[Path], garments: Garments) -> InferenceConfig:
    """Returns the configuration that the flags give: the preset, and explicit flags over it.

    Raises InputError for a value that is none.
    """
    if args.preset in ORIGINAL_NAMES:
        _LOG.warning('--look %s is --preset %s now', args.preset, ORIGINAL_NAMES[args.preset])
    preset, trained = preset_named(args.preset), [trained_hw(graph) for graph in graphs]
    canvas_hw = size_hw(args.inputsize) if args.inputsize else (max(trained[0]),) * 2
    if canvas_hw[0] != canvas_hw[1]:
        raise InputError(f'--inputsize {args.inputsize}: the canvas is a square, wanted one number such as 368')
    options = PredictionOptions(canvas_hw[0], preset.flip if args.flip is None else args.flip,
                                args.merge or preset.join, args.decode, args.assembly)
    resolutions = (_named_resolutions(args.resolution, len(graphs)) if args.resolution
                   else preset_sizes(preset, trained))
    return InferenceConfig(options, parse_scales(args.scales or preset.scales), tuple(map(tuple, resolutions)),
                           args.maps, _second_pass(args.second_pass, preset, garments), args.windows, args.engine,
                           args.trust_graph)


def _named_resolutions(text: str, graphs: int) -> Sequence[Sequence[Tuple[int, int]]]:
    """The sizes (height, width) that each of so many graphs looks at, of those named in --resolution."""
    named = [size_hw(one) for one in text.split(',')]
    if graphs == 1:
        return [named]
    if len(named) not in (1, graphs):
        raise InputError(f'--resolution names {len(named)} sizes for {graphs} graphs: wanted one for all, or one for '
                         'each')
    return [[size] for size in named * (graphs // len(named))]


def _second_pass(asked: Optional[str], preset: Preset, garments: Garments) -> Optional[str]:
    """The explicit second pass, else that of the preset."""
    if asked is None:
        return suitable_second_pass(preset, garments)
    return None if asked == NO_SECOND_PASS else asked


def start_engines(graphs: Sequence[Path], look: InferenceConfig) -> None:
    """Bring TensorFlow into the mode it is used in, where a graph needs it at all."""
    if any(needs_tensorflow(graph, look.engine) for graph in graphs):
        graph_mode()
