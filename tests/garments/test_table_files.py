"""Garment tables in files: reading them, and errors that name file, type and key."""
import json
import pickle
import re
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from fashionai.annotations import header
from fashionai.errors import InputError
from fashionai.garments.measurements import lengths_of
from fashionai.garments.table import GARMENTS, Garments
from fashionai.garments.table_files import read_garments, stored_form, stored_garments

SOCK = {'keypoints': ['cuff_left', 'cuff_right', 'heel', 'toe'], 'normaliser': ['cuff_left', 'cuff_right'],
        'limbs': [['cuff_left', 'cuff_right'], ['cuff_left', 'heel'], ['cuff_right', 'toe'], ['toe', 'heel']],
        'mirror': [['heel', 'toe']]}
MITTEN = {'keypoints': ['thumb', 'tip', 'cuff_right', 'cuff_left'], 'normaliser': ['tip', 'thumb'],
          'limbs': [['tip', 'thumb'], ['cuff_right', 'cuff_left']]}
TABLE = {'types': {'sock': SOCK, 'mitten': MITTEN}}

YAML = """
types:
  sock:
    keypoints: [cuff_left, cuff_right, heel, toe]
    limbs:  # in the order of the fields
    - [cuff_left, cuff_right]
    - [cuff_left, heel]
    - [cuff_right, toe]
    - [toe, heel]
    normaliser: [cuff_left, cuff_right]
    mirror: [[heel, toe]]
  mitten:
    keypoints: [thumb, tip, cuff_right, cuff_left]
    limbs: [[tip, thumb], [cuff_right, cuff_left]]
    normaliser: [tip, thumb]
"""


def saved(path: Path, values: Any) -> Path:
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding='utf-8')
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    table = read_garments(saved(tmp_path / 'my.json', TABLE))
    assert list(table) == ['sock', 'mitten'] and str(table) == 'sock, mitten'
    assert header(table) == ('image_id', 'image_category', 'cuff_left', 'cuff_right', 'heel', 'toe', 'thumb', 'tip')
    sock, mitten = table.of('sock'), table.of('mitten')
    assert (sock.num_heatmaps, sock.num_fields) == (5, 8) and (mitten.num_heatmaps, mitten.num_fields) == (5, 4)
    assert sock.csv_indices.tolist() == [0, 1, 2, 3] and mitten.csv_indices.tolist() == [4, 5, 1, 0]
    assert sock.mirror_indices.tolist() == [1, 0, 3, 2] and mitten.mirror_indices.tolist() == [0, 1, 3, 2]
    assert sock.limb_indices.tolist() == [[0, 1], [0, 2], [1, 3], [3, 2]]
    assert mitten.normaliser == ('tip', 'thumb')
    with pytest.raises(InputError, match="'skirt'.*sock, mitten, .*all"):
        table.of('skirt')


def test_all_its_types_as_one(tmp_path: Path) -> None:
    joint = read_garments(saved(tmp_path / 'my.json', TABLE)).of('all')
    assert joint.keypoints == ('cuff_left', 'cuff_right', 'heel', 'toe', 'thumb', 'tip')
    assert joint.mirror_indices.tolist() == [1, 0, 3, 2, 4, 5]
    assert joint.types == ('sock', 'mitten') and len(joint.limbs) == 6
    assert joint.normaliser == ('cuff_left', 'cuff_right')


def test_the_columns_may_have_an_order_of_their_own(tmp_path: Path) -> None:
    columns = ['tip', 'toe', 'heel', 'cuff_right', 'cuff_left', 'thumb']
    table = read_garments(saved(tmp_path / 'my.json', {**TABLE, 'csv_keypoints': columns}))
    assert table.csv_keypoints == tuple(columns) == table.of('all').keypoints
    assert table['sock'].csv_indices.tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize('name', ['my.yaml', 'my.YML'])
def test_yaml_says_the_same(tmp_path: Path, name: str) -> None:
    assert read_garments(saved(tmp_path / name, YAML)) == read_garments(saved(tmp_path / 'my.json', TABLE))


