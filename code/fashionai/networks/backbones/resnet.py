"""The SE-ResNet50 and SE-ResNeXt50 backbones. The outputs of all four depths are joined, as in the original.

See Hu et al., "Squeeze-and-excitation networks"; Xie et al., "Aggregated residual transformations for deep neural
networks". The layer names, with `_` instead of `/`, and the padding, which is equal on all sides, are those of the
published Caffe networks.
"""
from dataclasses import dataclass

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import Activation, conv, conv_bn, max_pool
from fashionai.networks.pyramid import NARROWING, Features, Level, joined

_BLOCKS = (3, 4, 6, 3)
"""The number of blocks in conv2 to conv5."""

_OUTPUTS = 256
"""The number of channels of conv2. Each depth has twice as many as the depth before."""

_SQUEEZE = 16
"""The factor by which squeeze and excitation reduces the channels."""

_PIXEL_DEVIATION = 64
"""The standard deviation of pixel values."""


@dataclass(frozen=True)
class Variant:
    """A form of the network.

    inner: the inner channels of the blocks of conv2. groups: the groups of the 3x3 layers. strided: the layer of a
    block that has the stride.
    """

    inner: int
    groups: int
    strided: str


SE_RESNET = Variant(inner=64, groups=1, strided='1x1_reduce')
SE_RESNEXT = Variant(inner=128, groups=32, strided='3x3')


def features(image: tf.Tensor, is_training: bool, pyramid: bool, variant: Variant) -> Features:
    """(N, H, W, 3), BGR minus the mean -> (N, H/8, W/8, 128).

    conv2 to conv5, of strides 4 to 32, are joined and narrowed; without `pyramid`, only conv5 is used. conv2 is
    (N, H/4, W/4, 256).
    """
    net = _conv_bn('conv1_7x7_s2', image, 64, 7, is_training, stride=2, input_deviation=_PIXEL_DEVIATION)
    net = max_pool('pool1_3x3_s2', net, 3)
    levels = []
    for depth, blocks in enumerate(_BLOCKS):
        for number in range(1, blocks + 1):
            stride = 2 if depth and number == 1 else 1
            net = _block(f'conv{depth + 2}_{number}', net, depth, stride, is_training, variant)
        levels.append(Level(net, 4 * 2 ** depth))
    net = joined(levels if pyramid else levels[-1:], 8, image)
    narrow = conv(f'conv5_5{NARROWING}', conv(f'conv5_4{NARROWING}', net, 512, 3), 128, 3)
    return Features(narrow, levels[0].features, levels[-1].features)


def _block(name: str, inputs: tf.Tensor, depth: int, stride: int, is_training: bool, variant: Variant) -> tf.Tensor:
    """A bottleneck block. If its outputs have another shape than its inputs, the inputs go through a projection."""
    outputs, inner = _OUTPUTS * 2 ** depth, variant.inner * 2 ** depth
    strides = {'1x1_reduce': 1, '3x3': 1, variant.strided: stride}
    net = _conv_bn(f'{name}_1x1_reduce', inputs, inner, 1, is_training, strides['1x1_reduce'])
    net = _conv_bn(f'{name}_3x3', net, inner, 3, is_training, strides['3x3'], groups=variant.groups)
    net = _conv_bn(f'{name}_1x1_increase', net, outputs, 1, is_training, activation=tf.identity)
    if int(inputs.shape[3]) != outputs:
        inputs = _conv_bn(f'{name}_1x1_proj', inputs, outputs, 1, is_training, stride, activation=tf.identity)
    return tf.nn.relu(inputs + _excited(name, net))


def _excited(name: str, inputs: tf.Tensor) -> tf.Tensor:
    """Squeeze and excitation: multiplies each channel by a number between 0 and 1, computed from the channel means."""
    channels = int(inputs.shape[3])
    squeezed = tf.reduce_mean(inputs, axis=(1, 2), keepdims=True)
    narrow = conv(f'{name}_1x1_down', squeezed, channels // _SQUEEZE, 1)
    return inputs * tf.sigmoid(conv(f'{name}_1x1_up', narrow, channels, 1, relu=False))


def _conv_bn(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool, stride: int = 1,
             activation: Activation = tf.nn.relu, groups: int = 1, input_deviation: float = 1) -> tf.Tensor:
    """`conv_bn` with equal padding on all sides; SAME at stride 2 pads more on the right and at the bottom."""
    margin = kernel // 2
    padded = tf.pad(inputs, ((0, 0), (margin, margin), (margin, margin), (0, 0))) if margin else inputs
    return conv_bn(name, padded, filters, kernel, is_training, stride, activation, groups, 'VALID', input_deviation)
