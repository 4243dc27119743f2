"""Records in run.json what determines the weights of a run, and checks whether a command may resume that run."""
import hashlib
import json
import logging
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import tensorflow.compat.v1 as tf

from fashionai import __version__
from fashionai.annotations import Annotations
from fashionai.errors import InputError
from fashionai.files import read_object_if_any
from fashionai.garments.table import Garments
from fashionai.garments.table_files import stored_form
from fashionai.model_files.checkpoints import RUN_FILE, garments_of
from fashionai.model_files.contract import file_sum
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import flag_name
from fashionai.training.loop import TrainingSettings
from fashionai.training.schedule import depends_on_length

FREE = frozenset({'workers', 'keep', 'save_every', 'validate_every', 'modelpath', 'logpath', 'run_name', 'resume',
                  'allow_outside',
                  'xla', 'hosts', 'stall_seconds', 'restarts', 'launched'})
"""Flags that do not determine the weights. `xla` changes only the rounding of a step. `gpus` is not in the list,
because the batch norm of each tower uses only the tower's share of the batch; run.json has the towers of all hosts.
Every flag that is not listed here determines the weights."""

BY_CONTENT = frozenset({'datapath', 'imgpath', 'garments', 'checkpoint', 'pretrain_path', 'pretrain_basepath',
                        'max_epoch', 'max_steps'})
"""Flags that are not compared by their values: they name files, which are compared by their checksums, or set the
number of steps."""

DECIDES, CHANGES = 'decides', 'changes'
"""Keys of run.json: what determines the weights, by name; and every change of the command that resumed the run."""

_FILES = ('sampling', 'keypoint_weights')
"""Flags whose value is a name or a file."""

_ROWS, _IMAGES, _GARMENTS = '--datapath', '--imgpath', '--garments'
_NETWORK = ('--model', '--tag', _GARMENTS, *map(flag_name, HeadOptions.__annotations__))
"""Flags that define the network. They cannot change within a run, even with --resume."""

_CODE = Path(__file__).resolve().parents[1]
_SUM_DIGITS = 16
_IMAGES_READ = 64
"""The number of images of a folder whose bytes are part of its checksum. Of the other images, only the sizes are."""

_LOG = logging.getLogger(__name__)

Decides = Dict[str, Any]
"""What determines the weights, by name: the value of a flag; or a `content`; or a list of them, one per data folder."""


class Difference(NamedTuple):
    """A value that differs between a run (`noted`) and a command (`now`)."""

    name: str
    noted: Any
    now: Any

    def __str__(self) -> str:
        return self.between('the run', 'the command')

    def between(self, one: str, other: str) -> str:
        """Returns the difference between two that have these names."""
        return f'{self.name}: {one} has {_shown(self.noted)}, {other} has {_shown(self.now)}'


def content(place: object, sum_: str, size: str = '') -> Dict[str, str]:
    """Describes data that is compared by its checksum, not by its path. If that is empty, `place` is compared."""
    return {'place': str(place), 'sum': sum_[:_SUM_DIGITS], **({'size': size} if size else {})}


def rows_content(rows: Annotations) -> Dict[str, str]:
    """Describes labelled rows: the checksum of their ids, types and keypoints, in order."""
    digest = hashlib.sha256()
    for image_id, category in zip(rows.image_ids, rows.categories):
        digest.update(f'{image_id}\n{category}\n'.encode('utf-8', 'surrogateescape'))
    digest.update(rows.keypoints.astype('<f8').tobytes())
    return content(rows.source, digest.hexdigest(), f'{len(rows)} rows')


def images_content(image_ids: Sequence[str], folder: Path) -> Dict[str, str]:
    """Describes images: the checksum of their sizes in bytes, in order, and of the bytes of some, evenly spread."""
    digest = hashlib.sha256()
    for image_id in image_ids:
        digest.update(f'{(folder / image_id).stat().st_size}\n'.encode())
    for number in np.unique(np.linspace(0, len(image_ids) - 1, _IMAGES_READ).astype(int)):
        digest.update((folder / image_ids[number]).read_bytes())
    return content(folder, digest.hexdigest(), f'{len(image_ids)} images')


