"""The table of networks, and the one function that builds any of them."""
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Callable, Mapping, Tuple

import tensorflow.compat.v1 as tf

from fashionai.garments import Garment
from fashionai.networks.backbones import mobilenet, tiny, vgg
from fashionai.networks.contract import INPUT_NAME, OUTPUT_NAME
from fashionai.networks.head import HeadSpec, StageMaps, cpm_stages, plain_layer
from fashionai.networks.layers import separable_bn


@dataclass(frozen=True)
class NetworkSpec:
    """One network: what is done to the image, the trunk, the stages, and the weights it usually starts from.

    The trunk takes (image - mean) * scale, a (N, H, W, 3) BGR tensor, and whether this is training, and gives features
    (N, H/stride, W/stride, C). `pretrained` is a file name in models/pretrained/, or '' where none is published.
    """

    name: str
    trunk: Callable[[tf.Tensor, bool], tf.Tensor]
    head: HeadSpec
    mean_bgr: Tuple[float, float, float]
    scale: float
    pretrained: str = ''
    stride: int = 8


@dataclass(frozen=True)
class Network:
    """A built network: every stage's maps, for the loss, and the output (N, h, w, K + 1 + 2L), heat maps first."""

    stages: Tuple[StageMaps, ...]
    output: tf.Tensor


_VGG_MEAN = (104., 117., 123.)
_GREY = (127.5, 127.5, 127.5)
_VGG_HEAD = HeadSpec(stages=6, first=3 * ((3, 128),) + ((1, 512),), later=5 * ((7, 128),) + ((1, 128),),
                     layer=plain_layer)
_LIGHT_HEAD = HeadSpec(stages=6, first=3 * ((3, 64),) + ((1, 256),), later=3 * ((3, 64),) + ((1, 64),),
                       layer=separable_bn)
_SHORT_HEAD = replace(_LIGHT_HEAD, stages=3)
_TINY_HEAD = HeadSpec(stages=2, first=((3, 16),), later=((3, 16),), layer=separable_bn)

NETWORKS: Mapping[str, NetworkSpec] = MappingProxyType({spec.name: spec for spec in (
    NetworkSpec('vgg', vgg.features, _VGG_HEAD, _VGG_MEAN, 1., 'vgg19.npy'),
    NetworkSpec('cmu', vgg.features, _VGG_HEAD, _VGG_MEAN, 1., 'openpose_coco.npy'),
    NetworkSpec('mobilenet_thin', partial(mobilenet.features, width=0.75), _LIGHT_HEAD, _GREY, 1 / 127.5),
    NetworkSpec('mobilenet_small', partial(mobilenet.features, width=0.5), _SHORT_HEAD, _GREY, 1 / 127.5),
    NetworkSpec('testing', tiny.features, _TINY_HEAD, _GREY, 1 / 127.5),
)})
"""Every network by the name `--model` takes."""


def network_spec(model: str) -> NetworkSpec:
    """The row of a network. Raises ValueError, naming the choices, where there is none of that name."""
    if model not in NETWORKS:
        raise ValueError(f'unknown network {model!r}: wanted one of {", ".join(NETWORKS)}')
    return NETWORKS[model]


def input_placeholder() -> tf.Tensor:
    """The input of an inference graph: float32 (N, H, W, 3) BGR 0..255, H and W any multiples of the stride."""
    return tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)


def build(model: str, image: tf.Tensor, garment: Garment, is_training: bool) -> Network:
    """Build a network on float32 images (N, H, W, 3), BGR 0..255, in the current graph and variable scope.

    Towers share variables by building inside `tf.variable_scope(..., reuse=tf.AUTO_REUSE)`. The output tensor is named
    `Openpose/concat_stage7` where the graph held no network before; another one's name scope is made unique.
    """
    spec = network_spec(model)
    features = spec.trunk((image - spec.mean_bgr) * spec.scale, is_training)
    scope, output_name = OUTPUT_NAME.split('/')
    with tf.variable_scope(scope):
        stages = cpm_stages(features, spec.head, garment.num_fields, garment.num_heatmaps, is_training)
        output = tf.concat([stages[-1].heatmaps, stages[-1].fields], axis=3, name=output_name)
    return Network(stages, output)
