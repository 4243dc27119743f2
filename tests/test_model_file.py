"""What a network's file says about itself."""
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.model_files.contract import Contract, contract_path, file_sum, write_model
from fashionai.model_files.model_file import USUAL_HW, ModelFile, trained_garments, warn_of_assumptions


def contract_for(path: Path, model: str = 'testing') -> Contract:
    return Contract('skirt', GARMENTS['skirt'].keypoints, model, (64, 96), 8, 1, file_sum(path))


def test_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / 'graph.pb'
    path.write_bytes(b'graph')
    plain = ModelFile.open(path)
    assert plain.sum == hashlib.sha256(b'graph').hexdigest() and plain.name == f'graph-{plain.sum[:12]}'
    assert (plain.path, plain.contract, plain.trained_hw, plain.garments) == (path, None, USUAL_HW, GARMENTS)
    contract_for(path).save(contract_path(path))
    model = ModelFile.open(str(path))
    assert model.name == f'testing-{plain.sum[:12]}' and model.trained_hw == (64, 96)
    path.write_bytes(b'another graph')
    with pytest.raises(InputError, match='graph.json'):
        ModelFile.open(path)
    with pytest.raises(FileNotFoundError):
        ModelFile.open(tmp_path / 'none.pb')


def test_what_is_assumed_of_a_graph_without_a_contract_is_said_once(tmp_path: Path,
                                                                   caplog: pytest.LogCaptureFixture) -> None:
    graph, model, known = (tmp_path / name for name in ('graph.pb', 'model.onnx', 'known.pb'))
    for path in (graph, model, known):
        path.write_bytes(b'')
    write_model(known, b'', contract_for(known))
    warn_of_assumptions([ModelFile.open(path) for path in (graph, model, known)], 'give --size')
    message, = caplog.messages
    assert all(part in message for part in (str(graph), '368x368', '8', 'give --size'))


def test_models_of_one_table(tmp_path: Path) -> None:
    path = tmp_path / 'graph.pb'
    path.write_bytes(b'graph')
    plain, known = ModelFile.open(path), ModelFile(path, contract_for(path), '')
    sock = Garments((Garment('sock', ('heel', 'toe'), (), ('heel', 'toe'), ('heel', 'toe'), ()),))
    other = ModelFile(tmp_path / 'sock.pb', replace(contract_for(path), garments=sock), '')
    assert trained_garments([plain, known]) == GARMENTS and trained_garments([other]) == sock
    with pytest.raises(InputError, match='sock.pb'):
        trained_garments([plain, other])
