"""Saving a training: the last few checkpoints, to go on from, and the best by validation."""
import logging
import re
import time
from pathlib import Path
from typing import Optional

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import read_json, write_json
from fashionai.networks.checkpoints import BEST, BEST_FILE, NAME, checkpoint_steps

logger = logging.getLogger(__name__)


def saver_for(folder: Path, keep: int) -> tf.train.Saver:
    """A saver of all variables that keeps the last few checkpoints of a folder, those of an earlier process counted in.

    Paths are kept relative, so that a folder can be moved.
    """
    saver = tf.train.Saver(max_to_keep=keep, save_relative_paths=True)
    saver.recover_last_checkpoints([str(folder / f'{NAME}-{step}') for step in checkpoint_steps(folder)])
    return saver


def save(saver: tf.train.Saver, session: tf.Session, folder: Path, step: int) -> None:
    """Write a checkpoint of the session's variables.

    Raises InputError, naming the checkpoint, if the system refuses, such as on a full disk: it is not there then, and
    those before it are as they were.
    """
    try:
        saver.save(session, str(folder / NAME), step, write_meta_graph=False)
    except tf.errors.OpError as error:
        refused = re.search(r'; ([^;\n]+)$', str(error), re.MULTILINE)
        raise InputError(f'the checkpoint {folder / NAME}-{step} could not be written: '
                         f'{refused.group(1) if refused else error.message}') from error


class CheckpointHook(tf.train.SessionRunHook):
    """Saves every `every` steps, where steps are slow every `seconds`, and at the end of a training that ends well.

    `done` is the number of steps done after a step.
    """

    def __init__(self, run_folder: Path, saver: tf.train.Saver, done: tf.Tensor, every: int,
                 seconds: float = 600) -> None:
        self._done = done
        self._folder, self._saver, self._every, self._seconds = run_folder, saver, every, seconds
        self._saved: Optional[int] = None
        self._saved_at = time.time()

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._done)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = int(run_values.results)
        if step % self._every == 0 or time.time() - self._saved_at > self._seconds:
            self.save(run_context.session)

    def end(self, session: tf.Session) -> None:
        self.save(session)

    def save(self, session: tf.Session) -> None:
        """Save the session's step now, unless it is saved already."""
        step = int(session.run(self._step))
        if step != self._saved:
            save(self._saver, session, self._folder, step)
            self._saved, self._saved_at = step, time.time()


class BestCheckpoint:
    """Keeps the checkpoint of the lowest validation error, over interruptions too."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / BEST
        self._saver = saver_for(self._folder, keep=1)
        self._lowest = float('inf')
        record = self._folder / BEST_FILE
        if record.exists():
            self._lowest = read_json(record)['validation_ne']

    def offer(self, session: tf.Session, step: int, validation_ne: float) -> None:
        """Save the session's variables if the error, in percent, is the lowest so far."""
        if not validation_ne < self._lowest:
            return
        self._lowest = validation_ne
        self._folder.mkdir(parents=True, exist_ok=True)
        save(self._saver, session, self._folder, step)
        write_json(self._folder / BEST_FILE, {'step': step, 'validation_ne': validation_ne})
