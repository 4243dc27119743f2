"""Where training leaves its checkpoints, and how to find one again.

models/trained/<tag>/<run>/ holds `run.json`, checkpoints `model-<step>`, and in `best/` the checkpoint with the lowest
validation error, with `best.json`. The last checkpoint of a folder is the whole one of the highest step: TensorFlow's
own index of them, the file `checkpoint`, is not asked. TensorFlow is imported only where a checkpoint is read.
"""
import logging
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Container, Dict, List, Mapping, Optional, Union

from fashionai.errors import InputError
from fashionai.garments.table import Garments
from fashionai.garments.table_files import stored_garments
from fashionai.model_files.contract import read_json

NAME, BEST, RUN_FILE, BEST_FILE = 'model', 'best', 'run.json', 'best.json'

_KINDS: Mapping[str, type] = MappingProxyType({
    'model': str, 'tag': str, 'input_hw': list, 'garments': dict, 'head': dict, 'loss': dict, 'data': dict,
    'updates': dict})
"""What the values of a run.json are, by key; each may be left out."""

_FILE = re.compile(rf'{NAME}-(\d+)\.(index|data-\d+-of-\d+)')
"""The files of a checkpoint. One that is being written has names with more behind them."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint: its prefix (the path less `.index`), its step, and what `run.json` says of the run it belongs to.

    `run` is empty where there is no such file; `validation_ne`, in per cent, is known of a `best` checkpoint only.
    """

    prefix: str
    step: int
    run: Dict[str, Any]
    validation_ne: Optional[float] = None


def loss_of(run: Mapping[str, Any]) -> str:
    """The loss of the heat maps that a run.json names; that of the original where it names none."""
    return run.get('loss', {}).get('loss', 'l2')


def garments_of(run: Mapping[str, Any]) -> Garments:
    """The table of garments that a run.json holds; the built-in one where it holds none."""
    return stored_garments(run.get('garments', {}), f'{RUN_FILE}, garments')


def read_run(path: Path) -> Dict[str, Any]:
    """Read a run.json; {} if there is none. Raises InputError, naming file and key, for values of another kind."""
    run = read_json(path)
    for key, kind in _KINDS.items():
        if not isinstance(run.get(key, kind()), kind):
            raise InputError(f'{path}: {key} is {reprlib.repr(run[key])}, wanted a value of type {kind.__name__}')
    sides = run.get('input_hw', (8, 8))
    if len(sides) != 2 or not all(type(side) is int and side > 0 for side in sides):
        raise InputError(f'{path}: input_hw is {reprlib.repr(sides)}, wanted height and width in pixels')
    return run


def average_name(variable: str) -> str:
    """Under which name a checkpoint keeps the average of a variable over the steps."""
    return f'{variable}/average'


def best_name(variable: str, stored: Container[str]) -> str:
    """Which of the names that a checkpoint has stands for a variable of its network: the average, where it is there."""
    return average_name(variable) if average_name(variable) in stored else variable


def checkpoint_steps(folder: Path) -> List[int]:
    """The steps of which a folder has files of a checkpoint, whole or not, in order."""
    files = [_FILE.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted({int(file.group(1)) for file in files if file})


def last_checkpoint(folder: Path) -> Optional[Checkpoint]:
    """The whole checkpoint of the highest step in a folder, None if it has no file of a checkpoint. Those of higher
    steps that are not whole are named in the log.

    Raises InputError if it has checkpoints and none is whole.
    """
    found = _newest_whole(folder)
    if not found and checkpoint_steps(folder):
        raise InputError(f'{folder} has checkpoints and none of them is whole: move its files {NAME}-* away to begin '
                         'anew')
    return found


def find_checkpoint(path: Union[str, Path]) -> Checkpoint:
    """The checkpoint a path means: a prefix, itself; a folder with checkpoints, its last one; a folder of runs, however
    deep, the best one of the run that was written to last, or its last one where none was kept.

    Raises InputError where there is none, or it is not whole.
    """
    path = Path(path)
    found = _found_in(path) if path.is_dir() else _at_prefix(re.sub(r'\.index$', '', str(path)))
    if not found:
        raise InputError(f'no checkpoint at {path}: wanted a file model-<step>.index that train.py wrote, or a folder '
                         'with such files')
    return found


def newest_index(folder: Path) -> Optional[Path]:
    """The file `model-<step>.index` that was written last in a folder of runs, however deep; None if there is none."""
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
        raise InputError(f'the checkpoint {prefix} is not whole: {fault}')
    return _described(prefix, int(numbered.group(1)))


def _newest_whole(folder: Path) -> Optional[Checkpoint]:
    for step in reversed(checkpoint_steps(folder)):
        prefix = str(folder / f'{NAME}-{step}')
        fault = _fault(prefix)
        if not fault:
            return _described(prefix, step)
        _LOG.warning('the checkpoint %s is passed over, since it is not whole: %s', prefix, fault)
    return None


def _fault(prefix: str) -> str:
    """What is wrong with the files of a checkpoint, '' if nothing is. Every value is read, which checks its sum."""
    import tensorflow.compat.v1 as tf
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, IndexError, RuntimeError, ValueError) as error:  # the type depends on the version
        return str(error).partition('\n')[0] or type(error).__name__
    return ''


def _described(prefix: str, step: int) -> Checkpoint:
    """A checkpoint with what the files beside it say."""
    folder = Path(prefix).parent
    best = read_json(folder / BEST_FILE)
    return Checkpoint(prefix, step, read_run((folder.parent if folder.name == BEST else folder) / RUN_FILE),
                      best.get('validation_ne') if best.get('step') == step else None)
