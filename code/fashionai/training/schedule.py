"""The learning rate over the steps."""
import math
from typing import List

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError

DECAY = 0.33
_COSINE = 'cosine:'


def depends_on_length(text: str) -> bool:
    """Whether the rates of a `--lr` depend on how many steps there are in all."""
    return text.startswith(_COSINE)


def learning_rate(text: str, decay_steps: int, warmup_steps: int, step: tf.Tensor, max_steps: int) -> tf.Tensor:
    """The rate at a step: one number falls to a third every `decay_steps`; a comma list takes its next rate instead;
    `cosine:` and a number fall to 0 over `max_steps`, along half a wave.

    It rises to its place over the first `warmup_steps`: Adam's first updates all point one way, and through the dozens
    of wide layers of six stages a full rate multiplies the loss before it lowers it.
    The cosine is that of Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", without any.

    Raises InputError where the text is none of these.
    """
    falling = depends_on_length(text)
    rates = _numbers(text[len(_COSINE):] if falling else text)
    if not rates or not all(0 < one < math.inf for one in rates) or falling and len(rates) > 1:
        raise InputError(f'--lr {text!r}: wanted a rate such as 1e-4, a comma list of them, or cosine:1e-4')
    if falling:
        gone = tf.minimum(tf.cast(step, tf.float32) / max_steps, 1.)
        rate = rates[0] * (1 + tf.cos(math.pi * gone)) / 2
    elif len(rates) == 1:
        rate = tf.train.exponential_decay(rates[0], step, decay_steps, DECAY, staircase=True)
    else:
        boundaries = [decay_steps * number for number in range(1, len(rates))]
        rate = tf.train.piecewise_constant(tf.cast(step, tf.int32), boundaries, rates)
    return rate * tf.minimum(1., tf.cast(step + 1, tf.float32) / max(warmup_steps, 1))


def _numbers(text: str) -> List[float]:
    """Of a comma list; none where it is not one."""
    try:
        return [float(number) for number in text.split(',')]
    except ValueError:
        return []
