"""A trunk of three layers: for tests, which need every kind of layer and no accuracy."""
import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, separable_bn


def features(image: tf.Tensor, is_training: bool) -> tf.Tensor:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 16)."""
    net = conv_bn('conv1', image, 8, 3, is_training, stride=2)
    net = separable_bn('conv2', net, 16, 3, is_training, stride=2)
    return separable_bn('conv3', net, 16, 3, is_training, stride=2)
