"""The summaries that TensorBoard shows."""
import tensorflow.compat.v1 as tf

from fashionai.networks.head import ACTIVATIONS
from fashionai.training.losses import Batch
from fashionai.training.towers import Towers

IMAGES_SHOWN = 3


def scalar_summaries(towers: Towers, rate: tf.Tensor) -> tf.Tensor:
    """Returns a summary of the loss, its part in each stage, branch and the type head, and the learning rate."""
    summaries = [tf.summary.scalar('loss', towers.loss), tf.summary.scalar('learning_rate', rate)]
    for number in range(towers.losses.stages.shape[0]):
        for branch, name in enumerate(('L1_fields', 'L2_heatmaps')):
            summaries.append(tf.summary.scalar(f'stage{number + 1}/{name}', towers.losses.stages[number, branch]))
    if towers.losses.types is not None:
        summaries.append(tf.summary.scalar('garment_type', towers.losses.types))
    return tf.summary.merge(summaries)


def image_summaries(batch: Batch, towers: Towers, loss: str) -> tf.Tensor:
    """Returns a summary of images: input, true heat maps and predicted heat maps side by side.

    A panel of heat maps shows the largest value over the keypoints. `loss` is the name of the heat maps' loss.
    """
    image = tf.cast(batch.image[:IMAGES_SHOWN, :, :, ::-1], tf.float32) / 255
    size = tf.shape(image)[1:3]
    predicted = ACTIVATIONS[loss](towers.first.stages[-1].heatmaps[:IMAGES_SHOWN])
    shown = tf.minimum(tf.shape(image)[0], tf.shape(predicted)[0])
    panels = [image[:shown]] + [
        tf.image.grayscale_to_rgb(tf.image.resize_bilinear(_strongest(maps[:shown]), size))
        for maps in (batch.heatmaps[:IMAGES_SHOWN], predicted)]
    side_by_side = tf.cast(tf.clip_by_value(tf.concat(panels, axis=2), 0, 1) * 255, tf.uint8)
    return tf.summary.image('input_true_predicted', side_by_side, max_outputs=IMAGES_SHOWN)


def _strongest(heatmaps: tf.Tensor) -> tf.Tensor:
    """Returns (n, h, w, 1): the largest value over the keypoints, without the background."""
    return tf.reduce_max(heatmaps[:, :, :, :-1], axis=3, keepdims=True)
