"""The trunk of the OpenPose network: VGG to conv4_2, then two layers that narrow it.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"; Cao et al., "Realtime
multi-person 2D pose estimation using part affinity fields".
"""
from typing import Callable, List, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv, conv_bn, max_pool, separable_bn
from fashionai.networks.pyramid import Features, Level, joined

Blocks = Tuple[Tuple[int, int], ...]
"""(layers, channels) of the blocks that end in a pool."""

VGG16: Blocks = ((2, 64), (2, 128), (3, 256))
VGG19: Blocks = ((2, 64), (2, 128), (4, 256))

_NARROWING = (('conv4_1', 512), ('conv4_2', 512), ('conv4_3_CPM', 256), ('conv4_4_CPM', 128))
"""The layers after the last pool."""

_PIXEL_DEVIATION = 64
"""Of pixel values about their mean. Initialised without it, the six stages start with outputs near 10, not 0.1."""

Layer = Callable[[str, tf.Tensor, int], tf.Tensor]
"""Name, inputs, filters -> outputs of a 3x3 layer."""


def features(image: tf.Tensor, is_training: bool, pyramid: bool, blocks: Blocks) -> Features:
    """(N, H, W, 3), BGR less the mean -> (N, H/8, W/8, 128); with `pyramid`, conv2_2 and the last of conv3 are joined
    to them. The last of conv3 is (N, H/4, W/4, 256). There is no batch norm: `is_training` changes nothing.
    """
    del is_training
    return _backbone(image, pyramid, blocks, lambda name, inputs, filters: conv(name, inputs, filters, 3),
                  lambda name, inputs, filters: conv(name, inputs, filters, 3, input_deviation=_PIXEL_DEVIATION))


def separable_features(image: tf.Tensor, is_training: bool, pyramid: bool, blocks: Blocks) -> Features:
    """As `features`, from an image in -1..1, of depthwise-separable layers with batch norm; the first is a plain one,
    since three channels leave a depthwise filter little to do.
    """
    return _backbone(image, pyramid, blocks,
                  lambda name, inputs, filters: separable_bn(name, inputs, filters, 3, is_training),
                  lambda name, inputs, filters: conv_bn(name, inputs, filters, 3, is_training))


def _backbone(image: tf.Tensor, pyramid: bool, blocks: Blocks, layer: Layer, first: Layer) -> Features:
    net = image
    levels: List[Level] = []
    for block, (layers, channels) in enumerate(blocks, 1):
        for number in range(1, layers + 1):
            net = (first if net is image else layer)(f'conv{block}_{number}', net, channels)
        levels.append(Level(net, 2 ** (block - 1)))
        net = max_pool(f'pool{block}', net)
    for name, channels in _NARROWING:
        net = layer(name, net, channels)
    stride8 = joined([Level(net, 8)] + levels[1:], 8, image) if pyramid else net
    return Features(stride8, levels[-1].features)
