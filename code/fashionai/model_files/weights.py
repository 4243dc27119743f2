"""Loads initial weights from published files, from files of this project, and from checkpoints."""
import hashlib
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Set, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import PathLike, replacing
from fashionai.model_files.checkpoints import best_name, find_checkpoint, loss_of
from fashionai.model_files.contract import file_sum
from fashionai.model_files.weight_files import READERS, UNREADABLE, Values
from fashionai.networks.catalog import is_backbone
from fashionai.networks.head_options import HeadOptions
from fashionai.networks.refine import is_refining

_MODEL_VARIABLE = re.compile(r'/(weights|biases|gamma|beta|moving_mean|moving_variance)$')
"""The last parts of the names of a network's variables. Other variables in a checkpoint belong to the optimiser."""

_SHOWN = 6
"""The largest number of layers that a line of the log names."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightReport:
    """The result of loading a weight file.

    filled: the names of the variables that got values. skipped: the names in the file for which the network has no
    variable. unmatched: the variables that keep their initial values; with the reason if the file has a value of that
    name.
    """

    filled: Tuple[str, ...]
    skipped: Tuple[str, ...]
    unmatched: Mapping[str, str]

    def summary(self) -> str:
        """Returns a few lines of text: counts, the first layers of each kind, and all differences in shape."""
        lines = [f'  {len(self.filled)} variables filled{_layers(self.filled)}',
                 f'  {len(self.skipped)} values of the file not used{_layers(self.skipped)}',
                 f'  {len(self.unmatched)} variables keep their initial values{_layers(list(self.unmatched))}']
        return '\n'.join(lines + [f'    {name}: {reason}' for name, reason in self.unmatched.items() if reason])


def load_pretrained(path: PathLike, session: tf.Session, fresh_head: bool = False) -> WeightReport:
    """Sets the model variables of the session's graph for which a weight file has a value of the same name and shape.

    The file is a `.npy` dict of layers, a Keras `.h5`, EfficientNet's `.pth`, this project's `.npz`, or a checkpoint
    (see `checkpoints.find_checkpoint`). Names are compared as a whole (`Openpose/Mconv1_stage2_L1/weights`) or, for
    files that have only names of layers, by their last two parts. Call it after the initialisers; it adds nothing to
    the graph. With `fresh_head`, only the variables of the backbone are set.

    Raises InputError if the file is missing or unreadable, or if no value fits.
    """
    values = read_weights(path)
    with session.graph.as_default():
        variables = tf.model_variables()
    filled: Dict[str, np.ndarray] = {}
    unmatched: Dict[str, str] = {}
    used: Set[str] = set()
    for variable in variables:
        name, shape = variable.op.name, tuple(variable.shape.as_list())
        key = name if name in values else '/'.join(name.split('/')[-2:])
        if key not in values or (fresh_head and not is_backbone(name)):
            unmatched[name] = ''
        elif values[key].shape != shape:
            unmatched[name] = f'{shape} in the network, {values[key].shape} in the file'
            used.add(key)
        else:
            filled[name] = values[key].astype(np.float32)
            used.add(key)
    # Runs the initialisers with other values. Unlike tf.assign, this works in a finalised graph.
    initialisers = {variable.op.name: variable.initializer for variable in variables}
    session.run([initialisers[name] for name in filled],
                {initialisers[name].inputs[1]: value for name, value in filled.items()})
    report = WeightReport(tuple(filled), tuple(sorted(set(values) - used)), unmatched)
    if not filled:
        raise InputError(f'{path} has no value that fits one of the {len(variables)} variables of this network:\n'
                         f'{report.summary()}')
    _logger.info('weights from %s\n%s', path, report.summary())
    return report


def read_weights(path: PathLike) -> Values:
    """Returns all arrays of a weight file by name: `layer/weights` and `layer/biases`.

    For `.npz` files and checkpoints, the names are the full names of the variables. The variables of the optimiser are
    left out of a checkpoint. If it has averages over the steps, they are returned instead of the variables.

    Raises InputError if there is no such file, or if it does not have the format of its ending.
    """
    path = Path(path)
    if path.suffix in READERS and path.is_file():
        try:
            return READERS[path.suffix](path)
        except UNREADABLE as error:
            raise InputError(f'{path} cannot be read as {path.suffix} weights ({error}): models/README.md lists the '
                             'files that can be read, with their checksums') from None
    way_out = ("models/README.md says where to get them and where to put them; --pretrain_path '' trains without "
               'initial weights')
    if path.suffix in READERS and not path.exists():
        raise InputError(f'the weights {path} do not exist: {way_out}')
    try:
        prefix = find_checkpoint(path).prefix
    except InputError as error:
        raise InputError(f'no weights at {path} ({error}): {way_out}') from None
    reader = tf.train.load_checkpoint(prefix)
    stored = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(best_name(name, stored)) for name in stored if _MODEL_VARIABLE.search(name)}


def mean_weights(paths: Sequence[PathLike]) -> Values:
    """Returns the mean of the weights of several trainings of one network, by the names of the first file.

    If the trainings began with the same weights, the mean is often better than each (Wortsman et al., "Model soups:
    averaging weights of multiple fine-tuned models improves accuracy without increasing inference time", 2022).

    Raises InputError as `read_weights` does, and if a file lacks an array of the first, or has it in another shape.
    """
    first, *others = [read_weights(path) for path in paths]
    for path, values in zip(paths[1:], others):
        for name, value in first.items():
            if name not in values or values[name].shape != value.shape:
                raise InputError(f'{path} has no {name} of the shape {value.shape}, as {paths[0]} has it: wanted '
                                 'weights of the same network')
    return {name: np.mean([values[name] for values in (first, *others)], axis=0, dtype=np.float64).astype(np.float32)
            for name in first}


def weights_sum(path: PathLike) -> str:
    """Returns the SHA-256 of initial weights: of the bytes of a file, or of the values that `read_weights` returns for
    a checkpoint. Raises InputError if there are no weights."""
    path = Path(path)
    if path.suffix in READERS and path.is_file():
        return file_sum(path)
    digest = hashlib.sha256()
    for name, value in sorted(read_weights(path).items()):
        digest.update(name.encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def export_weights(weights: Values, path: PathLike) -> None:
    """Writes the variables of a network as a `.npz` that `load_pretrained` can read.

    Weights are stored as float16, which is precise enough for initial weights. Biases and batch norm stay float32.
    """
    values: Dict[str, Any] = {name: value.astype(np.float16 if value.ndim > 1 else np.float32)
                              for name, value in weights.items()}
    with replacing(path) as draft, open(str(draft), 'wb') as file:
        np.savez_compressed(file, **values)


def _layers(names: Sequence[str]) -> str:
    """Returns a text such as ` (conv1_1, conv1_2, ... and 8 more layers)`, with one name per layer."""
    layers = list(dict.fromkeys(name.rpartition('/')[0] or name for name in names))
    more = f', ... and {len(layers) - _SHOWN} more layers' if len(layers) > _SHOWN else ''
    return f' ({", ".join(layers[:_SHOWN])}{more})' if layers else ''


def load_first_network(head: HeadOptions, loss: str, path: PathLike, session: tf.Session) -> None:
    """Loads a checkpoint by `load_pretrained` for a network in which only the refine net is trained.

    Raises InputError if the checkpoint has another head or loss, or if it does not have the complete first network.
    """
    run = find_checkpoint(path).run
    trained = replace(HeadOptions.of(run.get('head', {})), refine=None)
    if run and trained != replace(head, refine=None):
        raise InputError(f'--refine frozen: {path} was trained with the head flags {trained.changes or "unchanged"}: '
                         'give the same flags here')
    if loss_of(run) != loss:
        raise InputError(f'--refine frozen: {path} was trained with --loss {loss_of(run)}: give the same loss here')
    report = load_pretrained(path, session)
    missing = [name for name in report.unmatched if not is_refining(name)]
    if missing:
        raise InputError(f'--refine frozen: {path} has another network or garment type: it has no value for '
                         f'{len(missing)} variables, such as {missing[0]}')
