"""Every network of the catalogue: its layer names, its maps, its initial values."""
from typing import Tuple

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.networks.catalog import NETWORKS, BuiltNetwork, build, input_placeholder, is_backbone, network_spec
from fashionai.networks.head_options import HeadOptions

VGG_MEAN = (104, 117, 123)
MEAN = {**dict.fromkeys(('vgg', 'cmu', 'vgg16', 'seresnet50', 'seresnext50'), VGG_MEAN),
        'efficientnet_lite0': (127, 127, 127), 'efficientnet_lite2': (127, 127, 127)}
GREY = (127.5, 127.5, 127.5)

DIFFERENT = [name for name in NETWORKS if name != 'cmu']
"""cmu is vgg with other initial weights."""


def built(model: str, tag: str = 'all', is_training: bool = False, size_hw: Tuple[int, int] = (64, 96)) -> BuiltNetwork:
    return build(model, tf.zeros((2,) + size_hw + (3,)), GARMENTS.of(tag), is_training)


def test_scopes_of_vgg_are_those_of_the_paper() -> None:
    built('vgg', 'dress')
    backbone = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1', 'conv3_2', 'conv3_3', 'conv3_4', 'conv4_1',
             'conv4_2', 'conv4_3_CPM', 'conv4_4_CPM']
    first = [f'Openpose/conv5_{layer}_CPM_{branch}' for branch in ('L1', 'L2') for layer in range(1, 6)]
    later = [f'Openpose/Mconv{layer}_stage{stage}_{branch}'
             for stage in range(2, 7) for branch in ('L1', 'L2') for layer in range(1, 8)]
    wanted = [f'{layer}/{name}' for layer in backbone + first + later for name in ('weights', 'biases')]
    assert [variable.op.name for variable in tf.model_variables()] == wanted


def test_kernels_of_vgg() -> None:
    built('vgg', 'skirt')
    shapes = {variable.op.name: variable.shape.as_list() for variable in tf.model_variables()}
    assert shapes['conv4_2/weights'] == [3, 3, 512, 512]
    assert shapes['Openpose/conv5_4_CPM_L2/weights'] == [1, 1, 128, 512]
    assert shapes['Openpose/conv5_5_CPM_L1/weights'] == [1, 1, 512, 10]
    assert shapes['Openpose/Mconv1_stage2_L1/weights'] == [7, 7, 10 + 5 + 128, 128]
    assert shapes['Openpose/Mconv7_stage6_L2/weights'] == [1, 1, 128, 5]


@pytest.mark.parametrize('model, variables', [
    ('vgg', 10 * 2), ('vgg16', 9 * 2), ('efficientnet_lite0', 240), ('movenet_thunder', 292),
    ('seresnet50', 53 * (1 + 4) + 16 * 4)])
def test_the_backbone_is_what_published_weights_fill(model: str, variables: int) -> None:
    """A layer has weights and biases, or weights and the four of batch norm; models/README.md has the numbers."""
    built(model, 'skirt')
    names = [variable.op.name for variable in tf.model_variables()]
    assert sum(map(is_backbone, names)) == variables < len(names)


def test_heatmaps_come_before_fields_in_the_output() -> None:
    network = built('testing', 'skirt')
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        output, heatmaps, fields = session.run([network.output, network.stages[-1].heatmaps, network.stages[-1].fields])
    np.testing.assert_array_equal(output[..., :5], heatmaps)
    np.testing.assert_array_equal(output[..., 5:], fields)


@pytest.mark.parametrize('model', DIFFERENT)
def test_the_mean_image_is_nothing_to_an_untrained_network(model: str) -> None:
    """All biases start at zero, so the output depends only on the image minus the mean, per channel in BGR order."""
    image = input_placeholder()
    output = build(model, image, GARMENTS.of('skirt'), is_training=False).output
    assert (image.name, output.name) == ('image:0', 'Openpose/concat_stage7:0')
    assert output.shape.as_list() == [None, None, None, 5 + 10]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        mean = np.broadcast_to(np.array(MEAN.get(model, GREY)), (1, 16, 16, 3))
        assert np.abs(session.run(output, {image: mean})).max() < 1e-4
        noise = session.run(output, {image: np.random.RandomState(0).uniform(0, 255, (1, 32, 32, 3))})
    assert 1e-5 < noise.std() < 1, 'training starts from maps near zero'


@pytest.mark.parametrize('model', ['efficientnet_lite0', 'movenet_thunder', 'mobilenet_050', 'seresnet50', 'dsconv',
                                   'testing'])
def test_sizes_that_only_the_stride_divides(model: str) -> None:
    """The last cells of a deep backbone reach over the edge. Its maps still have the image's size."""
    assert built(model, 'skirt', size_hw=(72, 104)).output.shape.as_list() == [2, 9, 13, 15]


def test_gradients_flow() -> None:
    network = build('testing', tf.random.uniform((4, 64, 64, 3), 0, 255), GARMENTS.of('skirt'), is_training=True)
    loss = sum(tf.nn.l2_loss(stage.fields - 1) + tf.nn.l2_loss(stage.heatmaps - 1) for stage in network.stages)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        gradients = session.run(tf.gradients(loss, tf.trainable_variables()))
    assert all(np.isfinite(gradient).all() and np.abs(gradient).max() > 0 for gradient in gradients)


@pytest.mark.parametrize('model', DIFFERENT)
def test_one_step_of_training(model: str) -> None:
    """It reaches every variable, can be computed on this machine, and leads downhill; the stages after the second are
    like it."""
    image = tf.constant(np.random.RandomState(0).uniform(0, 255, (2, 32, 32, 3)), tf.float32)
    network = build(model, image, GARMENTS.of('skirt'), True, HeadOptions(stages=2))
    loss = sum(tf.nn.l2_loss(stage.fields) + tf.nn.l2_loss(stage.heatmaps - 1) for stage in network.stages)
    optimizer = tf.train.GradientDescentOptimizer(1e-5)
    gradients = optimizer.compute_gradients(loss)
    assert len(gradients) == len(tf.trainable_variables()) and all(gradient is not None for gradient, _ in gradients)
    step = optimizer.apply_gradients(gradients)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = session.run(loss)
        session.run([step, tf.get_collection(tf.GraphKeys.UPDATE_OPS)])
        assert 0 < session.run(loss) < before


def test_towers_share_variables() -> None:
    for tower in range(2):
        with tf.variable_scope('', reuse=tf.AUTO_REUSE), tf.name_scope(f'tower{tower}'):
            built('testing', 'skirt', is_training=True)
    names = [variable.op.name for variable in tf.model_variables()]
    assert len(names) == len(set(names)) and not any('tower' in name for name in names)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert len([update for update in updates if update.op.name.startswith('tower0/')]) == len(updates) // 2 > 0


def test_unknown_network() -> None:
    with pytest.raises(ValueError, match="'resnet'.*vgg.*testing"):
        network_spec('resnet')
