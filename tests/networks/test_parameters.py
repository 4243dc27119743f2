"""The number of parameters of every network of the catalogue, computed by hand from the tables of the papers."""
from typing import Callable, List, Sequence, Tuple

import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.networks.catalog import NETWORKS, build

MAPS = (66, 25)
"""Field and heat-map channels of the joint network: 33 limbs, 24 keypoints and the background."""

PARAMETERS = {'vgg': 54_483_298, 'cmu': 54_483_298, 'vgg16': 53_893_218, 'dsconv': 2_689_552,
              'seresnet50': 91_520_146, 'seresnext50': 91_007_122, 'efficientnet_lite0': 3_725_949,
              'efficientnet_lite2': 5_147_277, 'movenet_thunder': 7_169_589,
              'mobilenet_100': 4_060_640, 'mobilenet_075': 2_366_832, 'mobilenet_050': 1_126_912,
              'mobilenet_thin': 1_992_784, 'mobilenet_small': 842_365, 'testing': 10_476}
"""Parameters for 24 keypoints and 33 limbs, moving averages of batch norm included."""

STAGES = {'mobilenet_small': 3, 'efficientnet_lite0': 3, 'efficientnet_lite2': 3, 'movenet_thunder': 3, 'testing': 2}

Layer = Callable[[int, int], int]


def plain(kernel: int, inputs: int, outputs: int) -> int:
    return kernel * kernel * inputs * outputs + outputs


def conv_bn(kernel: int, inputs: int, outputs: int, groups: int = 1) -> int:
    """Weights, and the four values of batch norm per channel."""
    return kernel * kernel * inputs * outputs // groups + 4 * outputs


def normed(inputs: int, outputs: int, kernel: int = 3) -> int:
    """One filter per channel, a 1x1 convolution, and batch norm."""
    return kernel * kernel * inputs + conv_bn(1, inputs, outputs)


def chain(layer: Layer, channels: Sequence[int]) -> int:
    return sum(layer(inputs, outputs) for inputs, outputs in zip(channels, channels[1:]))


def vgg_backbone(third: List[int]) -> List[int]:
    return [3, 64, 64, 128, 128] + third + [512, 512, 256, 128]


def vgg_stages() -> int:
    first = sum(3 * plain(3, 128, 128) + plain(1, 128, 512) + plain(1, 512, maps) for maps in MAPS)
    later = sum(plain(7, 128 + sum(MAPS), 128) + 4 * plain(7, 128, 128) + plain(1, 128, 128) + plain(1, 128, maps)
                for maps in MAPS)
    return first + 5 * later


def vgg(layers: int) -> int:
    return chain(lambda i, o: plain(3, i, o), vgg_backbone(layers * [256])) + vgg_stages()


def dsconv() -> int:
    backbone = conv_bn(3, 3, 64) + chain(normed, vgg_backbone(4 * [256])[1:])
    first = sum(3 * normed(128, 128) + conv_bn(1, 128, 512) + plain(1, 512, maps) for maps in MAPS)
    later = sum(normed(128 + sum(MAPS), 128, 7) + 4 * normed(128, 128, 7) + conv_bn(1, 128, 128) + plain(1, 128, maps)
                for maps in MAPS)
    return backbone + first + 5 * later


def light_stages(features: int, width: int, stages: int) -> int:
    first = sum(normed(features, width) + 2 * normed(width, width) + conv_bn(1, width, 4 * width)
                + plain(1, 4 * width, maps) for maps in MAPS)
    later = sum(normed(features + sum(MAPS), width) + 2 * normed(width, width) + conv_bn(1, width, width)
                + plain(1, width, maps) for maps in MAPS)
    return first + (stages - 1) * later


def mobilenet(width: float, kept: Sequence[int], head: int, stages: int = 6) -> int:
    channels = [int(width * count) for count in (32, 64, 128, 128, 256, 256) + 6 * (512,)]
    backbone = conv_bn(3, 3, channels[0]) + chain(normed, channels)
    return backbone + light_stages(sum(channels[layer] for layer in kept), head, stages)


