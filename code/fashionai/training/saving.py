"""Saving a training: the last few checkpoints, to go on from, and the best by validation."""
import logging
import re
import time
from pathlib import Path
from typing import Optional

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import read_json, write_json
from fashionai.model_files.checkpoints import BEST, BEST_FILE, NAME, checkpoint_steps
from fashionai.training.loss_watch import LossWatch

logger = logging.getLogger(__name__)


class CheckpointFolder:
    """Writes checkpoints of all variables to a folder, and removes them.

    Those of an earlier process count too. TensorFlow's index of them has relative paths, so that a folder can be moved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.saver = tf.train.Saver(max_to_keep=None, save_relative_paths=True)

    def save(self, session: tf.Session, step: int) -> None:
        """Write the checkpoint of a step; its folder is made.

        Raises InputError, naming the checkpoint, if the system refuses, such as on a full disk: it is not there then,
        and those before it are as they were.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self.saver.save(session, str(self._folder / NAME), step, write_meta_graph=False)
        except tf.errors.OpError as error:
            refused = re.search(r'; ([^;\n]+)$', str(error), re.MULTILINE)
            raise InputError(f'the checkpoint {self._folder / NAME}-{step} could not be written: '
                             f'{refused.group(1) if refused else error.message}') from error

    def keep_last(self, count: int) -> None:
        """Remove all checkpoints but the last `count`."""
        for step in checkpoint_steps(self._folder)[:-count]:
            self._remove(step)

    def keep_only(self, step: int) -> None:
        """Remove all checkpoints but that of a step."""
        for other in checkpoint_steps(self._folder):
            if other != step:
                self._remove(other)

    def take_back(self, step: int) -> None:
        """Remove the last checkpoint, that of a step: the one before it is the last again."""
        self._remove(step)
        left = checkpoint_steps(self._folder)
        if left:
            tf.train.update_checkpoint_state(str(self._folder), f'{NAME}-{left[-1]}')
        else:
            (self._folder / 'checkpoint').unlink()

    def _remove(self, step: int) -> None:
        for file in sorted(self._folder.glob(f'{NAME}-{step}.*'), reverse=True):  # .index first: what is left is none
            file.unlink()


class CheckpointHook(tf.train.SessionRunHook):
    """Saves every `every` steps, where steps are slow every `seconds`, and at the end of a training that ends well;
    keeps the last `keep` checkpoints.

    A checkpoint holds the weights that the loss of the next step will judge. So nothing is saved while the loss is
    raised, and an older checkpoint is removed only when the loss after the newest one is known and is normal.
    `done` is the number of steps done after a step; `watch` has seen that step's loss.
    """

    def __init__(self, folder: CheckpointFolder, watch: LossWatch, done: tf.Tensor, every: int, keep: int,
                 seconds: float = 600) -> None:
        self._folder, self._watch, self._done = folder, watch, done
        self._every, self._keep, self._seconds = every, keep, seconds
        self._saved: Optional[int] = None
        self._due, self._judged = False, True
        self._saved_at = time.time()

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._done)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = int(run_values.results)
        self._due |= step % self._every == 0 or time.time() - self._saved_at > self._seconds
        if self._watch.normal:
            self._remove_old()
            if self._due:
                self._save(run_context.session, step)

    def end(self, session: tf.Session) -> None:
        self._save(session, int(session.run(self._step)))
        self._remove_old()

    def interrupted(self, session: tf.Session) -> None:
        """Save the session's step now, unless its loss is raised: then the last checkpoint is the one to go on from."""
        step = int(session.run(self._step))
        if self._watch.normal:
            self._save(session, step)
            logger.warning('step %d is saved: the same command goes on from it', step)
        else:
            logger.warning('step %d is not saved, since the loss is raised: the same command goes on from the last '
                           'checkpoint', step)

    def diverged(self) -> None:
        """Remove a checkpoint of the weights that made the loss explode."""
        if self._saved is not None and not self._judged:
            self._folder.take_back(self._saved)

    def _save(self, session: tf.Session, step: int) -> None:
        """Save the session's step, unless it is saved already."""
        if step != self._saved:
            self._folder.save(session, step)
            self._saved, self._saved_at, self._judged = step, time.time(), False
        self._due = False

    def _remove_old(self) -> None:
        if not self._judged:
            self._folder.keep_last(self._keep)
            self._judged = True


class BestCheckpoint:
    """Keeps the checkpoint of the lowest validation error, over interruptions too."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = CheckpointFolder(run_folder / BEST)
        self._record = run_folder / BEST / BEST_FILE
        self._lowest = float('inf')
        if self._record.exists():
            self._lowest = read_json(self._record)['validation_ne']

    def offer(self, session: tf.Session, step: int, validation_ne: float) -> None:
        """Save the session's variables if the error, in percent, is the lowest so far. The checkpoint that was the best
        stays until the new one and its record are written."""
        if not validation_ne < self._lowest:
            return
        self._lowest = validation_ne
        self._folder.save(session, step)
        write_json(self._record, {'step': step, 'validation_ne': validation_ne})
        self._folder.keep_only(step)
