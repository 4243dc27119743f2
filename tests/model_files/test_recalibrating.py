"""A new calibration in the contracts of a graph and of its exported models: in the file beside them, and inside ONNX.
"""
import json
from dataclasses import replace
from pathlib import Path

import pytest

from fashionai.calibration.calibration import Calibration, ScoreCurve, TypeCalibration
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import Contract, contract_of, contract_path, file_sum
from fashionai.model_files.contract_inside import contract_inside, with_contract_inside
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.recalibrating import recalibrate

CALIBRATION = Calibration(250, {'fast': ScoreCurve(0.5, 1.25, -0.75)}, TypeCalibration(1.5, 0.75))
SKIRT = GARMENTS['skirt']
GRAPH = bytes([10, 9, 10, 7]) + b'a layer'
"""A graph of one node, of which there is only the name."""


def field(number: int, content: bytes) -> bytes:
    """Returns a field of a protocol buffer with up to 2 ** 14 - 1 bytes."""
    length = len(content)
    return bytes([8 * number + 2]) + (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
                                      ) + content


def onnx(text: str) -> bytes:
    """Returns the fields of an ONNX model: its version, two entries of metadata, and a graph between them."""
    return (bytes([8, 8]) + field(14, field(1, b'author') + field(2, b'us')) + field(7, b'graph' * 50)
            + field(14, field(1, b'contract') + field(2, text.encode())) + field(8, b'opset'))


def installed(path: Path, contract: Contract, content: bytes) -> None:
    path.write_bytes(content)
    replace(contract, graph_sha256=file_sum(path)).save(contract_path(path))


def test_the_contract_inside_is_replaced_and_all_else_stays(tmp_path: Path) -> None:
    path = tmp_path / 'graph.onnx'
    path.write_bytes(onnx('{"old": 1}'))
    long = json.dumps({'new': 'ä' * 3000})
    content = with_contract_inside(path.read_bytes(), long, '.onnx')
    for part in (bytes([8, 8]), field(14, field(1, b'author') + field(2, b'us')), field(7, b'graph' * 50),
                 field(8, b'opset')):
        assert part in content
    assert b'old' not in content
    path.write_bytes(content)
    assert contract_inside(path) == long
    with pytest.raises((ValueError, EOFError)):
        with_contract_inside(b'\xff' * 20, '', '.onnx')


def test_a_graph_and_its_models_get_the_calibration(tmp_path: Path) -> None:
    graph = tmp_path / 'graph.pb'
    contract = Contract('skirt', SKIRT.keypoints, 'testing', (64, 64), 8, 1, '')
    installed(graph, contract, GRAPH)
    exported = replace(contract, export={'of_graph_sha256': file_sum(graph)})
    installed(tmp_path / 'graph.onnx', exported, onnx(json.dumps(exported.to_json())))
    installed(tmp_path / 'graph.tflite', exported, b'lite')
    written, left = recalibrate(ModelFile.open(graph), CALIBRATION)
    assert [path.name for path in written] == ['graph.pb', 'graph.onnx'] and [one.name for one in left] == [
        'graph.tflite']
    for path in written:
        beside = contract_of(path)
        assert beside == replace(beside, calibration=CALIBRATION)
        inside = Contract.of_json(json.loads(contract_inside(path)), 'inside')
        assert inside == replace(beside, graph_sha256=''), 'a copy without the file beside it says the same'
    assert contract_of(tmp_path / 'graph.onnx').export['of_graph_sha256'] == file_sum(graph)
    assert contract_of(tmp_path / 'graph.tflite').calibration is None


def test_what_is_no_graph_is_left_as_it_is(tmp_path: Path) -> None:
    graph = tmp_path / 'graph.pb'
    installed(graph, Contract('skirt', SKIRT.keypoints, 'testing', (64, 64), 8, 1, ''), b'\xff' * 20)
    model = ModelFile.open(graph)
    with pytest.raises(InputError, match='graph.pb'):
        recalibrate(model, CALIBRATION)
    assert ModelFile.open(graph) == model


def test_a_model_of_another_graph_is_left(tmp_path: Path) -> None:
    graph = tmp_path / 'graph.pb'
    contract = Contract('skirt', SKIRT.keypoints, 'testing', (64, 64), 8, 1, '')
    installed(graph, contract, GRAPH)
    installed(tmp_path / 'graph.onnx', replace(contract, export={'of_graph_sha256': 'another'}), onnx('{}'))
    before = (tmp_path / 'graph.onnx').read_bytes()
    written, left = recalibrate(ModelFile.open(graph), CALIBRATION)
    assert written == [graph] and left == [tmp_path / 'graph.onnx']
    assert (tmp_path / 'graph.onnx').read_bytes() == before
