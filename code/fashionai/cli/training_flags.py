"""The flags of training; those that say what it is fed, the workers that feed it from other hosts have too."""
import argparse
import os
import re
from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations, image_path, read_annotations
from fashionai.cli.entry_point import (
    add_garments_option,
    add_outside_option,
    at_least,
    in_project,
    name_or_file,
    resolve,
)
from fashionai.errors import InputError
from fashionai.evaluation.metrics import warn_of_unmeasured
from fashionai.garments.table import GARMENTS, Garments

DEFAULT_WORKERS = max(1, (os.cpu_count() or 2) - 1)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the samples, and of the batches of them."""
    add_sample_options(parser)
    parser.add_argument('--batchsize', type=at_least(1), default=16, help='images a step, over all towers')
    parser.add_argument('--workers', type=at_least(0, 1024), default=DEFAULT_WORKERS,
                        help='processes that make samples; 0 for none')


def add_sample_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the data, and of what becomes of them."""
    add = parser.add_argument
    add('--model', default='vgg', help='the network; see models/README.md')
    add('--tag', default='blouse', help='garment type, or all')
    add_garments_option(parser)
    add('--datapath', default='data', help='folder with train/train.csv and train/val.csv; or several, '
        'with commas between: their training rows together, and the val.csv of the first')
    add('--imgpath', default='data', help='folder with train/<image_id>; one for each of --datapath')
    add_outside_option(parser)
    add('--input-width', type=at_least(1), default=368, help='pixels, a multiple of the stride')
    add('--input-height', type=at_least(1), default=368, help='pixels, a multiple of the stride')
    add('--sampling', type=name_or_file('balanced', 'uniform'), default='balanced', metavar='balanced|uniform|CSV',
        help='draw types equally often, or every row once an epoch, or rows in proportion to their errors in a file '
             'that evaluate.py --errors wrote')
    add('--rows', type=at_least(1), metavar='N', help='train on that many rows only, of all types equally, always '
        'the same ones; default: on all')
    add('--occluded', default='masked', help='masked or counted: whether labelled but hidden points count in the loss')
    add('--rotation', type=at_least(0), default=15, metavar='DEGREES', help='that pictures are turned by at most')
    add('--photometric', action='store_true', help='vary the light and the colours; blur, noise, compression')
    add('--cutout', type=float, default=0., metavar='SHARE', help='of the pictures, in which rectangles hide places, '
        'keypoints above all')
    add('--garment-crops', type=float, default=0., metavar='SHARE', help='of the pictures, which are cut around the '
        'garment, as a second pass sees it')


