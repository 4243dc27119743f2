"""The table of all networks, and the one function that builds any of them."""
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.networks.backbones import efficientnet, mobilenet, movenet, resnet, tiny, vgg
from fashionai.networks.head import ACTIVATIONS, HeadSpec, StageMaps, changed_head, cpm_stages, plain_layer, upsampled
from fashionai.networks.head_options import UNCHANGED, HeadOptions
from fashionai.networks.layers import separable_bn
from fashionai.networks.pyramid import Features, is_joining
from fashionai.networks.refine import refine_net_alone, refined
from fashionai.networks.tensor_names import INPUT_NAME, MEAN_OUTPUT_NAME, OUTPUT_NAME, TYPES_NAME
from fashionai.networks.type_head import GarmentTypes, garment_types


@dataclass(frozen=True)
class NetworkSpec:
    """A row of the table: the scaling of the image, the backbone, the stages, and the usual initial weights.

    backbone: a function of (image - mean_bgr) * scale, a (N, H, W, 3) BGR tensor; of whether this is training; and of
    `pyramid`, whether features of other strides are joined to its own. head: how the stages are made. mean_bgr, scale:
    as above. pretrained: a file name in models/pretrained/, a name of packaged.PACKAGED, or '' if no weights are
    published. pyramid: the default of the flag `--pyramid`.
    """

    name: str
    backbone: Callable[[tf.Tensor, bool, bool], Features]
    head: HeadSpec
    mean_bgr: Tuple[float, float, float]
    scale: float
    pretrained: str = ''
    pyramid: bool = False

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps."""
        return self.head.stride


@dataclass(frozen=True)
class BuiltNetwork:
    """The tensors of a network in a graph.

    stages: the maps of each stage, for the loss. A refine net is the last stage; if only the refine net is trained, it
    is the only one. output: (N, h, w, K + 1 + 2L), heat maps first. types: the output of the type head, None if the
    network has no type head.
    """

    stages: Tuple[StageMaps, ...]
    output: tf.Tensor
    types: Optional[GarmentTypes] = None


_VGG_MEAN = (104., 117., 123.)
_GREY = (127.5, 127.5, 127.5)
_VGG_HEAD = HeadSpec(stages=6, first=3 * ((3, 128),) + ((1, 512),), later=5 * ((7, 128),) + ((1, 128),),
                     layer=plain_layer)
_SEPARABLE_HEAD = replace(_VGG_HEAD, layer=separable_bn)


def _light_head(channels: int, stages: int = 6) -> HeadSpec:
    return HeadSpec(stages, first=3 * ((3, channels),) + ((1, 4 * channels),),
                    later=3 * ((3, channels),) + ((1, channels),), layer=separable_bn)


def _mobilenet(width: float) -> NetworkSpec:
    return NetworkSpec(f'mobilenet_{100 * width:03.0f}', partial(mobilenet.features, width=width),
                       _light_head(int(128 * width)), _GREY, 1 / 127.5, pyramid=True)


def _efficientnet(name: str, depths: Tuple[efficientnet.Depth, ...]) -> NetworkSpec:
    return NetworkSpec(name, partial(efficientnet.features, depths=depths), _light_head(128, stages=3),
                       (127., 127., 127.), 1 / 128, name, pyramid=True)


_TINY_HEAD = HeadSpec(stages=2, first=((3, 16),), later=((3, 16),), layer=separable_bn)
_VGG19 = partial(vgg.features, blocks=vgg.VGG19)

NETWORKS: Mapping[str, NetworkSpec] = MappingProxyType({spec.name: spec for spec in (
    NetworkSpec('vgg', _VGG19, _VGG_HEAD, _VGG_MEAN, 1., 'vgg19.npy'),
    NetworkSpec('cmu', _VGG19, _VGG_HEAD, _VGG_MEAN, 1., 'openpose_coco.npy'),
    NetworkSpec('vgg16', partial(vgg.features, blocks=vgg.VGG16), _VGG_HEAD, _VGG_MEAN, 1., 'hed'),
    NetworkSpec('dsconv', partial(vgg.separable_features, blocks=vgg.VGG19), _SEPARABLE_HEAD, _GREY, 1 / 127.5),
    NetworkSpec('seresnet50', partial(resnet.features, variant=resnet.SE_RESNET), _VGG_HEAD, _VGG_MEAN, 1.,
                'seresnet50.npy', pyramid=True),
    NetworkSpec('seresnext50', partial(resnet.features, variant=resnet.SE_RESNEXT), _VGG_HEAD, _VGG_MEAN, 1.,
                'seresnext50.npy', pyramid=True),
    _efficientnet('efficientnet_lite0', efficientnet.LITE0), _efficientnet('efficientnet_lite2', efficientnet.LITE2),
    NetworkSpec('movenet_thunder', movenet.features, _light_head(128, stages=3), _GREY, 1 / 127.5,
                'movenet_thunder/movenet-thunder.json', pyramid=True),
    *(_mobilenet(width) for width in (1, 0.75, 0.5)),
    NetworkSpec('mobilenet_thin', partial(mobilenet.thin_features, width=0.75), _light_head(64), _GREY, 1 / 127.5),
    NetworkSpec('mobilenet_small', partial(mobilenet.thin_features, width=0.5), _light_head(64, stages=3), _GREY,
                1 / 127.5),
    NetworkSpec('testing', tiny.features, _TINY_HEAD, _GREY, 1 / 127.5),
)})
"""All networks, by the value of `--model`."""


def network_spec(model: str, options: HeadOptions = UNCHANGED) -> NetworkSpec:
    """Returns the row of a network, with its head changed by the options.

    Raises InputError if there is no network of that name (the message lists the names), or if the options do not fit
    its head.
    """
    if model not in NETWORKS:
        raise InputError(f'unknown network {model!r}: wanted one of {", ".join(NETWORKS)}')
    spec = NETWORKS[model]
    pyramid = spec.pyramid if options.pyramid is None else options.pyramid == 'on'
    try:
        return replace(spec, head=changed_head(spec.head, options), pyramid=pyramid)
    except InputError as error:
        raise InputError(f'--model {model}: {error}') from None


def is_backbone(variable: str) -> bool:
    """Returns whether a variable, by its full name, belongs to a backbone, and to no layer after it."""
    return variable.split('/')[0] != OUTPUT_NAME.split('/')[0] and not is_joining(variable)


def input_placeholder() -> tf.Tensor:
    """Makes the input of an inference graph: float32 (N, H, W, 3) BGR 0..255; H and W are any multiples of 8."""
    return tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)


def build(model: str, image: tf.Tensor, garment: Garment, is_training: bool,
          options: HeadOptions = UNCHANGED, loss: str = 'l2') -> BuiltNetwork:
    """Builds a network on float32 images (N, H, W, 3), BGR 0..255, in the current graph and variable scope.

    Towers share variables by building inside `tf.variable_scope(..., reuse=tf.AUTO_REUSE)`. The output tensor of the
    first network in a graph is named `Openpose/concat_stage7`; TensorFlow makes the name scope of further networks
    unique. The heat maps of the output have the scale of the targets, for every `loss` that the stages are trained
    with.
    """
    spec = network_spec(model, options)
    head = spec.head
    scope, output_name = OUTPUT_NAME.split('/')
    before_refining = is_training and not head.frozen
    with refine_net_alone() if head.frozen else nullcontext():
        features = spec.backbone((image - spec.mean_bgr) * spec.scale, before_refining, spec.pyramid)
        with tf.variable_scope(scope):
            stages = cpm_stages(upsampled(features.stride8, head), head, garment.num_fields, garment.num_heatmaps,
                                before_refining)
            if head.refine:
                last = refined(stages[-1], features.stride4, head, is_training)
                stages = (last,) if head.frozen else stages + (last,)
            output = tf.concat([ACTIVATIONS[loss](stages[-1].heatmaps), stages[-1].fields], axis=3, name=output_name)
            types = (garment_types(features, len(garment.types), options.type_head, before_refining,
                                   TYPES_NAME.split('/')[1]) if options.type_head else None)
    return BuiltNetwork(stages, output, types)


def mean_of_last_two(network: BuiltNetwork, options: HeadOptions = UNCHANGED, loss: str = 'l2') -> Optional[tf.Tensor]:
    """Returns the mean of the maps of the last two stages, with the shape of `output`.

    Returns None if there is only one stage, or if the last stage is a refine net, because its cells are smaller.
    """
    if len(network.stages) < 2 or options.refine:
        return None
    maps = [tf.concat([ACTIVATIONS[loss](stage.heatmaps), stage.fields], axis=3) for stage in network.stages[-2:]]
    return tf.multiply(tf.add_n(maps), 0.5, name=MEAN_OUTPUT_NAME)
