"""The loss that training minimises: the masked difference between predicted and true maps, for every stage.

The difference is squared, as in OpenPose, unless the options choose another loss.
Letters used in shapes: N images, (h, w) cells, C channels, T garment types.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Sequence, Tuple

import tensorflow.compat.v1 as tf

from fashionai.networks.catalog import BuiltNetwork
from fashionai.networks.head import as_logits
from fashionai.networks.layers import mean_pool
from fashionai.training.options import DEFAULT_LOSS, LOSS_NAMES, LossOptions


@dataclass(frozen=True)
class Batch:
    """The tensors of a training batch, in the order of dataflow's SAMPLE_FIELDS.

    image: (N, H, W, 3) uint8 BGR. heatmaps, fields: (N, h, w, C) float32. heatmap_weights, field_weights: (N, C)
    float32, 1 if a channel counts and 0 if not. types: (N, T) float32 in the order of the garment table, 1 for the
    garment's own type and 0 for the others.
    """

    image: tf.Tensor
    heatmaps: tf.Tensor
    fields: tf.Tensor
    heatmap_weights: tf.Tensor
    field_weights: tf.Tensor
    types: tf.Tensor

    @property
    def tensors(self) -> Tuple[tf.Tensor, ...]:
        """All six tensors, in order."""
        return self.image, self.heatmaps, self.fields, self.heatmap_weights, self.field_weights, self.types


@dataclass(frozen=True)
class Losses:
    """The loss of a batch, or of one tower's share of it, in parts.

    stages: (stages, 2), the loss of the fields (L1) and of the heat maps (L2) of each stage. types: (), the loss of the
    type head; None if the network has no type head.
    """

    stages: tf.Tensor
    types: Optional[tf.Tensor] = None

    @property
    def total(self) -> tf.Tensor:
        """The loss that is minimised, ()."""
        stages = total_loss(self.stages)
        return stages if self.types is None else stages + self.types


def summed(losses: Sequence[Losses]) -> Losses:
    """Returns the losses of a batch: the sum of the losses of its shares."""
    types = [one.types for one in losses if one.types is not None]
    return Losses(tf.add_n([one.stages for one in losses]), tf.add_n(types) if types else None)


def l2(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns (N, C): half the sum of the squared differences of two maps (N, h, w, C)."""
    return tf.reduce_sum(tf.square(predicted - target), axis=(1, 2)) / 2


def focal(logits: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns (N, C): the sum over the cells of |y - p|^2 * -(y log p + (1 - y) log(1 - p)).

    p is the sigmoid of the logits, y the target. This is the quality focal loss, a focal loss for targets between 0 and
    1, with beta = 2. See Li et al., "Generalized focal loss: learning qualified and distributed bounding boxes for
    dense object detection", NeurIPS 2020.
    """
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits)
    return tf.reduce_sum(tf.square(target - tf.sigmoid(logits)) * entropy, axis=(1, 2))


LOSSES: Mapping[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = MappingProxyType(
    dict(zip(LOSS_NAMES, (l2, lambda heatmaps, target: focal(as_logits(heatmaps), target)))))
"""Functions of (predicted, target) heat maps that return the loss of each channel, by the value of `--loss`."""


def network_losses(network: BuiltNetwork, batch: Batch, global_batch: int, options: LossOptions = DEFAULT_LOSS,
                   keypoint_weights: Sequence[float] = ()) -> Losses:
    """Returns all losses of a network on its share of the batch, divided by the size of the global batch."""
    stages = stage_losses(network, batch, global_batch, options, keypoint_weights)
    if network.types is None:
        return Losses(stages)
    entropy = tf.nn.softmax_cross_entropy_with_logits(labels=batch.types, logits=network.types.logits)
    return Losses(stages, options.type_weight * tf.reduce_sum(entropy) / global_batch)


def stage_losses(network: BuiltNetwork, batch: Batch, global_batch: int, options: LossOptions = DEFAULT_LOSS,
                 keypoint_weights: Sequence[float] = ()) -> tf.Tensor:
    """Returns (stages, 2) float32: the loss of the fields (L1) and of the heat maps (L2) of each stage.

    The losses are divided by the size of the global batch. `keypoint_weights` has one weight per keypoint, which
    multiplies the loss of that keypoint's heat map. () means that all weights are 1.
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
    """Returns (): the mean of the two branches, summed over the stages; `losses` is (stages, 2)."""
    return tf.reduce_sum(tf.reduce_mean(losses, axis=1))


def _fields_loss(predicted: tf.Tensor, target: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns (): the squared difference of maps (N, h, w, C), weighted by (N, C) and summed."""
    return tf.reduce_sum(l2(predicted, target) * weights)


def _heatmaps_loss(predicted: tf.Tensor, target: tf.Tensor, weights: tf.Tensor, options: LossOptions) -> tf.Tensor:
    """Returns (): the loss of the heat maps, which the options define."""
    losses = LOSSES[options.loss](predicted, target) * weights
    if options.hard_keypoints:
        losses = _hardest(losses, options.hard_keypoints)
    return tf.reduce_sum(losses)


def _hardest(losses: tf.Tensor, keypoints: int) -> tf.Tensor:
    """Returns (N, keypoints + 1): the largest keypoint losses of each image, and the loss of the background.

    `losses` is (N, C), the background last. This is online hard keypoint mining: Chen et al., "Cascaded pyramid network
    for multi-person pose estimation", CVPR 2018. They use it only in the last network and take the mean; here it is
    used in every stage, and the losses are summed.
    """
    return tf.concat([tf.nn.top_k(losses[:, :-1], keypoints, sorted=False).values, losses[:, -1:]], axis=1)


def _in_cells_of(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Returns the target maps with cells as large as those of the predicted maps.

    In a stage before the refine net, one cell covers several target cells. Its target is their mean, because the value
    of a target cell is itself the mean over its pixels.
    """
    factor = int(target.shape[1]) // int(predicted.shape[1])
    return mean_pool('wanted', target, factor) if factor > 1 else target
