"""The contract of a frozen graph: written, read, refused."""
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from fashionai.garments import Garment, Garments
from fashionai.networks.contract import Contract, contract_of, contract_path, file_sum

CONTRACT = Contract('skirt', ('waistband_left', 'waistband_right'), 'testing', (192, 160), 4, 1000, 'ab12', 4.5,
                    {'stride': 4})


def test_round_trip(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    assert Contract.load(tmp_path / 'graph.json') == CONTRACT


def test_other_programs_can_read_it(tmp_path: Path) -> None:
    CONTRACT.save(tmp_path / 'graph.json')
    assert json.loads((tmp_path / 'graph.json').read_text()) == {
        'tag': 'skirt', 'keypoints': ['waistband_left', 'waistband_right'], 'model': 'testing', 'input_hw': [192, 160],
        'stride': 4, 'head': {'stride': 4}, 'step': 1000, 'graph_sha256': 'ab12', 'validation_ne': 4.5,
        'input_name': 'image', 'output_name': 'Openpose/concat_stage7', 'channel_order': 'BGR', 'value_range': [0, 255],
        'types': [], 'garments': {}, 'export': {}}


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
    for key in ('channel_order', 'value_range', 'input_name', 'validation_ne'):
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
    assert contract_of(tmp_path / 'graph.xml') is None


@pytest.mark.parametrize('text, message', [
    ('{"tag"', 'is not JSON'), ('[]', 'holds a list: wanted an object'),
    ('{"tag": "skirt", "colour": 1}', "keys missing .*'keypoints'.* unknown ..colour.")])
def test_anything_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'graph.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=f'graph.json.*{message}'):
        Contract.load(path)


@pytest.mark.parametrize('key, value', [
    ('channel_order', 'RGB'), ('value_range', [0, 1]), ('stride', '8'), ('keypoints', None)])
def test_values_that_this_version_cannot_serve_are_refused(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / 'graph.json'
    CONTRACT.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ValueError, match=key):
        Contract.load(path)
