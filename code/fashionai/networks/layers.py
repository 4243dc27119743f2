"""Layer functions. The name comes first, tensors are (N, H, W, C) float32, and padding is SAME.

Every variable is also in the collection MODEL_VARIABLES. So `tf.model_variables()` has all variables of a network,
with the moving averages and without the variables of the optimiser.
"""
import math
from typing import Any, Callable, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

MOMENTUM = 0.97
"""The share of a moving average that an update keeps. After 100 steps 5 % of the initial value is left, so short
trainings are enough."""

EPSILON = 1e-3
"""Added to the variance in batch norm."""

Activation = Callable[[tf.Tensor], tf.Tensor]
"""`tf.identity` means no activation."""


def conv(name: str, inputs: tf.Tensor, filters: int, kernel: int, relu: bool = True,
         input_deviation: float = 1, deviation: float = 0.01) -> tf.Tensor:
    """Convolution and bias. With `relu`, also the activation, and the weights have He initialisation.

    Without `relu`, `deviation` is the standard deviation of the initial weights. He initialisation keeps the scale of
    the inputs: if their deviation is `input_deviation`, that of the outputs is about 1.
    """
    channels = _channels(inputs)
    deviation = _he_deviation(kernel, channels) / input_deviation if relu else deviation
    with tf.variable_scope(name):
        weights = _variable('weights', (kernel, kernel, channels, filters), tf.random_normal_initializer(0, deviation))
        outputs = tf.nn.bias_add(_conv2d(inputs, weights), _variable('biases', (filters,), tf.zeros_initializer()))
        return tf.nn.relu(outputs) if relu else outputs


def conv_bn(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool, stride: int = 1,
            activation: Activation = tf.nn.relu, groups: int = 1, padding: str = 'SAME',
            input_deviation: float = 1) -> tf.Tensor:
    """Convolution, batch norm and activation. With `groups`, each group of outputs depends on one group of inputs.

    In training, the statistics of the batch normalise the outputs, and the updates of the moving averages are added to
    UPDATE_OPS. Otherwise batch norm is written as a scaling of the weights and a bias. Both depend only on variables,
    so they are constants in a frozen graph.
    """
    channels = _channels(inputs) // groups
    deviation = _he_deviation(kernel, channels) / input_deviation
    with tf.variable_scope(name):
        weights = _variable('weights', (kernel, kernel, channels, filters), tf.random_normal_initializer(0, deviation))
        return activation(_batch_normed(
            lambda kernels: _conv2d(inputs, kernels, stride, padding, groups), weights, (filters,), is_training))


def depthwise_bn(name: str, inputs: tf.Tensor, kernel: int, is_training: bool, stride: int = 1,
                 activation: Activation = tf.nn.relu) -> tf.Tensor:
    """A kernel x kernel filter on each channel, batch norm and activation."""
    shape = (_channels(inputs), 1)
    with tf.variable_scope(name):
        weights = _variable('weights', (kernel, kernel) + shape,
                            tf.random_normal_initializer(0, _he_deviation(kernel, 1)))
        return activation(_batch_normed(
            lambda kernels: _depthwise(inputs, kernels, stride), weights, shape, is_training))


def separable_bn(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool,
                 stride: int = 1) -> tf.Tensor:
    """A kernel x kernel filter on each channel, then a 1x1 `conv_bn`. If the kernel is 1, only the `conv_bn`.

    A layer has one batch norm, after the 1x1, and nothing between the two: linear filters need no activation of their
    own (Chollet, Xception, section 4.7), and on a CPU a second batch norm costs more time than the filters.
    """
    if kernel == 1:
        return conv_bn(name, inputs, filters, 1, is_training, stride)
    with tf.variable_scope(name):
        with tf.variable_scope('depthwise'):
            weights = _variable('weights', (kernel, kernel, _channels(inputs), 1),
                                tf.random_normal_initializer(0, 1 / kernel))
            inputs = _depthwise(inputs, weights, stride)
        return conv_bn('pointwise', inputs, filters, 1, is_training)


def transposed(name: str, inputs: tf.Tensor, filters: int) -> tf.Tensor:
    """(N, h, w, C) -> (N, 2h, 2w, filters): transposed 4x4 convolution at stride 2, bias and ReLU.

    See Xiao et al., "Simple baselines for human pose estimation and tracking". Each output depends on 2x2 inputs, so
    He initialisation is computed for a 2x2 kernel.
    """
    channels, size = _channels(inputs), tf.shape(inputs)
    with tf.variable_scope(name):
        weights = _variable('weights', (4, 4, filters, channels),
                            tf.random_normal_initializer(0, _he_deviation(2, channels)))
        outputs = tf.nn.conv2d_transpose(inputs, weights, tf.stack([size[0], 2 * size[1], 2 * size[2], filters]),
                                         (1, 2, 2, 1), 'SAME')
        return tf.nn.relu(tf.nn.bias_add(outputs, _variable('biases', (filters,), tf.zeros_initializer())))


