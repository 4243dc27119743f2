"""Which frozen graph serves a garment type if the user names none."""
import filecmp
import logging
from pathlib import Path
from types import MappingProxyType
from typing import Mapping, Tuple

from fashionai.errors import InputError
from fashionai.garments.table import JOINT, SUPPLIED
from fashionai.model_files.checkpoints import newest_index

FAST = 'fast'
"""The name of the small network that comes with the project."""

SUPPLIED_NETWORKS: Mapping[str, Tuple[str, str]] = MappingProxyType({
    SUPPLIED: (SUPPLIED, f'{SUPPLIED}/graph'), FAST: (f'{SUPPLIED}/{FAST}', f'{SUPPLIED}/{FAST}')})
"""The networks that come with the project, by the name that stands for a path in `--modelpath`. Each has a folder in
the installed package, and another in the models/trained of a checkout."""

_GRAPH = 'frozen_graph.pb'

_LOG = logging.getLogger(__name__)


def installed_graph(trained: Path, tag: str) -> Path:
    """Returns where the network of a tag is installed in a folder such as models/trained."""
    return trained / tag / 'graph' / _GRAPH


def supplied_graph(name: str = SUPPLIED) -> Path:
    """Returns a frozen graph that comes with the project: in the installed package, or in the checkout. `name` is one
    of SUPPLIED_NETWORKS.

    Raises InputError if it is in neither.
    """
    package = Path(__file__).resolve().parents[1]
    in_package, in_checkout = SUPPLIED_NETWORKS[name]
    for folder in (package / in_package, package.parents[1] / 'models' / 'trained' / in_checkout):
        if folder.is_dir():
            return folder / _GRAPH
    raise InputError(f'the network {name} is neither in {package} nor in a checkout around it: install the package '
                     'again')


def usual_graph(tag: str, trained: Path, supplied: str = SUPPLIED) -> Path:
    """Returns the graph for a tag in a folder such as models/trained: that of the tag, or that of all types, or the
    one of SUPPLIED_NETWORKS that `supplied` names. Logs a warning if a checkpoint is newer than its graph.

    Raises InputError if the tag, or `all`, has checkpoints and no graph, or two different graphs.
    """
    graphs = {name: installed_graph(trained, name) for name in dict.fromkeys((tag, JOINT))}
    for name, graph in graphs.items():
        graph = _present(graph)
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
    graph = supplied_graph(supplied)
    _LOG.info('using the %ssupplied network for type %s', '' if supplied == SUPPLIED else f'{supplied} ', tag)
    return graph


def _present(installed: Path) -> Path:
    """Returns the installed graph of a tag or, if there is none, the graph directly in the folder of the tag, which is
    how the README of the original can be read; the first if there is neither. Raises InputError if the two differ."""
    direct = installed.parents[1] / installed.name
    if not direct.exists():
        return installed
    if installed.exists() and not filecmp.cmp(str(installed), str(direct), shallow=False):
        raise InputError(f'{installed} and {direct} are two networks: delete one of them, or name one by --modelpath')
    return installed if installed.exists() else direct
