"""Finds and describes the checkpoints that training writes.

The folder models/trained/<tag>/<run>/ has `run.json` and the checkpoints `model-<step>`. Its folder `best/` has the
checkpoint with the lowest validation error, and `best.json`. The last checkpoint of a folder is the complete one with
the highest step; TensorFlow's own index, the file `checkpoint`, is not used. TensorFlow is imported only when a
checkpoint is read.
"""
import logging
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Container, Dict, List, Mapping, Optional, Union

from fashionai.errors import InputError
from fashionai.files import read_object_if_any
from fashionai.garments.table import Garments
from fashionai.garments.table_files import stored_garments

NAME, BEST, RUN_FILE, BEST_FILE = 'model', 'best', 'run.json', 'best.json'

_KINDS: Mapping[str, type] = MappingProxyType({
    'model': str, 'tag': str, 'input_hw': list, 'garments': dict, 'head': dict, 'loss': dict, 'data': dict,
    'updates': dict})
"""The types of the values in run.json, by key. Every key is optional."""

_FILE = re.compile(rf'{NAME}-(\d+)\.(index|data-\d+-of-\d+)')
"""The names of the files of a checkpoint. While a checkpoint is being written, its files have longer names."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint.

    prefix: its path without `.index`. step: its training step. run: the content of the run's `run.json`, empty if there
    is no such file. validation_ne: its validation error in percent, known only for a checkpoint in `best`.
    """

    prefix: str
    step: int
    run: Dict[str, Any]
    validation_ne: Optional[float] = None


def loss_of(run: Mapping[str, Any]) -> str:
    """Returns the name of the heat maps' loss in a run.json; if there is none, the loss of the original."""
    return run.get('loss', {}).get('loss', 'l2')


def garments_of(run: Mapping[str, Any]) -> Garments:
    """Returns the garment table in a run.json; if there is none, the built-in table."""
    return stored_garments(run.get('garments', {}), f'{RUN_FILE}, garments')


def read_run(path: Path) -> Dict[str, Any]:
    """Reads a run.json; returns {} if there is no file. Raises InputError, naming file and key, for a wrong type."""
    run = read_object_if_any(path)
    for key, kind in _KINDS.items():
        if not isinstance(run.get(key, kind()), kind):
            raise InputError(f'{path}: {key} is {reprlib.repr(run[key])}, but must have the type {kind.__name__}')
    sides = run.get('input_hw', (8, 8))
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise InputError(f'{path}: input_hw is {reprlib.repr(sides)}, but must be height and width in pixels')
    return run


def average_name(variable: str) -> str:
    """Returns the name of a variable's average over the steps in a checkpoint."""
    return f'{variable}/average'


def best_name(variable: str, stored: Container[str]) -> str:
    """Returns the name of a variable's best value in a checkpoint: the average if it is `stored`, else the variable."""
    return average_name(variable) if average_name(variable) in stored else variable


def checkpoint_steps(folder: Path) -> List[int]:
    """Returns the sorted steps for which a folder has files of a checkpoint, complete or not."""
    files = [_FILE.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted({int(file.group(1)) for file in files if file})


def last_checkpoint(folder: Path) -> Optional[Checkpoint]:
    """Returns the complete checkpoint with the highest step in a folder, or None if it has no checkpoint files.

    The log names the incomplete checkpoints of higher steps. Raises InputError if all checkpoints are incomplete.
    """
    found = _newest_whole(folder)
    if not found and checkpoint_steps(folder):
        raise InputError(f'{folder} has checkpoints, but all of them are incomplete: move its files {NAME}-* away to '
                         'start again')
    return found


def find_checkpoint(path: Union[str, Path]) -> Checkpoint:
    """Returns the checkpoint that a path stands for.

    The prefix of a checkpoint stands for that checkpoint. A folder with checkpoints stands for the last one. A folder
    of runs, at any depth, stands for the best checkpoint of the run that was written to last, or for its last
    checkpoint if it has no best one.

    Raises InputError if there is no checkpoint, or if it is incomplete.
    """
    path = Path(path)
    found = _found_in(path) if path.is_dir() else _at_prefix(re.sub(r'\.index$', '', str(path)))
    if not found:
        raise InputError(f'no checkpoint at {path}: give a file model-<step>.index that train.py wrote, or a folder '
                         'with such files')
    return found


def newest_index(folder: Path) -> Optional[Path]:
    """Returns the newest file `model-<step>.index` in a folder of runs, at any depth; None if there is none."""
    return max(folder.rglob(f'{NAME}-*.index'), key=lambda index: index.stat().st_mtime, default=None)


def _found_in(folder: Path) -> Optional[Checkpoint]:
    if checkpoint_steps(folder):
        return last_checkpoint(folder)
    written = newest_index(folder)
    if not written:
        return None
    run = written.parent.parent if written.parent.name == BEST else written.parent
    return _newest_whole(run / BEST) or last_checkpoint(run)


def _at_prefix(prefix: str) -> Optional[Checkpoint]:
    numbered = re.search(rf'{NAME}-(\d+)$', prefix)
    if not numbered or not Path(f'{prefix}.index').is_file():
        return None
    fault = _fault(prefix)
    if fault:
        raise InputError(f'the checkpoint {prefix} is incomplete: {fault}')
    return _described(prefix, int(numbered.group(1)))


def _newest_whole(folder: Path) -> Optional[Checkpoint]:
    for step in reversed(checkpoint_steps(folder)):
        prefix = str(folder / f'{NAME}-{step}')
        fault = _fault(prefix)
        if not fault:
            return _described(prefix, step)
        _LOG.warning('the checkpoint %s is skipped, because it is incomplete: %s', prefix, fault)
    return None


def _fault(prefix: str) -> str:
    """Returns what is wrong with the files of a checkpoint, '' if nothing. Reading every value checks its checksum."""
    import tensorflow.compat.v1 as tf
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:  # the type depends on the version
        return str(error).partition('\n')[0] or type(error).__name__
    return ''


def _described(prefix: str, step: int) -> Checkpoint:
    """Returns a checkpoint with the content of the JSON files beside it."""
    folder = Path(prefix).parent
    best = read_object_if_any(folder / BEST_FILE)
    return Checkpoint(prefix, step, read_run((folder.parent if folder.name == BEST else folder) / RUN_FILE),
                      best.get('validation_ne') if best.get('step') == step else None)
