"""The flags of train.py, send_batches.py and browse.py, and the labelled rows that they name."""
import argparse
import os
import re
from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations, image_path, read_annotations
from fashionai.cli.entry_point import add_garments_option, add_outside_option, in_project, resolve
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.sampling import check_folders
from fashionai.errors import InputError
from fashionai.evaluation.metrics import warn_of_unmeasured
from fashionai.garments.table import Garments
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import at_least
from fashionai.training.options import ClusterOptions, ExecutionOptions, LossOptions, UpdateOptions

DEFAULT_WORKERS = max(1, (os.cpu_count() or 2) - 1)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the samples, and those of the batches."""
    add_sample_options(parser)
    parser.add_argument('--batchsize', type=at_least(1), default=16, help='images a step, over all towers of all hosts')
    parser.add_argument('--workers', type=at_least(0, 1024), default=DEFAULT_WORKERS,
                        help='processes that make samples; 0: the command itself makes them')


def add_sample_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags that decide what a sample is: its files, the network's input and head, and DataOptions."""
    add = parser.add_argument
    add('--model', default='vgg', help='network; see models/README.md')
    add('--tag', default='blouse', help='garment type, or all')
    add_garments_option(parser)
    add('--datapath', default='data', help='folder with train/train.csv and train/val.csv; or several folders with '
        'commas between them: all their training rows are used, and the val.csv of the first folder')
    add('--imgpath', default='data', help='folder with train/<image_id>; one folder for each folder of --datapath')
    add_outside_option(parser)
    add('--input-width', type=at_least(1), default=368, help='width of the input in pixels, a multiple of the stride')
    add('--input-height', type=at_least(1), default=368, help='height of the input in pixels, a multiple of the stride')
    DataOptions.add_flags(parser, find=resolve)
    HeadOptions.add_flags(parser)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the trainer alone: loss, devices, length, rates, weights, and what is saved."""
    LossOptions.add_flags(parser, find=resolve)
    UpdateOptions.add_flags(parser)
    ExecutionOptions.add_flags(parser)
    ClusterOptions.add_flags(parser)
    add, positive, count = parser.add_argument, at_least(1), at_least(0)
    add('--gpus', type=at_least(1, 64), default=8, help='number of towers of a host; all towers share a batch; CPUs '
        'replace GPUs that are missing')
    add('--max-epoch', type=positive, default=140, help='passes over the training rows')
    add('--max-steps', type=positive, help='number of steps; overrides --max-epoch')
    add('--lr', default='1e-4', help='learning rate, which falls to a third at each decay; or a list of rates with '
        'commas between them; or cosine:RATE, which falls to 0 at the last step')
    add('--decay-steps', type=positive, default=30000, help='steps between changes of the learning rate; a cosine '
        'ignores it')
    add('--warmup-steps', type=count, default=100, help='steps in which the learning rate rises to its value')
    add('--seed', type=count, default=1, help='seed of augmentation, order and initial weights')
    add('--modelpath', default=in_project('models/trained'), help='folder for checkpoints')
    add('--logpath', default=in_project('models/logs'), help='folder for TensorBoard')
    add('--run-name', type=folder_name, metavar='NAME', help='folder of the run, under <modelpath>/<tag>; default: a '
        'name made of the flags')
    add('--resume', action='store_true', help='continue the run in that folder even if it was started with other '
        'data, weights or flags; run.json notes this')
    add('--pretrain_basepath', default='models/pretrained', help='folder of initial weights')
    add('--pretrain_path', help="file of initial weights in that folder, or hed, efficientnet_lite0 or "
        "efficientnet_lite2; '' for none; default: the weights of the network")
    add('--checkpoint', help='checkpoint with initial weights; replaces --pretrain_path')
    add('--fresh-head', action='store_true', help='take only the backbone from the initial weights: the pyramid and '
        'the head start from random values')
    add('--remote-data', default='', help='tcp://0.0.0.0:PORT: take batches from send_batches.py; with several hosts, '
        'one for all or one for each, with commas between them')
    add('--validate-every', type=count, default=1000, help='steps between validations; 0: no validation')
    add('--save-every', type=positive, default=1000, help='steps between checkpoints')
    add('--keep', type=positive, default=100, help='number of last checkpoints to keep; one of vgg takes 0.6 GB')


def folder_name(text: str) -> str:
    """Returns the text if it can name the folder of a run; an argparse type."""
    if not re.fullmatch(r'\w[\w.+-]*', text) or text in ('graph', 'best'):
        raise argparse.ArgumentTypeError(f'{text!r}: wanted letters, digits and _ . + -, and neither graph nor best')
    return text


def labelled_rows(options: argparse.Namespace, split: str, garments: Garments,
                  with_images: bool = True) -> Tuple[Annotations, Path]:
    """Returns the rows of the tag in train/<split>.csv, and the folder that their image ids start from.

    If there are several data folders, training takes the rows of all, and validation the rows of the first.

    Raises InputError if there is no row or, `with_images`, if an image is missing; and if `--sampling` is a file with
    errors of a folder that is not the first.
    """
    return joined_rows(rows_by_folder(options, split, garments, with_images))


def rows_by_folder(options: argparse.Namespace, split: str, garments: Garments,
                   with_images: bool = True) -> List[Tuple[Annotations, Path]]:
    """Returns, for each data folder, its rows and the folder that their image ids start from; see `labelled_rows`.
    Without images, that folder is Path()."""
    tables, pictures = options.datapath.split(','), options.imgpath.split(',')
    if len(tables) != len(pictures):
        raise InputError(f'--datapath names {len(tables)} folders and --imgpath {len(pictures)}: wanted equal '
                         'numbers')
    pairs = list(zip(tables, pictures))
    parts = [_folder_rows(*pair, options, split, garments, with_images)
             for pair in (pairs[:1] if split == 'val' else pairs)]
    check_folders(DataOptions.of(vars(options)).sampling, [rows for rows, _ in parts])
    return parts


def _folder_rows(datapath: str, imgpath: str, options: argparse.Namespace, split: str, garments: Garments,
                 with_images: bool) -> Tuple[Annotations, Path]:
    """Returns the rows of one data folder, and the folder that their image ids start from."""
    try:
        table = resolve(Path(datapath) / 'train' / f'{split}.csv')
    except ValueError as error:
        raise InputError(f'{error}; data/README.md shows the layout of the data') from None
    rows = read_annotations(table, garments).of_type(options.tag)
    if not len(rows):
        raise InputError(f'{table}: no row of type {options.tag!r}')
    if not with_images:
        return rows, Path()
    rows.check_inside(options.allow_outside)
    if split == 'val':
        warn_of_unmeasured(rows)
    image_root = resolve(Path(imgpath) / 'train')
    missing = [image_id for image_id in rows.image_ids if not image_path(image_root, image_id).is_file()]
    if missing:
        raise InputError(f'{len(missing)} of {len(rows)} images of {table} are not in {image_root}, '
                         f'such as {missing[0]}')
    return rows, image_root


def joined_rows(parts: Sequence[Tuple[Annotations, Path]]) -> Tuple[Annotations, Path]:
    """Returns the rows of all data folders, and the folder that all image ids start from. Image ids of the first data
    folder stay as they are; those of the others get the path from its images to theirs."""
    tables, roots = [rows for rows, _ in parts], [root for _, root in parts]
    ids = [image_id if root == roots[0] else os.path.join(os.path.relpath(str(root), str(roots[0])), image_id)
           for table, root in zip(tables, roots) for image_id in table.image_ids]
    return Annotations(tuple(ids), sum((table.categories for table in tables), ()),
                       np.concatenate([table.keypoints for table in tables]),
                       ','.join(table.source for table in tables), tables[0].garments), roots[0]
