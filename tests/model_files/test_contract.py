"""The contract of a frozen graph: written, read, refused; and installed together with its graph."""
import hashlib
import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Callable, List

import pytest

from fashionai.calibration.calibration import Calibration, ScoreCurve, TypeCalibration
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.model_files.contract import (
    _FIELDS,
    Contract,
    contract_of,
    contract_path,
    file_sum,
    replacing_model,
    write_model,
)
from fashionai.model_files.contract_inside import with_contract_inside

SKIRT = GARMENTS['skirt']
CONTRACT = Contract('skirt', SKIRT.keypoints, 'testing', (192, 160), 4, 1000, 'ab12', 4.5, {'stride': 4})
JOINT = replace(CONTRACT, tag='all', keypoints=GARMENTS.joint.keypoints, types=GARMENTS.joint.types)


def test_round_trip(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    assert Contract.load(tmp_path / 'graph.json') == CONTRACT


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    assert json.loads((tmp_path / 'graph.json').read_text()) == {
        'tag': 'skirt', 'keypoints': list(SKIRT.keypoints), 'model': 'testing', 'input_hw': [192, 160],
        'stride': 4, 'head': {'stride': 4}, 'step': 1000, 'graph_sha256': 'ab12', 'validation_ne': 4.5,
        'input_name': 'image', 'output_name': 'Openpose/concat_stage7', 'channel_order': 'BGR', 'value_range': [0, 255],
        'mean': [0, 0, 0], 'types': [], 'garments': {}, 'export': {}, 'visibility': [], 'calibration': {}}


def test_a_calibration_is_kept_in_it(tmp_path: Path) -> None:
    calibration = Calibration(250, {'fast': ScoreCurve(0.5, 1.25, -0.75)}, TypeCalibration(1.5, 0.75))
    contract = replace(CONTRACT, calibration=calibration, visibility=('absent', 'occluded', 'visible'))
    contract.save(tmp_path / 'graph.json')
    assert Contract.load(tmp_path / 'graph.json') == contract
    assert json.loads((tmp_path / 'graph.json').read_text())['calibration'] == {
        'pictures': 250, 'scores': {'fast': {'constant': 0.5, 'height': 1.25, 'rival': -0.75}},
        'types': {'temperature': 1.5, 'sure': 0.75}}


def test_a_table_of_its_own_is_kept_in_it(tmp_path: Path) -> None:
    flag = Garment('flag', ('mast', 'tail'), (('mast', 'tail'),), ('mast', 'tail'), ('tail', 'mast'),
                   (('mast', 'tail'),))
    contract = replace(CONTRACT, tag='flag', keypoints=flag.keypoints, garments=Garments((flag,)))
    contract.save(tmp_path / 'graph.json')
    assert Contract.load(tmp_path / 'graph.json') == contract
    values = json.loads((tmp_path / 'graph.json').read_text())
    assert values['garments'] == {
        'types': {'flag': {'keypoints': ['mast', 'tail'], 'limbs': [['mast', 'tail']], 'normaliser': ['mast', 'tail'],
                           'mirror': [['mast', 'tail']]}}, 'csv_keypoints': ['tail', 'mast']}
    values['garments']['types']['flag']['limbs'] = [['mast', 'top']]
    (tmp_path / 'graph.json').write_text(json.dumps(values))
    with pytest.raises(ValueError, match="graph.json, garments, type flag, limbs: 'top' is not a keypoint"):
        Contract.load(tmp_path / 'graph.json')


def test_one_from_before_heads_could_be_changed(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    values = json.loads((tmp_path / 'graph.json').read_text())
    del values['head']
    (tmp_path / 'graph.json').write_text(json.dumps(values))
    assert Contract.load(tmp_path / 'graph.json') == replace(CONTRACT, head={})


def test_what_has_a_default_may_be_left_out(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    values = json.loads((tmp_path / 'graph.json').read_text())
    for key in ('channel_order', 'value_range', 'mean', 'input_name', 'validation_ne'):
        del values[key]
    (tmp_path / 'graph.json').write_text(json.dumps(values))
    assert Contract.load(tmp_path / 'graph.json') == replace(CONTRACT, validation_ne=None)


def test_path() -> None:
    assert contract_path('models/trained/dress/graph/frozen_graph.pb') == Path(
        'models/trained/dress/graph/frozen_graph.json')
    for ending in ('.onnx', '.xml', '.tflite', '.savedmodel'):
        assert contract_path(f'graph/frozen_graph{ending}') == Path(f'graph/frozen_graph{ending}.json'), 'beside both'


def test_the_sum_is_that_of_every_file(tmp_path: Path) -> None:
    (tmp_path / 'graph.savedmodel/variables').mkdir(parents=True)
    names = ('graph.xml', 'graph.bin', 'graph.onnx', 'graph.savedmodel/saved_model.pb', 'graph.savedmodel/variables/v')
    for name in names:
        (tmp_path / name).write_text(name)
    for model, parts in (('graph.onnx', names[2:3]), ('graph.xml', names[:2]), ('graph.savedmodel', names[3:])):
        assert file_sum(tmp_path / model) == hashlib.sha256(''.join(parts).encode()).hexdigest()
    replace(CONTRACT, graph_sha256=file_sum(tmp_path / 'graph.xml')).save(tmp_path / 'graph.xml.json')
    assert contract_of(tmp_path / 'graph.xml')
    (tmp_path / 'graph.bin').write_text('other weights')
    with pytest.raises(InputError, match=r'graph\.xml\.json was written for another model than .*graph\.xml'):
        contract_of(tmp_path / 'graph.xml')


@pytest.mark.parametrize('text, message', [
    ('{"tag"', 'is not JSON'), ('[]', 'holds a list: wanted an object'),
    ('{"tag": "skirt", "colour": 1}', "keys missing .*'keypoints'.* unknown ..colour.")])
def test_anything_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'graph.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'graph.json.*{message}'):
        Contract.load(path)


def test_every_field_is_checked() -> None:
    assert set(_FIELDS) == {item.name for item in fields(Contract)}


@pytest.mark.parametrize('key, values', [
    ('tag', [5, None, 'sock', ['skirt']]), ('model', [None, 7]),
    ('keypoints', [None, 'waistband_left', [1, 2, 3, 4], list(SKIRT.keypoints[:3]), [*SKIRT.keypoints, 'crotch'],
                   list(SKIRT.keypoints[::-1]), [['waistband_left']] * 4]),
    ('input_hw', [368, [368], [0, 368], [-8, 8], [368, 100], ['368', '368'], [368.0, 368], [1 << 40, 8], [4104, 8],
                  [True, 8], None]),
    ('stride', [0, -8, 3, 16, 8.0, '8', None, True, [8]]), ('step', [-1, 1.5, '7', None, True]),
    ('graph_sha256', [None, 12]), ('validation_ne', ['4.5', float('nan'), float('inf'), -1, -10 ** 400, [4.5], True]),
    ('head', [None, [], {'stride': 3}, {'stages': 'six'}]), ('garments', [None, [], 'builtin', {'types': {}}]),
    ('input_name', ['', 5, None]), ('output_name', ['', 5, None]), ('export', [None, []]),
    ('visibility', [None, ['visible'], ['visible', 'occluded', 'absent']]),
    ('calibration', [None, [], {'pictures': 1}, {'pictures': 0, 'scores': {}, 'types': None},
                     {'pictures': 9, 'scores': [], 'types': None},
                     {'pictures': 9, 'scores': {'fast': {'constant': 1, 'height': 1}}, 'types': None},
                     {'pictures': 9, 'scores': {'fast': {'constant': 1, 'height': '1', 'rival': 0}}, 'types': None},
                     {'pictures': 9, 'scores': {}, 'types': {'temperature': 0, 'sure': 0.5}},
                     {'pictures': 9, 'scores': {}, 'types': {'temperature': 1, 'sure': 1.5}}]),
    ('channel_order', ['RGB', None]), ('value_range', [[0, 1], 255, None]), ('mean', [[104, 117, 123], 0, None])])
def test_a_field_that_cannot_be_is_refused_by_name(tmp_path: Path, key: str, values: list) -> None:
    path = tmp_path / 'graph.json'
    for value in values:
        path.write_text(json.dumps({**CONTRACT.to_json(), key: value}))
        with pytest.raises(InputError, match=rf'graph\.json.*({key}|NaN|Infinity|: --|unknown)'):
            Contract.load(path)


@pytest.mark.parametrize('types', [
    list(GARMENTS)[:4], [*GARMENTS, 'sock'], [*list(GARMENTS)[:4], 'sock'], list(GARMENTS)[::-1], ['blouse'] * 5,
    [1, 2, 3, 4, 5], 'skirt', None, [[]]])
def test_types_are_those_of_the_table_in_its_order(tmp_path: Path, types: object) -> None:
    path = tmp_path / 'graph.json'
    JOINT.save(path)
    assert Contract.load(path).types == tuple(GARMENTS)
    replace(JOINT, types=()).save(path)
    assert Contract.load(path).types == (), 'a graph without a type head'
    path.write_text(json.dumps({**JOINT.to_json(), 'types': types}))
    with pytest.raises(InputError, match=r'graph\.json: types '):
        Contract.load(path)


def test_a_contract_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'graph.json'
    for content in (b'\xff\xfe\x00', b'[' * 100000, b'{"tag": ' * 100000):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r'graph\.json'):
            Contract.load(path)


def write_pair(graph: Path, content: str, *more: str) -> None:
    """Writes a model of one or more files; the first one has the name of the model."""
    for name, part in zip((graph.name, *more), (content, *more)):
        (graph.parent / name).write_text(content + part)
    replace(CONTRACT, model=content, graph_sha256=file_sum(graph)).save(contract_path(graph))


@pytest.mark.parametrize('name, more', [('graph.pb', ()), ('graph.xml', ('graph.bin',)), ('graph.onnx', ())])
@pytest.mark.parametrize('before', ['a pair', 'nothing', 'a model alone'])
def test_a_kill_at_any_moment_leaves_a_pair_or_what_is_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: tuple, before: str) -> None:
    """The process ends after each move of a file in turn."""
    graph, moved = tmp_path / name, os.replace

    def installed(moves: int) -> None:
        done: List[str] = []

        def move(source: str, target: str) -> None:
            if Path(target).parent == tmp_path:  # not the drafts
                if len(done) == moves:
                    raise KeyboardInterrupt
                done.append(target)
            moved(source, target)

        monkeypatch.setattr(os, 'replace', move)
        with replacing_model(graph) as draft:
            write_pair(draft, 'new', *more)

    for moves in range(len(more) + 2):
        for path in tmp_path.iterdir():
            path.unlink()
        monkeypatch.setattr(os, 'replace', moved)
        if before != 'nothing':
            write_pair(graph, 'old', *more)
        if before == 'a model alone':
            contract_path(graph).unlink()
        with pytest.raises(KeyboardInterrupt):
            installed(moves)
        if moves == 0:
            assert ('new' in graph.read_text()) is False if before != 'nothing' else not graph.exists()
        elif graph.exists():
            with pytest.raises(InputError, match='install both again'):
                contract_of(graph)
    installed(len(more) + 2)
    assert contract_of(graph).model == 'new' and len(list(tmp_path.iterdir())) == len(more) + 2


def test_what_fails_before_the_end_changes_nothing(tmp_path: Path) -> None:
    graph = tmp_path / 'graph/frozen_graph.pb'
    graph.parent.mkdir()
    write_pair(graph, 'old')
    with pytest.raises(ZeroDivisionError):
        with replacing_model(graph) as draft:
            write_pair(draft, 'new')
            raise ZeroDivisionError
    assert contract_of(graph).model == 'old' and len(list(graph.parent.iterdir())) == 2


def damage(graph: Path) -> None:
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(bytes(content))


@pytest.mark.parametrize('change', [damage, lambda graph: graph.write_text('of another network')])
def test_a_graph_that_is_not_the_contracts_is_refused(tmp_path: Path, change: Callable[[Path], None]) -> None:
    graph = tmp_path / 'graph.pb'
    write_pair(graph, 'old')
    assert contract_of(graph).model == 'old'
    change(graph)
    with pytest.raises(InputError, match=r'graph\.json was written for another model than .*graph\.pb is now'):
        contract_of(graph)
    contract_path(graph).unlink()
    assert contract_of(graph) is None, 'a bare graph is welcome'


@pytest.mark.parametrize('name', ['graph.pb', 'graph', 'graph.onnx'])
def test_a_copy_alone_keeps_its_contract(tmp_path: Path, name: str) -> None:
    content = bytes([10, 9, 10, 7]) + b'a layer' if name != 'graph.onnx' else bytes([8, 8])
    write_model(tmp_path / name, content, CONTRACT)
    beside = contract_of(tmp_path / name)
    assert beside == replace(CONTRACT, graph_sha256=file_sum(tmp_path / name))
    (tmp_path / 'copy').mkdir()
    copy = tmp_path / 'copy' / name
    copy.write_bytes((tmp_path / name).read_bytes())
    assert contract_of(copy) == replace(CONTRACT, graph_sha256='')
    write_model(copy, copy.read_bytes(), replace(CONTRACT, step=2000))
    contract_path(copy).unlink()
    assert contract_of(copy).step == 2000, 'the one before was replaced'
    assert len(copy.read_bytes()) == len((tmp_path / name).read_bytes())


def test_a_damaged_contract_inside_is_refused(tmp_path: Path) -> None:
    graph = tmp_path / 'graph.pb'
    for text in ('{"stride": 0}', '['):
        graph.write_bytes(with_contract_inside(b'', text, '.pb'))
        with pytest.raises(InputError, match='graph.pb'):
            contract_of(graph)
