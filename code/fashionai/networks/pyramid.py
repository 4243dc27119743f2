"""Feature pyramids: features of several strides, resized to one stride so that their cells match."""
from dataclasses import dataclass
from typing import List, Optional, Sequence

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import bilinear, mean_pool

LATERAL, SMOOTH, NARROWING = 'lateral', 'smooth', '_CPM'
"""Names of layers between a backbone and the stages: the beginning of those that give each level one width, the one
after their sum, and the ending of those that narrow the features."""


@dataclass(frozen=True)
class Level:
    """Features of one stride: (N, ceil(H / stride), ceil(W / stride), C) for an input of (H, W) pixels."""

    features: tf.Tensor
    stride: int


@dataclass(frozen=True)
class Features:
    """The outputs of a backbone.

    stride8: (N, H/8, W/8, C), the features for the stages. stride4: (N, H/4, W/4, C'), its own features of stride 4.
    deepest: (N, h, w, C"), its deepest features, of any stride; None if they are `stride8`.
    """

    stride8: tf.Tensor
    stride4: tf.Tensor
    deepest: Optional[tf.Tensor] = None


def is_joining(variable: str) -> bool:
    """Returns whether a variable, by its full name, belongs to a layer between a backbone and the stages."""
    layer = variable.split('/')[0]
    return layer.startswith((LATERAL, SMOOTH)) or layer.endswith(NARROWING)


def joined(levels: Sequence[Level], stride: int, image: tf.Tensor) -> tf.Tensor:
    """Returns all levels at one stride, concatenated in the channels."""
    return tf.concat(at_stride(levels, stride, image), axis=3, name='feature_pyramid')


def at_stride(levels: Sequence[Level], stride: int, image: tf.Tensor) -> List[tf.Tensor]:
    """Returns the features of all levels at one stride. Finer levels are averaged, coarser ones are resized bilinearly.

    If the stride of a coarse level does not divide the input size, its cells reach over the edge of the image. The
    excess is cut off, so that the cells keep their positions; resizing to the wanted size would shift them.
    """
    size = tf.shape(image) // stride
    return [_resized(level, stride)[:, :size[1], :size[2]] if level.stride > stride else _resized(level, stride)
            for level in levels]


def _resized(level: Level, stride: int) -> tf.Tensor:
    name = f'from_stride{level.stride}'
    if level.stride > stride:
        return bilinear(name, level.features, level.stride // stride)
    return mean_pool(name, level.features, stride // level.stride) if level.stride < stride else level.features
