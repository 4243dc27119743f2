"""export.py on the `testing` network: what is written computes what the graph does, in every engine there is for it.

On Python 3.7 there are TensorFlow's own formats alone.
"""
import argparse
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List

import cv2
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import Annotations, read_annotations, write_annotations
from fashionai.cli import export, inference_flags, run, synthesize
from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.engines.opening import as_exact, needs_tensorflow, open_model, open_network
from fashionai.errors import InputError
from fashionai.exporting import exporter, parity
from fashionai.exporting.formats import FORMATS, Format, GraphToConvert
from fashionai.extras import install_command
from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import (
    EXPORTED,
    Contract,
    contract_of,
    contract_path,
    file_sum,
    model_files,
    write_model,
)
from fashionai.model_files.freezing import fold_constants
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.stored_weights import in_format
from fashionai.model_files.visibility import features_name, with_head
from fashionai.networks.catalog import build, input_placeholder, mean_of_last_two
from fashionai.networks.head_options import HeadOptions
from fashionai.networks.tensor_names import VISIBILITY
from fashionai.tf_compat import graph_mode

CODE = Path(__file__).resolve().parents[1] / 'code'
ALL = GARMENTS.of('all')
TYPES = ('blouse', 'dress', 'outwear', 'skirt', 'trousers')
FORMATS_HERE = [to for to in EXPORTED if sys.version_info >= (3, 10) or to in ('tflite', 'savedmodel')]
IMAGES = np.random.RandomState(1).uniform(0, 255, (2, 64, 48, 3)).astype(np.float32)

Finish = Callable[..., str]


