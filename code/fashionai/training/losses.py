"""What is minimised: the masked difference of every stage's maps, squared as in OpenPose unless options say otherwise.

Letters used in shapes: N images, (h, w) cells, C channels.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Sequence, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.catalog import Network
from fashionai.networks.head import as_logits
from fashionai.networks.layers import mean_pool
from fashionai.training.options import DEFAULT_LOSS, LOSS_NAMES, LossOptions


@dataclass(frozen=True)
class Batch:
    """The tensors of a training batch, in the order of dataflow's SAMPLE_FIELDS.

    image (N, H, W, 3) uint8 BGR; heatmaps and fields (N, h, w, C) float32; their weights (N, C) float32, 0 or 1:
    whether a channel counts; types (N, T) float32, in the order of the table: 1 for the garment's, 0 for the others.
    """

    image: tf.Tensor
    heatmaps: tf.Tensor
    fields: tf.Tensor
    heatmap_weights: tf.Tensor
    field_weights: tf.Tensor
    types: tf.Tensor

    @property
    def tensors(self) -> Tuple[tf.Tensor, ...]:
        """All six, in order."""
        return self.image, self.heatmaps, self.fields, self.heatmap_weights, self.field_weights, self.types


@dataclass(frozen=True)
class Losses:
    """The loss of a batch, or of a share of one, in its parts.

    stages: (stages, 2) of every stage's fields (L1) and heat maps (L2). types: () of the type head, None without one.
    """

    stages: tf.Tensor
    types: Optional[tf.Tensor] = None

    @property
    def total(self) -> tf.Tensor:
        """What is minimised, ()."""
        stages = total_loss(self.stages)
        return stages if self.types is None else stages + self.types


def summed(losses: Sequence[Losses]) -> Losses:
    """The losses of a batch from those of its shares."""
    types = [one.types for one in losses if one.types is not None]
    return Losses(tf.add_n([one.stages for one in losses]), tf.add_n(types) if types else None)


def l2(predicted: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """(N, C): half the sum of squares of the difference of maps (N, h, w, C)."""
    return tf.reduce_sum(tf.square(predicted - wanted), axis=(1, 2)) / 2


def focal(logits: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """(N, C): the sum over the cells of |y - p|^2 * -(y log p + (1 - y) log(1 - p)), p the sigmoid of the logits.

    The quality focal loss, a focal loss for targets y between 0 and 1: Li et al., "Generalized focal loss: learning
    qualified and distributed bounding boxes for dense object detection", NeurIPS 2020, with beta = 2.
    """
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits)
    return tf.reduce_sum(tf.square(wanted - tf.sigmoid(logits)) * entropy, axis=(1, 2))


LOSSES: Mapping[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = MappingProxyType(
    dict(zip(LOSS_NAMES, (l2, lambda heatmaps, wanted: focal(as_logits(heatmaps), wanted)))))
"""The loss of each channel of (predicted, wanted) heat maps, by the name `--loss` takes."""


def network_losses(network: Network, batch: Batch, global_batch: int, options: LossOptions = DEFAULT_LOSS,
                   keypoint_weights: Sequence[float] = ()) -> Losses:
    """All that a network is trained for; a share of the global batch's."""
    stages = stage_losses(network, batch, global_batch, options, keypoint_weights)
    if network.types is None:
        return Losses(stages)
    entropy = tf.nn.softmax_cross_entropy_with_logits(labels=batch.types, logits=network.types.logits)
    return Losses(stages, options.type_weight * tf.reduce_sum(entropy) / global_batch)


def stage_losses(network: Network, batch: Batch, global_batch: int, options: LossOptions = DEFAULT_LOSS,
                 keypoint_weights: Sequence[float] = ()) -> tf.Tensor:
    """(stages, 2) float32: the loss of every stage's fields (L1) and heat maps (L2), a share of the global batch's.

    `keypoint_weights`, one a keypoint, multiply the losses of their heat maps; () leaves all at 1.
    """
    heatmap_weights = batch.heatmap_weights
    if keypoint_weights:
        heatmap_weights *= tf.constant([*keypoint_weights, 1.], tf.float32)
    return tf.stack([
        [_fields_loss(stage.fields, _in_cells_of(stage.fields, batch.fields), batch.field_weights) / global_batch,
         _heatmaps_loss(stage.heatmaps, _in_cells_of(stage.heatmaps, batch.heatmaps), heatmap_weights,
                        options) / global_batch]
        for stage in network.stages])


def total_loss(losses: tf.Tensor) -> tf.Tensor:
    """The mean of the two branches, summed over the stages."""
    return tf.reduce_sum(tf.reduce_mean(losses, axis=1))


def _fields_loss(predicted: tf.Tensor, wanted: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The sum over maps (N, h, w, C), weighted by (N, C)."""
    return tf.reduce_sum(l2(predicted, wanted) * weights)


def _heatmaps_loss(predicted: tf.Tensor, wanted: tf.Tensor, weights: tf.Tensor, options: LossOptions) -> tf.Tensor:
    """The same for heat maps, compared and chosen as the options have it."""
    losses = LOSSES[options.loss](predicted, wanted) * weights
    if options.hard_keypoints:
        losses = _hardest(losses, options.hard_keypoints)
    return tf.reduce_sum(losses)


def _hardest(losses: tf.Tensor, keypoints: int) -> tf.Tensor:
    """(N, keypoints + 1): of each image's losses (N, C), the largest of keypoints, and the background's.

    Online hard keypoint mining: Chen et al., "Cascaded pyramid network for multi-person pose estimation", CVPR 2018;
    there in the last network alone and as a mean, here in every stage and as a sum.
    """
    return tf.concat([tf.nn.top_k(losses[:, :-1], keypoints, sorted=False).values, losses[:, -1:]], axis=1)


def _in_cells_of(predicted: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The wanted maps with the cells of the predicted ones: of a stage before the refine net, a cell is as large as
    several wanted ones, and its target is their mean, since each of them is the mean of its pixels.
    """
    factor = int(wanted.shape[1]) // int(predicted.shape[1])
    return mean_pool('wanted', wanted, factor) if factor > 1 else wanted
