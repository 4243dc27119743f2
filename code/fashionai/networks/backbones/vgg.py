"""The trunk of the OpenPose network: VGG19 to conv4_2, then two layers that narrow it.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition"; Cao et al., "Realtime
multi-person 2D pose estimation using part affinity fields".
"""
import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv, max_pool

_BLOCKS = ((2, 64), (2, 128), (4, 256))
"""Layers and channels of the blocks that end in a pool."""

_PIXEL_DEVIATION = 64
"""Of pixel values about their mean. Initialised without it, the six stages start with outputs near 10, not 0.1."""


def features(image: tf.Tensor, is_training: bool) -> tf.Tensor:
    """(N, H, W, 3), BGR less the mean -> (N, H/8, W/8, 128). There is no batch norm: `is_training` changes nothing."""
    del is_training
    net = image
    for block, (layers, channels) in enumerate(_BLOCKS, 1):
        for layer in range(1, layers + 1):
            deviation = _PIXEL_DEVIATION if net is image else 1
            net = conv(f'conv{block}_{layer}', net, channels, 3, input_deviation=deviation)
        net = max_pool(f'pool{block}', net)
    net = conv('conv4_1', net, 512, 3)
    net = conv('conv4_2', net, 512, 3)
    net = conv('conv4_3_CPM', net, 256, 3)
    return conv('conv4_4_CPM', net, 128, 3)
