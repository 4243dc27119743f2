"""Every network of the catalogue: its size, its names, its maps, its start."""
from typing import Callable, List, Tuple

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments import garment_of, joint_garment
from fashionai.networks.catalog import NETWORKS, Network, build, input_placeholder, network_spec

MAPS = (66, 25)
"""Field and heat-map channels of the joint network: 33 limbs, 24 keypoints and the background."""

PARAMETERS = {'vgg': 54_483_298, 'cmu': 54_483_298, 'mobilenet_thin': 1_992_784, 'mobilenet_small': 842_365,
              'testing': 10_476}
"""Parameters for 24 keypoints and 33 limbs, moving averages of batch norm included."""

MEAN = {'vgg': (104, 117, 123), 'cmu': (104, 117, 123)}
GREY = (127.5, 127.5, 127.5)

DIFFERENT = [name for name in NETWORKS if name != 'cmu']
"""cmu is vgg with other weights to start from."""


def built(model: str, tag: str = 'all', is_training: bool = False, size_hw: Tuple[int, int] = (64, 96)) -> Network:
    return build(model, tf.zeros((2,) + size_hw + (3,)), garment_of(tag), is_training)


def plain(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def normed(inputs: int, outputs: int) -> int:
    """A 3x3 filter a channel, a 1x1 convolution, and batch norm's four numbers a channel."""
    return 9 * inputs + inputs * outputs + 4 * outputs


def chain(layer: Callable[[int, int], int], channels: List[int]) -> int:
    return sum(layer(inputs, outputs) for inputs, outputs in zip(channels, channels[1:]))


def vgg_by_hand() -> int:
    trunk = chain(lambda i, o: plain(3, i, o), [3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 256, 128])
    first = sum(3 * plain(3, 128, 128) + plain(1, 128, 512) + plain(1, 512, maps) for maps in MAPS)
    later = sum(plain(7, 128 + sum(MAPS), 128) + 4 * plain(7, 128, 128) + plain(1, 128, 128) + plain(1, 128, maps)
                for maps in MAPS)
    return trunk + first + 5 * later


def mobilenet_by_hand(width: float, stages: int) -> int:
    channels = [int(width * count) for count in (32, 64, 128, 128, 256, 256) + 6 * (512,)]
    trunk = 27 * channels[0] + 4 * channels[0] + chain(normed, channels)
    features = channels[3] + channels[7] + channels[11]
    first = sum(normed(features, 64) + 2 * normed(64, 64) + 64 * 256 + 4 * 256 + plain(1, 256, maps) for maps in MAPS)
    later = sum(normed(features + sum(MAPS), 64) + 2 * normed(64, 64) + 64 * 64 + 4 * 64 + plain(1, 64, maps)
                for maps in MAPS)
    return trunk + first + (stages - 1) * later


def tiny_by_hand() -> int:
    trunk = 27 * 8 + 4 * 8 + normed(8, 16) + normed(16, 16)
    return trunk + sum(normed(16, 16) + normed(16 + sum(MAPS), 16) + 2 * plain(1, 16, maps) for maps in MAPS)


BY_HAND = {'vgg': vgg_by_hand, 'cmu': vgg_by_hand, 'testing': tiny_by_hand,
           'mobilenet_thin': lambda: mobilenet_by_hand(0.75, 6), 'mobilenet_small': lambda: mobilenet_by_hand(0.5, 3)}


def test_no_network_is_missing_from_the_table() -> None:
    assert set(PARAMETERS) == set(BY_HAND) == set(NETWORKS)
    assert all(spec.name == name for name, spec in NETWORKS.items())
    assert MAPS == (joint_garment().num_fields, joint_garment().num_heatmaps)


@pytest.mark.parametrize('model', NETWORKS)
def test_parameters_and_maps(model: str) -> None:
    network = built(model)
    assert sum(variable.shape.num_elements() for variable in tf.model_variables()) == PARAMETERS[model]
    assert BY_HAND[model]() == PARAMETERS[model]
    assert len(network.stages) == {'mobilenet_small': 3, 'testing': 2}.get(model, 6)
    for stage in network.stages:
        assert stage.fields.shape.as_list() == [2, 8, 12, MAPS[0]]
        assert stage.heatmaps.shape.as_list() == [2, 8, 12, MAPS[1]]


def test_the_small_network_is_small() -> None:
    assert PARAMETERS['mobilenet_small'] < 1_300_000


def test_scopes_of_vgg_are_those_of_the_paper() -> None:
    built('vgg', 'dress')
    trunk = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1', 'conv3_2', 'conv3_3', 'conv3_4', 'conv4_1',
             'conv4_2', 'conv4_3_CPM', 'conv4_4_CPM']
    first = [f'Openpose/conv5_{layer}_CPM_{branch}' for branch in ('L1', 'L2') for layer in range(1, 6)]
    later = [f'Openpose/Mconv{layer}_stage{stage}_{branch}'
             for stage in range(2, 7) for branch in ('L1', 'L2') for layer in range(1, 8)]
    wanted = [f'{layer}/{name}' for layer in trunk + first + later for name in ('weights', 'biases')]
    assert [variable.op.name for variable in tf.model_variables()] == wanted


