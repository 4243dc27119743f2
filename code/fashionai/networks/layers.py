"""Layer functions: the name comes first, tensors are (N, H, W, C) float32, padding is SAME.

Every variable also joins the MODEL_VARIABLES collection, so `tf.model_variables()` is what a network consists of:
moving averages included, the optimiser's variables left out.
"""
import math
from typing import Any, Sequence, Tuple

import tensorflow.compat.v1 as tf

MOMENTUM = 0.97
"""Part of a moving average that an update keeps: after 100 steps 5 % of the start is left, so short trainings do."""

EPSILON = 1e-3
"""Added to the variance in batch norm."""


def conv(name: str, inputs: tf.Tensor, filters: int, kernel: int, relu: bool = True,
         input_deviation: float = 1) -> tf.Tensor:
    """Convolution and bias; with `relu`, the activation too and He initialisation, else weights of deviation 0.01.

    He initialisation keeps the scale of its inputs: `input_deviation` says which scale to bring to about 1.
    """
    channels = _channels(inputs)
    deviation = _he_deviation(kernel, channels) / input_deviation if relu else 0.01
    with tf.variable_scope(name):
        weights = _variable('weights', (kernel, kernel, channels, filters), tf.random_normal_initializer(0, deviation))
        outputs = tf.nn.bias_add(_conv2d(inputs, weights), _variable('biases', (filters,), tf.zeros_initializer()))
        return tf.nn.relu(outputs) if relu else outputs


def conv_bn(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool, stride: int = 1) -> tf.Tensor:
    """Convolution, batch norm and ReLU.

    In training the batch's own statistics normalise and UPDATE_OPS gains the updates of the moving averages. Otherwise
    batch norm is written as what it then is, a scaling of the weights and a bias, both computed from variables alone:
    a frozen graph holds them as constants.
    """
    channels = _channels(inputs)
    with tf.variable_scope(name):
        weights = _variable('weights', (kernel, kernel, channels, filters),
                            tf.random_normal_initializer(0, _he_deviation(kernel, channels)))
        gamma, beta, mean, variance = _batch_norm_variables(filters)
        if is_training:
            outputs, batch_mean, batch_variance = tf.nn.fused_batch_norm(
                _conv2d(inputs, weights, stride), gamma, beta, epsilon=EPSILON, is_training=True)
            _update_average(mean, batch_mean)
            _update_average(variance, batch_variance)
        else:
            scale = gamma * tf.rsqrt(variance + EPSILON)
            outputs = tf.nn.bias_add(_conv2d(inputs, weights * scale, stride), beta - mean * scale)
        return tf.nn.relu(outputs)


def separable_bn(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool,
                 stride: int = 1) -> tf.Tensor:
    """A kernel x kernel filter on each channel, then a 1x1 `conv_bn`; where the kernel is 1, only the latter.

    One batch norm a layer, after the 1x1, and nothing between the two: linear filters need no second activation
    (Chollet, Xception, section 4.7), and on a CPU normalising twice costs more than the filters.
    """
    if kernel == 1:
        return conv_bn(name, inputs, filters, 1, is_training, stride)
    with tf.variable_scope(name):
        with tf.variable_scope('depthwise'):
            weights = _variable('weights', (kernel, kernel, _channels(inputs), 1),
                                tf.random_normal_initializer(0, 1 / kernel))
            inputs = tf.nn.depthwise_conv2d(inputs, weights, (1, stride, stride, 1), 'SAME')
        return conv_bn('pointwise', inputs, filters, 1, is_training)


def max_pool(name: str, inputs: tf.Tensor) -> tf.Tensor:
    """2x2 maximum at stride 2."""
    return tf.nn.max_pool(inputs, (1, 2, 2, 1), (1, 2, 2, 1), 'SAME', name=name)


def _channels(inputs: tf.Tensor) -> int:
    return int(inputs.shape[3])


def _he_deviation(kernel: int, channels: int) -> float:
    """He et al., "Delving deep into rectifiers", equation 10."""
    return math.sqrt(2 / (kernel * kernel * channels))


def _conv2d(inputs: tf.Tensor, weights: tf.Tensor, stride: int = 1) -> tf.Tensor:
    return tf.nn.conv2d(inputs, weights, strides=(1, stride, stride, 1), padding='SAME')


def _variable(name: str, shape: Sequence[int], initializer: Any, trainable: bool = True) -> tf.Variable:
    return tf.get_variable(name, shape, tf.float32, initializer, trainable=trainable,
                           collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES])


def _batch_norm_variables(filters: int) -> Tuple[tf.Variable, tf.Variable, tf.Variable, tf.Variable]:
    """gamma, beta, moving mean and moving variance, each (filters,)."""
    zeros, ones = tf.zeros_initializer(), tf.ones_initializer()
    with tf.variable_scope('BatchNorm'):
        return (_variable('gamma', (filters,), ones), _variable('beta', (filters,), zeros),
                _variable('moving_mean', (filters,), zeros, trainable=False),
                _variable('moving_variance', (filters,), ones, trainable=False))


def _update_average(average: tf.Variable, value: tf.Tensor) -> None:
    update = tf.assign_sub(average, (average - value) * (1 - MOMENTUM))
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)
