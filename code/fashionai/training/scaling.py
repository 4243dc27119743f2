"""Gradients in float16: the loss is scaled up, so that small ones are not lost, and they are scaled down again.

Micikevicius et al., "Mixed precision training", ICLR 2018. The scale is found on the way: halved where a gradient
overflows, doubled after `PATIENCE` steps without.
"""
from typing import List, Tuple

import tensorflow.compat.v1 as tf

FIRST_SCALE = 2. ** 15
PATIENCE = 2000

Gradients = List[Tuple[tf.Tensor, tf.Variable]]


def new_scale(first: float = FIRST_SCALE) -> tf.Variable:
    """The scale, a float32 scalar. It is no part of checkpoints, so a run can go on without it."""
    return tf.get_local_variable('loss_scale', (), tf.float32, tf.constant_initializer(first))


def unscaled(gradients: Gradients, scale: tf.Variable,
             patience: int = PATIENCE) -> Tuple[Gradients, List[tf.Operation]]:
    """The gradients of the loss from those of the scaled loss, and the adjustment of the scale.

    Where one of them is not finite all are zero, which leaves the step to the momentum. They stay as they are at the
    scale 1, which cannot fall: it is not the scale that is wrong then.
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
