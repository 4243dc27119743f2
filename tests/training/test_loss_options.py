"""The losses of heat maps, their weights and their selection, compared with NumPy in double precision."""
from dataclasses import replace
from typing import Tuple

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.networks.catalog import BuiltNetwork
from fashionai.networks.head import ACTIVATIONS, StageMaps
from fashionai.training.losses import Batch, focal, stage_losses, total_loss
from fashionai.training.options import LossOptions

SKIRT = GARMENTS['skirt']
RNG = np.random.RandomState(2)
BATCH = (np.zeros((3, 32, 32, 3), np.uint8), RNG.rand(3, 4, 4, 5).astype(np.float32),
         RNG.randn(3, 4, 4, 10).astype(np.float32),
         np.array([[1, 1, 1, 1, 1], [0, 1, 0, 0, 1], [1, 0, 1, 1, 1]], np.float32),
         RNG.randint(0, 2, (3, 10)).astype(np.float32), np.eye(5, dtype=np.float32)[[4, 0, 2]])
ODDS = np.log(99) * np.array([-1, -1, -1, -1, 1])
"""The log-odds of the prior: 1 to 99 for keypoints, 99 to 1 for the background."""

FIELDS, HEATMAPS = RNG.randn(3, 4, 4, 10), 3 * RNG.randn(3, 4, 4, 5)


def found(options: LossOptions, weights: Tuple[float, ...] = ()) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the losses (1, 2) and the gradient of their total with respect to the heat maps."""
    with tf.Graph().as_default(), tf.Session() as session:
        heatmaps = tf.constant(HEATMAPS, tf.float32)
        network = BuiltNetwork((StageMaps(tf.constant(FIELDS, tf.float32), heatmaps),), heatmaps)
        losses = stage_losses(network, Batch(*map(tf.constant, BATCH)), 6, options, weights)
        return tuple(session.run([losses, tf.gradients(total_loss(losses), heatmaps)[0]]))


def losses_by_channel(loss: str) -> np.ndarray:
    """(3, 5), masked."""
    wanted = BATCH[1].astype(np.float64)
    if loss == 'l2':
        cells = (HEATMAPS - wanted) ** 2 / 2
    else:
        p = 1 / (1 + np.exp(-HEATMAPS - ODDS))
        cells = (wanted - p) ** 2 * -(wanted * np.log(p) + (1 - wanted) * np.log(1 - p))
    return cells.sum(axis=(1, 2)) * BATCH[3]


@pytest.mark.parametrize('loss', ['l2', 'focal'])
@pytest.mark.parametrize('weights', [(), (0.5, 2, 1, 0.25)])
@pytest.mark.parametrize('hardest', [None, 1, 3])
def test_heatmaps(loss: str, weights: Tuple[float, ...], hardest: int) -> None:
    by_channel = losses_by_channel(loss) * (weights + (1,) if weights else 1)
    keypoints = np.sort(by_channel[:, :-1], axis=1)[:, -(hardest or 4):]
    losses, _ = found(LossOptions(loss, 'frequency' if weights else None, hardest), weights)
    of_fields = ((((FIELDS - BATCH[2]) ** 2).sum(axis=(1, 2)) / 2) * BATCH[4]).sum()
    np.testing.assert_allclose(losses, [[of_fields / 6, (keypoints.sum() + by_channel[:, -1].sum()) / 6]], rtol=1e-5)


def test_only_the_hardest_are_learnt() -> None:
    _, gradient = found(LossOptions(hard_keypoints=1))
    learnt = np.abs(gradient).max(axis=(1, 2)) > 0
    wanted = np.zeros((3, 5), bool)
    wanted[np.arange(3), losses_by_channel('l2')[:, :-1].argmax(axis=1)] = True
    wanted[:, -1] = BATCH[3][:, -1] > 0
    np.testing.assert_array_equal(learnt, wanted)
    _, gradient = found(LossOptions(hard_keypoints=3))
    learnt = np.abs(gradient).max(axis=(1, 2)) > 0
    assert learnt.sum(axis=1).tolist() == [4, 2, 4], 'what is masked stays so, even where fewer than K count'
    assert not learnt[BATCH[3] == 0].any()


def test_the_focal_loss_is_least_at_the_target_and_finite_far_from_it() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.placeholder(tf.float32, (1, 1, 1, 1))
        loss = focal(logits, tf.constant(0.3, shape=(1, 1, 1, 1)))
        both = [loss, tf.gradients(loss, logits)[0]]

        def at(value: float) -> np.ndarray:
            return np.concatenate([np.ravel(part) for part in session.run(both, {logits: [[[[value]]]]})])

        np.testing.assert_allclose(at(np.log(0.3 / 0.7)), 0, atol=1e-6)
        assert at(-1)[1] < 0 < at(0)[1]
        assert np.isfinite([at(-1000), at(1000)]).all() and at(1000)[0] > at(10)[0] > at(1)[0]


def test_untrained_heat_maps_are_background() -> None:
    maps = np.zeros((1, 1, 1, 3), np.float32)
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(ACTIVATIONS['focal'](tf.constant(maps)))[0, 0, 0], [0.01, 0.01, 0.99],
                                   rtol=1e-5)
    assert ACTIVATIONS['l2'](maps) is maps


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match='--loss l1.*l2, focal'):
        LossOptions('l1')
    for keypoints in (0, 4, 100):
        with pytest.raises(ValueError, match=rf'--hard-keypoints {keypoints}\b.*skirt.*\b3\b'):
            LossOptions(hard_keypoints=keypoints).check_garment(SKIRT)
    LossOptions(hard_keypoints=3).check_garment(SKIRT)
    replace(LossOptions(), hard_keypoints=23).check_garment(GARMENTS.of('all'))
