"""The weights that a training starts from, as its flags name them."""
import argparse
import functools
import logging
from pathlib import Path
from typing import Callable, Dict, Optional

from fashionai.cli.entry_point import PROJECT_ROOT, resolve_checkpoint
from fashionai.errors import InputError
from fashionai.networks.head_options import HeadOptions

logger = logging.getLogger(__name__)


def starting_weights(options: argparse.Namespace, usual: str) -> Optional[Path]:
    """Returns the path of the initial weights that the flags name, or of the `usual` weights; None for none. A file may
    lie in the folder `numpy` of --pretrain_basepath too, which is its place in the original. Raises InputError for a
    checkpoint or a package that is missing, and for --fresh-head without weights."""
    from fashionai.model_files.packaged import packaged_path
    if options.checkpoint:
        return resolve_checkpoint(options.checkpoint)
    file = usual if options.pretrain_path is None else options.pretrain_path
    if not file:
        if options.fresh_head:
            raise InputError('--fresh-head takes a backbone from initial weights, and this training has none: give '
                             '--pretrain_path or --checkpoint')
        return None
    folder = Path(options.pretrain_basepath)
    path = packaged_path(file) or folder / file
    places = (path, PROJECT_ROOT / path, folder / 'numpy' / file, PROJECT_ROOT / folder / 'numpy' / file)
    return next((place for place in places if place.exists()), PROJECT_ROOT / path)


def initial_weights(options: argparse.Namespace, usual: str, going_on: Optional[Path],
                    read: bool = True) -> Dict[str, str]:
    """Returns the initial weights for run.json: by content; or by name, if they are missing or not `read`, or if
    --checkpoint names a folder of runs and the newest of them is the run that continues, in the folder `going_on`.
    Raises InputError if they are missing and no run continues."""
    from fashionai.model_files.checkpoints import find_checkpoint
    from fashionai.model_files.weights import weights_sum
    from fashionai.training.run_record import content
    place = options.checkpoint or (usual if options.pretrain_path is None else options.pretrain_path)
    if not read:
        return content(place, '')
    try:
        path = starting_weights(options, usual)
        if path and path.is_dir() and going_on in Path(find_checkpoint(path).prefix).parents:
            return content(place, '')
        return content(place, weights_sum(path) if path else 'none')
    except InputError as error:
        if not going_on:
            raise
        logger.warning('the initial weights of this run are compared only by name: %s', error)
        return content(place, '')


def weight_loader(options: argparse.Namespace, usual: str) -> Callable:
    """Returns a function that fills the new variables of a session."""
    from fashionai.model_files.weights import load_first_network, load_pretrained
    path = starting_weights(options, usual)
    if path is None:
        return lambda session: None
    if options.refine == 'frozen':
        return functools.partial(load_first_network, HeadOptions.of(vars(options)), options.loss, path)
    return functools.partial(load_pretrained, path, fresh_head=options.fresh_head)
