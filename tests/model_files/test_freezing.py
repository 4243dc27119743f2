"""Freezing: the frozen graph has only constants and computes the same as the session."""
from dataclasses import replace
from pathlib import Path
from typing import Dict

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.calibration.calibration import Calibration, ScoreCurve
from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files import freezing, graph_file
from fashionai.model_files.checkpoints import Checkpoint
from fashionai.model_files.contract import Contract, file_sum
from fashionai.model_files.contract_inside import CONTRACT_NODE
from fashionai.model_files.freezing import fold_constants, freeze, store_again
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.stored_weights import format_of
from fashionai.model_files.weight_formats import HALF, TOLERANCES
from fashionai.networks.catalog import build, input_placeholder, network_spec
from fashionai.networks.head_options import UNCHANGED, HeadOptions
from fashionai.networks.layers import conv_bn

IMAGES = np.random.RandomState(0).uniform(0, 255, (3, 32, 64, 3)).astype(np.float32)


def randomise(session: tf.Session) -> None:
    """Sets every variable so that no term of batch norm is 0 or 1."""
    rng = np.random.RandomState(1)
    values = {}
    for variable in tf.model_variables():
        shape = variable.shape.as_list()
        positive = variable.op.name.endswith(('variance', 'gamma'))
        values[variable.initializer.inputs[1]] = rng.uniform(0.5, 2, shape) if positive else rng.normal(0, 0.3, shape)
    session.run(tf.variables_initializer(tf.model_variables()), values)


def trained(folder: Path, model: str, tag: str, head: HeadOptions = UNCHANGED) -> Dict[str, object]:
    """Writes a checkpoint of a network with random values, and returns its output for IMAGES."""
    with tf.Graph().as_default(), tf.Session() as session:
        image = input_placeholder()
        output = build(model, image, GARMENTS.of(tag), False, head).output
        tf.train.get_or_create_global_step()
        session.run(tf.global_variables_initializer())
        randomise(session)
        prefix = tf.train.Saver().save(session, str(folder / 'model'), 1200)
        return {'checkpoint': Checkpoint(prefix, 1200, {'input_hw': [192, 160], 'head': head.changes}, 4.25),
                'output': session.run(output, {image: IMAGES})}


def read_graph(path: Path) -> tf.GraphDef:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    return graph_def


@pytest.mark.parametrize('model', ['testing', 'mobilenet_small'])
def test_the_frozen_graph_is_the_session(tmp_path: Path, model: str) -> None:
    case = trained(tmp_path, model, 'skirt')
    difference = freeze(case['checkpoint'], model, 'skirt', tmp_path / 'graph.pb')
    graph_def = read_graph(tmp_path / 'graph.pb')
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(graph_def, name='')
        assert graph.get_tensor_by_name('Openpose/concat_stage7:0').shape.as_list()[3] == 15
        output = session.run('Openpose/concat_stage7:0', {'image:0': IMAGES})
    scale = np.abs(case['output']).max()
    assert output.shape == (3, 4, 8, 15)
    assert np.abs(output - case['output']).max() < 1e-4 * scale
    assert 0 <= difference < 1e-4 * scale


@pytest.mark.parametrize('model, head', [
    ('testing', HeadOptions(stages=1, pyramid='on', stride=4)),
    ('testing', HeadOptions(stages=3, stride=2, upsampling='bilinear')),
    ('testing', HeadOptions(refine='joint')), ('testing', HeadOptions(refine='frozen')),
    ('efficientnet_lite0', HeadOptions(stages=1, stride=2)), ('efficientnet_lite0', UNCHANGED),
    ('movenet_thunder', HeadOptions(stages=1))])
