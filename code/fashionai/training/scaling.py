"""Loss scaling for gradients in float16: the loss is scaled up, so that small gradients do not become 0, and the
gradients are scaled down again.

See Micikevicius et al., "Mixed precision training", ICLR 2018. The scale adapts during the training: it is halved if a
gradient overflows, and doubled after `PATIENCE` steps without an overflow.
"""
from typing import List, Tuple

import tensorflow.compat.v1 as tf

FIRST_SCALE = 2. ** 15
PATIENCE = 2000

Gradients = List[Tuple[tf.Tensor, tf.Variable]]


def new_scale(first: float = FIRST_SCALE) -> tf.Variable:
    """Returns the scale, a float32 scalar variable. Checkpoints do not contain it; a run resumes without it."""
    return tf.get_local_variable('loss_scale', (), tf.float32, tf.constant_initializer(first))


def unscaled(gradients: Gradients, scale: tf.Variable,
             patience: int = PATIENCE) -> Tuple[Gradients, List[tf.Operation]]:
    """Returns the gradients of the loss, from those of the scaled loss, and the operation that adapts the scale.

    If a gradient is not finite, all gradients become zero, so that only the momentum moves the weights in this step. At
    the scale 1, which is the smallest, the gradients are returned as they are: then the scale is not the cause.
    """
    factor = scale.read_value()
    calm = tf.get_local_variable('steps_since_overflow', (), tf.int32, tf.zeros_initializer())
    finite = tf.is_finite(tf.global_norm([gradient for gradient, _ in gradients]))
    kept = tf.logical_or(finite, factor <= 1)
    pairs = [(tf.where(kept, gradient / factor, tf.zeros_like(gradient)), variable)
             for gradient, variable in gradients]
    steps = tf.where(finite, calm.read_value() + 1, 0)
    grown = tf.where(steps >= patience, factor * 2, factor)
    with tf.control_dependencies([gradient for gradient, _ in pairs] + [steps, grown]):
        adjust = tf.group(scale.assign(tf.where(finite, grown, tf.maximum(factor / 2, 1))),
                          calm.assign(tf.where(steps >= patience, 0, steps)))
    return pairs, [adjust]
