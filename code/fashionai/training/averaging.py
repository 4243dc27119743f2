"""The moving average of a network over the training steps. The average predicts better than the network of one step.

See Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992. The average is exponential, as
in Tan and Le, "EfficientNet". The statistics of batch norm are averaged together with the weights. If the weights
change little in the span of the average, the averaged statistics differ little from the statistics of the averaged
network.
"""
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import tensorflow.compat.v1 as tf

from fashionai.model_files.checkpoints import average_name


@dataclass(frozen=True)
class Averages:
    """The averages of the variables of a network.

    `variables`: the average of each variable, by the variable's name. `start`: sets every average to the current value
    of its variable; a new training runs it once. `update`: updates every average; each step runs it.
    """

    variables: Mapping[str, tf.Variable]
    start: tf.Operation
    update: tf.Operation


def averages_of(variables: Sequence[tf.Variable], decay: float, done: tf.Tensor, after: tf.Operation) -> Averages:
    """Returns the averages of the variables. They are variables of the graph too, so checkpoints keep them.

    Each step keeps the share `decay` of an average. Early steps keep less, so that the initial values are soon
    forgotten: step number n keeps (1 + n) / (10 + n) if that is less.

    Args:
        variables: the variables to average.
        decay: the share of an average that a step keeps.
        done: () float32, the number of steps before this one.
        after: the operation that changes the variables; the averages are updated after it. It must wait for `done`:
            a step counter that is read at the same time as its update may have the old or the new value.
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
    """Within this context, a network is built from the averages of its variables; with None, from the variables.

    The variables, and the averages if given, must exist already.
    """
    def found(getter: Callable[..., tf.Variable], name: str, **others: Any) -> tf.Variable:
        return averages.variables[name] if averages else getter(name=name, **others)

    with tf.variable_scope(tf.get_variable_scope(), reuse=True, custom_getter=found):
        yield
