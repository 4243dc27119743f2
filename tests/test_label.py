"""label.py from the command line: a project is made, its labels are exported, and its table of types is kept."""
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, ContextManager

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations
from fashionai.cli import label
from fashionai.cli.inference_flags import ChosenNetworks
from fashionai.garments.table import GARMENTS
from fashionai.garments.table_files import read_garments
from fashionai.labelling.labels import REVIEWED, Label
from fashionai.labelling.pictures import add_pictures
from fashionai.labelling.project import project_garments
from fashionai.labelling.store import Store

SOCK = {'types': {'sock': {'keypoints': ['heel', 'toe'], 'limbs': [['heel', 'toe']], 'normaliser': ['heel', 'toe']}}}


@pytest.fixture()
def project(tmp_path: Path) -> Path:
    """A project of four pictures of socks, all reviewed."""
    (tmp_path / 'socks.json').write_text(json.dumps(SOCK))
    for number in range(4):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((50, 60, 3), 50 * number, np.uint8))
    with Store(tmp_path / 'project') as store:
        project_garments(tmp_path / 'project', store, read_garments(tmp_path / 'socks.json'))
        add_pictures(store, [str(tmp_path / '*.png')], 25)
        for number in range(1, 5):
            store.save(number, Label(REVIEWED, 'sock', {'heel': (number, 5, 1), 'toe': (40, 30, 0)}), 'Ann', 'accepted')
    return tmp_path / 'project'


def test_labels_are_exported_and_the_division_depends_on_the_seed(project: Path, finish: Callable) -> None:
    lists, garments = [], read_garments(project / 'garments.json')
    for seed in range(6):
        printed = finish(label.main, '--project', project, '--export', '--val', 0.25, '--seed', seed, '--formats',
                         'coco')
        assert 'train: 3 sock' in printed and 'val: 1 sock' in printed
        assert json.loads((project / 'data/coco.json').read_text())['categories'][0]['name'] == 'sock'
        lists.append(read_annotations(project / 'data/train/val.csv', garments).image_ids)
    assert len(set(lists)) > 1


def test_bad_commands_are_one_line(project: Path, tmp_path: Path, finish: Callable) -> None:
    assert 'nowhere' in finish(label.main, '--project', tmp_path / 'nowhere', '--export', code=1)
    assert 'fax' in finish(label.main, '--project', project, '--export', '--formats', 'fax', code=1)
    assert 'none.jpg' in finish(label.main, tmp_path / 'none.jpg', '--project', tmp_path / 'new', code=1)
    (tmp_path / 'other.json').write_text(json.dumps(SOCK).replace('toe', 'tip'))
    assert 'toe' in finish(label.main, '--project', project, '--export', '--garments', tmp_path / 'other.json', code=1)


def test_the_table_of_a_project_is_kept_and_may_grow(project: Path, tmp_path: Path) -> None:
    with Store(project) as store:
        assert list(project_garments(project, store, None)) == ['sock']
        more = json.loads(json.dumps(SOCK))
        more['types']['mitten'] = {**SOCK['types']['sock']}
        (tmp_path / 'more.json').write_text(json.dumps(more))
        project_garments(project, store, read_garments(tmp_path / 'more.json'))
        assert list(project_garments(project, store, None)) == ['sock', 'mitten']
    with Store(tmp_path / 'built in') as store:
        assert project_garments(tmp_path / 'built in', store, None) == GARMENTS


def test_proposals_compute_no_visibility(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def load_predictor(networks: ChosenNetworks) -> ContextManager[SimpleNamespace]:
        opened.append(networks.config)
        return nullcontext(SimpleNamespace(served=GARMENTS))

    monkeypatch.setattr(ChosenNetworks, 'load_predictor', load_predictor)
    with label._proposer(GARMENTS, tmp_path, label.parse(['--project', str(tmp_path), '--modelpath', 'fast'])):
        assert [(config.preset, config.visibility) for config in opened] == [('standard', False), ('fast', False)]
