"""Weights in other formats: what is lost, what is not, and which axis has the scales."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.model_files.stored_weights import decoded, format_of, in_format, output_axis
from fashionai.model_files.weight_formats import scaled_integers

RANDOM = np.random.RandomState(0)


@pytest.mark.parametrize('shape, axis', [((3, 3, 8, 16), 3), ((5, 5, 8, 1), 2), ((1, 1, 8, 16), 3), ((8, 16), 1)])
def test_every_output_channel_has_a_scale(shape: tuple, axis: int) -> None:
    assert output_axis(shape) == axis
    sizes = np.float32(10) ** -RANDOM.uniform(0, 6, [count if number == axis else 1
                                                     for number, count in enumerate(shape)]).astype(np.float32)
    weights = RANDOM.uniform(-1, 1, shape).astype(np.float32) * sizes
    parts = scaled_integers(weights, axis)
    assert parts.integers.dtype == np.int8 and parts.scales.shape == sizes.shape
    others = tuple(number for number in range(len(shape)) if number != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    assert (np.abs(parts.integers * parts.scales - weights) <= largest / 253).all(), 'half a step of 127 at most'
    assert (np.abs(parts.integers).max(axis=others) == 127).all()


def test_a_channel_of_zeros_stays_one() -> None:
    weights = np.stack([np.zeros(8), np.arange(8)], axis=1).astype(np.float32)
    parts = scaled_integers(weights, 1)
    np.testing.assert_allclose(parts.integers * parts.scales, weights, atol=7 / 254)


@pytest.mark.parametrize('other', [np.ones(8, np.float32), np.ones((2, 8), np.float32), np.ones((8, 8), np.int32)])
def test_what_gains_nothing_is_left_alone(other: np.ndarray) -> None:
    assert scaled_integers(other, other.ndim - 1) is None


def graph_of(kernel: np.ndarray) -> tf.GraphDef:
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), 'image')
        tf.nn.conv2d(image, kernel, strides=[1, 1, 1, 1], padding='SAME', name='maps')
        return graph.as_graph_def()


def test_formats_follow_each_other_without_further_loss() -> None:
    kernel = RANDOM.normal(0, 1, (3, 3, 3, 16)).astype(np.float32)
    image = RANDOM.uniform(0, 255, (1, 8, 8, 3)).astype(np.float32)

    def maps(definition: tf.GraphDef) -> np.ndarray:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.import_graph_def(definition, name='')
            return session.run('maps:0', {'image:0': image})

    whole = graph_of(kernel)
    for weight_format, loss in (('half', 1e-3), ('int8', 1e-2)):
        rounded = in_format(whole, weight_format)
        assert format_of(rounded) == weight_format and format_of(whole) == 'float32'
        wanted = maps(rounded)
        assert 0 < np.abs(wanted - maps(whole)).max() < loss * np.abs(wanted).max()
        assert {node.op for node in decoded(rounded).node} == {'Placeholder', 'Const', 'Conv2D'}
        np.testing.assert_allclose(maps(decoded(rounded)), wanted, rtol=1e-6, atol=1e-4)
        again = in_format(in_format(rounded, 'float32'), weight_format)
        np.testing.assert_allclose(maps(again), wanted, rtol=1e-5, atol=1e-3)
        assert in_format(rounded, weight_format) == rounded
