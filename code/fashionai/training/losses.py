"""What is minimised: the masked squared difference of every stage's maps, as in OpenPose.

Letters used in shapes: N images, (h, w) cells, C channels.
"""
from dataclasses import dataclass
from typing import Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.catalog import Network
from fashionai.networks.layers import mean_pool


@dataclass(frozen=True)
class Batch:
    """The tensors of a training batch, in the order of dataflow's SAMPLE_FIELDS.

    image (N, H, W, 3) uint8 BGR; heatmaps and fields (N, h, w, C) float32; their weights (N, C) float32, 0 or 1.
    """

    image: tf.Tensor
    heatmaps: tf.Tensor
    fields: tf.Tensor
    heatmap_weights: tf.Tensor
    field_weights: tf.Tensor

    @property
    def tensors(self) -> Tuple[tf.Tensor, ...]:
        """All five, in order."""
        return self.image, self.heatmaps, self.fields, self.heatmap_weights, self.field_weights


def stage_losses(network: Network, batch: Batch, global_batch: int) -> tf.Tensor:
    """(stages, 2) float32: the loss of every stage's fields (L1) and heat maps (L2), a share of the global batch's."""
    return tf.stack([
        [_masked_l2(stage.fields, batch.fields, batch.field_weights) / global_batch,
         _masked_l2(stage.heatmaps, batch.heatmaps, batch.heatmap_weights) / global_batch]
        for stage in network.stages])


def total_loss(losses: tf.Tensor) -> tf.Tensor:
    """The mean of the two branches, summed over the stages."""
    return tf.reduce_sum(tf.reduce_mean(losses, axis=1))


def _masked_l2(predicted: tf.Tensor, wanted: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Half the sum of squares of the difference, in the channels that count."""
    return tf.nn.l2_loss((predicted - _in_cells_of(predicted, wanted)) * weights[:, None, None, :])


def _in_cells_of(predicted: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The wanted maps with the cells of the predicted ones: of a stage before the refine net, a cell is as large as
    several wanted ones, and its target is their mean, since each of them is the mean of its pixels.
    """
    factor = int(wanted.shape[1]) // int(predicted.shape[1])
    return mean_pool('wanted', wanted, factor) if factor > 1 else wanted