def garments_content(garments: Garments, place: str) -> Dict[str, str]:
    """Describes a table of garments by the checksum of its stored form, without lengths: no weight depends on them."""
    table = Garments(tuple(replace(garment, lengths=()) for garment in garments.values()))
    return content(place, hashlib.sha256(json.dumps(stored_form(table), sort_keys=True).encode()).hexdigest())


def flags_that_decide(flags: Mapping[str, Any], steps: int) -> Decides:
    """Returns the parsed flags of train.py that determine the weights; files that they name are given by content.

    `steps` is the total number of steps. It is included if the learning rate depends on it; `--decay-steps` otherwise.
    """
    found = {}
    for name, value in flags.items():
        if name not in FREE | BY_CONTENT:
            is_file = name in _FILES and value and Path(value).is_file()
            found[flag_name(name)] = content(value, file_sum(value)) if is_file else value
    found['--remote-data'] = bool(flags['remote_data'])
    if depends_on_length(flags['lr']):
        found['--max-steps'] = steps
        del found['--decay-steps']
    return found


def data_that_decide(folders: Sequence[Tuple[Annotations, Path]], with_images: bool,
                     validation: Optional[Annotations]) -> Decides:
    """Returns the training rows of each data folder, their images if this process reads them, and the validation rows.

    `folders` has the rows of each data folder and the folder that their image ids start from. The validation rows
    determine which checkpoint is kept as the best.
    """
    found: Decides = {_ROWS: [rows_content(rows) for rows, _ in folders]}
    if with_images:
        found[_IMAGES] = [images_content(rows.image_ids, root) for rows, root in folders]
    if validation:
        found['validation rows'] = rows_content(validation)
    return found


def program_that_decides() -> Decides:
    """Returns the versions of the libraries and of the project, and the commit of its code if it is a git checkout."""
    versions = {'TensorFlow': tf.__version__, 'NumPy': np.__version__, 'OpenCV': cv2.__version__,
                'project': __version__}
    commit = _commit()
    return {**versions, 'commit': commit} if commit else versions


def _commit() -> str:
    """Returns the last commit that changed the code, and whether files differ from it; '' if there is no checkout."""
    def git(*command: str) -> str:
        return subprocess.run(['git', '-C', str(_CODE.parent), *command, '--', '.'], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True, timeout=60).stdout.decode().strip()

    try:
        commit = git('log', '-1', '--format=%H')[:12]
        return commit + ('+changes' if commit and git('status', '--porcelain') else '')
    except (OSError, subprocess.SubprocessError):
        return ''


def of_command(flags: Mapping[str, Any], settings: TrainingSettings, folders: Sequence[Tuple[Annotations, Path]],
               validation: Optional[Annotations], weights: Mapping[str, str]) -> Dict[str, Any]:
    """Returns the content of run.json for a new run that a command of train.py starts.

    Args:
        flags: the parsed flags.
        settings: the settings that the flags define.
        folders: the training rows of each data folder, with the folder that their image ids start from.
        validation: the rows to validate on, if any.
        weights: the initial weights, as a `content`.
    """
    garments = garments_content(settings.garments, flags['garments'] or 'the built-in table')
    flags = {**flags, 'gpus': settings.towers * settings.cluster.ranks}
    decides = {**flags_that_decide(flags, settings.max_steps), _GARMENTS: garments,
               **data_that_decide(folders, not flags['remote_data'], validation), 'initial weights': weights,
               **program_that_decides()}
    return {**settings.description, DECIDES: json.loads(json.dumps(decides))}


def agreement(record: Mapping[str, Any], steps: int) -> Decides:
    """Returns what must be equal on all ranks of a cluster: what a record decides, the steps, and the code."""
    return {**record[DECIDES], '--max-steps': steps, 'code': content(_CODE, _code_sum())}


