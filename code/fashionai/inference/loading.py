"""Networks opened together, and the predictors that look through them."""
from contextlib import ExitStack, contextmanager
from pathlib import Path
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


@contextmanager
def open_graphs(graphs: Sequence[Path], tag: str, look: InferenceConfig, threads: int,
                garments: Garments) -> Iterator[List[Network]]:
    """The networks of a tag of a table, in order, closed by leaving the `with` block; `graph_mode` has been called
    where one of them needs TensorFlow.

    Raises InputError, naming the file, for one that does not serve the tag.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(open_network(path, garments.of(tag), threads, look.maps, look.engine, garments,
                                              look.trusted))
               for path in graphs]


def predictors_of(graphs: Sequence[Network], tag: str, look: InferenceConfig, turn: Lock,
                  garments: Garments) -> Mapping[str, AnyPredictor]:
    """The predictor of each garment type of a tag, looking through open graphs. Several threads may use them: they
    take turns, as does whatever else shares the lock.

    Raises InputError where the look has resolutions for more graphs or for fewer.
    """
    if len(look.resolutions_hw) != len(graphs):
        raise InputError(f'resolutions for {len(look.resolutions_hw)} graphs, and there are {len(graphs)}: wanted '
                         'one or several for each')
    views = [NetworkInput(in_turn(graph.forward, turn), graph.garment, graph.stride, resolution_hw, look.scales,
                          look.windows, graph.trained_hw)
             for graph, resolutions_hw in zip(graphs, look.resolutions_hw) for resolution_hw in resolutions_hw]
    return {name: _predictor(views, garment, look) for name, garment in garments.items() if tag in (name, JOINT)}


@contextmanager
def open_predictors(graphs: Sequence[Path], tag: str, look: InferenceConfig, threads: int,
                    garments: Garments = GARMENTS) -> Iterator[Mapping[str, AnyPredictor]]:
    """The predictor of each garment type wanted, of a table, while the graphs are open; `graph_mode` has been called
    where one of them needs TensorFlow.

    Several threads may use them: one graph computes at a time.

    Raises InputError, naming the file, for a graph that does not serve the tag.
    """
    with open_graphs(graphs, tag, look, threads, garments) as opened:
        yield predictors_of(opened, tag, look, Lock(), garments)


def _predictor(views: Sequence[NetworkInput], garment: Garment, look: InferenceConfig) -> AnyPredictor:
    predictor = Predictor(views, garment, look.options)
    return SecondPass(predictor, garment, look.second_pass) if look.second_pass else predictor
