"""The flags of inference: which networks are used, and how pictures go through them."""
import argparse
import logging
from pathlib import Path
from typing import List, Sequence

from fashionai.cli.entry_point import PROJECT_ROOT, add_garments_option, chosen_garments, resolve
from fashionai.engines.exported import default_engine, exported_beside, has_tensorflow, needs_tensorflow
from fashionai.garments.table import Garments
from fashionai.inference.config import ORIGINAL_NAMES, InferenceConfig, InferenceOptions
from fashionai.model_files.default_model import trained_garments, trained_hw, usual_graph
from fashionai.tf_compat import graph_mode

_LOG = logging.getLogger(__name__)


def add_inference_options(parser: argparse.ArgumentParser) -> None:
    """Add --garments, --modelpath and the flags of InferenceOptions."""
    add_garments_option(parser)
    add = InferenceOptions.add_flags(parser, 'flags of inference').add_argument
    add('--look', dest='preset', choices=ORIGINAL_NAMES, default=argparse.SUPPRESS, help='old name of --preset')
    add('--modelpath', help='frozen graph or exported model; or several with commas between them, whose heat maps are '
        'averaged (default: models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or the supplied one)')


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
    """Returns the configuration that the flags give. Raises InputError for a value that is not one."""
    if args.preset in ORIGINAL_NAMES:
        _LOG.warning('--look %s is --preset %s now', args.preset, ORIGINAL_NAMES[args.preset])
    return InferenceOptions.of(vars(args)).config([trained_hw(graph) for graph in graphs], garments)


def start_engines(graphs: Sequence[Path], look: InferenceConfig) -> None:
    """Bring TensorFlow into the mode it is used in, where a graph needs it at all."""
    if any(needs_tensorflow(graph, look.engine) for graph in graphs):
        graph_mode()
