"""Blocks that several backbones use."""
import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, depthwise_bn


def inverted_residual(name: str, inputs: tf.Tensor, outputs: int, kernel: int, stride: int, expansion: int,
                      is_training: bool) -> tf.Tensor:
    """An inverted residual: expand by 1x1, filter each channel, project by 1x1.

    The input is added if the shapes are equal. See Sandler et al., "MobileNetV2: inverted residuals and linear
    bottlenecks".
    """
    channels, net = int(inputs.shape[3]), inputs
    with tf.variable_scope(name):
        if expansion > 1:
            net = conv_bn('expand', net, expansion * channels, 1, is_training, activation=tf.nn.relu6)
        net = depthwise_bn('depthwise', net, kernel, is_training, stride, tf.nn.relu6)
        net = conv_bn('project', net, outputs, 1, is_training, activation=tf.identity)
    return net + inputs if stride == 1 and channels == outputs else net
