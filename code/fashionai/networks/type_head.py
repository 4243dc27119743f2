"""Which type the garment is: a linear classifier on the trunk's features, averaged over the image."""
from dataclasses import dataclass

import tensorflow.compat.v1 as tf

from fashionai.garments import GARMENTS
from fashionai.networks.head_options import APART
from fashionai.networks.layers import conv


@dataclass(frozen=True)
class GarmentTypes:
    """What the head says of N images, in the order of GARMENTS: logits, for the loss, and probabilities, (N, 5)."""

    logits: tf.Tensor
    probabilities: tf.Tensor


def garment_types(features: tf.Tensor, how: str, output_name: str) -> GarmentTypes:
    """The types of images whose features are (N, h, w, C); `how` is one of TYPE_HEADS."""
    features = tf.stop_gradient(features) if how == APART else features
    pooled = tf.reduce_mean(features, axis=(1, 2), keepdims=True)
    logits = tf.squeeze(conv('type_head', pooled, len(GARMENTS), 1, relu=False), axis=(1, 2))
    return GarmentTypes(logits, tf.nn.softmax(logits, name=output_name))