def test_kernels_of_vgg() -> None:
    built('vgg', 'skirt')
    shapes = {variable.op.name: variable.shape.as_list() for variable in tf.model_variables()}
    assert shapes['conv4_2/weights'] == [3, 3, 512, 512]
    assert shapes['Openpose/conv5_4_CPM_L2/weights'] == [1, 1, 128, 512]
    assert shapes['Openpose/conv5_5_CPM_L1/weights'] == [1, 1, 512, 10]
    assert shapes['Openpose/Mconv1_stage2_L1/weights'] == [7, 7, 10 + 5 + 128, 128]
    assert shapes['Openpose/Mconv7_stage6_L2/weights'] == [1, 1, 128, 5]


def test_heatmaps_come_before_fields_in_the_output() -> None:
    network = built('testing', 'skirt')
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        output, heatmaps, fields = session.run([network.output, network.stages[-1].heatmaps, network.stages[-1].fields])
    np.testing.assert_array_equal(output[..., :5], heatmaps)
    np.testing.assert_array_equal(output[..., 5:], fields)


@pytest.mark.parametrize('model', DIFFERENT)
def test_the_mean_image_is_nothing_to_an_untrained_network(model: str) -> None:
    """All biases start at zero: what is left is the image less the mean, channel by channel in BGR order."""
    image = input_placeholder()
    output = build(model, image, garment_of('skirt'), is_training=False).output
    assert (image.name, output.name) == ('image:0', 'Openpose/concat_stage7:0')
    assert output.shape.as_list() == [None, None, None, 5 + 10]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        mean = np.broadcast_to(np.array(MEAN.get(model, GREY)), (1, 16, 16, 3))
        assert np.abs(session.run(output, {image: mean})).max() < 1e-4
        noise = session.run(output, {image: np.random.RandomState(0).uniform(0, 255, (1, 32, 32, 3))})
    assert 1e-5 < noise.std() < 1, 'training starts from maps near zero'


@pytest.mark.parametrize('model', DIFFERENT)
def test_every_variable_is_trained(model: str) -> None:
    network = built(model, 'skirt', is_training=True)
    loss = sum(tf.nn.l2_loss(stage.fields) + tf.nn.l2_loss(stage.heatmaps) for stage in network.stages)
    gradients = tf.gradients(loss, tf.trainable_variables())
    assert gradients and all(gradient is not None for gradient in gradients)


def test_gradients_flow() -> None:
    network = build('testing', tf.random.uniform((4, 64, 64, 3), 0, 255), garment_of('skirt'), is_training=True)
    loss = sum(tf.nn.l2_loss(stage.fields - 1) + tf.nn.l2_loss(stage.heatmaps - 1) for stage in network.stages)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        gradients = session.run(tf.gradients(loss, tf.trainable_variables()))
    assert all(np.isfinite(gradient).all() and np.abs(gradient).max() > 0 for gradient in gradients)


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
