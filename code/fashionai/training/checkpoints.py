"""Checkpoints: the last few for resuming, and the best by validation."""
import json
import logging
import os
import time
from pathlib import Path
from typing import Optional

import tensorflow.compat.v1 as tf

from fashionai.networks.checkpoints import BEST, BEST_FILE

logger = logging.getLogger(__name__)

_NAME = 'model'


def write_json(path: Path, content: dict) -> None:
    """Write a JSON file that is whole or not there, even where the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + '.tmp')
    temporary.write_text(json.dumps(content, indent=1) + '\n')
    os.replace(str(temporary), str(path))


class CheckpointHook(tf.train.SessionRunHook):
    """Saves every `every` steps, where steps are slow every `seconds`, and at the end of a training that ends well."""

    def __init__(self, run_folder: Path, saver: tf.train.Saver, every: int, seconds: float = 600) -> None:
        self._path, self._saver, self._every, self._seconds = str(run_folder / _NAME), saver, every, seconds
        self._saved: Optional[int] = None
        self._saved_at = time.time()

    def begin(self) -> None:
        self._step = tf.train.get_global_step()

    def after_run(self, run_context: tf.train.SessionRunContext, run_values: tf.train.SessionRunValues) -> None:
        step = int(run_context.session.run(self._step))
        if step % self._every == 0 or time.time() - self._saved_at > self._seconds:
            self._save(run_context.session, step)

    def end(self, session: tf.Session) -> None:
        step = int(session.run(self._step))
        if step != self._saved:
            self._save(session, step)

    def _save(self, session: tf.Session, step: int) -> None:
        self._saver.save(session, self._path, step, write_meta_graph=False)
        self._saved, self._saved_at = step, time.time()


class BestCheckpoint:
    """Keeps the checkpoint of the lowest validation error, over interruptions too."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / BEST
        self._saver = tf.train.Saver(max_to_keep=1)
        self._lowest = float('inf')
        record = self._folder / BEST_FILE
        if record.exists():
            self._lowest = json.loads(record.read_text())['validation_ne']

    def offer(self, session: tf.Session, step: int, validation_ne: float) -> None:
        """Save the session's variables if the error, in percent, is the lowest so far."""
        if not validation_ne < self._lowest:
            return
        self._lowest = validation_ne
        self._folder.mkdir(parents=True, exist_ok=True)
        self._saver.save(session, str(self._folder / _NAME), step, write_meta_graph=False)
        write_json(self._folder / BEST_FILE, {'step': step, 'validation_ne': validation_ne})
