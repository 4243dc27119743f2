"""The flags that say what a training is fed, shared by the trainer and by the workers that feed it from other hosts."""
import argparse
import os
from pathlib import Path
from typing import Tuple

from fashionai.annotations import Annotations, read_annotations
from fashionai.cli import resolve

DEFAULT_WORKERS = max(1, (os.cpu_count() or 2) - 1)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the data, the batches and the randomness."""
    parser.add_argument('--model', default='vgg', help='the network; see models/README.md')
    parser.add_argument('--tag', default='blouse', help='garment type, or all')
    parser.add_argument('--datapath', default='data', help='folder with train/train.csv and train/val.csv')
    parser.add_argument('--imgpath', default='data', help='folder with train/<image_id>')
    parser.add_argument('--batchsize', type=int, default=16, help='images a step, over all towers')
    parser.add_argument('--input-width', type=int, default=368, help='pixels, a multiple of the stride')
    parser.add_argument('--input-height', type=int, default=368, help='pixels, a multiple of the stride')
    parser.add_argument('--workers', type=int, default=DEFAULT_WORKERS, help='processes that make samples; 0 for none')
    parser.add_argument('--seed', type=int, default=1, help='of augmentation, order and initial weights')


def add_head_options(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change a network's head; workers need them too, since the maps' stride follows."""
    parser.add_argument('--stages', type=int, help='of the network, 1 to 6; default: its own number')
    parser.add_argument('--pyramid', help='on or off: join features of other strides; default: as the network has it')
    parser.add_argument('--stride', type=int, default=8, help='pixels a cell of the maps: 8, 4 or 2')
    parser.add_argument('--upsampling', help='transposed or bilinear, before the stages at --stride 4 or 2; '
                        'default: transposed')
    parser.add_argument('--factorised', action='store_true', help='three 3x3 layers for each 7x7 one of the stages')


def labelled_rows(options: argparse.Namespace, split: str) -> Tuple[Annotations, Path]:
    """The rows of the tag in train/<split>.csv, and the folder their image ids start from.

    Raises ValueError where there are none, or where an image is not there.
    """
    table = resolve(Path(options.datapath) / 'train' / f'{split}.csv')
    image_root = resolve(Path(options.imgpath) / 'train')
    rows = read_annotations(table).of_type(options.tag)
    if not len(rows):
        raise ValueError(f'{table}: no row of type {options.tag!r}')
    missing = [image_id for image_id in rows.image_ids if not (image_root / image_id).exists()]
    if missing:
        raise ValueError(f'{len(missing)} of {len(rows)} images of {table} are not in {image_root}, '
                         f'such as {missing[0]}')
    return rows, image_root
