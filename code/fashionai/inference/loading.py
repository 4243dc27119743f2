"""Opens networks together, and makes the predictors that use them."""
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Iterator, List, Mapping, Sequence

from fashionai.engines.exported import open_network
from fashionai.engines.network import Network
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, JOINT, Garment, Garments
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.config import InferenceConfig
from fashionai.inference.pipeline import in_turn
from fashionai.inference.predictor import Predictor
from fashionai.inference.second_pass import AnyPredictor, SecondPass
from fashionai.model_files.model_file import ModelFile


@contextmanager
def open_networks(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int,
                garments: Garments) -> Iterator[List[Network]]:
    """Yields the networks of a tag of a table, in order; the end of the `with` block closes them. If one of them needs
    TensorFlow, `graph_mode` was called.

    Raises InputError for a file that does not serve the tag.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(open_network(model, garments.of(tag), threads, config.maps, config.engine, garments,
                                              config.trusted))
               for model in models]


def predictors_of(networks: Sequence[Network], tag: str, config: InferenceConfig, turn: Lock,
                  garments: Garments) -> Mapping[str, AnyPredictor]:
    """Returns the predictor of each garment type of a tag, by name. Several threads may use them: they take turns, and
    so does all else that shares the lock `turn`.

    Raises InputError if the configuration has input sizes for another number of networks.
    """
    if len(config.resolutions_hw) != len(networks):
        raise InputError(f'found input sizes for {len(config.resolutions_hw)} networks, and there are {len(networks)}: '
                         'wanted one or several for each')
    inputs = [NetworkInput(in_turn(network.forward, turn), network.garment, network.stride, resolution_hw,
                           config.scales, config.windows, network.trained_hw)
              for network, resolutions_hw in zip(networks, config.resolutions_hw) for resolution_hw in resolutions_hw]
    return {name: _predictor(inputs, garment, config) for name, garment in garments.items() if tag in (name, JOINT)}


@contextmanager
def open_predictors(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int,
                    garments: Garments = GARMENTS) -> Iterator[Mapping[str, AnyPredictor]]:
    """Yields the predictor of each garment type of a tag, by name; the end of the `with` block closes the networks. If
    one of them needs TensorFlow, `graph_mode` was called.

    Several threads may use them: one network computes at a time.

    Raises InputError for a file that does not serve the tag.
    """
    with open_networks(models, tag, config, threads, garments) as networks:
        yield predictors_of(networks, tag, config, Lock(), garments)


def _predictor(inputs: Sequence[NetworkInput], garment: Garment, config: InferenceConfig) -> AnyPredictor:
    predictor = Predictor(inputs, garment, config.options)
    return SecondPass(predictor, garment, config.second_pass) if config.second_pass else predictor