def write_graph(path: Path, weight_format: str) -> None:
    """The `testing` network for all types, that tells types and visibility, with random weights."""
    head = HeadOptions(type_head='along')
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        image = input_placeholder()
        network = build('testing', image, ALL, False, head)
        outputs = [network.output, mean_of_last_two(network, head, 'l2'), network.types.probabilities]
        session.run(tf.global_variables_initializer())
        definition = fold_constants(session, image, outputs)
        channels = int(session.graph.get_tensor_by_name(features_name(definition, str(path))).shape[-1])
    random = np.random.RandomState(0)
    definition = with_head(definition, random.randn(24, channels, 2), random.randn(24, 2), str(path))
    write_model(path, in_format(definition, weight_format).SerializeToString(), Contract(
        'all', ALL.keypoints, 'testing', (64, 48), 8, 7, '', types=TYPES, visibility=VISIBILITY))


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with its weights in single precision, in half precision, and as integers; two labelled pictures."""
    graph_mode()
    folder, random = tmp_path_factory.mktemp('export'), np.random.RandomState(0)
    for name, weight_format in (('graph', 'float32'), ('half', 'half'), ('int8', 'int8')):
        write_graph(folder / f'{name}.pb', weight_format)
    keypoints = np.full((2, 24, 3), -1, np.int32)
    for number, tag in enumerate(('skirt', 'trousers')):
        cv2.imwrite(str(folder / f'{tag}.png'), random.randint(0, 255, (60, 50, 3)).astype(np.uint8))
        indices = GARMENTS.of(tag).csv_indices
        keypoints[number, indices] = np.column_stack([random.randint(0, 50, (len(indices), 2)), np.ones(len(indices))])
    write_annotations(folder / 'val.csv', Annotations(('skirt.png', 'trousers.png'), ('skirt', 'trousers'), keypoints,
                                                      ''))
    return folder


def command(folder: Path, to: str, *more: object, graph: str = 'graph') -> List[object]:
    return ['--to', to, '--modelpath', folder / f'{graph}.pb', '--csv', folder / 'val.csv', '--threads', 1, *more]


@pytest.fixture(scope='module')
def models(folder: Path, finish: Finish) -> Dict[str, Path]:
    """The graph in every format, with what was printed beside it."""
    for to in FORMATS_HERE:
        (folder / f'{to}.txt').write_text(finish(export.main, *command(folder, to)))
    return {to: folder / f'graph{EXPORTED[to]}' for to in FORMATS_HERE}


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_every_output_is_what_the_graph_gives(folder: Path, models: Dict[str, Path], to: str) -> None:
    for maps in ('last', 'mean'):
        with FrozenGraph(ModelFile.open(folder / 'graph.pb'), ALL, GARMENTS, 1, maps) as graph, \
                open_network(ModelFile.open(models[to]), ALL, GARMENTS, 1, maps) as model:
            assert (model.garment, model.stride, model.types) == (ALL, 8, TYPES)
            for wanted, found in zip(graph.predict_with_types(IMAGES), model.predict_with_types(IMAGES)):
                np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
            np.testing.assert_allclose(model.forward(IMAGES), graph.forward(IMAGES), atol=1e-4)
            seen = model.describe(IMAGES).visibility
            assert seen.shape == (2, 24, 3)
            np.testing.assert_allclose(seen, graph.describe(IMAGES).visibility, atol=1e-4)


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_the_contract_says_how_it_was_made_and_measured(folder: Path, models: Dict[str, Path], to: str) -> None:
    contract = json.loads((folder / f'graph{EXPORTED[to]}.json').read_text())
    assert contract['keypoints'] == list(ALL.keypoints) and contract['types'] == list(TYPES) and contract['step'] == 7
    made = contract['export']
    assert made['format'] == to and made['of_graph_sha256'] == file_sum(folder / 'graph.pb')
    assert made['weight_format'] == 'float32'
    assert made['input_hw'] == ([64, 48] if to == 'tflite' else None)
    beside, printed = made['parity'], (folder / f'{to}.txt').read_text()
    assert beside['images'] == '2 images of val.csv' and beside['maps'] < 1e-4 < beside['maps_reach']
    assert beside['types'] < 1e-5 and beside['visibility'] < 1e-4
    assert beside['ne_graph'] == pytest.approx(beside['ne_exported'], abs=0.5)
    for text in (f'graph{EXPORTED[to]}', '2 images of val.csv', f'{beside["maps"]:.2g}', f'{beside["ne_graph"]:.3f} %'):
        assert text in printed
    assert not list(folder.glob('.export*')), 'no drafts are left'


def size(model: Path) -> int:
    weights = model.with_suffix('.bin') if model.suffix == EXPORTED['openvino'] else model
    return sum(part.stat().st_size for part in (weights, *model.rglob('*')) if part.is_file())


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_half_precision_is_kept_or_made(folder: Path, models: Dict[str, Path], finish: Finish, to: str) -> None:
    output = folder / f'small{EXPORTED[to]}'
    flags = [[], ['--half']][to in ('onnx', 'tflite')]
    finish(export.main, *command(folder, to, '--output', output, *flags, graph=['half', 'graph'][len(flags)]))
    assert contract_of(output).export['weight_format'] == 'half' and size(output) < 0.8 * size(models[to])
    with FrozenGraph(ModelFile.open(folder / 'half.pb'), ALL, GARMENTS, 1) as graph, \
            open_network(ModelFile.open(output), ALL, GARMENTS, 1) as model:
        wanted = graph.forward(IMAGES)
        np.testing.assert_allclose(model.forward(IMAGES), wanted, atol=2e-3 * np.abs(wanted).max())


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_integers_are_kept_or_made(folder: Path, models: Dict[str, Path], finish: Finish, to: str) -> None:
    output = folder / f'integers{EXPORTED[to]}'
    flags = [[], ['--weight-format=int8']][to in ('onnx', 'tflite')]
    finish(export.main, *command(folder, to, '--output', output, *flags, graph=['int8', 'graph'][len(flags)]))
    assert contract_of(output).export['weight_format'] == 'int8'
    assert size(output) < (0.8 if to == 'tflite' else 0.7) * size(models[to])
    with FrozenGraph(ModelFile.open(folder / 'int8.pb'), ALL, GARMENTS, 1) as graph, \
            open_network(ModelFile.open(output), ALL, GARMENTS, 1) as model:
        wanted = graph.forward(IMAGES)
        np.testing.assert_allclose(model.forward(IMAGES), wanted, atol=2e-3 * np.abs(wanted).max())


needs_onnx = pytest.mark.skipif('onnx' not in FORMATS_HERE, reason='ONNX Runtime wants a newer Python')


@pytest.fixture(scope='module')
def computing(folder: Path, finish: Finish) -> Path:
    """A copy of the graph, and beside it its ONNX model that computes with integers, with what was printed."""
    place = folder / 'computing'
    place.mkdir()
    for ending in ('.pb', '.json'):
        shutil.copy(str(folder / f'graph{ending}'), str(place / f'graph{ending}'))
    (place / 'printed.txt').write_text(finish(export.main, *command(
        folder, 'onnx', '--modelpath', place / 'graph.pb', '--compute', 'int8', '--photographs', folder)))
    return place


@needs_onnx
def test_a_model_that_computes_with_integers_says_so_and_is_measured(folder: Path, computing: Path) -> None:
    made, printed = contract_of(computing / 'graph.onnx').export, (computing / 'printed.txt').read_text()
    assert made['compute'] == made['weight_format'] == 'int8' and 'ONNX Runtime' in made['made_by']
    assert contract_of(folder / 'graph.pb').export == {}
    parity = made['parity']
    assert 1e-4 * parity['maps_reach'] < parity['maps'], 'single precision would be as exact as the graph'
    assert parity['ne_exported'] <= parity['ne_graph'] + 0.5
    assert f'{parity["ne_graph"]:.3f} %' in printed and f'{parity["ne_exported"]:.3f} %' in printed
    assert sorted(path.name for path in computing.glob('*.onnx*')) == ['graph.onnx', 'graph.onnx.json']


@needs_onnx
def test_a_model_that_computes_with_integers_gives_nearly_the_same(computing: Path) -> None:
    """Maps, types and visibility, of images that no range came from. Ranges of noise suit a network of random weights
    less than photographs suit a trained one."""
    with FrozenGraph(ModelFile.open(computing / 'graph.pb'), ALL, GARMENTS, 1) as graph, \
            open_network(ModelFile.open(computing / 'graph.onnx'), ALL, GARMENTS, 1) as model:
        maps, found = graph.forward(IMAGES), model.forward(IMAGES)
        assert (found - maps).std() < 0.15 * maps.std() and np.corrcoef(found.ravel(), maps.ravel())[0, 1] > 0.99
        wanted, said = graph.describe(IMAGES), model.describe(IMAGES)
        np.testing.assert_allclose(said.types, wanted.types, atol=0.005)
        np.testing.assert_allclose(said.visibility, wanted.visibility, atol=0.05)


@needs_onnx
def test_its_weights_have_seven_bits_but_for_types_and_visibility(computing: Path) -> None:
    """Two products of 255 and 64, which old processors add in 16 bits, are less than 2 ** 15."""
    onnx = pytest.importorskip('onnx')
    model = onnx.load(str(computing / 'graph.onnx'))
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    weights = [values for values in stored.values() if values.dtype == np.int8 and values.ndim > 1]
    assert weights and max(np.abs(values.astype(int)).max() for values in weights) in (63, 64)
    single = [node.name for node in model.graph.node if node.op_type == 'Conv' and node.input[1] in stored]
    assert sum('type_' in name for name in single) == 2 and len(weights) > len(single)
    assert {each.domain for each in model.opset_import} == {''} and model.opset_import[0].version == 17


@needs_onnx
def test_openvino_does_not_open_a_model_that_computes_with_integers(folder: Path, computing: Path, finish: Finish,
                                                                   tmp_path: Path) -> None:
    said = finish(run.main, *running(folder, computing / 'graph.pb', tmp_path / 'out.csv', '--engine=openvino'),
                  code=1)
    assert said.count('error: ') == 1 and 'graph.onnx' in said and '--engine onnxruntime' in said


@needs_onnx
def test_it_is_preferred_to_its_graph(computing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_flags, 'leaves_gpu_unused', lambda: False)
    parser = argparse.ArgumentParser()
    inference_flags.add_inference_options(parser)
    flags = parser.parse_args([f'--modelpath={computing / "graph.pb"}'])
    model, = inference_flags.chosen_networks(flags, 'skirt', prefer='onnxruntime').models
    assert model.path.name == 'graph.onnx' and not as_exact(model)
    assert [model.path.name for model in inference_flags.chosen_networks(flags, 'skirt').models] == ['graph.pb']


@needs_onnx
def test_integers_that_find_worse_points_are_not_written(folder: Path, finish: Finish, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The ranges come from black pictures, so they are too small for all others."""
    cv2.imwrite(str(tmp_path / 'black.png'), np.zeros((60, 50, 3), np.uint8))
    output = tmp_path / 'new/graph.onnx'
    flags = ['--compute=int8', '--photographs', tmp_path, '--output', output]
    said = finish(export.main, *command(folder, 'onnx', *flags), code=1)
    assert said.count('error: ') == 1 and '2 images of val.csv' in said and not list(output.parent.iterdir())


