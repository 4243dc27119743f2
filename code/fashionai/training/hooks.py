"""Session hooks that run with the training steps: progress, validation, and a stop if the loss explodes.

`done` is the number of finished steps. It is fetched together with the step, because a separate call of the session
would cost 0.2 ms for each hook.
"""
import logging
import time
from typing import Callable, Optional

import tensorflow.compat.v1 as tf

from fashionai.networks.tensor_names import TypedForward
from fashionai.training.feeding import BatchQueue
from fashionai.training.loss_watch import LossWatch
from fashionai.training.saving import BestCheckpoint
from fashionai.training.towers import Towers

logger = logging.getLogger(__name__)

_SECONDS = 10
"""So long at most the log has no line of progress."""


class DivergenceHook(tf.train.SessionRunHook):
    """Stops the training before anything is saved, if the loss has exploded or is not finite (see loss_watch.py)."""

    def __init__(self, loss: tf.Tensor, gradient_norm: tf.Tensor, watch: LossWatch) -> None:
        self._watched, self._watch = [loss, gradient_norm], watch

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._watched)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        self._watch.check(*map(float, run_values.results))


class ProgressHook(tf.train.SessionRunHook):
    """Logs a line of progress every `every` steps, every _SECONDS, and at the last step.

    The line has the step, the epoch, the loss, the part of the loss that comes from the type head, the learning rate,
    images per second, the number of ready batches and the time left.
    """

    def __init__(self, done: tf.Tensor, towers: Towers, rate: tf.Tensor, batches: BatchQueue, batch_size: int,
                 epoch_steps: int, last_step: int, every: int) -> None:
        self._fetches = {'step': done, 'loss': towers.loss, 'rate': rate}
        if towers.losses.types is not None:
            self._fetches['types'] = towers.losses.types
        self._batches, self._batch_size, self._epoch_steps = batches, batch_size, epoch_steps
        self._last_step, self._every = last_step, every

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        self._shown_step, self._shown_at = int(session.run(self._step)), time.time()

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step, elapsed = int(run_values.results['step']), time.time() - self._shown_at
        if step % self._every and elapsed < _SECONDS and step < self._last_step:
            return
        pace = max(step - self._shown_step, 1) / max(elapsed, 1e-9)
        remaining = time.strftime('%H:%M:%S', time.gmtime((self._last_step - step) / pace))
        days = int((self._last_step - step) / pace // 86400)
        found = run_values.results
        logger.info('step %d/%d  epoch %.1f  loss %.4g%s  lr %.3g  %.1f images/s  queue %d/%d  ETA %s%s', step,
                    self._last_step, step / self._epoch_steps, found['loss'],
                    f' (type {found["types"]:.3g})' if 'types' in found else '', found['rate'],
                    pace * self._batch_size, self._batches.fill, self._batches.capacity,
                    f'{days} d ' if days else '', remaining)
        self._shown_step, self._shown_at = step, time.time()


class ValidationHook(tf.train.SessionRunHook):
    """Measures the validation error every `every` steps and at the end: for the log, TensorBoard, the best checkpoint.

    A training that resumes at such a step validates first: it may have been stopped between saving and validating.
    """

    def __init__(self, done: tf.Tensor, forward: Callable[[tf.Session], TypedForward],
                 validate: Callable[[TypedForward], float],
                 best: BestCheckpoint, writer: tf.summary.FileWriter, every: int) -> None:
        self._done = done
        self._forward, self._validate, self._best = forward, validate, best
        self._writer, self._every = writer, every
        self._validated: Optional[int] = None

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def after_create_session(self, session: tf.Session, coord: tf.train.Coordinator) -> None:
        step = int(session.run(self._step))
        if step and step % self._every == 0:
            self._run(session, step)

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._done)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = int(run_values.results)
        if step % self._every == 0:
            self._run(run_context.session, step)

    def end(self, session: tf.Session) -> None:
        step = int(session.run(self._step))
        if step != self._validated:
            self._run(session, step)

    def _run(self, session: tf.Session, step: int) -> None:
        validation_ne = self._validate(self._forward(session))
        logger.info('step %d: validation NE (visible) %.2f %%', step, validation_ne)
        summary = tf.Summary(value=[tf.Summary.Value(tag='validation_ne', simple_value=validation_ne)])
        self._writer.add_summary(summary, step)
        self._best.offer(session, step, validation_ne)
        self._validated = step
