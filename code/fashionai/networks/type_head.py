"""The type head predicts the garment type: one layer on the backbone's deepest features, their mean over the image, and
a classifier."""
from dataclasses import dataclass

import tensorflow.compat.v1 as tf

from fashionai.networks.head_options import APART
from fashionai.networks.layers import conv, conv_bn
from fashionai.networks.pyramid import Features

_WIDTH = 256
"""The number of channels of the layer before the mean."""


@dataclass(frozen=True)
class GarmentTypes:
    """The outputs of the type head: logits, for the loss, and probabilities; each (N, T), in the order of the types."""

    logits: tf.Tensor
    probabilities: tf.Tensor


def garment_types(features: Features, types: int, how: str, is_training: bool, output_name: str) -> GarmentTypes:
    """Builds the type head for `types` garment types on the features of N images. `how` is one of TYPE_HEADS."""
    net = features.stride8 if features.deepest is None else features.deepest
    net = tf.stop_gradient(net) if how == APART else net
    net = conv_bn('type_features', net, _WIDTH, 1, is_training)
    pooled = tf.reduce_mean(net, axis=(1, 2), keepdims=True)
    logits = tf.squeeze(conv('type_head', pooled, types, 1, relu=False), axis=(1, 2))
    return GarmentTypes(logits, tf.nn.softmax(logits, name=output_name))
