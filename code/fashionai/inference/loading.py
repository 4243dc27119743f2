"""Opens networks together, and makes the predictors that use them."""
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Callable, Iterator, List, Mapping, Sequence, TypeVar

import numpy as np

from fashionai.engines.network import Network
from fashionai.engines.opening import open_network
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, JOINT, Garment, Garments
from fashionai.inference.aggregator import NetworkInput
from fashionai.inference.config import InferenceConfig
from fashionai.inference.predictor import Predictor
from fashionai.inference.second_pass import AnyPredictor, SecondPass
from fashionai.inference.windows import WindowScale
from fashionai.model_files.model_file import ModelFile

Result = TypeVar('Result')


@contextmanager
def open_networks(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int,
                  garments: Garments) -> Iterator[List[Network]]:
    """Yields the networks for a tag of a table, in order; leaving the `with` block closes them. If a network needs
    TensorFlow, call `graph_mode` before.

    Raises InputError, which names the file, if a network does not serve the tag.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(open_network(model, garments.of(tag), garments, threads, config.maps, config.engine,
                                                config.trusted))
               for model in models]


def predictors_of(networks: Sequence[Network], tag: str, config: InferenceConfig, turn: Lock,
                  garments: Garments) -> Mapping[str, AnyPredictor]:
    """Returns the predictor of each garment type of a tag; all use the open networks. Several threads may use the
    predictors: the networks compute one batch at a time, and also wait for anything else that holds the lock.

    Raises InputError if the configuration has resolutions for more networks or for fewer.
    """
    if len(config.resolutions_hw) != len(networks):
        raise InputError(f'found resolutions for {len(config.resolutions_hw)} networks, and {len(networks)} networks: '
                         'wanted one resolution or several for each network')
    def inputs_of(scales: Sequence[WindowScale]) -> List[NetworkInput]:
        return [NetworkInput(in_turn(network.forward, turn), network.garment, network.stride, resolution_hw, scales,
                             config.windows, network.trained_hw)
                for network, resolutions_hw in zip(networks, config.resolutions_hw)
                for resolution_hw in resolutions_hw]

    first, second = inputs_of(config.scales), inputs_of(config.second_scales)
    return {name: _predictor(first, second, garment, config)
            for name, garment in garments.items() if tag in (name, JOINT)}


@contextmanager
def open_predictors(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int,
                    garments: Garments = GARMENTS) -> Iterator[Mapping[str, AnyPredictor]]:
    """Yields the predictor of each garment type of a tag; leaving the `with` block closes the networks. If a network
    needs TensorFlow, call `graph_mode` before.

    Several threads may use the predictors; one network computes at a time.

    Raises InputError, which names the file, if a network does not serve the tag.
    """
    with open_networks(models, tag, config, threads, garments) as networks:
        yield predictors_of(networks, tag, config, Lock(), garments)


def in_turn(forward: Callable[[np.ndarray], Result], turn: Lock) -> Callable[[np.ndarray], Result]:
    """Returns a function that runs `forward` on one batch at a time, so that it takes the memory of one batch. Other
    threads wait. Several networks may share the lock."""
    def one_at_a_time(images: np.ndarray) -> Result:
        with turn:
            return forward(images)
    return one_at_a_time


def _predictor(first: Sequence[NetworkInput], second: Sequence[NetworkInput], garment: Garment,
               config: InferenceConfig) -> AnyPredictor:
    predictor = Predictor(first, garment, config.options)
    if not config.second_pass:
        return predictor
    return SecondPass(predictor, Predictor(second, garment, config.options), garment, config.second_pass)