def test_without_the_package_yaml_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'yaml', None)
    with pytest.raises(InputError, match=r'my\.yaml: .*pip install PyYAML'):
        read_garments(saved(tmp_path / 'my.yaml', YAML))


def test_it_is_kept_and_travels(tmp_path: Path) -> None:
    table = read_garments(saved(tmp_path / 'my.json', TABLE))
    kept = json.loads(json.dumps(stored_form(table)))
    assert stored_garments(kept, 'run.json') == table == read_garments(saved(tmp_path / 'kept.json', kept))
    assert stored_form(GARMENTS) == {} and stored_garments({}, 'run.json') is GARMENTS
    again: Garments = pickle.loads(pickle.dumps(table))
    assert again == table and again != GARMENTS and again.of('all') == table.of('all')


LENGTHS = {'foot': [['heel', 'toe']], 'leg': [['cuff_left', 'heel'], ['cuff_right', 'heel', 'toe']],
           'height': [['cuff_left+cuff_right', 'heel']]}


def test_a_type_has_lengths(tmp_path: Path) -> None:
    measured = {'types': {'sock': {**SOCK, 'lengths': LENGTHS}, 'mitten': MITTEN}}
    table = read_garments(saved(tmp_path / 'my.json', measured))
    assert lengths_of(table['sock']) == {
        'foot': ('heel > toe',), 'leg': ('cuff_left > heel', 'cuff_right > heel > toe'),
        'height': ('cuff_left + cuff_right > heel',)}
    assert lengths_of(table['mitten']) == {}
    assert table == read_garments(saved(tmp_path / 'plain.json', TABLE)), 'no network depends on lengths'
    kept = stored_garments(json.loads(json.dumps(stored_form(table))), 'run.json')
    assert kept['sock'].lengths == table['sock'].lengths
    assert pickle.loads(pickle.dumps(table))['sock'].lengths == table['sock'].lengths


def test_lengths_are_added_to_the_built_in_types(tmp_path: Path) -> None:
    armhole = {'armhole': [['shoulder_left', 'armpit_left'], ['shoulder_right', 'armpit_right']]}
    table = read_garments(saved(tmp_path / 'my.json', {'types': {'blouse': {'lengths': armhole}}}))
    assert list(table) == list(GARMENTS) and table == GARMENTS and header(table) == header(GARMENTS)
    assert list(lengths_of(table['blouse'])) == [*lengths_of(GARMENTS['blouse']), 'armhole']
    assert lengths_of(table['dress']) == lengths_of(GARMENTS['dress'])
    kept = stored_garments(json.loads(json.dumps(stored_form(table))), 'run.json')
    assert [kept[name].lengths for name in kept] == [table[name].lengths for name in table]


@pytest.mark.parametrize('types, said', [
    ({'sock': {'lengths': {}}}, 'type sock: .*blouse, dress'),
    ({'blouse': {'lengths': {'chest': [['armpit_left', 'armpit_right']]}}}, 'type blouse, length chest: '),
    ({'blouse': {'lengths': {'leg': [['crotch', 'armpit_left']]}}}, "type blouse, length leg: 'crotch'.*neckline_left"),
    ({'blouse': {'lengths': {}}, 'sock': SOCK}, 'type blouse: .*keypoints')])
def test_mistakes_in_added_lengths(tmp_path: Path, types: Dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=f'my.json, {said}'):
        read_garments(saved(tmp_path / 'my.json', {'types': types}))


def change(keys: str, value: Any) -> Callable[[Dict[str, Any]], None]:
    """Returns a function that sets the value of a key such as `types/sock/limbs`; None removes the key."""
    def changed(table: Dict[str, Any]) -> None:
        *path, last = keys.split('/')
        for key in path:
            table = table[key]
        if value is None:
            del table[last]
        else:
            table[last] = value
    return changed


