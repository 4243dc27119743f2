"""The moving average of a network over the steps, which is better than the network of any one step.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; exponential, as in Tan and Le,
"EfficientNet". Batch norm's statistics are averaged with the weights they were taken under: where weights move little
in the span of the average, those of its mean differ little from the mean of theirs.
"""
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import tensorflow.compat.v1 as tf

from fashionai.model_files.checkpoints import average_name


@dataclass(frozen=True)
class Averages:
    """`variables`: the average of each variable, by the variable's name. `start`: sets all to what the variables are
    now; a training that starts anew runs it once. `update`: what a step does."""

    variables: Mapping[str, tf.Variable]
    start: tf.Operation
    update: tf.Operation


def averages_of(variables: Sequence[tf.Variable], decay: float, done: tf.Tensor, after: tf.Operation) -> Averages:
    """The averages of variables, as further variables of the graph, which checkpoints keep.

    A step, `after` it changed the variables, keeps `decay` of the average; of the early ones, number n keeps
    (1 + n) / (10 + n), so that the start is soon forgotten. `done`, () float32, is the number of steps before this one;
    `after` waits for it, since a step counter that is read beside its update may be the old one or the new.
    """
    averages = {variable.op.name: tf.get_variable(average_name(variable.op.name), variable.shape, tf.float32,
                                                  tf.zeros_initializer(), trainable=False) for variable in variables}
    start = tf.group([average.assign(variable.read_value())
                      for average, variable in zip(averages.values(), variables)])
    with tf.control_dependencies([after]):
        kept = tf.minimum(decay, (2 + done) / (11 + done))
        update = tf.group([average.assign_sub((1 - kept) * (average.read_value() - variable.read_value()))
                           for average, variable in zip(averages.values(), variables)])
    return Averages(averages, start, update)


@contextmanager
def averaged(averages: Optional[Averages]) -> Iterator[None]:
    """A network built within is made of the averages, which must be there; of the variables themselves for None."""
    def found(getter: Callable[..., tf.Variable], name: str, **others: Any) -> tf.Variable:
        return averages.variables[name] if averages else getter(name=name, **others)

    with tf.variable_scope(tf.get_variable_scope(), reuse=True, custom_getter=found):
        yield
