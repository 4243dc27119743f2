"""Saves checkpoints: the last few ones, to resume from, and the one with the lowest validation error."""
import logging
import re
import time
from pathlib import Path
from typing import Optional

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import read_object_if_any, write_json
from fashionai.model_files.checkpoints import BEST, BEST_FILE, NAME, RUN_FILE, checkpoint_steps
from fashionai.training.loss_watch import LossWatch

_ROWS = 'validation_rows'
"""The key of the checksum of the validation rows in the record of the best checkpoint."""

logger = logging.getLogger(__name__)

_SECONDS = 600
"""So long at most nothing is saved, unless the loss is too high."""


class CheckpointFolder:
    """Writes and removes checkpoints of all variables in a folder.

    Checkpoints of earlier processes count too. TensorFlow's index of checkpoints has relative paths, so that the folder
    can be moved.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.saver = tf.train.Saver(max_to_keep=None, save_relative_paths=True)

    def save(self, session: tf.Session, step: int) -> None:
        """Writes the checkpoint of a step, and makes the folder if needed.

        Raises InputError, naming the checkpoint, if the system refuses to write it, for example because the disk is
        full. The checkpoint then does not exist, and earlier checkpoints are unchanged.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self.saver.save(session, str(self._folder / NAME), step, write_meta_graph=False)
        except tf.errors.OpError as error:
            refused = re.search(r'; ([^;\n]+)$', str(error), re.MULTILINE)
            raise InputError(f'the checkpoint {self._folder / NAME}-{step} could not be written: '
                             f'{refused.group(1) if refused else error.message}') from error

    def keep_last(self, count: int) -> None:
        """Removes all checkpoints except the last `count`."""
        for step in checkpoint_steps(self._folder)[:-count]:
            self._remove(step)

    def keep_only(self, step: int) -> None:
        """Removes all checkpoints except the one of this step."""
        for other in checkpoint_steps(self._folder):
            if other != step:
                self._remove(other)

    def remove_last(self, step: int) -> None:
        """Removes the last checkpoint, which has this step. The one before it becomes the last again."""
        self._remove(step)
        left = checkpoint_steps(self._folder)
        if left:
            tf.train.update_checkpoint_state(str(self._folder), f'{NAME}-{left[-1]}')
        else:
            (self._folder / 'checkpoint').unlink()

    def _remove(self, step: int) -> None:
        for file in sorted(self._folder.glob(f'{NAME}-{step}.*'), reverse=True):  # .index first
            file.unlink()


class CheckpointHook(tf.train.SessionRunHook):
    """Saves a checkpoint every `every` steps, every _SECONDS if steps are slow, and when a training ends normally.

    The last `keep` checkpoints are kept. Only the loss of the next step shows whether the weights of a checkpoint are
    good. Therefore nothing is saved while the loss is too high, and an old checkpoint is removed only when the loss
    after the newest checkpoint is known and normal. `done` is the number of finished steps; `watch` has already checked
    the loss of the last one.
    """

    def __init__(self, folder: CheckpointFolder, watch: LossWatch, done: tf.Tensor, every: int, keep: int) -> None:
        self._folder, self._watch, self._done = folder, watch, done
        self._every, self._keep = every, keep
        self._saved: Optional[int] = None
        self._due, self._judged = False, True
        self._saved_at = time.time()

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def before_run(self, run_context: tf.train.SessionRunContext) -> tf.train.SessionRunArgs:
        return tf.train.SessionRunArgs(self._done)

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = int(run_values.results)
        self._due |= step % self._every == 0 or time.time() - self._saved_at > _SECONDS
        if self._watch.normal:
            self._remove_old()
            if self._due:
                self._save(run_context.session, step)

    def end(self, session: tf.Session) -> None:
        self._save(session, int(session.run(self._step)))
        self._remove_old()

    def interrupted(self, session: tf.Session) -> None:
        """Saves the current step, unless its loss is too high: then the last checkpoint is the one to resume from."""
        step = int(session.run(self._step))
        if self._watch.normal:
            self._save(session, step)
            logger.warning('step %d is saved: run the same command again to resume from it', step)
        else:
            logger.warning('step %d is not saved, because its loss is too high: run the same command again to resume '
                           'from the last checkpoint', step)

    def diverged(self) -> None:
        """Removes the last checkpoint if its weights made the loss explode."""
        if self._saved is not None and not self._judged:
            self._folder.remove_last(self._saved)

    def _save(self, session: tf.Session, step: int) -> None:
        """Saves a step, unless it is saved already."""
        if step != self._saved:
            self._folder.save(session, step)
            self._saved, self._saved_at, self._judged = step, time.time(), False
        self._due = False

    def _remove_old(self) -> None:
        if not self._judged:
            self._folder.keep_last(self._keep)
            self._judged = True


class BestCheckpoint:
    """Keeps the checkpoint with the lowest validation error, also when a training is interrupted and resumed.

    Errors of other validation rows are not compared: if a training is resumed with other ones, the search for the best
    begins anew. run.json says which rows are validated on; it is read when an error is offered.
    """

    def __init__(self, run_folder: Path) -> None:
        self._folder = CheckpointFolder(run_folder / BEST)
        self._record, self._run = run_folder / BEST / BEST_FILE, run_folder / RUN_FILE

    def offer(self, session: tf.Session, step: int, validation_ne: float) -> None:
        """Saves the variables of the session if the error, in percent, is the lowest so far.

        The previous best checkpoint is removed only after the new one and its record are written.
        """
        rows = self._validation_rows()
        if not validation_ne < self._lowest(rows):
            return
        self._folder.save(session, step)
        write_json(self._record, {'step': step, 'validation_ne': validation_ne, **({_ROWS: rows} if rows else {})})
        self._folder.keep_only(step)

    def _lowest(self, rows: str) -> float:
        """Returns the lowest error so far on these validation rows. Earlier versions did not record the rows."""
        best = read_object_if_any(self._record)  # {} if there is none
        if best.get(_ROWS, rows) != rows:
            logger.warning('the best checkpoint, of step %d, was found with other validation rows: it is not compared '
                           'with those of now', best['step'])
            return float('inf')
        return best.get('validation_ne', float('inf'))

    def _validation_rows(self) -> str:
        """Returns the checksum of the validation rows, which `run_record` notes in run.json; '' if it is not there."""
        return read_object_if_any(self._run).get('decides', {}).get('validation rows', {}).get('sum', '')
