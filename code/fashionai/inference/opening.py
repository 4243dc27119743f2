"""Networks opened together, and the predictors that look through them."""
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Iterator, Mapping, Optional, Sequence, Tuple

from fashionai.garments import GARMENTS, JOINT, Garment, garment_of
from fashionai.inference.engines import open_network
from fashionai.inference.pipeline import in_turn
from fashionai.inference.predictor import PredictionOptions, Predictor
from fashionai.inference.second_pass import AnyPredictor, SecondPass
from fashionai.inference.tiling import DEFAULT_TILING
from fashionai.inference.views import View
from fashionai.inference.windows import Scale, windows_of


@dataclass(frozen=True)
class Look:
    """How images are looked at: `scales` in each graph's own resolution (height, width), of which there is one for all
    or one a graph; `maps`, a name of contract.OUTPUTS; `second_pass`, one of SECOND_PASSES or None for none; `windows`,
    one of TILINGS."""

    options: PredictionOptions
    scales: Tuple[Scale, ...]
    resolutions_hw: Tuple[Tuple[int, int], ...]
    maps: str = 'last'
    second_pass: Optional[str] = None
    windows: str = DEFAULT_TILING


@contextmanager
def open_predictors(graphs: Sequence[Path], tag: str, look: Look,
                    threads: int) -> Iterator[Mapping[str, AnyPredictor]]:
    """The predictor of each garment type wanted, while the graphs are open; `graph_mode` has been called
    where one of them needs TensorFlow.

    Several threads may use them: one graph computes at a time.

    Raises ValueError, naming the file, for a graph that does not serve the tag, and where numbers do not match.
    """
    if len(look.resolutions_hw) not in (1, len(graphs)):
        raise ValueError(f'--resolution names {len(look.resolutions_hw)} sizes for {len(graphs)} graphs: '
                         'wanted one for all, or one for each')
    resolutions = look.resolutions_hw * (len(graphs) // len(look.resolutions_hw))
    with ExitStack() as stack:
        opened = [stack.enter_context(open_network(path, garment_of(tag), threads, look.maps)) for path in graphs]
        turn = Lock()
        views = [View(in_turn(graph.forward, turn), graph.garment, graph.stride, resolution_hw,
                      windows_of(look.scales, look.options.input_size, resolution_hw), look.windows)
                 for graph, resolution_hw in zip(opened, resolutions)]
        yield {name: _predictor(views, garment, look) for name, garment in GARMENTS.items() if tag in (name, JOINT)}


def _predictor(views: Sequence[View], garment: Garment, look: Look) -> AnyPredictor:
    predictor = Predictor(views, garment, look.options)
    return SecondPass(predictor, garment, look.second_pass) if look.second_pass else predictor