@pytest.mark.parametrize('more, said', [
    (('--compute=int8',), 'only models of onnx'), (('--photographs=.',), '--compute int8'),
    (('--to=onnx', '--compute=int8', '--half'), '--weight-format half'),
    (('--to=onnx', '--compute=int8'), '40 photographs'),
    (('--to=onnx', '--compute=int8', '--photographs=.'), '40 photographs'),
    (('--to=onnx', '--compute=int8', '--photographs=absent'), 'absent')])
def test_mistakes_about_integers_end_in_one_line(folder: Path, finish: Finish, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch, more: tuple, said: str) -> None:
    """There are no photographs of the project here, and no pictures in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export, 'PHOTOGRAPHS', tmp_path / 'absent')
    output = finish(export.main, *command(folder, 'tflite', *more), code=1)
    assert said in output and output.count('error: ') == 1 and not list(tmp_path.iterdir())


def running(folder: Path, model: Path, output: Path, *more: object) -> List[str]:
    return ['--tag=skirt', f'--modelpath={model}', f'--imagepath={folder}', f'--csv={folder / "val.csv"}',
            '--inputsize=64', '--threads=1', f'--output={output}', *map(str, more)]


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_run_finds_the_same_keypoints(folder: Path, models: Dict[str, Path], finish: Finish, tmp_path: Path,
                                      to: str) -> None:
    flags = ['--windows=exact'] if to == 'tflite' else ['--batch=2', '--maps=mean']
    for model in (folder / 'graph.pb', models[to]):
        finish(run.main, *running(folder, model, tmp_path / f'{model.suffix}.csv', *flags))
    wanted, found = [read_annotations(tmp_path / f'{ending}.csv').keypoints for ending in ('.pb', EXPORTED[to])]
    assert np.abs(found - wanted).max() <= 1


@pytest.mark.skipif(sys.version_info < (3, 10), reason='no current ONNX Runtime for this Python')
def test_no_tensorflow_is_loaded_where_none_is_needed(folder: Path, models: Dict[str, Path], tmp_path: Path) -> None:
    program = (f'import sys; sys.path.insert(0, {str(CODE)!r}); from fashionai.cli import run; '
               "code = run.main(sys.argv[1:]); sys.exit(code or 'tensorflow' in sys.modules)")
    for to in ('onnx', 'openvino'):
        arguments = running(folder, models[to], tmp_path / f'{to}.csv')
        subprocess.run([sys.executable, '-c', program, *arguments], check=True)
        assert not needs_tensorflow(ModelFile.open(models[to]))
    onnx = ModelFile.open(models['onnx'])
    with open_network(onnx, ALL, GARMENTS, 1, engine='openvino') as other, open_network(onnx, ALL, GARMENTS) as usual:
        np.testing.assert_allclose(other.forward(IMAGES), usual.forward(IMAGES), atol=1e-4)
    assert open_model(folder / 'graph.pb', 'openvino').path == models['openvino']


def test_one_size_alone(folder: Path, finish: Finish, tmp_path: Path) -> None:
    output = tmp_path / 'wide.tflite'
    finish(export.main, *command(folder, 'tflite', '--size', '80x32', '--output', output))
    with open_network(ModelFile.open(output), GARMENTS.of('skirt'), GARMENTS, 1) as model:
        assert model.garment == ALL and model.forward(np.zeros((3, 32, 80, 3), np.float32)).shape[:3] == (3, 4, 10)
        with pytest.raises(ValueError, match=r'wide\.tflite.*48x64.*80x32'):
            model.forward(IMAGES)


def test_garments_are_generated_where_no_list_is_given(folder: Path, finish: Finish, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, '_GENERATED', 5)
    monkeypatch.setattr(parity, '_SIDE', 64)
    flags = ['--to', 'savedmodel', '--modelpath', folder / 'graph.pb', '--output', tmp_path / 'new.savedmodel']
    assert 'on 5 generated garments: ' in finish(export.main, *flags)
    assert 'on 1 generated garments: ' in finish(export.main, *flags, '--tag', 'dress'), 'and it may be made anew'


def test_another_network_is_not_written(folder: Path, finish: Finish, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(source: GraphToConvert, output: Path) -> str:
        for node in source.definition.node:
            if node.op == 'Const' and node.attr['dtype'].type == tf.float32.as_datatype_enum:
                values = tf.make_ndarray(node.attr['value'].tensor)
                node.attr['value'].tensor.CopyFrom(tf.make_tensor_proto(1.1 * values, tf.float32))
        return FORMATS['savedmodel'].convert(source, output)
    monkeypatch.setattr(exporter, 'FORMATS', {'savedmodel': Format(changed)})
    flags = command(folder, 'savedmodel', '--output', tmp_path / 'new.savedmodel')
    assert 'the savedmodel model of' in finish(export.main, *flags, code=1)
    assert not list(tmp_path.iterdir())


def test_a_graph_without_a_contract_gets_one(folder: Path, finish: Finish, tmp_path: Path) -> None:
    graph = tmp_path / 'bare.pb'
    graph.write_bytes(read_graph(folder / 'graph.pb').SerializeToString())
    finish(export.main, '--to', 'tflite', '--modelpath', graph, '--csv', folder / 'val.csv', '--tag', 'trousers',
           '--size', 32)
    contract = contract_of(tmp_path / 'bare.tflite')
    assert contract.tag == 'all' and contract.types == TYPES and contract.export['parity']['images'].startswith('1 ')


def test_a_model_of_the_graph_before_is_refused(folder: Path, models: Dict[str, Path], tmp_path: Path) -> None:
    for path in (models['tflite'], contract_path(models['tflite'])):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / 'graph.pb').write_bytes((folder / 'half.pb').read_bytes())
    with pytest.raises(ValueError, match=r'graph\.tflite.*--to tflite'):
        open_model(tmp_path / 'graph.pb', 'litert')


def test_a_converter_that_fails_ends_in_one_line(folder: Path, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: GraphToConvert, output: Path) -> str:
        raise RuntimeError('no such\n operation')
    monkeypatch.setattr(exporter, 'FORMATS', {'tflite': Format(fail, fixed=True)})
    said = finish(export.main, *command(folder, 'tflite'), code=1)
    assert 'error: ' in said and '.tflite' in said and 'no such operation' in said


def test_a_size_that_does_not_fit_is_refused_before_the_converter_sees_it(
        folder: Path, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, 'FORMATS', {'tflite': Format(lambda *_: pytest.fail('converted'), fixed=True)})
    said = finish(export.main, *command(folder, 'tflite', '--size', '100x100'), code=1)
    assert '100x100' in said


@pytest.mark.parametrize('more, said', [
    (('--to', 'savedmodel', '--size', '64x64'), '--size'),
    (('--output', 'model.onnx'), '.tflite'), (('--size', '60x60'), '60x60'), (('--size', '64x32'), '64x32'),
    (('--modelpath', 'absent.pb'), 'absent.pb'), (('--tag', 'dress'), 'dress')])
def test_mistakes_end_in_one_line(folder: Path, finish: Finish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                  more: tuple, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    output = finish(export.main, *command(folder, 'tflite', *more), code=1)
    assert said in output and 'Traceback' not in output and not list(tmp_path.iterdir())


@pytest.mark.parametrize('to, package', [('onnx', 'tf2onnx'), ('openvino', 'openvino')])
def test_a_converter_that_is_missing_is_named(folder: Path, finish: Finish, tmp_path: Path, to: str, package: str,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    output = finish(export.main, *command(folder, to, '--output', tmp_path / f'new{EXPORTED[to]}'), code=1)
    assert f' {package}' in output and install_command(package) in output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_a_model_alone_says_how_to_feed_it(models: Dict[str, Path], tmp_path: Path, to: str) -> None:
    """Its contract is inside; the file beside it, which also has the sum and the parity, may be lost."""
    for part in model_files(models[to]):
        place = tmp_path / part.relative_to(models[to].parent)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(part.read_bytes())
    alone, beside = tmp_path / models[to].name, contract_of(models[to])
    inside = contract_of(alone)
    assert (inside.keypoints, inside.types, inside.stride, inside.input_hw) == (ALL.keypoints, TYPES, 8, (64, 48))
    assert (inside.channel_order, inside.value_range, inside.mean) == ('BGR', (0, 255), (0, 0, 0))
    assert inside.graph_sha256 == '' and inside.export['of_graph_sha256'] == beside.export['of_graph_sha256']
    with open_network(ModelFile.open(models[to]), ALL, GARMENTS, 1) as one, \
            open_network(ModelFile.open(alone), ALL, GARMENTS, 1) as other:
        assert other.types == TYPES
        np.testing.assert_array_equal(other.forward(IMAGES), one.forward(IMAGES))


def test_a_model_beside_another_ones_contract_is_refused(models: Dict[str, Path], tmp_path: Path) -> None:
    for path in (models['tflite'], contract_path(models['tflite'])):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with open(str(tmp_path / 'graph.tflite'), 'ab') as file:
        file.write(b'more')
    with pytest.raises(InputError, match=r'graph\.tflite\.json'):
        open_network(ModelFile.open(tmp_path / 'graph.tflite'), ALL, GARMENTS)


@pytest.mark.parametrize('to', FORMATS_HERE)
def test_a_graph_that_was_copied_alone_is_exported_with_its_contract(folder: Path, models: Dict[str, Path],
                                                                     tmp_path: Path, finish: Finish, to: str) -> None:
    (tmp_path / 'graph.pb').write_bytes((folder / 'graph.pb').read_bytes())
    finish(export.main, *command(folder, to, '--modelpath', tmp_path / 'graph.pb'))
    one, other = contract_of(models[to]), contract_of(tmp_path / models[to].name)
    assert replace(one, graph_sha256='', export={}) == replace(other, graph_sha256='', export={})


@pytest.mark.parametrize('ending', list(EXPORTED.values()))
@pytest.mark.parametrize('content', [b'', b'no model', b'\xff' * 40, b'\x72\xff\xff\xff\xff\x0f',
                                     b'PK\x05\x06' + bytes(18), b'<!DOCTYPE net [<!ENTITY a "a">]><net/>',
                                     b'<net><rt_info/></net>'])
def test_what_has_no_contract_inside_is_refused_in_a_line(tmp_path: Path, ending: str, content: bytes) -> None:
    model = tmp_path / f'model{ending}'
    model.write_bytes(content)
    assert contract_of(model) is None
    with pytest.raises(InputError, match=f'model{ending}'):
        open_network(ModelFile.open(model), ALL, GARMENTS)


def test_a_contract_inside_is_checked_like_any_other(models: Dict[str, Path], tmp_path: Path) -> None:
    model = tmp_path / 'graph.tflite'
    for content, said in ((b'{"stride": 0}', 'graph.tflite'),
                          (b'[', 'graph.tflite')):
        with zipfile.ZipFile(str(model), 'w') as archive:
            archive.writestr('contract.json', content)
        with pytest.raises(InputError, match=said):
            contract_of(model)


@pytest.mark.skipif('onnx' not in FORMATS_HERE, reason='ONNX Runtime wants a newer Python')
def test_the_snippet_of_the_document_finds_what_run_py_finds(finish: Finish, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken from docs/export.md as it stands, on generated garments and pictures of other shapes made of them."""
    page = (CODE.parent / 'docs/export.md').read_text(encoding='utf-8')
    snippet, = (block for block in page.split('```')[1::2] if block.startswith('python\nimport'))
    finish(synthesize.main, '--output', tmp_path, '--train', 0, '--val', 3, '--test', 0, '--size', 384)
    truth = read_annotations(tmp_path / 'train/val.csv')
    for number, (rows, columns) in enumerate(((384, 240), (200, 384))):
        path = str(tmp_path / 'train' / truth.image_ids[number])
        cv2.imwrite(path, cv2.imread(path)[:rows, :columns])
    flags = ['--csv', tmp_path / 'train/val.csv', '--imagepath', tmp_path / 'train', '--threads', 1]
    supplied = CODE.parent / 'models/trained/supplied/graph/frozen_graph.pb'
    model, output = tmp_path / 'supplied.onnx', tmp_path / 'quick.csv'
    finish(export.main, '--to', 'onnx', '--modelpath', supplied, '--output', model, *flags)
    finish(run.main, '--tag', 'all', '--look', 'quick', '--modelpath', supplied, '--output', output, *flags)
    contract_path(model).unlink()
    wanted, apart = read_annotations(output), []
    for image_id, category, keypoints in zip(wanted.image_ids, wanted.categories, wanted.keypoints):
        printed = io.StringIO()
        monkeypatch.setattr(sys, 'argv', ['snippet.py', str(model), str(tmp_path / 'train' / image_id)])
        with redirect_stdout(printed):
            exec(compile(snippet[len('python\n'):], 'docs/export.md', 'exec'), {})
        found = {name: tuple(map(float, numbers)) for name, *numbers in map(str.split, printed.getvalue().splitlines())}
        assert list(found) == list(ALL.keypoints)
        apart += [np.hypot(*(np.array(found[name][:2]) - keypoints[column, :2])) for name, column in
                  zip(GARMENTS[category].keypoints, GARMENTS[category].csv_indices) if found[name][2] > 0.6]
    assert len(apart) > 20 and np.median(apart) < 1.5 and np.quantile(apart, 0.9) < 5, sorted(apart)


