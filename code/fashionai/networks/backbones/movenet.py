"""The backbone of MoveNet Thunder, which finds the joints of people: MobileNetV2, 1.75 times as wide, and its pyramid.

See Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks"; Votel and Li, "Next-generation pose
detection with MoveNet and TensorFlow.js" (2021). The names of the layers follow its published weights.
"""
from typing import List

import tensorflow.compat.v1 as tf

from fashionai.networks.backbones.blocks import inverted_residual
from fashionai.networks.layers import bilinear, conv, conv_bn, mean_pool, separable_bn
from fashionai.networks.pyramid import LATERAL, SMOOTH, Features, Level, at_stride

_STEM = 56
_DEPTHS = ((1, 32, 1, 1), (2, 40, 2, 6), (3, 56, 2, 6), (4, 112, 2, 6), (3, 168, 1, 6), (3, 280, 2, 6), (1, 560, 1, 6))
"""Blocks, their output channels, the stride of the first block, and the expansion."""

_DEEPEST = 1280
_JOINTS = 96
"""The number of channels of the layer from which MoveNet predicts the heat maps of the joints."""

_PYRAMID_CHANNELS = 128
"""The number of channels of the pyramid for garments."""


def features(image: tf.Tensor, is_training: bool, pyramid: bool) -> Features:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 128).

    The deepest features of strides 8, 16 and 32, and the features of stride 4 from which MoveNet predicts the joints,
    get one width by 1x1 layers, are added at stride 8, and smoothed. Without `pyramid`, only the features for the
    joints are used. The features of stride 4 in the output are (N, H/4, W/4, 40).
    """
    net = conv_bn('Conv1', image, _STEM, 3, is_training, 2, tf.nn.relu6)
    outputs: List[tf.Tensor] = []
    for blocks, width, stride, expansion in _DEPTHS:
        for number in range(blocks):
            net = inverted_residual(f'block_{len(outputs)}', net, width, 3, 1 if number else stride, expansion,
                                    is_training)
            outputs.append(net)
    deepest = conv_bn('Conv_1', net, _DEEPEST, 1, is_training, activation=tf.nn.relu6)
    joints = mean_pool('joints_pool', _joints(deepest, outputs, is_training), 2)
    levels = {'joints': Level(joints, 8)}
    if pyramid:
        levels.update({'8': Level(outputs[5], 8), '16': Level(outputs[12], 16), '32': Level(deepest, 32)})
    sides = [Level(conv_bn(f'{LATERAL}_{name}', level.features, _PYRAMID_CHANNELS, 1, is_training), level.stride)
             for name, level in levels.items()]
    smooth = separable_bn(SMOOTH, tf.add_n(at_stride(sides, 8, image)), _PYRAMID_CHANNELS, 3, is_training)
    return Features(smooth, outputs[2], deepest)


def _joints(deepest: tf.Tensor, outputs: List[tf.Tensor], is_training: bool) -> tf.Tensor:
    """Returns (N, H/4, W/4, 96): the output of MoveNet's own pyramid, from stride 32 to 4."""
    net = conv('pyramid32', deepest, 64, 1, relu=False)
    sides = ('pyramid16', outputs[9], 32), ('pyramid8', outputs[5], 24), ('pyramid4', outputs[2], 24)
    for name, side, width in sides:
        lateral = conv(f'{name}_side', side, int(net.shape[3]), 1, relu=False)
        size = tf.shape(lateral)
        coarse = bilinear(f'{name}_coarse', net, 2)[:, :size[1], :size[2]]  # its cells may reach over the edge
        net = separable_bn(name, coarse + lateral, width, 3, is_training)
    return separable_bn('joints', net, _JOINTS, 3, is_training)
