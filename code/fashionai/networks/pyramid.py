"""Feature pyramids: maps of several strides brought to one, cell on cell."""
from dataclasses import dataclass
from typing import List, Optional, Sequence

import tensorflow.compat.v1 as tf

from fashionai.networks.layers import bilinear, mean_pool


@dataclass(frozen=True)
class Level:
    """Features (N, ceil(H / stride), ceil(W / stride), C) of an input of (H, W) pixels."""

    features: tf.Tensor
    stride: int


@dataclass(frozen=True)
class Features:
    """What a trunk gives: features (N, H/8, W/8, C) for the stages, its own of stride 4 (N, H/4, W/4, C'), and its
    deepest, (N, h, w, C") of any stride, where they are others than those for the stages."""

    stride8: tf.Tensor
    stride4: tf.Tensor
    deepest: Optional[tf.Tensor] = None


def joined(levels: Sequence[Level], stride: int, image: tf.Tensor) -> tf.Tensor:
    """All levels at one stride, one after another in the channels."""
    return tf.concat(at_stride(levels, stride, image), axis=3, name='feature_pyramid')


def at_stride(levels: Sequence[Level], stride: int, image: tf.Tensor) -> List[tf.Tensor]:
    """The levels' features at one stride: of finer ones the mean of the cells that make one, coarser ones bilinear.

    Where a coarse level's cells reach over the edge of the image, since its stride does not divide the input, the
    excess is cut off: cells stay in their places, where resizing to the size wanted would shift them.
    """
    size = tf.shape(image) // stride
    return [_resized(level, stride)[:, :size[1], :size[2]] if level.stride > stride else _resized(level, stride)
            for level in levels]


def _resized(level: Level, stride: int) -> tf.Tensor:
    name = f'from_stride{level.stride}'
    if level.stride > stride:
        return bilinear(name, level.features, level.stride // stride)
    return mean_pool(name, level.features, stride // level.stride) if level.stride < stride else level.features
