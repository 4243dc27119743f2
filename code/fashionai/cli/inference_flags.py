"""The flags of inference, and the networks that they choose."""
import argparse
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ContextManager, Mapping, Optional, Sequence

from fashionai.calibration.calibration import Calibration
from fashionai.cli.entry_point import add_garments_option, chosen_garments, chosen_graph, resolve_network
from fashionai.engines.opening import (
    as_exact,
    computes_with_integers,
    default_engine,
    has_tensorflow,
    leaves_gpu_unused,
    needs_tensorflow,
    open_model,
)
from fashionai.errors import InputError
from fashionai.garments.table import Garments
from fashionai.inference.config import ORIGINAL_NAMES, InferenceConfig, InferenceOptions, preset_named
from fashionai.inference.garment_predictor import GarmentPredictor, load_predictor
from fashionai.inference.loading import open_predictors
from fashionai.inference.second_pass import AnyPredictor
from fashionai.model_files.default_model import SUPPLIED_NETWORKS
from fashionai.model_files.model_file import ModelFile, trained_garments, warn_of_assumptions
from fashionai.tf_compat import graph_mode

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenNetworks:
    """What the flags of inference choose: everything that the points of a picture depend on.

    Attributes:
        models: the files of the networks.
        tag: the garment type, or JOINT for all types.
        garments: the table of the tag.
        config: how pictures go through the networks.
        threads: threads of each network; 0: one for each core.
    """

    models: Sequence[ModelFile]
    tag: str
    garments: Garments
    config: InferenceConfig
    threads: int

    @property
    def sums(self) -> str:
        """The sums of the files, as the manifest of an output keeps them."""
        return '+'.join(model.sum for model in self.models)

    @property
    def name(self) -> str:
        """The names of the models, as outputs give them."""
        return '+'.join(model.name for model in self.models)

    @property
    def calibrations(self) -> Sequence[Optional[Calibration]]:
        """The calibrations of the networks, which their scores depend on."""
        return [model.contract.calibration if model.contract else None for model in self.models]

    def open_predictors(self) -> ContextManager[Mapping[str, AnyPredictor]]:
        """Returns what `loading.open_predictors` does, after it has loaded TensorFlow if a network needs it."""
        self._load_tensorflow()
        return open_predictors(self.models, self.tag, self.config, self.threads, self.garments)

    def load_predictor(self) -> ContextManager[GarmentPredictor]:
        """Returns what `garment_predictor.load_predictor` does, after it has loaded TensorFlow if a network needs
        it."""
        self._load_tensorflow()
        return load_predictor(self.models, self.tag, self.config, self.threads, self.garments)

    def _load_tensorflow(self) -> None:
        if any(needs_tensorflow(model, self.config.engine) for model in self.models):
            graph_mode()


def add_inference_options(parser: argparse.ArgumentParser) -> None:
    """Add --garments, --modelpath and the flags of InferenceOptions."""
    add_garments_option(parser)
    add = InferenceOptions.add_flags(parser, 'flags of inference').add_argument
    add('--look', dest='preset', choices=ORIGINAL_NAMES, default=argparse.SUPPRESS, help='old name of --preset')
    add('--modelpath', help='frozen graph or exported model; or a name of a network of the project: '
        f'{", ".join(SUPPLIED_NETWORKS)}; or several with commas between them, whose heat maps are averaged (default: '
        'models/trained/<tag>/graph/frozen_graph.pb, or that of `all`, or the supplied one; with --preset fast the '
        'fast one)')


def chosen_networks(args: argparse.Namespace, tag: str, prefer: Optional[str] = None) -> ChosenNetworks:
    """Returns the networks that the parsed flags choose for a tag; each file is opened and hashed once. Without
    `--engine`, the engine `prefer` computes them if its models are as exact as TensorFlow, or were made to compute with
    integers, and if it leaves no GPU unused.

    Raises InputError if a file or a value of a flag does not suit.
    """
    if args.preset in ORIGINAL_NAMES:
        _LOG.warning('--look %s is --preset %s now', args.preset, ORIGINAL_NAMES[args.preset])
    options = InferenceOptions.of(vars(args))
    named = args.modelpath.split(',') if args.modelpath else []
    own = [name for name in named if name not in SUPPLIED_NETWORKS]
    engine = options.engine or (None if own or has_tensorflow() else default_engine())
    graphs = ([resolve_network(name) for name in named] or
              [chosen_graph(None, tag, preset_named(options.preset).network)])
    if prefer and not engine and _all_suit(graphs, prefer):
        engine = prefer
    models = [open_model(path, engine) for path in graphs]
    if not options.resolution:
        warn_of_assumptions(models, 'give --resolution WIDTHxHEIGHT and --inputsize with the longer side')
    garments = chosen_garments(args) if args.garments else trained_garments(models)
    return ChosenNetworks(models, tag, garments, options.config([model.trained_hw for model in models], garments),
                          options.threads)


def _all_suit(graphs: Sequence[Path], engine: str) -> bool:
    """Returns whether an engine is installed, has a suitable model for each graph, and leaves no GPU unused. A model
    suits if it is as exact as the graph, or if it computes with integers: then somebody wanted it so."""
    if find_spec(engine) is None:
        return False
    try:
        models = [open_model(path, engine) for path in graphs]
        return all(as_exact(model) or computes_with_integers(model) for model in models) and not leaves_gpu_unused()
    except InputError:  # there is no such model, or it was exported from another graph
        return False
