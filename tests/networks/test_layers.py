"""The layers, compared with direct computation."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.networks import layers

INPUTS = np.random.RandomState(0).normal(3, 2, (4, 6, 8, 5)).astype(np.float32)


def test_conv_is_a_correlation_with_bias_and_relu() -> None:
    outputs = layers.conv('layer', tf.constant(INPUTS), 7, 3)
    weights, biases = tf.model_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        biases.load(np.arange(7.), session)
        values, kernel = session.run([outputs, weights])
    patch = INPUTS[1, 2:5, 3:6]  # around row 3, column 4
    wanted = np.maximum(np.einsum('ijc,ijco->o', patch, kernel) + np.arange(7), 0)
    np.testing.assert_allclose(values[1, 3, 4], wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('kwargs, wanted', [
    ({}, np.sqrt(2 / (9 * 64))), ({'input_deviation': 64}, np.sqrt(2 / (9 * 64)) / 64), ({'relu': False}, 0.01)])
def test_initial_weights(kwargs: dict, wanted: float) -> None:
    layers.conv('layer', tf.zeros((1, 8, 8, 64)), 64, 3, **kwargs)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights, biases = session.run(tf.model_variables())
    assert abs(weights.std() / wanted - 1) < 0.03
    assert not biases.any()


def test_inference_with_the_batch_statistics_is_training() -> None:
    training = layers.conv_bn('layer', tf.constant(INPUTS), 7, 3, is_training=True)
    with tf.variable_scope('', reuse=True):
        inference = layers.conv_bn('layer', tf.constant(INPUTS), 7, 3, is_training=False)
    weights, gamma, beta, mean, variance = tf.model_variables()
    rng = np.random.RandomState(1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        gamma.load(rng.uniform(0.5, 2, 7), session)
        beta.load(rng.normal(0, 1, 7), session)
        convolved = session.run(tf.nn.conv2d(tf.constant(INPUTS), weights, strides=1, padding='SAME'))
        mean.load(convolved.mean((0, 1, 2)), session)
        variance.load(convolved.var((0, 1, 2)), session)
        wanted, values = session.run([training, inference])
    np.testing.assert_allclose(values, wanted, atol=1e-4)
    assert wanted.any()


def test_moving_averages_move_by_the_momentum() -> None:
    layers.conv_bn('layer', tf.constant(INPUTS), 7, 3, is_training=True)
    weights, _, _, mean, variance = tf.model_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        convolved = session.run(tf.nn.conv2d(tf.constant(INPUTS), weights, strides=1, padding='SAME'))
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean_value, variance_value = session.run([mean, variance])
    keep = layers.MOMENTUM
    np.testing.assert_allclose(mean_value, (1 - keep) * convolved.mean((0, 1, 2)), rtol=1e-3)
    unbiased = convolved.reshape(-1, 7).var(0, ddof=1)
    np.testing.assert_allclose(variance_value, keep + (1 - keep) * unbiased, rtol=1e-3)


def test_moving_averages_are_no_parameters_to_train() -> None:
    layers.separable_bn('layer', tf.constant(INPUTS), 7, 3, is_training=True)
    assert [variable.op.name for variable in tf.trainable_variables()] == [
        'layer/depthwise/weights', 'layer/pointwise/weights', 'layer/pointwise/BatchNorm/gamma',
        'layer/pointwise/BatchNorm/beta']


@pytest.mark.parametrize('stride', [1, 2])
def test_a_separable_layer_is_a_convolution_with_the_product_of_its_filters(stride: int) -> None:
    outputs = layers.separable_bn('layer', tf.constant(INPUTS), 7, 3, is_training=False, stride=stride)
    depthwise, pointwise = tf.model_variables()[:2]
    product = depthwise * tf.reshape(pointwise, (1, 1, 5, 7))
    convolved = tf.nn.conv2d(tf.constant(INPUTS), product, strides=stride, padding='SAME')
    wanted = tf.nn.relu(convolved / np.sqrt(1 + layers.EPSILON))  # the moving averages stand at 0 and 1
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values, wanted_values = session.run([outputs, wanted])
    np.testing.assert_allclose(values, wanted_values, atol=1e-4)
    assert values.shape[1:3] == (6 // stride, 8 // stride)


def test_a_separable_layer_of_kernel_1_has_no_filters_of_its_own() -> None:
    layers.separable_bn('layer', tf.constant(INPUTS), 7, 1, is_training=True)
    assert tf.model_variables()[0].op.name == 'layer/weights'


@pytest.mark.parametrize('is_training', [True, False])
def test_groups_see_their_own_channels_alone(is_training: bool) -> None:
    images = tf.constant(INPUTS[..., :4])
    outputs = layers.conv_bn('layer', images, 6, 3, is_training, stride=2, activation=tf.identity, groups=2)
    weights = tf.model_variables()[0]
    halves = [tf.nn.conv2d(images[..., 2 * half:2 * half + 2], weights[..., 3 * half:3 * half + 3], strides=2,
                           padding='SAME') for half in range(2)]
    wanted = tf.concat(halves, axis=3)
    gradient, = tf.gradients(tf.nn.l2_loss(outputs), weights)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values, wanted_values, gradient_value = session.run([outputs, wanted, gradient])
    assert weights.shape.as_list() == [3, 3, 2, 6] and np.abs(gradient_value).max() > 0
    if is_training:
        wanted_values = (wanted_values - wanted_values.mean((0, 1, 2))) / np.sqrt(
            wanted_values.var((0, 1, 2)) + layers.EPSILON)
    np.testing.assert_allclose(values, wanted_values / (1 if is_training else np.sqrt(1 + layers.EPSILON)), atol=1e-3)


def test_depthwise_inference_with_the_batch_statistics_is_training() -> None:
    training = layers.depthwise_bn('layer', tf.constant(INPUTS), 3, True, stride=2, activation=tf.nn.relu6)
    with tf.variable_scope('', reuse=True):
        inference = layers.depthwise_bn('layer', tf.constant(INPUTS), 3, False, stride=2, activation=tf.nn.relu6)
    weights, gamma, beta, mean, variance = tf.model_variables()
    filtered = tf.nn.depthwise_conv2d(tf.constant(INPUTS), weights, (1, 2, 2, 1), 'SAME')
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        gamma.load(np.linspace(1, 9, 5), session)
        beta.load(np.linspace(-2, 3, 5), session)
        values = session.run(filtered)
        mean.load(values.mean((0, 1, 2)), session)
        variance.load(values.var((0, 1, 2)), session)
        wanted, values = session.run([training, inference])
    assert weights.shape.as_list() == [3, 3, 5, 1]
    np.testing.assert_allclose(values, wanted, atol=1e-4)
    assert wanted.max() == 6 and wanted.min() == 0


def test_a_transposed_layer_spreads_every_cell_over_four_by_four() -> None:
    outputs = layers.transposed('layer', tf.constant(INPUTS), 3)
    weights, biases = tf.model_variables()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        biases.load(np.full(3, 2.), session)
        values, kernel = session.run([outputs, weights])
    assert values.shape == (4, 12, 16, 3)
    wanted = np.zeros((14, 18, 3))
    for row in range(6):
        for column in range(8):
            wanted[2 * row:2 * row + 4, 2 * column:2 * column + 4] += kernel @ INPUTS[1, row, column]
    np.testing.assert_allclose(values[1], np.maximum(wanted[1:-1, 1:-1] + 2, 0), rtol=1e-4, atol=1e-4)
