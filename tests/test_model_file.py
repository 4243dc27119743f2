"""What a network's file says about itself."""
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.model_files.contract import Contract, contract_path, file_sum
from fashionai.model_files.model_file import USUAL_HW, ModelFile, trained_garments


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


def test_models_of_one_table(tmp_path: Path) -> None:
    path = tmp_path / 'graph.pb'
    path.write_bytes(b'graph')
    plain, known = ModelFile.open(path), ModelFile(path, contract_for(path), '')
    sock = Garments((Garment('sock', ('heel', 'toe'), (), ('heel', 'toe'), ('heel', 'toe'), ()),))
    other = ModelFile(tmp_path / 'sock.pb', replace(contract_for(path), garments=sock), '')
    assert trained_garments([plain, known]) == GARMENTS and trained_garments([other]) == sock
    with pytest.raises(InputError, match='sock.pb'):
        trained_garments([plain, other])
