"""The refine net: a few layers at stride 4 that correct the maps of the last stage.

The first network sees garments whole, in coarse cells; the refine net sees its maps beside the trunk's fine features,
and adds what it would change. So Chen et al., "Cascaded pyramid network for multi-person pose estimation", has a
RefineNet behind its GlobalNet. It starts as the identity: its last layers, which give the correction, start at zero.
"""
from contextlib import contextmanager
from typing import Any, Callable, Iterator

import tensorflow.compat.v1 as tf

from fashionai.networks.head import HeadSpec, StageMaps
from fashionai.networks.head_options import BACKBONE_STRIDE, REFINED_STRIDE
from fashionai.networks.layers import bilinear, conv

LAYERS = 3
"""3x3 layers between the maps and their correction, each cell of which so depends on 7x7 cells."""

_PREFIX = 'refine_'
"""How the names of the refine net's layers start."""


def refined(maps: StageMaps, features: tf.Tensor, spec: HeadSpec, is_training: bool) -> StageMaps:
    """The maps (N, h, w, .) enlarged to stride 4 and corrected: (N, 2h, 2w, .).

    The features (N, 2h, 2w, C), narrowed by a 1x1 layer, and the enlarged maps go through 3x3 layers; of what these
    give, a 1x1 layer a branch makes the correction that is added. Layers are those of the stages, and as wide as the
    first layer of the first.
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
    """Variables made within can be trained if they are the refine net's; the others are as moving averages are."""
    def made(getter: Callable[..., tf.Variable], name: str, trainable: bool, **others: Any) -> tf.Variable:
        return getter(name=name, trainable=trainable and is_refining(name), **others)

    with tf.variable_scope(tf.get_variable_scope(), custom_getter=made, auxiliary_name_scope=False):
        yield


def is_refining(variable: str) -> bool:
    """Whether a variable is the refine net's."""
    return f'/{_PREFIX}' in variable
