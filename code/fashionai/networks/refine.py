"""The refine net: a few layers at stride 4 that correct the maps of the last stage.

The first network uses the whole garment, in coarse cells. The refine net takes its maps and the fine features of the
backbone, and adds a correction. It is like the RefineNet after the GlobalNet in Chen et al., "Cascaded pyramid network
for multi-person pose estimation". At the start of training it is the identity, because its last layers, which compute
the correction, start at zero.
"""
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import tensorflow.compat.v1 as tf

from fashionai.networks.head import HeadSpec, StageMaps
from fashionai.networks.head_options import BACKBONE_STRIDE, REFINED_STRIDE
from fashionai.networks.layers import bilinear, conv

LAYERS = 3
"""The number of 3x3 layers between the maps and their correction: each cell of it depends on 7x7 cells."""

_PREFIX = 'refine_'
"""The prefix of the names of the refine net's layers."""


def refined(maps: StageMaps, features: tf.Tensor, spec: HeadSpec, is_training: bool) -> StageMaps:
    """Returns the maps (N, h, w, .) enlarged to stride 4 and corrected: (N, 2h, 2w, .).

    The enlarged maps and the features (N, 2h, 2w, C), narrowed by a 1x1 layer, go through 3x3 layers. From their
    output, one 1x1 layer per branch computes the correction, which is added to the maps. The layers are of the same
    kind as those of the stages, and as wide as the first layer of the first stage.
    """
    factor, width = BACKBONE_STRIDE // REFINED_STRIDE, spec.first[0][1]
    fields = bilinear(f'{_PREFIX}fields', maps.fields, factor)
    heatmaps = bilinear(f'{_PREFIX}heatmaps', maps.heatmaps, factor)
    narrow = spec.layer(f'{_PREFIX}features', features, width, 1, is_training)
    net = tf.concat([fields, heatmaps, narrow], axis=3, name=f'{_PREFIX}concat')
    for number in range(1, LAYERS + 1):
        net = spec.layer(f'{_PREFIX}conv{number}', net, width, 3, is_training)

    def corrected(label: str, enlarged: tf.Tensor) -> tf.Tensor:
        return enlarged + conv(f'{_PREFIX}{label}', net, int(enlarged.shape[3]), 1, relu=False, deviation=0)

    return StageMaps(fields=corrected('L1', fields), heatmaps=corrected('L2', heatmaps))


@contextmanager
def refine_net_alone() -> Iterator[None]:
    """Within this context, only variables of the refine net are made trainable."""
    def made(getter: Callable[..., tf.Variable], name: str, trainable: bool, **others: Any) -> tf.Variable:
        return getter(name=name, trainable=trainable and is_refining(name), **others)

    with tf.variable_scope(tf.get_variable_scope(), custom_getter=made, auxiliary_name_scope=False):
        yield


def is_refining(variable: str) -> bool:
    """Returns whether a variable, given by its name, belongs to the refine net."""
    return f'/{_PREFIX}' in variable
