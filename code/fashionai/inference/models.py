"""Which frozen graph serves a garment type where the user names none, and the size it is used at where none is said."""
import logging
from pathlib import Path
from typing import Tuple

from fashionai.garments import JOINT
from fashionai.networks.contract import contract_of, file_sum

SUPPLIED = 'supplied'
"""Folder, among those of the types, of the network that comes with the project."""

USUAL_HW = (368, 368)
"""The original's size, for graphs that do not say theirs."""

_LOG = logging.getLogger(__name__)


def usual_graph(tag: str, trained: Path) -> Path:
    """The graph for a tag in a folder such as models/trained: its own, that for all types, or the supplied one.

    Raises ValueError, naming them, where there is none.
    """
    graphs = [trained / name / 'graph' / 'frozen_graph.pb' for name in dict.fromkeys((tag, JOINT, SUPPLIED))]
    found = [graph for graph in graphs if graph.exists()]
    if not found:
        raise ValueError(f'no graph for {tag}: freeze one or give --modelpath; looked for '
                         f'{", ".join(map(str, graphs))}')
    if found[0] == graphs[-1]:
        _LOG.info('no network for %s was trained here: taking the supplied one, %s', tag, trained / SUPPLIED)
    return found[0]


def model_name(graph: Path) -> str:
    """What to call a graph: its network, by its contract, or its file; and the first digits of its sum."""
    contract = contract_of(graph)
    return f'{contract.model if contract else graph.stem}-{file_sum(graph)[:12]}'


def trained_hw(graph: Path) -> Tuple[int, int]:
    """(height, width) in pixels that a graph was trained at, by its contract; the original's where it has none."""
    contract = contract_of(graph)
    return contract.input_hw if contract else USUAL_HW
