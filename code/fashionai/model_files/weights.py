"""Starting weights from published files, from the project's own, and from checkpoints."""
import hashlib
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Set, Tuple, Union

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import replacing
from fashionai.model_files.checkpoints import best_name, find_checkpoint, loss_of
from fashionai.model_files.contract import file_sum
from fashionai.model_files.weight_files import READERS, UNREADABLE, Values
from fashionai.networks.head_options import HeadOptions
from fashionai.networks.refine import is_refining

PathLike = Union[str, Path]

_MODEL_VARIABLE = re.compile(r'/(weights|biases|gamma|beta|moving_mean|moving_variance)$')
"""How the names of a network's variables end; a checkpoint's other contents are the optimiser's."""

_SHOWN = 6
"""Layers named in a line of the log before it says how many more there are."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightReport:
    """What became of a weight file.

    `filled` are names of variables; `skipped` are names in the file that the network has no variable for; `unmatched`
    are the variables left at their initial values, with the reason where the file does have one of that name.
    """

    filled: Tuple[str, ...]
    skipped: Tuple[str, ...]
    unmatched: Mapping[str, str]

    def summary(self) -> str:
        """A few lines: counts, the first layers of each kind, and every difference in shape."""
        lines = [f'  {len(self.filled)} variables filled{_layers(self.filled)}',
                 f'  {len(self.skipped)} in the file and not used{_layers(self.skipped)}',
                 f'  {len(self.unmatched)} left at their initial values{_layers(list(self.unmatched))}']
        return '\n'.join(lines + [f'    {name}: {reason}' for name, reason in self.unmatched.items() if reason])


def load_pretrained(path: PathLike, session: tf.Session) -> WeightReport:
    """Fill the model variables of the session's graph that a weight file has values for, by name and shape.

    The file is a `.npy` dict of layers, a Keras `.h5`, EfficientNet's `.pth`, the project's own `.npz`, or a checkpoint
    (see `checkpoints.find_checkpoint`). Names match whole (`Openpose/Mconv1_stage2_L1/weights`) or, for files that know
    layers only, by their last two parts. Call it after the initialisers; it adds nothing to the graph.

    Raises InputError where the file is missing, unreadable, or fills nothing.
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
        if key not in values:
            unmatched[name] = ''
        elif values[key].shape != shape:
            unmatched[name] = f'{shape} in the network, {values[key].shape} in the file'
            used.add(key)
        else:
            filled[name] = values[key].astype(np.float32)
            used.add(key)
    # Initialisers with other values in place of their own: unlike tf.assign they are there in a finalised graph.
    initialisers = {variable.op.name: variable.initializer for variable in variables}
    session.run([initialisers[name] for name in filled],
                {initialisers[name].inputs[1]: value for name, value in filled.items()})
    report = WeightReport(tuple(filled), tuple(sorted(set(values) - used)), unmatched)
    if not filled:
        raise InputError(f'{path} fits none of the {len(variables)} variables of this network:\n{report.summary()}')
    _logger.info('weights from %s\n%s', path, report.summary())
    return report


def read_weights(path: PathLike) -> Values:
    """Every array of a weight file, named `layer/weights` and `layer/biases` or, in `.npz` and checkpoints, by the
    variable's whole name. Of a checkpoint, what belongs to the optimiser is left out, and averages over the steps
    stand for the variables where it has them.

    Raises InputError where there is no such file, or it does not hold what its ending promises.
    """
    path = Path(path)
    if path.suffix in READERS and path.is_file():
        try:
            return READERS[path.suffix](path)
        except UNREADABLE as error:
            raise InputError(f'{path} cannot be read as {path.suffix} weights ({error}): models/README.md lists the '
                             'files that can, with the sums to check') from None
    try:
        prefix = find_checkpoint(path).prefix
    except InputError as error:
        raise InputError(f'no weights at {path} ({error}): models/README.md says where to get them and where to put '
                         "them; --pretrain_path '' trains from scratch") from None
    reader = tf.train.load_checkpoint(prefix)
    stored = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(best_name(name, stored)) for name in stored if _MODEL_VARIABLE.search(name)}


def weights_sum(path: PathLike) -> str:
    """The SHA-256 of starting weights: of the bytes of a file, or of the values that `read_weights` reads of a
    checkpoint. Raises InputError where there are none."""
    path = Path(path)
    if path.suffix in READERS and path.is_file():
        return file_sum(path)
    digest = hashlib.sha256()
    for name, value in sorted(read_weights(path).items()):
        digest.update(name.encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def export_weights(checkpoint: PathLike, path: PathLike, half: bool = True) -> None:
    """Write the network's variables of a checkpoint as a `.npz` that `load_pretrained` reads.

    With `half`, weights go as float16, which does to start from; biases and batch norm stay float32.
    """
    values: Dict[str, Any] = {name: value.astype(np.float16 if half and value.ndim > 1 else np.float32)
                              for name, value in read_weights(checkpoint).items()}
    with replacing(path) as draft, open(str(draft), 'wb') as file:
        np.savez_compressed(file, **values)


def _layers(names: Sequence[str]) -> str:
    """` (conv1_1, conv1_2, ... and 8 more layers)`: a layer stands for its weights and its biases."""
    layers = list(dict.fromkeys(name.rpartition('/')[0] or name for name in names))
    more = f', ... and {len(layers) - _SHOWN} more layers' if len(layers) > _SHOWN else ''
    return f' ({", ".join(layers[:_SHOWN])}{more})' if layers else ''


def load_first_network(head: HeadOptions, loss: str, path: Union[str, Path], session: tf.Session) -> None:
    """`load_pretrained` of a checkpoint, for a network of which the refine net alone is trained.

    Raises InputError where the checkpoint has another head or loss, or does not hold the whole first network.
    """
    run = find_checkpoint(path).run
    trained = replace(HeadOptions.of(run.get('head', {})), refine=None)
    if run and trained != replace(head, refine=None):
        raise InputError(f'--refine frozen: {path} was trained with the head flags {trained.changes or "unchanged"}: '
                         'wanted the same ones here')
    if loss_of(run) != loss:
        raise InputError(f'--refine frozen: {path} was trained with --loss {loss_of(run)}: wanted the same here')
    report = load_pretrained(path, session)
    missing = [name for name in report.unmatched if not is_refining(name)]
    if missing:
        raise InputError(f'--refine frozen: {path} is of another network or garment type: nothing in it fits '
                         f'{len(missing)} variables, such as {missing[0]}')
