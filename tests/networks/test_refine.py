"""The refine net: it starts as the identity. If only it is trained, nothing before it changes."""
import json
from pathlib import Path
from typing import List

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.model_files.weights import load_first_network
from fashionai.networks.catalog import NETWORKS, BuiltNetwork, build, input_placeholder, network_spec
from fashionai.networks.head_options import HeadOptions

JOINT, FROZEN = HeadOptions(refine='joint'), HeadOptions(refine='frozen')
IMAGES = np.random.RandomState(0).uniform(0, 255, (2, 40, 56, 3)).astype(np.float32)

FINE_CHANNELS = {'vgg': 256, 'cmu': 256, 'vgg16': 256, 'dsconv': 256, 'seresnet50': 256, 'seresnext50': 256,
                 'efficientnet_lite0': 24, 'efficientnet_lite2': 24, 'movenet_thunder': 40, 'mobilenet_100': 128,
                 'mobilenet_075': 96, 'mobilenet_050': 64, 'mobilenet_thin': 96, 'mobilenet_small': 64, 'testing': 16}
"""The channels of the last layer at stride 4 in the tables of the papers."""

WIDTHS = {'efficientnet_lite0': 128, 'efficientnet_lite2': 128, 'movenet_thunder': 128, 'mobilenet_100': 128,
          'mobilenet_075': 96, 'mobilenet_050': 64, 'mobilenet_thin': 64, 'mobilenet_small': 64, 'testing': 16}
PLAIN = ('vgg', 'cmu', 'vgg16', 'seresnet50', 'seresnext50')
"""Networks whose heads have convolutions with biases. The heads of the others are separable, with batch norm."""


def built(options: HeadOptions, is_training: bool = True, tag: str = 'skirt', model: str = 'testing') -> BuiltNetwork:
    return build(model, tf.constant(IMAGES), GARMENTS.of(tag), is_training, options)


def names(variables: List[tf.Variable]) -> List[str]:
    return [variable.op.name for variable in variables]


def doubled(maps: np.ndarray) -> np.ndarray:
    """Along the rows: an output a quarter of a cell away from a centre is 3/4 of it plus 1/4 of its neighbour."""
    before, after = np.concatenate([maps[:, :1], maps[:, :-1]], 1), np.concatenate([maps[:, 1:], maps[:, -1:]], 1)
    pairs = np.stack([0.75 * maps + 0.25 * before, 0.75 * maps + 0.25 * after], axis=2)
    return pairs.reshape((maps.shape[0], -1) + maps.shape[2:])


@pytest.mark.parametrize('is_training', [True, False])
def test_it_starts_as_the_identity(is_training: bool) -> None:
    network = built(JOINT, is_training)
    last, refined = network.stages[-2:]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        maps, heatmaps, output = session.run([tf.concat([last.heatmaps, last.fields], 3), refined.heatmaps,
                                              network.output])
    assert maps.shape == (2, 5, 7, 15) and output.shape == (2, 10, 14, 15)
    wanted = doubled(doubled(maps).swapaxes(1, 2)).swapaxes(1, 2)
    np.testing.assert_allclose(output, wanted, atol=1e-6 * np.abs(maps).max())
    np.testing.assert_array_equal(heatmaps, output[..., :5])


@pytest.mark.parametrize('model', NETWORKS)
def test_every_network_can_have_one(model: str) -> None:
    options = HeadOptions(stages=1, refine='joint')
    network = built(options, False, 'all', model)
    assert network_spec(model, options).stride == 4
    assert [stage.fields.shape.as_list() for stage in network.stages] == [[2, 5, 7, 66], [2, 10, 14, 66]]
    assert network.output.name == 'Openpose/concat_stage7:0'
    width, normed = WIDTHS.get(model, 128), model not in PLAIN

    def layer(kernel: int, inputs: int) -> int:
        filters = kernel ** 2 * inputs if normed and kernel > 1 else 0
        return filters + (1 if normed else kernel ** 2) * inputs * width + (4 if normed else 1) * width

    wanted = layer(1, FINE_CHANNELS[model]) + layer(3, width + 66 + 25) + 2 * layer(3, width) + (width + 1) * (66 + 25)
    assert sum(variable.shape.num_elements() for variable in tf.model_variables()
               if variable.op.name.startswith('Openpose/refine_')) == wanted


