"""The visibility head tells of each keypoint whether the garment lacks it, or something hides it, or it is visible.

It is a linear layer on the features before the stages, and so small that it is fitted to a frozen graph and added to
it: see model_files/visibility.py. Each keypoint looks where its heat map is high, so the head reads one picture that
shows the whole garment, and needs no place.

Letters: N pictures, (h, w) cells, C channels of the features, K keypoints.
"""
import numpy as np
import tensorflow.compat.v1 as tf

_SHARPNESS = 6.
"""A cell counts exp(6) = 400 times as much where the heat map has its full height as where it has none. A keypoint so
sees its own place and, with about half of the weight, the rest of the picture."""


def attended(features: tf.Tensor, maps: tf.Tensor, keypoints: int) -> tf.Tensor:
    """Returns (N, K, C): for each keypoint the mean of the features (N, h, w, C), weighted by its heat map, one of the
    first K of the maps (N, h, w, channels)."""
    weights = _attention(maps, keypoints)
    return tf.matmul(weights, _in_rows(features), transpose_a=True)


def visibility(features: tf.Tensor, maps: tf.Tensor, weights: np.ndarray, constants: np.ndarray,
               output_name: str) -> tf.Tensor:
    """Returns (N, K, 3): the probabilities that a keypoint is absent, occluded, visible; see tensor_names.VISIBILITY.

    Args:
        features, maps: as in `attended`.
        weights: (K, C, 2), constants: (K, 2). They give the logits that a point is absent, and that it is occluded if
            it is not absent, from `attended`.
        output_name: the name of the tensor.
    """
    keypoints, channels, _ = weights.shape
    layer = weights.transpose(1, 0, 2).reshape(channels, 2 * keypoints).astype(np.float32)
    # A linear layer and a mean may change places. The layer comes first, since it has fewer channels than the features.
    cells = tf.reshape(tf.matmul(tf.reshape(features, (-1, channels)), tf.constant(layer)),
                       tf.concat([tf.shape(_in_rows(features))[:2], [keypoints, 2]], axis=0))
    logits = tf.reduce_sum(cells * tf.expand_dims(_attention(maps, keypoints), 3), axis=1) + tf.constant(
        constants.astype(np.float32))
    shares = tf.sigmoid(logits)
    absent, occluded = tf.unstack(shares, axis=2)  # LiteRT of TensorFlow 1.15 knows no slices with an ellipsis
    return tf.stack([absent, (1 - absent) * occluded, (1 - absent) * (1 - occluded)], axis=2, name=output_name)


def _attention(maps: tf.Tensor, keypoints: int) -> tf.Tensor:
    """Returns the weights of the cells (N, h w, K), whose sum is 1 for each keypoint."""
    heights = tf.clip_by_value(_in_rows(maps[:, :, :, :keypoints]), 0., 1.)
    powers = tf.exp(_SHARPNESS * heights)
    return powers / tf.reduce_sum(powers, axis=1, keepdims=True)


def _in_rows(maps: tf.Tensor) -> tf.Tensor:
    """Returns maps (N, h, w, channels) as (N, h w, channels)."""
    size = tf.shape(maps)
    return tf.reshape(maps, tf.stack([size[0], size[1] * size[2], size[3]]))