@pytest.mark.skipif(sys.version_info < (3, 10), reason='the converter of TensorFlow 1.15 makes no such model')
def test_operations_of_tensorflow_in_a_tflite_are_refused(tmp_path: Path) -> None:
    model, reached = tmp_path / 'model.tflite', tmp_path / 'reached'
    with tf.Graph().as_default(), tf.Session() as session:
        image = tf.placeholder(tf.float32, (1, 8, 8, 3), name='image')
        with tf.control_dependencies([tf.io.write_file(str(reached), 'x')]):
            length = tf.cast(tf.strings.length(tf.io.read_file(str(tmp_path))), tf.float32)
        converter = tf.lite.TFLiteConverter.from_session(session, [image], [tf.identity(image + length, name='maps')])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        model.write_bytes(converter.convert())
    Contract('all', ALL.keypoints, 'testing', (8, 8), 8, 7, file_sum(model)).save(contract_path(model))
    for trusted, said in ((False, r'model\.tflite.*Flex.*--trust-graph'),
                          (True, r'model\.tflite')):
        with pytest.raises(InputError, match=said):
            open_network(ModelFile.open(model), ALL, GARMENTS, 1, trusted=trusted)
    assert not reached.exists()


def test_models_that_cannot_be_opened(folder: Path, models: Dict[str, Path], tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / 'graph.tflite'
    model.write_bytes(b'no model')
    with pytest.raises(ValueError, match=r'graph\.tflite.*graph\.tflite\.json'):
        open_network(ModelFile.open(model), ALL, GARMENTS)
    with pytest.raises(ValueError, match=r'onnxruntime.*graph\.tflite.*\.onnx'):
        open_network(ModelFile.open(model), ALL, GARMENTS, engine='onnxruntime')
    with pytest.raises(ValueError, match=r'absent\.xml.*absent\.onnx.*absent\.pb --to openvino'):
        open_model(tmp_path / 'absent.pb', 'openvino')
    assert open_model(folder / 'graph.pb', 'litert').path == models['tflite']
    assert open_model(models['tflite'], 'tensorflow').path == folder / 'graph.pb'
    with pytest.raises(ValueError, match='saved_model.pb'):
        FrozenGraph(ModelFile.open(tmp_path), ALL, GARMENTS)
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    onnx = tmp_path / 'graph.onnx'
    onnx.write_text('no model')
    Contract('all', ALL.keypoints, 'testing', (64, 48), 8, 7, file_sum(onnx)).save(contract_path(onnx))
    with pytest.raises(InputError, match=re.escape(install_command('onnxruntime'))):
        open_network(ModelFile.open(onnx), ALL, GARMENTS)
