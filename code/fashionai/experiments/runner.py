"""Makes the products of settings by running the entry points. Each product is made once."""
import hashlib
import logging
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Dict, List, Mapping, Optional, Sequence

from fashionai.errors import InputError
from fashionai.experiments.recipes import Key, Recipe, filled, needs, recipes
from fashionai.experiments.settings import Budget, Setting

logger = logging.getLogger(__name__)

_LAST_LINES = 12
_PATIENCE = 120
"""The time in seconds that an interrupted step has to save its state."""


class StepFailed(InputError):
    """A program failed, or did not make its product."""


class Workshop:
    """The products of all settings, in folders <work>/<setting>/<seed>/.

    A product is not made again if a note there says that it was made with the same labels. A step that failed is not
    tried again.
    """

    def __init__(self, settings: Mapping[str, Setting], budget: Budget, data: Path, work: Path, root: Path,
                 execution: Sequence[str] = ()) -> None:
        """`data`: the folder with train/train.csv and train/val.csv. `root`: the folder with code/ and submit/.
        `execution`: more flags of train.py, which say how a step is computed. Notes do not have them, so
        a finished training is used whatever they were; an interrupted one needs the same flags."""
        self._settings, self._budget, self._data, self._work, self._root = settings, budget, data, work, root
        self._execution = list(execution)
        self._failures: Dict[Key, StepFailed] = {}
        self._labels = _labels_sum(data)

    def product(self, kind: str, name: str, seed: int) -> Path:
        """Returns the path of a product. Makes it, and everything that it needs, if it does not exist.

        Raises StepFailed if a step fails, and InputError if the setting has no such product.
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
        """Returns whether the training of a setting is finished."""
        return (self._work / name / str(seed) / 'checkpoint.done').exists()

    def training_speed(self, name: str, seed: int) -> Optional[float]:
        """Returns the images per second in training, the median of the values in the log; None if the log has none."""
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
            more = self._execution if kind == 'checkpoint' else []
            _run([str(self._root / arguments[0])] + more + arguments[1:], folder / f'{kind}.log')
            if not product.exists():
                raise StepFailed(f'{arguments[0]} ended without an error, but did not make '
                                 f'{product}')
            note.write_text(self._noted(recipe), encoding='utf-8')
        return product

    def _recipe(self, kind: str, name: str, seed: int) -> Recipe:
        """Returns the recipe of a product. Raises StepFailed if it, or a product it needs, was made differently."""
        known = recipes(self._settings[name], seed, self._budget, str(self._data)) if name in self._settings else {}
        if kind not in known:
            raise InputError(f'{{{kind}:{name}}}: ' + (f'this setting has only {", ".join(known)}' if known
                                                       else 'there is no such setting'))
        for state in ('started', 'done'):
            note = self._work / name / str(seed) / f'{kind}.{state}'
            told = note.read_text(encoding='utf-8').splitlines() if note.exists() else []
            differing = [what for what, one, other in zip(('flags', 'labels'), told,
                                                          self._noted(known[kind]).splitlines()) if one != other]
            if differing:
                raise StepFailed(f'{note.parent} was made with other {" and ".join(differing)}, as {note.name} says: '
                                 'remove the folder, or give another --work')
        for other in needs(known[kind], seed):
            self._recipe(*other)
        return known[kind]

    def _noted(self, recipe: Recipe) -> str:
        """Returns the text of a note: the command and, in a second line that earlier versions left out, the labels."""
        return f'{" ".join(map(shlex.quote, recipe.command))}\nlabels {self._labels}\n'


def _labels_sum(data: Path) -> str:
    tables = [data / 'train' / name for name in ('train.csv', 'val.csv')]
    return hashlib.sha256(b'\0'.join(table.read_bytes() for table in tables if table.exists())).hexdigest()


def _run(arguments: List[str], log: Path) -> None:
    """Runs a program of this project; its messages go to a file. If it fails, raises StepFailed with the last ones."""
    with open(str(log), 'ab') as file:
        process = subprocess.Popen([sys.executable] + arguments, stdout=file, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait()
        except KeyboardInterrupt:  # in its own session, it did not get the signal
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
    if code:
        said = log.read_text(encoding='utf-8', errors='replace').splitlines()[-_LAST_LINES:]
        name = Path(arguments[0]).name
        raise StepFailed('\n    '.join([f'{name} ended with exit code {code}; the last lines of {log}:'] + said))
