"""The stages of the convolutional pose machine: part affinity fields (L1) and heat maps (L2), refined stage by stage.

Cao et al., "Realtime multi-person 2D pose estimation using part affinity fields", figure 3; layer names are those of
its published weights.
"""
import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.networks.head_options import BACKBONE_STRIDE, FROZEN, REFINED_STRIDE, STRIDES, UPSAMPLINGS, HeadOptions
from fashionai.networks.layers import bilinear, conv, transposed

Layers = Tuple[Tuple[int, int], ...]
"""(kernel, channels) of the layers of a branch, its last one left out."""

Upsample = Callable[[str, tf.Tensor, int], tf.Tensor]

_UPSAMPLE: Mapping[str, Upsample] = MappingProxyType(dict(zip(UPSAMPLINGS, (
    transposed, lambda name, inputs, filters: bilinear(name, inputs, 2)))))
"""By the name `--upsampling` takes; the bilinear one keeps the channels it is given."""


@dataclass(frozen=True)
class HeadSpec:
    """How the stages are made: their number, and the layers of a branch in the first and in the later stages.

    `layer(name, inputs, filters, kernel, is_training)` makes one layer with its activation. Before the stages, each
    of `upsampling`, as `upsample(name, inputs, filters)`, doubles the size of the features. `refine` is how the refine
    net after them is trained, None where there is none.
    """

    stages: int
    first: Layers
    later: Layers
    layer: Callable[[str, tf.Tensor, int, int, bool], tf.Tensor]
    upsampling: Tuple[Upsample, ...] = ()
    refine: Optional[str] = None

    @property
    def stride(self) -> int:
        """Input pixels a cell of the last maps."""
        return REFINED_STRIDE if self.refine else BACKBONE_STRIDE // 2 ** len(self.upsampling)

    @property
    def frozen(self) -> bool:
        """Whether the refine net alone is trained: all before it is as at test time, batch norm included."""
        return self.refine == FROZEN


@dataclass(frozen=True)
class StageMaps:
    """What a stage puts out: fields (N, h, w, 2L) and heat maps (N, h, w, K + 1), background last.

    They are linear. What makes heat maps of them that are like the targets, ACTIVATIONS says by the loss.
    """

    fields: tf.Tensor
    heatmaps: tf.Tensor


_PRIOR = 0.01
"""Probability of a keypoint in a cell where the maps are still 0, as untrained ones are."""


def as_logits(heatmaps: tf.Tensor) -> tf.Tensor:
    """Heat maps (N, h, w, K + 1), read as logits about a prior: few cells have a keypoint, most are background.

    Lin et al., "Focal loss for dense object detection", section 3.3, put the prior into the initial biases. Adam moves
    biases by a learning rate a step, so a short training would never leave a start at one half.
    """
    prior = math.log(_PRIOR / (1 - _PRIOR))
    return heatmaps + tf.constant([prior] * (int(heatmaps.shape[3]) - 1) + [-prior], tf.float32)


ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = MappingProxyType(
    {'l2': lambda heatmaps: heatmaps, 'focal': lambda heatmaps: tf.sigmoid(as_logits(heatmaps))})
"""What makes a stage's heat maps like the targets, by the name of the loss they are trained with."""


def plain_layer(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool) -> tf.Tensor:
    """A convolution with bias and ReLU, as a `HeadSpec.layer`; there is no batch norm, so training is as testing."""
    del is_training
    return conv(name, inputs, filters, kernel)


def changed_head(spec: HeadSpec, options: HeadOptions) -> HeadSpec:
    """The head as the options have it. Raises InputError where this head cannot be so."""
    doublings = STRIDES.index(options.stride)
    return replace(spec, stages=options.stages or spec.stages,
                   later=_factorised(spec.later) if options.factorised else spec.later,
                   upsampling=doublings * (_UPSAMPLE[options.upsampling or UPSAMPLINGS[0]],), refine=options.refine)


def _factorised(layers: Layers) -> Layers:
    """3x(3x3) for each 7x7: the same reach with 27 weights for 49, and two more activations."""
    if not any(kernel == 7 for kernel, _ in layers):
        raise InputError('--factorised finds no 7x7 layers in its stages: wanted a network that has them')
    return tuple(layer for kernel, filters in layers
                 for layer in (3 * ((3, filters),) if kernel == 7 else ((kernel, filters),)))


def upsampled(features: tf.Tensor, spec: HeadSpec) -> tf.Tensor:
    """The features (N, H/8, W/8, C) at the stride of the maps; transposed convolution gives them the width of a
    stage's first layer.
    """
    for number, upsample in enumerate(spec.upsampling, 1):
        features = upsample(f'upsample{number}', features, spec.first[0][1])
    return features


def cpm_stages(features: tf.Tensor, spec: HeadSpec, num_fields: int, num_heatmaps: int,
               is_training: bool) -> Tuple[StageMaps, ...]:
    """All stages. The first sees the features (N, h, w, C), each later one its forerunner's maps and the features."""
    stages = [_cpm_stage(1, features, spec, num_fields, num_heatmaps, is_training)]
    for stage in range(2, spec.stages + 1):
        inputs = tf.concat([stages[-1].fields, stages[-1].heatmaps, features], axis=3, name=f'concat_stage{stage}')
        stages.append(_cpm_stage(stage, inputs, spec, num_fields, num_heatmaps, is_training))
    return tuple(stages)


def _cpm_stage(stage: int, inputs: tf.Tensor, spec: HeadSpec, num_fields: int, num_heatmaps: int,
               is_training: bool) -> StageMaps:
    layers = spec.first if stage == 1 else spec.later

    def branch(label: str, channels: int) -> tf.Tensor:
        def name(layer: int) -> str:
            return f'conv5_{layer}_CPM_{label}' if stage == 1 else f'Mconv{layer}_stage{stage}_{label}'

        net = inputs
        for layer, (kernel, filters) in enumerate(layers, 1):
            net = spec.layer(name(layer), net, filters, kernel, is_training)
        return conv(name(len(layers) + 1), net, channels, 1, relu=False)

    return StageMaps(fields=branch('L1', num_fields), heatmaps=branch('L2', num_heatmaps))
