"""The loss compared with NumPy in double precision, and towers compared with one network."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.networks.catalog import BuiltNetwork, build
from fashionai.networks.head import StageMaps
from fashionai.training.execution import Execution
from fashionai.training.losses import Batch, stage_losses, total_loss
from fashionai.training.schedule import learning_rate
from fashionai.training.towers import build_towers, tower_devices

SKIRT = GARMENTS['skirt']


def arrays(count, cells=4, seed=0):
    rng = np.random.RandomState(seed)
    return [rng.randint(0, 255, (count, 8 * cells, 8 * cells, 3)).astype(np.uint8),
            rng.rand(count, cells, cells, 5).astype(np.float32), rng.randn(count, cells, cells, 10).astype(np.float32),
            rng.randint(0, 2, (count, 5)).astype(np.float32), rng.randint(0, 2, (count, 10)).astype(np.float32),
            np.eye(5, dtype=np.float32)[rng.randint(0, 5, count)]]


def test_the_loss_is_half_the_squared_difference_of_what_counts():
    batch = arrays(4)
    rng = np.random.RandomState(1)
    stages = [(rng.randn(4, 4, 4, 10), rng.randn(4, 4, 4, 5)) for _ in range(3)]
    expected = []
    for fields, heatmaps in stages:
        of_fields = sum((((fields - batch[2])[n, :, :, c]) ** 2).sum() / 2
                        for n in range(4) for c in range(10) if batch[4][n, c])
        of_heatmaps = sum((((heatmaps - batch[1])[n, :, :, c]) ** 2).sum() / 2
                          for n in range(4) for c in range(5) if batch[3][n, c])
        expected.append([of_fields / 16, of_heatmaps / 16])
    with tf.Graph().as_default(), tf.Session() as session:
        network = BuiltNetwork(tuple(StageMaps(tf.constant(f, tf.float32), tf.constant(h, tf.float32))
                                for f, h in stages), tf.constant(0.))
        losses = stage_losses(network, Batch(*map(tf.constant, batch)), 16)
        found, total = session.run([losses, total_loss(losses)])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert total == pytest.approx(np.sum(np.mean(expected, axis=1)), rel=1e-5)


def test_a_coarser_stage_is_compared_with_the_mean_of_the_cells_that_make_one_of_its_own():
    batch = arrays(2, cells=4)  # maps of 4x4 cells
    coarse = np.random.RandomState(2).randn(2, 2, 2, 15)
    blocks = [wanted.reshape(2, 2, 2, 2, 2, -1).transpose(0, 1, 3, 5, 2, 4).mean(axis=(4, 5)) for wanted in batch[1:3]]
    expected = [(((coarse[..., 5:] - blocks[1]) * batch[4][:, None, None]) ** 2).sum() / 2,
                (((coarse[..., :5] - blocks[0]) * batch[3][:, None, None]) ** 2).sum() / 2]
    with tf.Graph().as_default(), tf.Session() as session:
        maps = tf.constant(coarse, tf.float32)
        stages = StageMaps(maps[..., 5:], maps[..., :5]), StageMaps(*map(tf.constant, batch[2:0:-1]))
        losses = session.run(stage_losses(BuiltNetwork(stages, maps), Batch(*map(tf.constant, batch)), 1))
    np.testing.assert_allclose(losses[0], expected, rtol=1e-5)
    assert (losses[1] == 0).all()


def tower_gradients(towers):
    """Loss and gradients of a small vgg-like training step on several towers. Without batch norm, they must agree."""
    def plain_network(image):
        features = tf.nn.avg_pool(image / 255, (1, 8, 8, 1), (1, 8, 8, 1), 'SAME')
        weights = tf.get_variable('weights', (3, 3, 3, 15), tf.float32, tf.random_normal_initializer(0, 0.1, seed=5))
        maps = tf.nn.relu(tf.nn.conv2d(features, weights, strides=(1, 1, 1, 1), padding='SAME'))
        return BuiltNetwork((StageMaps(maps[..., 5:], maps[..., :5]),), maps)

    with tf.Graph().as_default():
        devices = tower_devices(towers)
        built = build_towers(plain_network, Batch(*map(tf.constant, arrays(8))), 8, devices)
        assert len(tf.trainable_variables()) == 1, 'the towers share their variables'
        with tf.Session(config=Execution().session_config(devices)) as session:
            session.run(tf.global_variables_initializer())
            return session.run([built.loss, built.gradients[0][0]])


@pytest.mark.parametrize('towers', [2, 4])
def test_towers_give_the_gradient_of_one(towers):
    loss, gradient = tower_gradients(1)
    split_loss, split_gradient = tower_gradients(towers)
    assert split_loss == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(split_gradient, gradient, rtol=1e-4, atol=1e-5)


def test_a_catalogued_network_trains_in_towers_and_updates_its_averages_once():
    with tf.Graph().as_default():
        devices = tower_devices(2)
        built = build_towers(lambda image: build('testing', image, SKIRT, True), Batch(*map(tf.constant, arrays(4))), 4,
                             devices)
        averages = [v for v in tf.model_variables() if 'moving' in v.op.name]
        assert len(built.updates) == len(averages) > 0
        assert all(gradient is not None for gradient, _ in built.gradients)


def rates(text, decay_steps, warmup_steps, steps):
    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, ())
        rate = learning_rate(text, decay_steps, warmup_steps, step, 1000)
        return [session.run(rate, {step: value}) for value in steps]


def test_one_rate_falls_to_a_third_in_steps():
    np.testing.assert_allclose(rates('1e-4', 30000, 0, [0, 29999, 30000, 60000]),
                               [1e-4, 1e-4, 0.33e-4, 0.33 ** 2 * 1e-4], rtol=1e-4)


def test_a_list_of_rates_is_piecewise_constant():
    np.testing.assert_allclose(rates('1e-3,1e-4,1e-5', 10, 0, [0, 9, 11, 25, 1000]), [1e-3, 1e-3, 1e-4, 1e-5, 1e-5],
                               rtol=1e-4)


def test_a_cosine_falls_to_nothing_at_the_last_step():
    np.testing.assert_allclose(rates('cosine:2e-3', 30000, 0, [0, 250, 500, 750, 1000, 1200]),
                               [2e-3, 1.707107e-3, 1e-3, 0.292893e-3, 0, 0], rtol=1e-4, atol=1e-9)


def test_the_rate_warms_up():
    np.testing.assert_allclose(rates('1e-4', 30000, 10, [0, 4, 9, 50]), [1e-5, 5e-5, 1e-4, 1e-4], rtol=1e-4)


@pytest.mark.parametrize('text', ['', 'fast', '1e-3,', '-1e-4', '0', 'nan', 'cosine:', 'cosine:1e-3,1e-4', 'sine:1e-3'])
def test_a_rate_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match='--lr'):
        rates(text, 10, 0, [0])
