"""The stages of the convolutional pose machine. Each stage predicts part affinity fields (L1) and heat maps (L2).

See Cao et al., "Realtime multi-person 2D pose estimation using part affinity fields", figure 3. The layer names are
those of the published weights.
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
"""(kernel, channels) of the layers of a branch, without its last layer."""

Upsample = Callable[[str, tf.Tensor, int], tf.Tensor]

_UPSAMPLE: Mapping[str, Upsample] = MappingProxyType(dict(zip(UPSAMPLINGS, (
    transposed, lambda name, inputs, filters: bilinear(name, inputs, 2)))))
"""Functions that double the size of features, by the value of `--upsampling`. The bilinear one ignores `filters`."""


@dataclass(frozen=True)
class HeadSpec:
    """How the stages are made.

    stages: the number of stages. first, later: the layers of a branch, in the first stage and in the later ones.
    layer: `layer(name, inputs, filters, kernel, is_training)` makes one layer with its activation. upsampling: before
    the stages, each of these functions, called as `upsample(name, inputs, filters)`, doubles the size of the features.
    refine: how the refine net after the stages is trained; None if there is no refine net.
    """

    stages: int
    first: Layers
    later: Layers
    layer: Callable[[str, tf.Tensor, int, int, bool], tf.Tensor]
    upsampling: Tuple[Upsample, ...] = ()
    refine: Optional[str] = None

    @property
    def stride(self) -> int:
        """Input pixels per cell of the last maps."""
        return REFINED_STRIDE if self.refine else BACKBONE_STRIDE // 2 ** len(self.upsampling)

    @property
    def frozen(self) -> bool:
        """Whether only the refine net is trained. Everything before it then works as at test time, also batch norm."""
        return self.refine == FROZEN


@dataclass(frozen=True)
class StageMaps:
    """The outputs of a stage: fields (N, h, w, 2L) and heat maps (N, h, w, K + 1), the background last.

    Both are linear outputs. A function of ACTIVATIONS turns the heat maps into values of the scale of the targets.
    """

    fields: tf.Tensor
    heatmaps: tf.Tensor


_PRIOR = 0.01
"""The probability of a keypoint in a cell if the map is 0, as it is in an untrained network."""


def as_logits(heatmaps: tf.Tensor) -> tf.Tensor:
    """Returns the heat maps (N, h, w, K + 1) as logits: the logit of a prior probability is added.

    Few cells have a keypoint and most are background. Lin et al., "Focal loss for dense object detection", section 3.3,
    put the prior into the initial biases. Here it is a constant: Adam changes a bias by about one learning rate per
    step, so in a short training a bias that starts at probability 0.5 would hardly move.
    """
    prior = math.log(_PRIOR / (1 - _PRIOR))
    return heatmaps + tf.constant([prior] * (int(heatmaps.shape[3]) - 1) + [-prior], tf.float32)


ACTIVATIONS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = MappingProxyType(
    {'l2': lambda heatmaps: heatmaps, 'focal': lambda heatmaps: tf.sigmoid(as_logits(heatmaps))})
"""Functions that turn the heat maps of a stage into the scale of the targets, by the name of the training loss."""


def plain_layer(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool) -> tf.Tensor:
    """A `HeadSpec.layer`: convolution, bias and ReLU. It has no batch norm, so `is_training` changes nothing."""
    del is_training
    return conv(name, inputs, filters, kernel)


def changed_head(spec: HeadSpec, options: HeadOptions) -> HeadSpec:
    """Returns the head changed by the options. Raises InputError if an option does not fit this head."""
    doublings = STRIDES.index(options.stride)
    return replace(spec, stages=options.stages or spec.stages,
                   later=_factorised(spec.later) if options.factorised else spec.later,
                   upsampling=doublings * (_UPSAMPLE[options.upsampling or UPSAMPLINGS[0]],), refine=options.refine)


def _factorised(layers: Layers) -> Layers:
    """Replaces each 7x7 layer by three 3x3 ones: the same reach with 27 weights instead of 49, two more activations."""
    if not any(kernel == 7 for kernel, _ in layers):
        raise InputError('--factorised has no effect, because the stages have no 7x7 layers: choose a network '
                         'that has them')
    return tuple(layer for kernel, filters in layers
                 for layer in (3 * ((3, filters),) if kernel == 7 else ((kernel, filters),)))


def upsampled(features: tf.Tensor, spec: HeadSpec) -> tf.Tensor:
    """Returns the features (N, H/8, W/8, C) resized to the stride of the maps.

    Transposed convolutions have as many output channels as the first layer of a stage.
    """
    for number, upsample in enumerate(spec.upsampling, 1):
        features = upsample(f'upsample{number}', features, spec.first[0][1])
    return features


def cpm_stages(features: tf.Tensor, spec: HeadSpec, num_fields: int, num_heatmaps: int,
               is_training: bool) -> Tuple[StageMaps, ...]:
    """Builds all stages. The first takes the features (N, h, w, C); each later one also the maps of the one before."""
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