def disagreement(first: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Returns in words how the agreement of another rank differs from that of rank 0; '' if they are equal."""
    found = differences({DECIDES: first}, {DECIDES: other})
    return '; '.join(one.between('the first', 'the other') for one in found)


def _code_sum() -> str:
    """Returns the checksum of the package's source and tables."""
    digest = hashlib.sha256()
    for path in sorted(path for kind in ('*.py', '*.json') for path in _CODE.rglob(kind)):
        digest.update(f'{path.relative_to(_CODE).as_posix()}\n'.encode() + path.read_bytes())
    return digest.hexdigest()


def continued(settings: TrainingSettings, step: int, record: Mapping[str, Any], resume: bool) -> Dict[str, Any]:
    """Returns the content of run.json for a run that a command resumes at `step`.

    `record` is what the command would write for a new run. Keys that the existing run.json does not have are not
    compared, because earlier versions recorded less.

    Raises InputError, naming the differences between the run and this command, unless `resume` is true. Differences
    of the network are always an error.
    """
    noted = read_object_if_any(settings.run_folder / RUN_FILE)
    found = differences(noted, record)
    if step > settings.max_steps:
        found.append(Difference('steps', f'{step} done', settings.max_steps))
    other_network = any(one.name in _NETWORK for one in found)
    if found and (other_network or not resume):
        ways = 'give another --run-name' + ('' if other_network else ', or --resume to continue with the differences')
        raise InputError(f'{settings.run_folder} has a run of another command. {"; ".join(map(str, found))}: {ways}')
    changed = {one.name: one.now for one in found if one.name in record[DECIDES]}
    return {**record, DECIDES: {**record[DECIDES], **noted.get(DECIDES, {}), **changed},
            CHANGES: noted.get(CHANGES, []) + _change(noted, step, found)}


def _change(noted: Mapping[str, Any], step: int, found: Sequence[Difference]) -> List[Dict[str, Any]]:
    """Returns the new entries of CHANGES for a run that is resumed: one entry or none."""
    if found:
        _LOG.warning('resuming with differences, because of --resume. %s', '; '.join(map(str, found)))
        return [{'step': step, 'differences': {one.name: [one.noted, one.now] for one in found}}]
    if DECIDES not in noted:
        _LOG.warning('%s of this run has no record of the data, the initial weights and most flags, so they were not '
                     'compared', RUN_FILE)
        return [{'step': step, 'differences': 'not known: until here the run has no record'}]
    return []


def differences(noted: Mapping[str, Any], now: Mapping[str, Any]) -> List[Difference]:
    """Returns what differs between two run.json. Only keys that both have are compared."""
    if not noted:
        return []
    one, other = (run[DECIDES] if DECIDES in noted else _description_that_decides(run) for run in (noted, now))
    return [Difference(name, one[name], other[name]) for name in other
            if name in one and not _same(one[name], other[name])]


def _description_that_decides(run: Mapping[str, Any]) -> Decides:
    """Returns what determines the weights, from a run.json without DECIDES, as earlier versions wrote it."""
    flags = {f'{group} flags': run.get(group, {}) for group in ('head', 'loss', 'data', 'updates')}
    return {'--model': run.get('model'), '--tag': run.get('tag'), 'input size': run.get('input_hw'), **flags,
            _GARMENTS: garments_content(garments_of(run), 'a table')}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict) and 'sum' in one and 'sum' in other:
        key = 'sum' if one['sum'] and other['sum'] else 'place'
        return bool(one[key] == other[key])
    return bool(one == other)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ' and '.join(map(_shown, value))
    if isinstance(value, dict) and 'sum' in value:
        about = [value.get('size', ''), f'sum {value["sum"][:8]}' if value['sum'] else 'not there']
        return f'{value["place"]} ({", ".join(filter(None, about))})' if value['place'] else 'none'
    return 'none' if value is None or value == '' else str(value)
