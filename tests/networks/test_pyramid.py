"""Levels of several strides, resized to one: every cell keeps its position in the image."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.networks.pyramid import Level, at_stride, joined

SIDE = 40


def ramp(stride: int) -> np.ndarray:
    """Returns the x coordinate of each cell's centre in input pixels. Cells may reach over the image's edge."""
    cells = -(-SIDE // stride)
    centres = np.arange(cells) * stride + (stride - 1) / 2
    return np.broadcast_to(centres, (1, cells, cells)).astype(np.float32)[..., None]


@pytest.mark.parametrize('stride', [2, 4, 8, 16, 32])
def test_a_ramp_stays_where_it_is(stride: int) -> None:
    image = tf.zeros((1, SIDE, SIDE, 3))
    resized, = at_stride([Level(tf.constant(ramp(stride)), stride)], 8, image)
    assert resized.shape.as_list() == [1, 5, 5, 1]
    with tf.Session() as session:
        values = session.run(resized)
    inside = slice(int(stride > 8) * (stride // 16), None)  # beyond its first centre, a coarse ramp is flat
    np.testing.assert_allclose(values[:, :, inside], ramp(8)[:, :, inside], atol=1e-4)


def test_joined_in_the_order_given() -> None:
    levels = [Level(tf.constant(ramp(8)), 8), Level(tf.ones((1, 20, 20, 2)), 2)]
    with tf.Session() as session:
        values = session.run(joined(levels, 8, tf.zeros((1, SIDE, SIDE, 3))))
    assert values.shape == (1, 5, 5, 3)
    np.testing.assert_allclose(values[..., 0], ramp(8)[..., 0])
    assert (values[..., 1:] == 1).all()
