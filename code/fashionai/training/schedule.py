"""The learning rate over the steps."""
import tensorflow.compat.v1 as tf

DECAY = 0.33


def learning_rate(text: str, decay_steps: int, warmup_steps: int, step: tf.Tensor) -> tf.Tensor:
    """The rate at a step: one number falls to a third every `decay_steps`; a comma list takes its next rate instead.

    It rises to its place over the first `warmup_steps`: Adam's first updates all point one way, and through the dozens
    of wide layers of six stages a full rate multiplies the loss before it lowers it.

    Raises ValueError where the text is not a positive number or a comma list of them.
    """
    try:
        rates = [float(rate) for rate in text.split(',')]
    except ValueError:
        rates = []
    if not rates or min(rates) <= 0:
        raise ValueError(f'--lr {text!r}: wanted a rate such as 1e-4, or a comma list of them')
    if len(rates) == 1:
        rate = tf.train.exponential_decay(rates[0], step, decay_steps, DECAY, staircase=True)
    else:
        boundaries = [decay_steps * number for number in range(1, len(rates))]
        rate = tf.train.piecewise_constant(tf.cast(step, tf.int32), boundaries, rates)
    return rate * tf.minimum(1., tf.cast(step + 1, tf.float32) / max(warmup_steps, 1))
