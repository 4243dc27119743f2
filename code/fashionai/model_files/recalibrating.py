"""Puts a new calibration into the contracts of a graph and of the models that were exported from it."""
import json
from dataclasses import replace
from pathlib import Path
from typing import List, Tuple

from fashionai.calibration.calibration import Calibration
from fashionai.errors import InputError
from fashionai.files import write_bytes
from fashionai.model_files.contract import EXPORTED, Contract, contract_of, contract_path, file_sum, replacing_model
from fashionai.model_files.contract_inside import with_contract_inside
from fashionai.model_files.model_file import ModelFile


def recalibrate(model: ModelFile, calibration: Calibration) -> Tuple[List[Path], List[Path]]:
    """Writes the calibration into the contract of a graph, and into those of the exported models beside it.

    Returns:
        The models whose contracts have it now; and the models that have to be exported again: those of another graph,
        and those of formats whose contract inside cannot be replaced.
    """
    assert model.contract is not None, 'the command looks for it'
    replace(model.contract, calibration=calibration).save(contract_path(model.path))
    written, left = [model.path], []
    for exported in exported_models(model.path):
        contract = contract_of(exported)
        ours = contract is not None and contract.export.get('of_graph_sha256') == model.sum
        if contract is not None and ours and exported.suffix == EXPORTED['onnx']:
            _replace_onnx(exported, replace(contract, calibration=calibration))
            written.append(exported)
        else:
            left.append(exported)
    return written, left


def exported_models(graph: Path) -> List[Path]:
    """Returns the exported models beside a graph, under the same name."""
    paths = [graph.with_suffix(ending) for ending in EXPORTED.values()]
    return [path for path in paths if path.exists()]


def _replace_onnx(model: Path, contract: Contract) -> None:
    """Replaces the contract inside and beside an ONNX model. Raises InputError if it cannot be read as one."""
    try:
        content = with_contract_inside(model, json.dumps(replace(contract, graph_sha256='').to_json()))
    except (ValueError, EOFError, KeyError) as error:
        raise InputError(f'{model} cannot be read as an ONNX model: {error}') from None
    with replacing_model(model) as draft:
        write_bytes(draft, content)
        replace(contract, graph_sha256=file_sum(draft)).save(contract_path(draft))
