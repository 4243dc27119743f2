"""The stages of the convolutional pose machine: part affinity fields (L1) and heat maps (L2), refined stage by stage.

Cao et al., "Realtime multi-person 2D pose estimation using part affinity fields", figure 3; layer names are those of
its published weights.
"""
from dataclasses import dataclass
from typing import Callable, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv

Layers = Tuple[Tuple[int, int], ...]
"""(kernel, channels) of the layers of a branch, its last one left out."""


@dataclass(frozen=True)
class HeadSpec:
    """How the stages are made: their number, and the layers of a branch in the first and in the later stages.

    `layer(name, inputs, filters, kernel, is_training)` makes one layer with its activation.
    """

    stages: int
    first: Layers
    later: Layers
    layer: Callable[[str, tf.Tensor, int, int, bool], tf.Tensor]


@dataclass(frozen=True)
class StageMaps:
    """What a stage puts out: fields (N, h, w, 2L) and heat maps (N, h, w, K + 1), background last.

    They are linear: the loss compares them as they are, `run.py` puts a sigmoid on the heat maps.
    """

    fields: tf.Tensor
    heatmaps: tf.Tensor


def plain_layer(name: str, inputs: tf.Tensor, filters: int, kernel: int, is_training: bool) -> tf.Tensor:
    """A convolution with bias and ReLU, as a `HeadSpec.layer`; there is no batch norm, so training is as testing."""
    del is_training
    return conv(name, inputs, filters, kernel)


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
