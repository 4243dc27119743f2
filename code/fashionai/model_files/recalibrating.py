"""Puts a new calibration into the contracts of a graph and of the models that were exported from it."""
from dataclasses import replace
from pathlib import Path
from typing import List, Tuple

from fashionai.calibration.calibration import Calibration
from fashionai.model_files.contract import EXPORTED, Contract, contract_of, file_sum, replacing_model, write_model
from fashionai.model_files.model_file import ModelFile


def recalibrate(model: ModelFile, calibration: Calibration) -> Tuple[List[Path], List[Path]]:
    """Writes the calibration into the contract of a graph, and into those of the exported models beside it.

    The contract is inside the graph too, so the sum of its file changes, and with it what exported models say of their
    graph. If the process is killed in between, they are refused.

    Returns:
        The models whose contracts have it now; and the models that have to be exported again: those of another graph,
        and those of formats whose contract inside cannot be replaced.
    """
    assert model.contract is not None, 'the command looks for it'
    _rewrite(model.path, replace(model.contract, calibration=calibration))
    graph_sum, written, left = file_sum(model.path), [model.path], []
    for exported in exported_models(model.path):
        contract = contract_of(exported)
        ours = contract is not None and contract.export.get('of_graph_sha256') == model.sum
        if contract is not None and ours and exported.suffix == EXPORTED['onnx']:
            _rewrite(exported, replace(contract, calibration=calibration,
                                       export={**contract.export, 'of_graph_sha256': graph_sum}))
            written.append(exported)
        else:
            left.append(exported)
    return written, left


def exported_models(graph: Path) -> List[Path]:
    """Returns the exported models beside a graph, under the same name."""
    paths = [graph.with_suffix(ending) for ending in EXPORTED.values()]
    return [path for path in paths if path.exists()]


def _rewrite(model: Path, contract: Contract) -> None:
    """Replaces the contract inside and beside a graph or an ONNX model. Raises InputError if it cannot be read."""
    with replacing_model(model) as draft:
        write_model(draft, model.read_bytes(), contract)
