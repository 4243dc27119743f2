"""One network on several devices: the batch is split, the variables are shared, and the gradients are summed."""
import logging
from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Sequence, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.catalog import BuiltNetwork
from fashionai.training.collectives import Collectives
from fashionai.training.losses import Batch, Losses, network_losses, summed

logger = logging.getLogger(__name__)

LossesOf = Callable[[BuiltNetwork, Batch, int], Losses]


@dataclass(frozen=True)
class Towers:
    """The results of all towers together.

    losses: the losses of the whole batch, in parts. loss: the scalar that is minimised. gradients: (gradient, variable)
    pairs of `loss` or, if there is a scale, of the scaled loss. updates: what a step must run besides: the batch-norm
    updates of the first tower. first: the network of the first tower.
    """

    losses: Losses
    loss: tf.Tensor
    gradients: List[Tuple[tf.Tensor, tf.Variable]]
    updates: List[tf.Operation]
    first: BuiltNetwork


def tower_devices(towers: int) -> List[str]:
    """Returns one device per tower: first the GPUs, then, with a warning, CPU devices."""
    gpus = len(tf.config.experimental.list_physical_devices('GPU'))
    if towers > gpus:
        logger.warning('--gpus is %d, but %d GPUs were found: CPU devices replace the other %d', towers, gpus,
                       towers - gpus)
    return [f'/gpu:{i}' if i < gpus else f'/cpu:{i - gpus}' for i in range(towers)]


def build_towers(build: Callable[[tf.Tensor], BuiltNetwork], batch: Batch, global_batch: int,
                 devices: Sequence[str], losses_of: LossesOf = network_losses,
                 scale: Optional[tf.Variable] = None) -> Towers:
    """Builds one tower per device.

    Args:
        build: makes the network from (N, H, W, 3) float32 images. It is called once per tower; all towers share the
            variables.
        batch: the whole batch; its size is a multiple of the number of towers.
        global_batch: the size of the whole batch.
        devices: the device of each tower.
        losses_of: takes a network, its share of the batch, and the size of the whole batch; returns the losses divided
            by that size.
        scale: a scalar that multiplies the gradients while they go through the network; None for no scale.
    """
    shares = zip(*(tf.split(tensor, len(devices)) for tensor in batch.tensors))
    losses, gradients, networks = [], [], []
    for number, (device, share) in enumerate(zip(devices, shares)):
        with tf.device(device), tf.name_scope(f'tower_{number}'), \
                tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            part = Batch(*share)
            networks.append(build(tf.cast(part.image, tf.float32)))
            losses.append(losses_of(networks[-1], part, global_batch))
            gradients.append(tf.gradients(losses[-1].total, tf.trainable_variables(), scale))
    whole = summed(losses)
    pairs = [(tf.add_n(list(parts)), variable) for parts, variable in zip(zip(*gradients), tf.trainable_variables())]
    return Towers(whole, whole.total, pairs,
                  tf.get_collection(tf.GraphKeys.UPDATE_OPS, scope='tower_0/'), networks[0])


def over_ranks(towers: Towers, collectives: Collectives) -> Towers:
    """Returns the towers of all ranks of a cluster together: the losses and the gradients are summed over the ranks.

    The batch-norm updates, and the network, stay those of this rank's first tower. Those of rank 0 count.
    """
    parts = [towers.losses.stages] + ([] if towers.losses.types is None else [towers.losses.types])
    sums = collectives.summed([*(gradient for gradient, _ in towers.gradients), *parts])
    gradients, parts = sums[:len(towers.gradients)], sums[len(towers.gradients):]
    losses = Losses(parts[0], parts[1] if len(parts) > 1 else None)
    pairs = [(gradient, variable) for gradient, (_, variable) in zip(gradients, towers.gradients)]
    return replace(towers, losses=losses, loss=losses.total, gradients=pairs,
                   updates=[*towers.updates, losses.total.op])  # every rank must take part in the sum of the losses
