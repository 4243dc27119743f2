"""Networks opened together, and the predictors that look through them."""
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple

from fashionai.errors import InputError
from fashionai.garments import GARMENTS, JOINT, Garment, Garments
from fashionai.inference.engines import open_network
from fashionai.inference.network import Network
from fashionai.inference.pipeline import in_turn
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.inference.second_pass import AnyPredictor, SecondPass
from fashionai.inference.tiling import DEFAULT_TILING
from fashionai.inference.views import View
from fashionai.inference.windows import Scale


@dataclass(frozen=True)
class Look:
    """How images are looked at: `scales` in each resolution (height, width), of which each graph has one or several;
    `maps`, a name of contract.OUTPUTS; `second_pass`, one of SECOND_PASSES or None for none; `windows`, one of TILINGS;
    `engine`, one of ENGINES or None for that of each graph's ending; `trusted`, whether graphs may have any operation,
    which decides no point and so is no part of the text of a Look."""

    options: PredictionOptions
    scales: Tuple[Scale, ...]
    resolutions_hw: Tuple[Sequence[Tuple[int, int]], ...]
    maps: str = 'last'
    second_pass: Optional[str] = None
    windows: str = DEFAULT_TILING
    engine: Optional[str] = None
    trusted: bool = field(default=False, repr=False)


@contextmanager
def open_graphs(graphs: Sequence[Path], tag: str, look: Look, threads: int,
                garments: Garments) -> Iterator[List[Network]]:
    """The networks of a tag of a table, in order, closed by leaving the `with` block; `graph_mode` has been called
    where one of them needs TensorFlow.

    Raises InputError, naming the file, for one that does not serve the tag.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(open_network(path, garments.of(tag), threads, look.maps, look.engine, garments,
                                              look.trusted))
               for path in graphs]


def predictors_of(graphs: Sequence[Network], tag: str, look: Look, turn: Lock,
                  garments: Garments) -> Mapping[str, AnyPredictor]:
    """The predictor of each garment type of a tag, looking through open graphs. Several threads may use them: they
    take turns, as does whatever else shares the lock.

    Raises InputError where the look has resolutions for more graphs or for fewer.
    """
    if len(look.resolutions_hw) != len(graphs):
        raise InputError(f'resolutions for {len(look.resolutions_hw)} graphs, and there are {len(graphs)}: wanted '
                         'one or several for each')
    views = [View(in_turn(graph.forward, turn), graph.garment, graph.stride, resolution_hw, look.scales,
                  look.windows, graph.trained_hw)
             for graph, resolutions_hw in zip(graphs, look.resolutions_hw) for resolution_hw in resolutions_hw]
    return {name: _predictor(views, garment, look) for name, garment in garments.items() if tag in (name, JOINT)}


@contextmanager
def open_predictors(graphs: Sequence[Path], tag: str, look: Look, threads: int,
                    garments: Garments = GARMENTS) -> Iterator[Mapping[str, AnyPredictor]]:
    """The predictor of each garment type wanted, of a table, while the graphs are open; `graph_mode` has been called
    where one of them needs TensorFlow.

    Several threads may use them: one graph computes at a time.

    Raises InputError, naming the file, for a graph that does not serve the tag.
    """
    with open_graphs(graphs, tag, look, threads, garments) as opened:
        yield predictors_of(opened, tag, look, Lock(), garments)


def _predictor(views: Sequence[View], garment: Garment, look: Look) -> AnyPredictor:
    predictor = Predictor(views, garment, look.options)
    return SecondPass(predictor, garment, look.second_pass) if look.second_pass else predictor