def test_any_head_is_frozen_as_it_was_trained(tmp_path: Path, model: str, head: HeadOptions) -> None:
    case = trained(tmp_path, model, 'skirt', head)
    freeze(case['checkpoint'], model, 'skirt', tmp_path / 'graph.pb')
    assert Contract.load(tmp_path / 'graph.json').head == head.changes
    with FrozenGraph(ModelFile.open(tmp_path / 'graph.pb'), GARMENTS.of('skirt'), GARMENTS) as graph:
        stride = network_spec(model, head).stride
        assert graph.stride == stride
        output = graph.forward(IMAGES)
    assert output.shape == (3, 32 // stride, 64 // stride, 15)
    assert np.abs(output - case['output']).max() < 1e-3 * np.abs(case['output']).max()


def test_the_mean_of_the_last_two_stages_is_another_output(tmp_path: Path) -> None:
    head = HeadOptions(stages=3)
    case = trained(tmp_path, 'testing', 'skirt', head)
    freeze(case['checkpoint'], 'testing', 'skirt', tmp_path / 'graph.pb')
    with tf.Graph().as_default(), tf.Session() as session:
        image = input_placeholder()
        stages = build('testing', image, GARMENTS.of('skirt'), False, head).stages
        tf.train.Saver().restore(session, case['checkpoint'].prefix)
        middle, last = (np.concatenate(session.run([maps.heatmaps, maps.fields], {image: IMAGES}), axis=3)
                        for maps in stages[1:])
    for maps, wanted in (('last', last), ('mean', (middle + last) / 2)):
        with FrozenGraph(ModelFile.open(tmp_path / 'graph.pb'), GARMENTS.of('skirt'), GARMENTS, maps=maps) as graph:
            np.testing.assert_allclose(graph.forward(IMAGES), wanted, rtol=1e-4, atol=1e-4)


def test_heat_maps_are_like_the_targets_whatever_the_loss(tmp_path: Path) -> None:
    checkpoint = trained(tmp_path, 'testing', 'skirt')['checkpoint']
    maps = {}
    for loss in ('l2', 'focal'):
        freeze(replace(checkpoint, run={**checkpoint.run, 'loss': {'loss': loss}}), 'testing', 'skirt',
               tmp_path / f'{loss}.pb')
        for which in ('last', 'mean'):
            model = ModelFile.open(tmp_path / f'{loss}.pb')
            with FrozenGraph(model, GARMENTS.of('skirt'), GARMENTS, maps=which) as graph:
                maps[loss, which] = graph.forward(IMAGES)
    odds = np.log(99) * np.array([-1, -1, -1, -1, 1])
    sigmoid = 1 / (1 + np.exp(-maps['l2', 'last'][..., :5] - odds))
    np.testing.assert_allclose(maps['focal', 'last'][..., :5], sigmoid, atol=1e-5)
    np.testing.assert_allclose(maps['focal', 'last'][..., 5:], maps['l2', 'last'][..., 5:], rtol=1e-4, atol=1e-4)
    assert 0 <= maps['focal', 'mean'][..., :5].min() and maps['focal', 'mean'][..., :5].max() <= 1


def test_one_stage_has_no_mean(tmp_path: Path) -> None:
    freeze(trained(tmp_path, 'testing', 'skirt', HeadOptions(stages=1))['checkpoint'], 'testing', 'skirt',
           tmp_path / 'graph.pb')
    with pytest.raises(ValueError, match='graph.pb.*--maps last'):
        FrozenGraph(ModelFile.open(tmp_path / 'graph.pb'), GARMENTS.of('skirt'), GARMENTS, maps='mean')


def test_half_the_size_for_the_last_digits(tmp_path: Path) -> None:
    case = trained(tmp_path, 'testing', 'skirt')
    outputs, nodes = {}, {}
    for name, weight_format in (('whole', 'float32'), ('half', 'half')):
        freeze(case['checkpoint'], 'testing', 'skirt', tmp_path / f'{name}.pb', weight_format)
        nodes[name] = {node.name: node for node in read_graph(tmp_path / f'{name}.pb').node}
        with FrozenGraph(ModelFile.open(tmp_path / f'{name}.pb'), GARMENTS.of('skirt'), GARMENTS) as graph:
            outputs[name] = graph.forward(IMAGES)
    scale = np.abs(outputs['whole']).max()
    assert 0 < np.abs(outputs['half'] - outputs['whole']).max() < 0.01 * scale
    assert outputs['half'].dtype == np.float32
    casts = {name for name, node in nodes['half'].items() if node.op == 'Cast'}
    assert casts and set(nodes['half']) - set(nodes['whole']) == {f'{name}/half' for name in casts}
    for name in casts:
        stored, value = (tf.make_ndarray(node.attr['value'].tensor)
                         for node in (nodes['half'][f'{name}/half'], nodes['whole'][name]))
        assert stored.dtype == np.float16 and 2 * stored.nbytes == value.nbytes
        np.testing.assert_allclose(stored, value, rtol=2 ** -11, atol=2 ** -25)


def test_a_quarter_of_the_size_for_small_errors(tmp_path: Path) -> None:
    case = trained(tmp_path, 'mobilenet_small', 'skirt')
    outputs = {}
    for weight_format in TOLERANCES:
        path = tmp_path / f'{weight_format}.pb'
        freeze(case['checkpoint'], 'mobilenet_small', 'skirt', path, weight_format)
        with FrozenGraph(ModelFile.open(path), GARMENTS.of('skirt'), GARMENTS) as graph:
            outputs[weight_format] = graph.forward(IMAGES)
    errors = {name: np.abs(output - outputs['float32']).max() / np.abs(outputs['float32']).max()
              for name, output in outputs.items()}
    assert 0 < errors['half'] < 0.01 and errors['half'] < errors['int8'] < 0.1, errors
    sizes = {name: (tmp_path / f'{name}.pb').stat().st_size for name in TOLERANCES}
    assert sizes['int8'] < 0.4 * sizes['float32'] and sizes['int8'] < 0.7 * sizes['half'], sizes


@pytest.mark.parametrize('before, after', [('half', 'int8'), ('int8', 'float32'), ('int8', 'int8')])
def test_a_frozen_graph_is_stored_again(tmp_path: Path, before: str, after: str) -> None:
    case = trained(tmp_path, 'testing', 'skirt')
    freeze(case['checkpoint'], 'testing', 'skirt', tmp_path / 'before.pb', before)
    source = ModelFile.open(tmp_path / 'before.pb')
    difference = store_again([source], tmp_path / 'after.pb', after, (64, 96))
    definition = read_graph(tmp_path / 'after.pb')
    assert format_of(definition) == after
    assert not any('explicit_paddings' in node.attr for node in definition.node), 'as in the graph before'
    assert Contract.load(tmp_path / 'after.json') == replace(
        source.contract, input_hw=(64, 96), graph_sha256=file_sum(tmp_path / 'after.pb'), validation_ne=None)
    with FrozenGraph(source, GARMENTS.of('skirt'), GARMENTS) as one, \
            FrozenGraph(ModelFile.open(tmp_path / 'after.pb'), GARMENTS.of('skirt'), GARMENTS) as other:
        wanted, found = one.forward(IMAGES), other.forward(IMAGES)
    assert np.abs(found - wanted).max() < (0.1 if after == 'int8' else 1e-5) * np.abs(wanted).max()
    assert (difference > 0) == (before != 'int8'), 'integers are read again as they are'


def test_a_calibration_stays_at_its_size_alone(tmp_path: Path) -> None:
    """Peaks have other heights at another size."""
    case = trained(tmp_path, 'testing', 'skirt')
    freeze(case['checkpoint'], 'testing', 'skirt', tmp_path / 'before.pb')
    source = ModelFile.open(tmp_path / 'before.pb')
    calibration = Calibration(250, {'fast': ScoreCurve(0.5, 1.25, -0.75)}, None)
    source = replace(source, contract=replace(source.contract, calibration=calibration))
    kept = {}
    for size in ((192, 160), (64, 96)):
        store_again([source], tmp_path / 'after.pb', 'half', size)
        contract = Contract.load(tmp_path / 'after.json')
        kept[size] = contract.calibration, contract.validation_ne
    assert kept == {(192, 160): (calibration, source.contract.validation_ne), (64, 96): (None, None)}


def test_a_graph_without_a_contract_is_not_stored_again(tmp_path: Path) -> None:
    (tmp_path / 'bare.pb').write_bytes(b'')
    with pytest.raises(InputError, match=r'bare\.pb'):
        store_again([ModelFile.open(tmp_path / 'bare.pb')], tmp_path / 'after.pb', 'int8')
    assert not (tmp_path / 'after.pb').exists()


def test_weights_too_large_for_half_precision_stay_as_they_are() -> None:
    image = tf.placeholder(tf.float32, (None, 2), 'image')
    large, small = tf.constant([[1e5], [1.]]), tf.constant([[3.], [4.]])
    with tf.Session() as session:
        folded = fold_constants(session, image, [tf.matmul(image, large), tf.matmul(image, small)], HALF)
        assert [node.op for node in folded.node].count('Cast') == 1
    with tf.Graph().as_default(), tf.Session() as session:
        outputs = tf.import_graph_def(folded, return_elements=['MatMul:0', 'MatMul_1:0'], name='')
        assert [one.item() for one in session.run(outputs, {'image:0': [[1, 2]]})] == [100002, 11]


def test_grouped_layers_can_be_folded() -> None:
    image = tf.placeholder(tf.float32, (None, None, None, 4), 'image')
    output = conv_bn('grouped', image, 4, 3, is_training=False, groups=2)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        nodes = fold_constants(session, image, [output]).node
    assert [node.op for node in nodes].count('Conv2D') == 2
    assert not {'VariableV2', 'StridedSlice', 'Mul'} & {node.op for node in nodes}


def test_nothing_but_the_network_is_left(tmp_path: Path) -> None:
    freeze(trained(tmp_path, 'testing', 'skirt')['checkpoint'], 'testing', 'skirt', tmp_path / 'graph.pb')
    nodes = list(read_graph(tmp_path / 'graph.pb').node)
    assert {node.op for node in nodes} == {
        'Placeholder', 'Const', 'Sub', 'Mul', 'Conv2D', 'DepthwiseConv2dNative', 'BiasAdd', 'Relu', 'ConcatV2', 'AddN'}
    normalised = [node.name for node in nodes if node.op == 'Mul']
    assert len(normalised) == 2, f'only the image and the mean of stages are scaled, not weights: {normalised}'
    assert not any(attribute in node.attr for node in nodes for attribute in ('explicit_paddings', 'data_format')), \
        'attributes at their defaults would shut out older versions of TensorFlow'


def test_the_contract_lies_beside_it(tmp_path: Path) -> None:
    freeze(trained(tmp_path, 'testing', 'skirt')['checkpoint'], 'testing', 'skirt', tmp_path / 'graph.pb')
    assert Contract.load(tmp_path / 'graph.json') == Contract(
        'skirt', ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right'), 'testing', (192, 160), 8, 1200,
        file_sum(tmp_path / 'graph.pb'), 4.25)


@pytest.mark.parametrize('writer', ['freeze', 'half', 'int8', 'two networks'])
def test_a_copy_without_the_file_beside_it_is_the_same_network(tmp_path: Path, writer: str) -> None:
    case, path = trained(tmp_path, 'testing', 'skirt'), tmp_path / 'graph.pb'
    freeze(case['checkpoint'], 'testing', 'skirt', path)
    models = [ModelFile.open(path)] * (2 if writer == 'two networks' else 1)
    if writer != 'freeze':
        store_again(models, path, 'float32' if writer == 'two networks' else writer)
    installed = ModelFile.open(path)
    (tmp_path / 'graph').mkdir()
    (tmp_path / 'graph/frozen_graph.pb').write_bytes(path.read_bytes())
    copy = ModelFile.open(tmp_path / 'graph/frozen_graph.pb')
    assert copy.trained_hw == (192, 160) and copy.contract == replace(installed.contract, graph_sha256='')
    with FrozenGraph(installed, GARMENTS.of('skirt'), GARMENTS) as one, \
            FrozenGraph(copy, GARMENTS.of('skirt'), GARMENTS) as other:
        np.testing.assert_array_equal(one.forward(IMAGES), other.forward(IMAGES))
    store_again([copy], tmp_path / 'again.pb', 'float32')
    assert ModelFile.open(tmp_path / 'again.pb').trained_hw == (192, 160)
    assert read_graph(path).node[-1].op == 'Const', 'any program can import it'


def test_a_contract_is_no_part_of_the_graph(tmp_path: Path) -> None:
    freeze(trained(tmp_path, 'testing', 'skirt')['checkpoint'], 'testing', 'skirt', tmp_path / 'graph.pb')
    names = {node.name for node in read_graph(tmp_path / 'graph.pb').node}
    assert names - {node.name for node in graph_file.read_graph(tmp_path / 'graph.pb').node} == {CONTRACT_NODE}


@pytest.mark.parametrize('model, tag', [('testing', 'dress'), ('mobilenet_small', 'skirt')])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, model: str, tag: str) -> None:
    case = trained(tmp_path, 'testing', 'skirt')
    with pytest.raises(ValueError, match=f'model-1200.*{model}.*{tag}.*(found|shape)'):
        freeze(case['checkpoint'], model, tag, tmp_path / 'graph.pb')
    assert not (tmp_path / 'graph.pb').exists()


def test_a_difference_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = trained(tmp_path, 'testing', 'skirt')
    monkeypatch.setattr(freezing, '_run_frozen', lambda frozen, names: np.zeros((2, 2, 8, 6, 15)))
    with pytest.raises(ValueError, match='model-1200'):
        freeze(case['checkpoint'], 'testing', 'skirt', tmp_path / 'graph.pb')
    assert not (tmp_path / 'graph.pb').exists()
