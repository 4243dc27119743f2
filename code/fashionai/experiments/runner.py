"""Makes the products of settings by running the entry points, each once."""
import hashlib
import logging
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Dict, List, Mapping, Optional

from fashionai.errors import InputError
from fashionai.experiments.recipes import Key, Recipe, filled, needs, recipes
from fashionai.experiments.settings import Budget, Setting

logger = logging.getLogger(__name__)

_LAST_LINES = 12
_PATIENCE = 120
"""Seconds that an interrupted step has to save what it did."""


class StepFailed(InputError):
    """A program did not make what it should have made."""


class Workshop:
    """The products of all settings, below one folder: <work>/<setting>/<seed>/.

    A product whose step is noted as done there, with these labels, is not made again; a step that failed is not tried
    twice.
    """

    def __init__(self, settings: Mapping[str, Setting], budget: Budget, data: Path, work: Path, root: Path) -> None:
        """`data` has train/train.csv and train/val.csv; `root` has the entry points, in code/ and submit/."""
        self._settings, self._budget, self._data, self._work, self._root = settings, budget, data, work, root
        self._failures: Dict[Key, StepFailed] = {}
        self._labels = _labels_sum(data)

    def product(self, kind: str, name: str, seed: int) -> Path:
        """The path of a product, which is made with all it needs where it is not there.

        Raises StepFailed where that does not work, ValueError where the setting has no such product.
        """
        key = (kind, name, seed)
        if key in self._failures:
            raise self._failures[key]
        try:
            return self._made(*key)
        except StepFailed as error:
            self._failures[key] = error
            raise

    def is_trained(self, name: str, seed: int) -> bool:
        """Whether the training of a setting is done."""
        return (self._work / name / str(seed) / 'checkpoint.done').exists()

    def training_speed(self, name: str, seed: int) -> Optional[float]:
        """Images a second in training: the median of what the log says; None where it says nothing."""
        log = self._work / name / str(seed) / 'checkpoint.log'
        speeds = re.findall(r'([\d.]+) images/s', log.read_text(encoding='utf-8')) if log.exists() else []
        return round(median(map(float, speeds)), 1) if speeds else None

    def _made(self, kind: str, name: str, seed: int) -> Path:
        recipe, folder = self._recipe(kind, name, seed), self._work / name / str(seed)
        note, product = folder / f'{kind}.done', folder / recipe.product
        if not (note.exists() and product.exists()):
            folder.mkdir(parents=True, exist_ok=True)
            arguments = [filled(text, seed, str(folder), self.product) for text in recipe.command]
            logger.info('  %s/%d: %s', name, seed, kind)
            (folder / f'{kind}.started').write_text(self._noted(recipe), encoding='utf-8')
            _run([str(self._root / arguments[0])] + arguments[1:], folder / f'{kind}.log')
            if not product.exists():
                raise StepFailed(f'{arguments[0]} ended well, and {product} is not there')
            note.write_text(self._noted(recipe), encoding='utf-8')
        return product

    def _recipe(self, kind: str, name: str, seed: int) -> Recipe:
        """How a product is made; it and all it needs must have been made in this way where they are there already."""
        known = recipes(self._settings[name], seed, self._budget, str(self._data)) if name in self._settings else {}
        if kind not in known:
            raise InputError(f'{{{kind}:{name}}}: ' + (f'a setting with {", ".join(known)} only' if known
                                                       else 'there is no such setting'))
        for state in ('started', 'done'):
            note = self._work / name / str(seed) / f'{kind}.{state}'
            told = note.read_text(encoding='utf-8').splitlines() if note.exists() else []
            differing = [what for what, one, other in zip(('flags', 'labels'), told,
                                                          self._noted(known[kind]).splitlines()) if one != other]
            if differing:
                raise StepFailed(f'{note.parent} was made with other {" and ".join(differing)} ({note.name} has them): '
                                 'remove it, or give another --work')
        for other in needs(known[kind], seed):
            self._recipe(*other)
        return known[kind]

    def _noted(self, recipe: Recipe) -> str:
        """A line of the command, and one of the labels; earlier versions wrote the first alone."""
        return f'{" ".join(map(shlex.quote, recipe.command))}\nlabels {self._labels}\n'


def _labels_sum(data: Path) -> str:
    tables = [data / 'train' / name for name in ('train.csv', 'val.csv')]
    return hashlib.sha256(b'\0'.join(table.read_bytes() for table in tables if table.exists())).hexdigest()


def _run(arguments: List[str], log: Path) -> None:
    """Run a program of this project to its end, its messages in a file. Raises StepFailed with the last of them."""
    with open(str(log), 'ab') as file:
        process = subprocess.Popen([sys.executable] + arguments, stdout=file, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait()
        except KeyboardInterrupt:  # its own session has the signal not yet: a training saves a checkpoint at it
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if code:
        said = log.read_text(encoding='utf-8', errors='replace').splitlines()[-_LAST_LINES:]
        name = Path(arguments[0]).name
        raise StepFailed('\n    '.join([f'{name} ended with code {code}; the last lines of {log}:'] + said))
