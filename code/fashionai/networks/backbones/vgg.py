"""The backbone of the OpenPose network: VGG up to conv4_2, then two layers that reduce the channels.

See Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"; Cao et al., "Realtime
multi-person 2D pose estimation using part affinity fields".
"""
from typing import Callable, List, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv, conv_bn, max_pool, separable_bn
from fashionai.networks.pyramid import NARROWING, Features, Level, joined

Blocks = Tuple[Tuple[int, int], ...]
"""(layers, channels) of the blocks that end with a pool."""

VGG16: Blocks = ((2, 64), (2, 128), (3, 256))
VGG19: Blocks = ((2, 64), (2, 128), (4, 256))

_LAST_LAYERS = (('conv4_1', 512), ('conv4_2', 512), (f'conv4_3{NARROWING}', 256), (f'conv4_4{NARROWING}', 128))
"""The layers after the last pool."""

_PIXEL_DEVIATION = 64
"""The standard deviation of pixel values. Without it in the initialisation, the outputs of the six stages would start
near 10, not near 0.1."""

Layer = Callable[[str, tf.Tensor, int], tf.Tensor]
"""A 3x3 layer: takes name, inputs and filters, and returns its outputs."""


def features(image: tf.Tensor, is_training: bool, pyramid: bool, blocks: Blocks) -> Features:
    """(N, H, W, 3), BGR minus the mean -> (N, H/8, W/8, 128).

    With `pyramid`, conv2_2 and the last layer of conv3 are joined to the output. The last layer of conv3 is
    (N, H/4, W/4, 256). There is no batch norm, so `is_training` changes nothing.
    """
    del is_training
    return _backbone(image, pyramid, blocks, lambda name, inputs, filters: conv(name, inputs, filters, 3),
                  lambda name, inputs, filters: conv(name, inputs, filters, 3, input_deviation=_PIXEL_DEVIATION))


def separable_features(image: tf.Tensor, is_training: bool, pyramid: bool, blocks: Blocks) -> Features:
    """Like `features`, but for an image in -1..1, with depthwise-separable layers and batch norm.

    The first layer is a plain convolution, because a depthwise filter on three channels can learn little.
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
    for name, channels in _LAST_LAYERS:
        net = layer(name, net, channels)
    stride8 = joined([Level(net, 8)] + levels[1:], 8, image) if pyramid else net
    return Features(stride8, levels[-1].features)