def test_its_layers() -> None:
    built(HeadOptions(stages=1, refine='joint'), False, model='vgg')
    assert names(tf.model_variables())[-12:] == [
        f'Openpose/refine_{layer}/{kind}' for layer in ('features', 'conv1', 'conv2', 'conv3', 'L1', 'L2')
        for kind in ('weights', 'biases')]


def test_any_number_of_images_of_any_size() -> None:
    image = input_placeholder()
    output = build('testing', image, GARMENTS.of('skirt'), False, JOINT).output
    assert output.shape.as_list() == [None, None, None, 15]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(output, {image: np.zeros((3, 24, 40, 3))}).shape == (3, 6, 10, 15)


def test_jointly_all_is_trained() -> None:
    network = built(JOINT)
    assert len(network.stages) == 3
    loss = tf.nn.l2_loss(network.stages[-1].fields) + tf.nn.l2_loss(network.stages[-1].heatmaps - 1)
    reached = [variable.op.name for variable, gradient in
               zip(tf.trainable_variables(), tf.gradients(loss, tf.trainable_variables())) if gradient is not None]
    assert {'conv1/weights', 'Openpose/Mconv1_stage2_L2/depthwise/weights', 'Openpose/refine_features/weights',
            'Openpose/refine_L1/weights'} <= set(reached)


def test_alone_it_is_all_that_is_trained() -> None:
    network = built(FROZEN)
    assert len(network.stages) == 1
    trained = names(tf.trainable_variables())
    assert trained and all(name.startswith('Openpose/refine_') for name in trained)
    averages = [name for name in names(tf.model_variables()) if 'refine_' in name and 'moving' in name]
    assert len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == len(averages) == 2 * 4


def test_frozen_or_not_the_variables_are_the_same() -> None:
    shapes = []
    for options in (JOINT, FROZEN):
        with tf.Graph().as_default():
            built(options)
            shapes.append({variable.op.name: variable.shape.as_list() for variable in tf.model_variables()})
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize('values, message', [
    ({'refine': 'later'}, '--refine later.*joint, frozen'),
    ({'refine': 'joint', 'stride': 4}, '--refine joint.*--stride 4.*--stride 8'),
    ({'refine': 'frozen', 'stride': 2, 'upsampling': 'bilinear'}, '--refine frozen.*--stride 2')])
def test_what_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HeadOptions(**values)


def test_from_flags_to_run_json_and_back() -> None:
    assert FROZEN.label == '_refine:frozen'
    assert HeadOptions.of(FROZEN.changes) == FROZEN


def saved(folder: Path, tag: str, head: HeadOptions, describe: bool = True) -> Path:
    """Writes a checkpoint of the `testing` network whose values are not the initial ones."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(7)
        built(head, tag=tag)
        session.run(tf.global_variables_initializer())
        tf.train.Saver(tf.model_variables()).save(session, str(folder / 'model'), 3)
    if describe:
        (folder / 'run.json').write_text(json.dumps({'model': 'testing', 'tag': tag, 'head': head.changes}))
    return folder


@pytest.mark.parametrize('describe', [True, False])
def test_the_first_network_is_loaded_whole(tmp_path: Path, describe: bool) -> None:
    path = saved(tmp_path, 'skirt', HeadOptions(stages=3), describe)
    built(HeadOptions(stages=3, refine='frozen'))
    reader = tf.train.load_checkpoint(str(path / 'model-3'))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        load_first_network(HeadOptions(stages=3, refine='frozen'), 'l2', path, session)
        values = {name: value for name, value in
                  zip(names(tf.model_variables()), session.run(tf.model_variables())) if 'refine_' not in name}
    assert set(values) == set(reader.get_variable_to_shape_map())
    for name, value in values.items():
        np.testing.assert_array_equal(value, reader.get_tensor(name))


@pytest.mark.parametrize('tag, head, describe, message', [
    ('dress', HeadOptions(), True, '[0-9]+ variables, such as Openpose'),
    ('skirt', HeadOptions(stages=1), False, 'such as Openpose/Mconv1_stage2'),
    ('skirt', HeadOptions(stages=3), True, "{'stages': 3}"),
    ('skirt', HeadOptions(stride=4, upsampling='bilinear'), True, "'stride': 4")])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, tag: str, head: HeadOptions, describe: bool,
                                                   message: str) -> None:
    path = saved(tmp_path, tag, head, describe)
    built(FROZEN)
    with tf.Session() as session, pytest.raises(ValueError, match=f'--refine frozen: .*{message}'):
        load_first_network(FROZEN, 'l2', path, session)
