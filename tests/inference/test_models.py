"""The graph and the sizes that are taken where the user says neither."""
import logging
from pathlib import Path

import pytest

from fashionai.errors import InputError
from fashionai.garments import GARMENTS
from fashionai.inference.models import trained_hw, usual_graph
from fashionai.networks.contract import Contract, contract_path, file_sum


def graph(trained: Path, name: str) -> Path:
    path = trained / name / 'graph/frozen_graph.pb'
    path.parent.mkdir(parents=True)
    path.write_text(name)
    return path


def test_ones_own_network_is_taken_before_the_supplied_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ValueError, match=r'no graph for skirt: .*skirt/graph.*all/graph.*supplied/graph'):
        usual_graph('skirt', tmp_path)
    supplied = graph(tmp_path, 'supplied')
    assert usual_graph('skirt', tmp_path) == usual_graph('all', tmp_path) == supplied
    assert 'no network for skirt was trained here' in caplog.text and str(tmp_path / 'supplied') in caplog.text
    caplog.clear()
    joint = graph(tmp_path, 'all')
    assert usual_graph('skirt', tmp_path) == usual_graph('all', tmp_path) == joint
    own = graph(tmp_path, 'skirt')
    assert usual_graph('skirt', tmp_path) == own and usual_graph('dress', tmp_path) == joint
    assert not caplog.text


def test_a_graph_is_used_at_the_size_it_was_trained_at(tmp_path: Path) -> None:
    path = graph(tmp_path, 'skirt')
    assert trained_hw(path) == (368, 368), "the original's, where it does not say"
    contract = Contract('skirt', GARMENTS['skirt'].keypoints, 'testing', (192, 160), 8, 1, file_sum(path))
    contract.save(contract_path(path))
    assert trained_hw(path) == (192, 160)
    path.write_text('another graph')
    with pytest.raises(InputError, match='was written for another model'):
        trained_hw(path)
