"""The graph and the sizes that are used if the user names none."""
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import Contract, contract_path, file_sum
from fashionai.model_files.default_model import FAST, supplied_graph, usual_graph
from fashionai.model_files.model_file import ModelFile


def graph(trained: Path, name: str) -> Path:
    path = trained / name / 'graph/frozen_graph.pb'
    path.parent.mkdir(parents=True)
    path.write_text(name)
    return path


def test_ones_own_network_is_taken_before_the_supplied_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert usual_graph('skirt', tmp_path) == usual_graph('all', tmp_path) == supplied_graph()
    assert 'skirt' in caplog.text and 'supplied' in caplog.text
    caplog.clear()
    joint = graph(tmp_path, 'all')
    assert usual_graph('skirt', tmp_path) == usual_graph('all', tmp_path) == joint
    own = graph(tmp_path, 'skirt')
    assert usual_graph('skirt', tmp_path) == own and usual_graph('dress', tmp_path) == joint
    assert not caplog.text


def test_the_fast_network_is_another_one_and_smaller(tmp_path: Path) -> None:
    fast = usual_graph('skirt', tmp_path, FAST)
    assert fast == supplied_graph(FAST) != supplied_graph()
    assert fast.stat().st_size < 0.6 * supplied_graph().stat().st_size
    own = graph(tmp_path, 'skirt')
    assert usual_graph('skirt', tmp_path, FAST) == own


@pytest.mark.parametrize('name', ['skirt', 'all'])
def test_a_graph_may_lie_in_the_folder_of_its_type(tmp_path: Path, name: str) -> None:
    """As "put the .pb under ./models/trained/TYPE" in the original's README can be read."""
    direct = tmp_path / name / 'frozen_graph.pb'
    direct.parent.mkdir()
    direct.write_text('one')
    assert usual_graph('skirt', tmp_path) == direct
    usual = graph(tmp_path, name)
    with pytest.raises(InputError) as refused:
        usual_graph('skirt', tmp_path)
    assert str(usual) in str(refused.value) and str(direct) in str(refused.value)
    usual.write_text('one')
    assert usual_graph('skirt', tmp_path) == usual, 'the same network twice'


def checkpoint(trained: Path, name: str, when: float) -> Path:
    """Writes the index of a checkpoint, with a time so many seconds after now."""
    path = trained / name / 'run/best/model-5.index'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('')
    os.utime(str(path), (time.time() + when,) * 2)
    return path


@pytest.mark.parametrize('trained_tag', ['skirt', 'all'])
def test_a_network_that_was_trained_and_not_installed_is_not_passed_over(tmp_path: Path, trained_tag: str) -> None:
    checkpoint(tmp_path, trained_tag, -50)
    with pytest.raises(InputError) as refused:
        usual_graph('skirt', tmp_path)
    for part in (f'{trained_tag}/run/best', f'begin_to_frozen.sh {trained_tag} --install', '--modelpath'):
        assert part in str(refused.value)
    own = graph(tmp_path, 'skirt')
    assert usual_graph('skirt', tmp_path) == own


@pytest.mark.parametrize('when, said', [(-50, False), (50, True)])
def test_a_graph_that_is_older_than_its_checkpoints_is_said(tmp_path: Path, when: float, said: bool,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    own = graph(tmp_path, 'skirt')
    newest = checkpoint(tmp_path, 'skirt', when)
    assert usual_graph('skirt', tmp_path) == own
    assert (str(newest.with_suffix('')) in caplog.text and 'begin_to_frozen.sh skirt --install' in caplog.text) == said


def test_looking_for_a_graph_needs_no_tensorflow() -> None:
    check = 'import sys, fashionai.model_files.default_model; sys.exit("tensorflow" in sys.modules)'
    subprocess.run([sys.executable, '-c', check], check=True, cwd=str(Path(__file__).resolve().parents[2] / 'code'))


def test_a_graph_is_used_at_the_size_it_was_trained_at(tmp_path: Path) -> None:
    path = graph(tmp_path, 'skirt')
    assert ModelFile.open(path).trained_hw == (368, 368), "the original's, where it does not say"
    contract = Contract('skirt', GARMENTS['skirt'].keypoints, 'testing', (192, 160), 8, 1, file_sum(path))
    contract.save(contract_path(path))
    assert ModelFile.open(path).trained_hw == (192, 160)
    path.write_text('another graph')
    with pytest.raises(InputError, match=r'frozen_graph\.'):
        ModelFile.open(path)