def se_resnet(inner: int, groups: int) -> int:
    """Adds up to the published 28,088,024 of SE-ResNet50 and 27,559,896 of SE-ResNeXt50, each less the classifier's
    2,049,000, and two moving averages a channel more: 26,092,144 and 25,579,120.
    """
    backbone, inputs = conv_bn(7, 3, 64), 64
    for depth, blocks in enumerate((3, 4, 6, 3)):
        middle, outputs = inner * 2 ** depth, 256 * 2 ** depth
        backbone += conv_bn(1, inputs, outputs)
        for _ in range(blocks):
            backbone += conv_bn(1, inputs, middle) + conv_bn(3, middle, middle, groups) + conv_bn(1, middle, outputs)
            backbone += plain(1, outputs, outputs // 16) + plain(1, outputs // 16, outputs)
            inputs = outputs
    assert backbone == {1: 28_088_024 - 2_049_000 + 2 * 26_560, 32: 27_559_896 - 2_049_000 + 2 * 34_112}[groups]
    return backbone + plain(3, 256 + 512 + 1024 + 2048, 512) + plain(3, 512, 128) + vgg_stages()


def inverted_residuals(inputs: int, depths: Sequence[Tuple[int, int, int, int]]) -> Tuple[int, int]:
    """Returns parameters, and how many are moving averages; a depth is (kernel, expansion, outputs, blocks)."""
    count = averages = 0
    for kernel, expansion, outputs, blocks in depths:
        for _ in range(blocks):
            wide = expansion * inputs
            expanding = conv_bn(1, inputs, wide) if expansion > 1 else 0
            count += expanding + kernel * kernel * wide + 4 * wide + conv_bn(1, wide, outputs)
            averages += 2 * ((2 if expanding else 1) * wide + outputs)
            inputs = outputs
    return count, averages


def efficientnet(published: int, widths: Sequence[int], blocks: Sequence[int]) -> int:
    """The backbone is the published network without its classifier and last 1x1 layer, plus moving averages."""
    depths = list(zip((3, 3, 5, 3, 5, 5, 3), (1,) + 6 * (6,), widths, blocks))
    count, averages = inverted_residuals(32, depths)
    assert conv_bn(3, 3, 32) + count - 2 * 32 - averages == (
        published - (1280 * 1000 + 1000) - (widths[-1] * 1280 + 2 * 1280))
    pyramid = sum(conv_bn(1, widths[depth], 128) for depth in (2, 4, 6)) + normed(128, 128)
    return conv_bn(3, 3, 32) + count + pyramid + light_stages(128, 128, 3)


def movenet() -> int:
    """MobileNetV2 at width 1.75, its channels rounded to eights; MoveNet's pyramid to the layer before the joints; and
    the pyramid for garments."""
    depths = [(3, expansion, round(1.75 * width / 8 + 0.01) * 8, blocks) for expansion, width, blocks in (
        (1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))]
    backbone = conv_bn(3, 3, 56) + inverted_residuals(56, depths)[0] + conv_bn(1, 560, 1280)
    joints = (plain(1, 1280, 64) + plain(1, 112, 64) + normed(64, 32) + plain(1, 56, 32) + normed(32, 24)
              + plain(1, 40, 24) + normed(24, 24) + normed(24, 96))
    pyramid = sum(conv_bn(1, channels, 128) for channels in (96, 56, 168, 1280)) + normed(128, 128)
    return backbone + joints + pyramid + light_stages(128, 128, 3)


def tiny() -> int:
    backbone = conv_bn(3, 3, 8) + normed(8, 16) + normed(16, 16)
    return backbone + sum(normed(16, 16) + normed(16 + sum(MAPS), 16) + 2 * plain(1, 16, maps) for maps in MAPS)


BY_HAND = {
    'vgg': lambda: vgg(4), 'cmu': lambda: vgg(4), 'vgg16': lambda: vgg(3), 'dsconv': dsconv,
    'seresnet50': lambda: se_resnet(64, 1), 'seresnext50': lambda: se_resnet(128, 32),
    'efficientnet_lite0': lambda: efficientnet(4_652_008, (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 3, 3, 4, 1)),
    'efficientnet_lite2': lambda: efficientnet(6_092_072, (16, 24, 48, 88, 120, 208, 352), (1, 3, 3, 4, 4, 5, 1)),
    'movenet_thunder': movenet,
    'mobilenet_100': lambda: mobilenet(1, (3, 5, 11), 128), 'mobilenet_075': lambda: mobilenet(0.75, (3, 5, 11), 96),
    'mobilenet_050': lambda: mobilenet(0.5, (3, 5, 11), 64), 'mobilenet_thin': lambda: mobilenet(0.75, (3, 7, 11), 64),
    'mobilenet_small': lambda: mobilenet(0.5, (3, 7, 11), 64, 3), 'testing': tiny}


def test_no_network_is_missing_from_the_table() -> None:
    assert set(PARAMETERS) == set(BY_HAND) == set(NETWORKS)
    assert all(spec.name == name for name, spec in NETWORKS.items())
    assert MAPS == (GARMENTS.joint.num_fields, GARMENTS.joint.num_heatmaps)


@pytest.mark.parametrize('model', NETWORKS)
def test_parameters_and_maps(model: str) -> None:
    network = build(model, tf.zeros((2, 64, 96, 3)), GARMENTS.of('all'), is_training=False)
    assert sum(variable.shape.num_elements() for variable in tf.model_variables()) == PARAMETERS[model]
    assert BY_HAND[model]() == PARAMETERS[model]
    assert len(network.stages) == STAGES.get(model, 6)
    for stage in network.stages:
        assert stage.fields.shape.as_list() == [2, 8, 12, MAPS[0]]
        assert stage.heatmaps.shape.as_list() == [2, 8, 12, MAPS[1]]


def test_the_small_network_is_small() -> None:
    assert PARAMETERS['mobilenet_small'] < 1_300_000