@pytest.mark.parametrize('keys, value, said', [
    ('types', None, ': .*types'), ('types', {}, ', types: {}'), ('types', ['sock'], r", types: \['sock'\]"),
    ('colour', 1, ': .*colour.*types.*csv_keypoints'), ('types/all', SOCK, ', type all: '),
    ('types/auto', SOCK, ', type auto: '), ('types/supplied', SOCK, ', type supplied: '),
    ('types/', SOCK, ", types: ''"), ('types/a b', SOCK, ", types: 'a b'"),
    ('types/sock', 5, ', type sock: 5.*keypoints, limbs, normaliser'),
    ('types/sock/limb', [], ', type sock: .*limb;.*keypoints, limbs, normaliser'),
    ('types/sock/normaliser', None, ', type sock: .*normaliser'),
    ('types/sock/keypoints', 'heel', ", type sock, keypoints: 'heel'"),
    ('types/sock/keypoints', ['heel', 'to/e'], ", type sock, keypoints: 'to/e'"),
    ('types/sock/keypoints', ['heel', 'to,e'], ", type sock, keypoints: 'to,e'"),
    ('types/sock/keypoints', ['heel', 3], ', type sock, keypoints: 3'),
    ('types/sock/keypoints', ['heel', 'toe', 'heel'], ', type sock, keypoints: heel '),
    ('types/sock/limbs', [], ', type sock, limbs: '), ('types/sock/limbs', 'heel', ", type sock, limbs: 'heel'"),
    ('types/sock/limbs', [['heel', 'toe', 'heel']], r", type sock, limbs: \['heel', 'toe', 'heel'\]"),
    ('types/sock/limbs', [['heel', 'thumb']], ", type sock, limbs: 'thumb'.*cuff_left, cuff_right, heel, toe"),
    ('types/sock/limbs', [['heel', 'heel']], ', type sock, limbs: heel '),
    ('types/sock/limbs', [['heel', 'toe'], ['toe', 'heel']], ', type sock, limbs: heel and toe '),
    ('types/sock/normaliser', ['heel'], r", type sock, normaliser: \['heel'\]"),
    ('types/sock/normaliser', ['toe', 'toe'], ', type sock, normaliser: toe '),
    ('types/sock/normaliser', ['toe', 'knee'], ", type sock, normaliser: 'knee'"),
    ('types/sock/mirror', [['heel', 'knee']], ", type sock, mirror: 'knee'"),
    ('types/sock/mirror', [['heel', 'toe'], ['toe', 'toe']], ', type sock, mirror: toe '),
    ('types/sock/mirror', [['heel', 'cuff_left']], ', type sock, mirror: .*cuff_right .*cuff_left.* heel'),
    ('types/mitten/keypoints', ['thumb', 'tip', 'cuff_right'], ", type mitten, limbs: 'cuff_left'"),
    ('types/sock/lengths', ['foot'], r", type sock, lengths: \['foot'\]"),
    ('types/sock/lengths', {'the foot': [['heel', 'toe']]}, ", type sock, lengths: 'the foot'"),
    ('types/sock/lengths', {'foot': ['heel', 'toe']}, ", type sock, length foot: 'heel'"),
    ('types/sock/lengths', {'foot': [['heel']]}, r", type sock, length foot: \['heel'\]"),
    ('types/sock/lengths', {'foot': []}, r', type sock, length foot: \[\]'),
    ('types/sock/lengths', {'foot': [['heel', 'toe']] * 3}, ', type sock, length foot: '),
    ('types/sock/lengths', {'foot': [['heel', 'toe']] * 2}, ', type sock, length foot: heel > toe'),
    ('types/sock/lengths', {'foot': [['heel', 'knee']]}, ", type sock, length foot: 'knee'.*cuff_left, "),
    ('types/sock/lengths', {'foot': [['heel', 5]]}, ', type sock, length foot: 5'),
    ('types/sock/lengths', {'foot': [['heel', 'heel']]}, ", type sock, length foot: .*'heel', 'heel'"),
    ('types/sock/lengths', {'foot': [['toe + knee', 'heel']]}, ", type sock, length foot: 'knee'"),
    ('types/sock/lengths', {'foot': [['toe + toe', 'heel']]}, r", type sock, length foot: 'toe \+ toe'"),
    ('csv_keypoints', ['heel', 'toe', 'knee'], ', csv_keypoints: .*cuff_left, cuff_right, thumb, tip.*knee'),
    ('csv_keypoints', ['heel', 'heel'], ', csv_keypoints: heel '), ('csv_keypoints', 'heel', ", csv_keypoints: 'heel'"),
])
def test_a_mistake_is_told_by_file_type_and_key(tmp_path: Path, keys: str, value: Any, said: str) -> None:
    table = deepcopy(TABLE)
    change(keys, value)(table)
    path = saved(tmp_path / 'my.json', table)
    with pytest.raises(InputError, match=f'^{re.escape(str(path))}{said}'):
        read_garments(path)


