"""EfficientNet-Lite0 and a light feature pyramid.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks"; the Lite form has no
squeeze-and-excitation, and ReLU6 in place of swish. Blocks are numbered as in its published weights.
"""
from dataclasses import dataclass
from typing import Dict

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, depthwise_bn, separable_bn
from fashionai.networks.pyramid import Features, Level, at_stride


@dataclass(frozen=True)
class _Depth:
    """A row of the paper's table 1: blocks, their outputs and kernel, the first one's stride, and the expansion."""

    blocks: int
    outputs: int
    kernel: int
    stride: int
    expansion: int = 6


_DEPTHS = (_Depth(1, 16, 3, 1, expansion=1), _Depth(2, 24, 3, 2), _Depth(2, 40, 5, 2), _Depth(3, 80, 3, 2),
           _Depth(3, 112, 5, 1), _Depth(4, 192, 5, 2), _Depth(1, 320, 3, 1))

_STEM = 32
_LATERAL = 128
"""Channels of the pyramid."""


def features(image: tf.Tensor, is_training: bool, pyramid: bool) -> Features:
    """(N, H, W, 3), (BGR - 127) / 128 -> (N, H/8, W/8, 128): the deepest features of strides 8, 16 and 32, brought to
    one width by 1x1 layers, added up at stride 8 and smoothed; without `pyramid`, those of stride 32 alone. The deepest
    of stride 4 are (N, H/4, W/4, 24).
    """
    deepest = _deepest_levels(image, is_training)
    levels = [Level(conv_bn(f'lateral{stride}', net, _LATERAL, 1, is_training), stride)
              for stride, net in deepest.items() if stride >= (8 if pyramid else 32)]
    smooth = separable_bn('smooth', tf.add_n(at_stride(levels, 8, image)), _LATERAL, 3, is_training)
    return Features(smooth, deepest[4], deepest[32])


def _deepest_levels(image: tf.Tensor, is_training: bool) -> Dict[int, tf.Tensor]:
    """The last features of every stride, by stride, fine to coarse."""
    net, stride, block = conv_bn('stem', image, _STEM, 3, is_training, 2, tf.nn.relu6), 2, 0
    deepest: Dict[int, tf.Tensor] = {}
    for depth in _DEPTHS:
        for number in range(depth.blocks):
            step = 1 if number else depth.stride
            net, stride, block = _block(f'blocks_{block}', net, depth, step, is_training), stride * step, block + 1
        deepest[stride] = net
    return deepest


def _block(name: str, inputs: tf.Tensor, depth: _Depth, stride: int, is_training: bool) -> tf.Tensor:
    """An inverted residual (Sandler et al., MobileNetV2): wide, filtered channel by channel, narrow again."""
    channels, net = int(inputs.shape[3]), inputs
    with tf.variable_scope(name):
        if depth.expansion > 1:
            net = conv_bn('expand', net, depth.expansion * channels, 1, is_training, activation=tf.nn.relu6)
        net = depthwise_bn('depthwise', net, depth.kernel, is_training, stride, tf.nn.relu6)
        net = conv_bn('project', net, depth.outputs, 1, is_training, activation=tf.identity)
    return net + inputs if channels == depth.outputs else net