def add_loss_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change what is minimised."""
    add = parser.add_argument
    add('--loss', default='l2', help='of the heat maps: l2 or focal')
    add('--keypoint-weights', type=name_or_file('frequency'), metavar='frequency|JSON',
        help='weigh heat maps by the rarity of their keypoints, or by their errors in a file that evaluate.py --json '
             'wrote; default: all the same')
    add('--hard-keypoints', type=at_least(1), metavar='K', help='of each image, only the K heat maps of the largest '
                                                                'loss count; default: all')
    add('--type-weight', type=float, default=1., metavar='W', help='of the loss of --type-head')


def add_head_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change a network's head; workers need them too, since the maps' stride follows."""
    add = parser.add_argument
    add('--stages', type=at_least(1), help='of the network, 1 to 6; default: its own number')
    add('--pyramid', help='on or off: join features of other strides; default: as the network has it')
    add('--stride', type=at_least(1), default=8, help='pixels a cell of the maps: 8, 4 or 2')
    add('--upsampling', help='transposed or bilinear, before the stages at --stride 4 or 2; default: transposed')
    add('--factorised', action='store_true', help='three 3x3 layers for each 7x7 one of the stages')
    add('--type-head', help='along or apart, with --tag all: also tell the garment type, by a classifier on features '
                            'that are trained for it too, or for the maps alone')
    add('--refine', help='joint or frozen: a refine net behind the stages brings the maps to stride 4; joint trains it '
                         'with the stages, frozen on top of the network of --checkpoint, which stays as it is')


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only the trainer has: devices, length, rates, weights, and what is saved."""
    add, positive, count = parser.add_argument, at_least(1), at_least(0)
    add('--gpus', type=at_least(1, 64), default=8, help='towers the batch is split over; CPUs stand in for GPUs')
    add('--max-epoch', type=positive, default=140, help='passes over the training rows')
    add('--max-steps', type=positive, help='batches to train on, in place of --max-epoch')
    add('--lr', default='1e-4', help='learning rate, falling to a third; a comma list of rates; or cosine:RATE, '
        'which falls to 0 at the last step')
    add('--decay-steps', type=positive, default=30000, help='steps after which the rate changes, but for a cosine')
    add('--warmup-steps', type=count, default=100, help='steps in which the rate rises to its place')
    add('--average-decay', type=float, default=0., metavar='D', help='validate and freeze the moving average of the '
        'weights, of which a step keeps D, such as 0.999; 0: the weights themselves')
    add('--seed', type=count, default=1, help='of augmentation, order and initial weights')
    add('--modelpath', default=in_project('models/trained'), help='folder for checkpoints')
    add('--logpath', default=in_project('models/logs'), help='folder for TensorBoard')
    add('--run-name', type=folder_name, metavar='NAME', help='folder of the run, under <modelpath>/<tag>; default: a '
        'name made of the flags')
    add('--resume', action='store_true', help='go on with the run in that folder, although it was begun with other '
        'data, weights or flags; run.json notes it')
    add('--pretrain_basepath', default='models/pretrained', help='folder of initial weights')
    add('--pretrain_path', help="weights there, or hed, efficientnet_lite0, efficientnet_lite2; '' for none; default: "
        "the network's")
    add('--checkpoint', help='checkpoint to take initial weights from, instead')
    add('--remote-data', default='', help='tcp://0.0.0.0:PORT to take batches from send_batches.py')
    add('--validate-every', type=count, default=1000, help='steps between validations; 0 for none')
    add('--save-every', type=positive, default=1000, help='steps between checkpoints')
    add('--precision', default='float32', help='float32, or mixed: convolutions in float16 on GPUs, bfloat16 on CPUs')
    add('--xla', action='store_true', help='compile the towers with XLA')
    add('--keep', type=positive, default=100, help='last checkpoints kept; one of vgg takes 0.6 GB')


def folder_name(text: str) -> str:
    """An argparse type: the name of a run's folder."""
    if not re.fullmatch(r'\w[\w.+-]*', text) or text in ('graph', 'best'):
        raise argparse.ArgumentTypeError(f'{text!r}: wanted letters, digits and _ . + -, and neither graph nor best')
    return text


def labelled_rows(options: argparse.Namespace, split: str, with_images: bool = True,
                  garments: Garments = GARMENTS) -> Tuple[Annotations, Path]:
    """The rows of the tag in train/<split>.csv, of a table's types, and the folder their image ids start from.

    Of several data folders, training takes all rows, and validation those of the first.

    Raises InputError where there are none or, `with_images`, where an image is not there.
    """
    return joined_rows(rows_by_folder(options, split, with_images, garments))


def rows_by_folder(options: argparse.Namespace, split: str, with_images: bool = True,
                   garments: Garments = GARMENTS) -> List[Tuple[Annotations, Path]]:
    """The same of each data folder; without images their folder is not looked for, and Path()."""
    tables, pictures = options.datapath.split(','), options.imgpath.split(',')
    if len(tables) != len(pictures):
        raise InputError(f'--datapath names {len(tables)} folders and --imgpath {len(pictures)}: wanted as many')
    pairs = list(zip(tables, pictures))
    return [_folder_rows(*pair, options, split, with_images, garments)
            for pair in (pairs[:1] if split == 'val' else pairs)]


def _folder_rows(datapath: str, imgpath: str, options: argparse.Namespace, split: str, with_images: bool,
                 garments: Garments) -> Tuple[Annotations, Path]:
    """The same of one folder."""
    try:
        table = resolve(Path(datapath) / 'train' / f'{split}.csv')
    except ValueError as error:
        raise InputError(f'{error}; data/README.md says how data lie') from None
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
    """The rows of all data folders, and one root for all: image ids of the first stay as they are; those of the others
    lead from its root to theirs."""
    tables, roots = [rows for rows, _ in parts], [root for _, root in parts]
    ids = [image_id if root == roots[0] else os.path.join(os.path.relpath(str(root), str(roots[0])), image_id)
           for table, root in zip(tables, roots) for image_id in table.image_ids]
    return Annotations(tuple(ids), sum((table.categories for table in tables), ()),
                       np.concatenate([table.keypoints for table in tables]),
                       ','.join(table.source for table in tables), tables[0].garments), roots[0]