def bilinear(name: str, inputs: tf.Tensor, factor: int) -> tf.Tensor:
    """(N, h, w, C) -> (N, factor h, factor w, C). The positions of features in the image do not change."""
    return tf.image.resize_bilinear(inputs, tf.shape(inputs)[1:3] * factor, half_pixel_centers=True, name=name)


def max_pool(name: str, inputs: tf.Tensor, size: int = 2) -> tf.Tensor:
    """The maximum of size x size cells, at stride 2."""
    return tf.nn.max_pool(inputs, (1, size, size, 1), (1, 2, 2, 1), 'SAME', name=name)


def mean_pool(name: str, inputs: tf.Tensor, size: int) -> tf.Tensor:
    """The mean of size x size cells, at stride `size`."""
    return tf.nn.avg_pool(inputs, (1, size, size, 1), (1, size, size, 1), 'SAME', name=name)


def _channels(inputs: tf.Tensor) -> int:
    return int(inputs.shape[3])


def _he_deviation(kernel: int, channels: int) -> float:
    """He et al., "Delving deep into rectifiers", equation 10."""
    return math.sqrt(2 / (kernel * kernel * channels))


def _conv2d(inputs: tf.Tensor, weights: tf.Tensor, stride: int = 1, padding: str = 'SAME',
            groups: int = 1) -> tf.Tensor:
    """A convolution. Each group is a convolution of its own, since TensorFlow has no gradient of grouped ones on CPUs.

    This takes 19, 13, 7 and 9 ms for one training step on one core in the four depths of SE-ResNeXt50. One convolution
    with a block-diagonal kernel takes 26, 32, 49 and 165 ms; one depthwise convolution with summed outputs takes 24 ms
    in each depth; a batched matrix product takes 12 to 102 ms. Weights are sliced, not split, because freezing requires
    operations with one output.
    """
    if groups > 1:
        share = int(weights.shape[3]) // groups
        return tf.concat([_conv2d(part, weights[..., group * share:(group + 1) * share], stride, padding)
                          for group, part in enumerate(tf.split(inputs, groups, axis=3))], axis=3)
    return tf.nn.conv2d(inputs, weights, strides=(1, stride, stride, 1), padding=padding)


def _depthwise(inputs: tf.Tensor, weights: tf.Tensor, stride: int) -> tf.Tensor:
    return tf.nn.depthwise_conv2d(inputs, weights, (1, stride, stride, 1), 'SAME')


def _batch_normed(convolve: Callable[[tf.Tensor], tf.Tensor], weights: tf.Variable, channels: Sequence[int],
                  is_training: bool) -> tf.Tensor:
    """Returns `convolve(weights)` after batch norm. `channels`: the shape of the axes of the weights that it scales."""
    gamma, beta, mean, variance = _batch_norm_variables(int(np.prod(channels)))
    if is_training:
        outputs, batch_mean, batch_variance = tf.nn.fused_batch_norm(
            convolve(weights), gamma, beta, epsilon=EPSILON, is_training=True)
        _update_average(mean, batch_mean)
        _update_average(variance, batch_variance)
        return outputs
    scale = gamma * tf.rsqrt(variance + EPSILON)
    return tf.nn.bias_add(convolve(weights * tf.reshape(scale, channels)), beta - mean * scale)


def _variable(name: str, shape: Sequence[int], initializer: Any, trainable: bool = True) -> tf.Variable:
    return tf.get_variable(name, shape, tf.float32, initializer, trainable=trainable,
                           collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES])


def _batch_norm_variables(filters: int) -> Tuple[tf.Variable, tf.Variable, tf.Variable, tf.Variable]:
    """Returns gamma, beta, moving mean and moving variance, each (filters,)."""
    zeros, ones = tf.zeros_initializer(), tf.ones_initializer()
    with tf.variable_scope('BatchNorm'):
        return (_variable('gamma', (filters,), ones), _variable('beta', (filters,), zeros),
                _variable('moving_mean', (filters,), zeros, trainable=False),
                _variable('moving_variance', (filters,), ones, trainable=False))


def _update_average(average: tf.Variable, value: tf.Tensor) -> None:
    update = tf.assign_sub(average, (average - value) * (1 - MOMENTUM))
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
