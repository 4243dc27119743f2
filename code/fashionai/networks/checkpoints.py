"""Where training leaves its checkpoints, and how to find one again.

models/trained/<tag>/<run>/ holds `run.json`, checkpoints `model-<step>`, and in `best/` the checkpoint with the lowest
validation error, with `best.json`.
"""
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Container, Dict, List, Mapping, Optional, Union

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garment_files import stored_garments
from fashionai.garments import Garments
from fashionai.networks.contract import read_json

NAME, BEST, RUN_FILE, BEST_FILE = 'model', 'best', 'run.json', 'best.json'

_FILE = re.compile(rf'{NAME}-(\d+)\.(index|data-\d+-of-\d+)')
"""The files of a checkpoint. One that is being written has names with more behind them."""


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


def find_checkpoint(path: Union[str, Path]) -> Checkpoint:
    """The checkpoint a path means: a prefix, itself; a folder with checkpoints, the one of the highest step; a folder
    of runs, however deep, the best one of the run that was written to last, or its highest step where none was kept.

    Raises InputError where there is none.
    """
    path = Path(path)
    if path.is_dir():
        prefix = _highest_step(path if list(path.glob(f'{NAME}-*.index')) else _best_of_newest_run(path))
    else:
        prefix = re.sub(r'\.index$', '', str(path))
    numbered = re.search(rf'{NAME}-(\d+)$', prefix)
    if not numbered or not tf.train.checkpoint_exists(prefix):
        raise InputError(f'no checkpoint at {path}: wanted a file model-<step>.index that train.py wrote, or a folder '
                         'with such files')
    folder = Path(prefix).parent
    run, step = folder.parent if folder.name == BEST else folder, int(numbered.group(1))
    best = read_json(folder / BEST_FILE)
    return Checkpoint(prefix, step, read_json(run / RUN_FILE),
                      best.get('validation_ne') if best.get('step') == step else None)


def _highest_step(folder: Path) -> str:
    """Prefix of a folder's last checkpoint, the folder itself where it has none."""
    numbers = [index.stem.rpartition('-')[2] for index in folder.glob(f'{NAME}-*.index')]
    steps = [int(number) for number in numbers if number.isdigit()]
    return str(folder / f'{NAME}-{max(steps)}') if steps else str(folder)


def _best_of_newest_run(folder: Path) -> Path:
    written = max(folder.rglob(f'{NAME}-*.index'), key=lambda index: index.stat().st_mtime, default=folder / 'none')
    run = written.parent.parent if written.parent.name == BEST else written.parent
    return run / BEST if list(run.glob(f'{BEST}/{NAME}-*.index')) else run
