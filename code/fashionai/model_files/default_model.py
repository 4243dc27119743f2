"""Which frozen graph serves a garment type where the user names none; its size and its table where none is said."""
import logging
from pathlib import Path
from typing import Sequence, Tuple

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, JOINT, SUPPLIED, Garments
from fashionai.model_files.checkpoints import newest_index
from fashionai.model_files.contract import contract_of, file_sum

USUAL_HW = (368, 368)
"""The original's size, for graphs that do not say theirs."""

_LOG = logging.getLogger(__name__)


def supplied_graph() -> Path:
    """The frozen graph that comes with the project: inside the installed package, or in the checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / 'supplied', package.parents[1] / 'models' / 'trained' / SUPPLIED / 'graph'):
        if folder.is_dir():
            return folder / 'frozen_graph.pb'
    raise InputError(f'the supplied network is neither in {package} nor in a checkout around it: install the package '
                     'again')


def usual_graph(tag: str, trained: Path) -> Path:
    """The graph for a tag in a folder such as models/trained: its own, that for all types, or the supplied one. The log
    says if the tag was trained since its graph was frozen.

    Raises InputError where there are only checkpoints of the tag or of all types.
    """
    graphs = {name: trained / name / 'graph' / 'frozen_graph.pb' for name in dict.fromkeys((tag, JOINT))}
    for name, graph in graphs.items():
        newest = newest_index(trained / name)
        freezing = f'./begin_to_frozen.sh {name} --install'
        if not graph.exists() and newest:
            raise InputError(f'{name} was trained in {newest.parent}, and its network is not installed: {freezing} '
                             f'freezes it to {graph}; or name a graph by --modelpath')
        if not graph.exists():
            continue
        if newest and newest.stat().st_mtime > graph.stat().st_mtime:
            _LOG.warning('%s is older than the checkpoint %s: %s takes its place', graph, newest.with_suffix(''),
                         freezing)
        return graph
    supplied = supplied_graph()
    _LOG.info('no network for %s was trained here: taking the supplied one, %s', tag, supplied)
    return supplied


def model_name(graph: Path) -> str:
    """What to call a graph: its network, by its contract, or its file; and the first digits of its sum."""
    contract = contract_of(graph)
    return f'{contract.model if contract else graph.stem}-{file_sum(graph)[:12]}'


def trained_hw(graph: Path) -> Tuple[int, int]:
    """(height, width) in pixels that a graph was trained at, by its contract; the original's where it has none."""
    contract = contract_of(graph)
    return contract.input_hw if contract else USUAL_HW


def trained_garments(graphs: Sequence[Path]) -> Garments:
    """The table of garments that graphs were trained with, as their contracts tell it: the built-in one of graphs that
    have none. Raises InputError where they have different ones."""
    tables = [contract.garments if contract else GARMENTS for contract in map(contract_of, graphs)]
    for graph, table in zip(graphs, tables):
        if table != tables[0]:
            raise InputError(f'{graph} was trained with another table of garments ({table}) than {graphs[0]} '
                             f'({tables[0]}): wanted graphs of one table, or --garments')
    return tables[0]
