"""A MobileNet-v1 trunk that stays at stride 8 and keeps features of three depths.

After Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications"; the choice of
layers is that of the "mobilenet_thin" pose networks.
"""
import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, max_pool, separable_bn

_LAYERS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)) + 6 * ((512, 1),)
"""Channels at width 1, and stride, of Conv2d_1 to Conv2d_11."""


def features(image: tf.Tensor, is_training: bool, width: float) -> tf.Tensor:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 1152 width): Conv2d_3 pooled, Conv2d_7 and Conv2d_11, concatenated."""
    net = conv_bn('Conv2d_0', image, int(32 * width), 3, is_training, stride=2)
    outputs = [net]
    for number, (channels, stride) in enumerate(_LAYERS, 1):
        net = separable_bn(f'Conv2d_{number}', net, int(channels * width), 3, is_training, stride)
        outputs.append(net)
    return tf.concat([max_pool('Conv2d_3_pool', outputs[3]), outputs[7], outputs[11]], axis=3, name='feat_concat')
