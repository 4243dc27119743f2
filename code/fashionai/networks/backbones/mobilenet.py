"""MobileNet-v1 backbones: one as published, and one that stays at stride 8. Both use features of three depths.

See Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications". The layers that
`thin_features` uses are those of the "mobilenet_thin" pose networks.
"""
from typing import List, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, max_pool, separable_bn
from fashionai.networks.pyramid import Features, Level, joined

Layers = Tuple[Tuple[int, int], ...]
"""Channels at width 1, and stride, of Conv2d_1 and the layers after it."""

_START: Layers = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
_THIN = _START + 6 * ((512, 1),)
_PUBLISHED = _START + ((512, 2),) + 5 * ((512, 1),)
"""The layers up to Conv2d_11, at stride 16. The last two layers of the published network, at stride 32, cover the whole
garment in one cell; they are left out."""


def thin_features(image: tf.Tensor, is_training: bool, pyramid: bool, width: float) -> Features:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 1152 width).

    Conv2d_3, pooled, Conv2d_7 and Conv2d_11 are concatenated; with `pyramid`, also Conv2d_1. Conv2d_3 is
    (N, H/4, W/4, 128 width).
    """
    outputs = _outputs(image, is_training, width, _THIN)
    stride8 = tf.concat([max_pool('Conv2d_3_pool', outputs[3]), outputs[7], outputs[11]], axis=3, name='feat_concat')
    stride8 = joined([Level(stride8, 8), Level(outputs[1], 2)], 8, image) if pyramid else stride8
    return Features(stride8, outputs[3], outputs[11])


def features(image: tf.Tensor, is_training: bool, pyramid: bool, width: float) -> Features:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 896 width).

    Conv2d_3, Conv2d_5 and Conv2d_11, of strides 4, 8 and 16, are joined; without `pyramid`, only the last two. Conv2d_3
    is (N, H/4, W/4, 128 width).
    """
    outputs = _outputs(image, is_training, width, _PUBLISHED)
    finest = [Level(outputs[3], 4)] if pyramid else []
    return Features(joined(finest + [Level(outputs[5], 8), Level(outputs[11], 16)], 8, image), outputs[3],
                    outputs[11])


def _outputs(image: tf.Tensor, is_training: bool, width: float, layers: Layers) -> List[tf.Tensor]:
    """Returns the outputs of all layers, Conv2d_0 first."""
    outputs = [conv_bn('Conv2d_0', image, int(32 * width), 3, is_training, stride=2)]
    for number, (channels, stride) in enumerate(layers, 1):
        outputs.append(separable_bn(f'Conv2d_{number}', outputs[-1], int(channels * width), 3, is_training, stride))
    return outputs
