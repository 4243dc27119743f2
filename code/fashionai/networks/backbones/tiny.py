"""A backbone of three layers, for tests: they need every kind of layer, but no accuracy."""
import tensorflow.compat.v1 as tf

from fashionai.networks.layers import conv_bn, separable_bn
from fashionai.networks.pyramid import Features, Level, joined


def features(image: tf.Tensor, is_training: bool, pyramid: bool) -> Features:
    """(N, H, W, 3) in -1..1 -> (N, H/8, W/8, 16); with `pyramid`, the two layers before it are joined to it.

    The features of stride 4 are (N, H/4, W/4, 16).
    """
    fine = conv_bn('conv1', image, 8, 3, is_training, stride=2)
    middle = separable_bn('conv2', fine, 16, 3, is_training, stride=2)
    coarse = separable_bn('conv3', middle, 16, 3, is_training, stride=2)
    levels = [Level(coarse, 8), Level(fine, 2), Level(middle, 4)]
    return Features(joined(levels, 8, image) if pyramid else coarse, middle)