@pytest.mark.parametrize('names, said', [
    (['loop_left', 'heel'], 'loop_left .*loop_right'), (['leftLoop', 'rightLoop'], 'leftLoop ')])
def test_names_that_leave_the_mirror_image_open(tmp_path: Path, names: list, said: str) -> None:
    glove = {'keypoints': names, 'limbs': [names], 'normaliser': names}
    with pytest.raises(InputError, match=f'type glove, mirror: .*{said}'):
        read_garments(saved(tmp_path / 'my.json', {'types': {'glove': glove}}))
    alone = {**glove, 'mirror': [[name, name] for name in names]}
    garment = read_garments(saved(tmp_path / 'my.json', {'types': {'glove': alone}}))['glove']
    assert garment.mirror_indices.tolist() == [0, 1]


def test_types_that_disagree_on_a_mirror_image(tmp_path: Path) -> None:
    glove = {'keypoints': ['heel', 'toe'], 'limbs': [['heel', 'toe']], 'normaliser': ['heel', 'toe']}
    with pytest.raises(InputError, match='type glove, mirror: heel .*heel.*type sock .*toe'):
        read_garments(saved(tmp_path / 'my.json', {'types': {'sock': SOCK, 'glove': glove}}))


@pytest.mark.parametrize('name, content, said', [
    ('my.json', '{"types": ', 'JSON'), ('my.json', '[1]', '[1]'),
    ('my.json', '{"types": {"sock": 1, "sock": 2}}', "'sock'"), ('my.yaml', 'types: [sock', 'YAML'),
    ('my.yaml', '', 'None'), ('my.yaml', 'types:\n  sock: 1\n  sock: 2\n', 'sock'),
    ('my.yaml', 'types: &types\n  sock: *types\n', '100000'), ('my.yaml', 'types:\n  on: 1\n', 'types: True'),
    ('my.yaml', 'types: 2001-99-99\n', 'YAML'), ('my.yaml', 'types: ' + '[' * 3000 + ']' * 3000, 'YAML'),
    ('my.yaml', 'a: &a [1, 1]\n' + ''.join(f'b{i}: &b{i} [*b{i - 1}, *b{i - 1}]\n' for i in range(1, 40)).replace(
        '*b0', '*a') + 'types: *b39\n', '100000'),
    ('my.json', '{"types": ' + '[' * 500 + ']' * 500 + '}', 'types: [[['),
    ('my.json', '{"types": ' + '[' * 99999 + ']' * 99999 + '}', 'JSON'), ('my.txt', 'types', '.json, .yaml, .yml')])
def test_what_is_no_table(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_garments(saved(tmp_path / name, content))
    assert name in str(error.value) and said in str(error.value) and len(str(error.value)) < 1000


def test_the_guide_shows_tables_that_are_read(tmp_path: Path) -> None:
    guide = (Path(__file__).resolve().parents[2] / 'docs' / 'own_keypoints.md').read_text(encoding='utf-8')
    shown = {kind: re.findall(f'```{kind}\n(.*?)```', guide, re.DOTALL) for kind in ('json', 'yaml')}
    (one,), (other,) = shown['json'], shown['yaml']
    table = read_garments(saved(tmp_path / 'my.json', one))
    assert table == read_garments(saved(tmp_path / 'my.yaml', other))
    assert f'\n{",".join(header(table))}\n' in guide
