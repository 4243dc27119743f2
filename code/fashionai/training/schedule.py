"""The learning rate as a function of the step."""
import math
from typing import List

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError

DECAY = 0.33
_COSINE = 'cosine:'


def depends_on_length(text: str) -> bool:
    """Returns whether the learning rate of a value of `--lr` depends on the total number of steps."""
    return text.startswith(_COSINE)


def learning_rate(text: str, decay_steps: int, warmup_steps: int, step: tf.Tensor, max_steps: int) -> tf.Tensor:
    """Returns the learning rate at a step, a float32 scalar. `text` is the value of `--lr`.

    A single number is multiplied by 0.33 every `decay_steps`. A comma list changes to its next rate every
    `decay_steps`. `cosine:` and a number decrease to 0 over `max_steps`, along half a cosine wave: Loshchilov and
    Hutter, "SGDR: stochastic gradient descent with warm restarts", here without restarts.

    Over the first `warmup_steps` the rate increases linearly to its value. Adam's first updates all have the same
    direction, and through the dozens of wide layers of six stages a full rate first multiplies the loss.

    Raises InputError if the text has another form.
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
    """Returns the numbers of a comma list, [] if the text is not such a list."""
    try:
        return [float(number) for number in text.split(',')]
    except ValueError:
        return []
