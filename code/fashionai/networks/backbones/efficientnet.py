"""The EfficientNet-Lite backbones, with a light feature pyramid.

See Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks". The Lite form has no
squeeze-and-excitation, and ReLU6 instead of swish. Blocks are numbered as in its published weights.
"""
from dataclasses import dataclass
from typing import Dict, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.backbones.blocks import inverted_residual
from fashionai.networks.layers import conv_bn, separable_bn
from fashionai.networks.pyramid import LATERAL, SMOOTH, Features, Level, at_stride


@dataclass(frozen=True)
class Depth:
    """A row of table 1 of the paper: blocks, their outputs and kernel, the stride of the first block, the expansion."""

    blocks: int
    outputs: int
    kernel: int
    stride: int
    expansion: int = 6


LITE0 = (Depth(1, 16, 3, 1, expansion=1), Depth(2, 24, 3, 2), Depth(2, 40, 5, 2), Depth(3, 80, 3, 2),
         Depth(3, 112, 5, 1), Depth(4, 192, 5, 2), Depth(1, 320, 3, 1))
LITE2 = (Depth(1, 16, 3, 1, expansion=1), Depth(3, 24, 3, 2), Depth(3, 48, 5, 2), Depth(4, 88, 3, 2),
         Depth(4, 120, 5, 1), Depth(5, 208, 5, 2), Depth(1, 352, 3, 1))
"""Lite2 is 1.1 times as wide and 1.2 times as deep as Lite0. In all Lite forms the stem has the same width, and the
first and the last depth have one block."""

_STEM = 32
_PYRAMID_CHANNELS = 128
"""The number of channels of the pyramid."""


def features(image: tf.Tensor, is_training: bool, pyramid: bool, depths: Tuple[Depth, ...]) -> Features:
    """(N, H, W, 3), (BGR - 127) / 128 -> (N, H/8, W/8, 128).

    The deepest features of strides 8, 16 and 32 get one width by 1x1 layers, are added at stride 8, and smoothed.
    Without `pyramid`, only those of stride 32 are used. The deepest features of stride 4 are (N, H/4, W/4, 24).
    """
    deepest = _deepest_levels(image, is_training, depths)
    levels = [Level(conv_bn(f'{LATERAL}{stride}', net, _PYRAMID_CHANNELS, 1, is_training), stride)
              for stride, net in deepest.items() if stride >= (8 if pyramid else 32)]
    smooth = separable_bn(SMOOTH, tf.add_n(at_stride(levels, 8, image)), _PYRAMID_CHANNELS, 3, is_training)
    return Features(smooth, deepest[4], deepest[32])


def _deepest_levels(image: tf.Tensor, is_training: bool, depths: Tuple[Depth, ...]) -> Dict[int, tf.Tensor]:
    """Returns the last features of each stride, by stride, from fine to coarse."""
    net, stride, block = conv_bn('stem', image, _STEM, 3, is_training, 2, tf.nn.relu6), 2, 0
    deepest: Dict[int, tf.Tensor] = {}
    for depth in depths:
        for number in range(depth.blocks):
            step = 1 if number else depth.stride
            net = inverted_residual(f'blocks_{block}', net, depth.outputs, depth.kernel, step, depth.expansion,
                                    is_training)
            stride, block = stride * step, block + 1
        deepest[stride] = net
    return deepest
