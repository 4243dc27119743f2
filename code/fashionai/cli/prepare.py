"""Bring data sets into the tree that train.py and run.py read, or write labels in the form of others."""
import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import Optional, Sequence, Union

from fashionai.annotations import read_annotations
from fashionai.cli.entry_point import (
    add_garments_option,
    add_outside_option,
    chosen_garments,
    guarded,
    in_project,
    prepare_output,
    resolve,
)
from fashionai.datasets.coco import read_coco
from fashionai.datasets.coco_writing import write_coco
from fashionai.datasets.deepfashion import read_deepfashion
from fashionai.datasets.deepfashion2 import read_deepfashion2
from fashionai.datasets.names import own_names, read_names
from fashionai.datasets.notes import Notes, new_notes
from fashionai.datasets.official import read_official
from fashionai.datasets.orientation import STORED, UPRIGHT
from fashionai.datasets.preparing import VAL_A_TYPE, Settings, check_apart, prepare
from fashionai.datasets.samples import ParsedDataset
from fashionai.datasets.sources import DataSource, open_sources
from fashionai.datasets.visibility import AUTOMATIC, MEANINGS
from fashionai.files import locked
from fashionai.option_group import at_least


def _coco(args: argparse.Namespace, sources: Sequence[DataSource], notes: Notes) -> ParsedDataset:
    garments = chosen_garments(args)
    names = read_names(resolve(args.names), garments) if args.names else own_names(garments)
    return read_coco(sources, names, args.swap_sides, notes, garments, args.visibility)


READERS = {
    'fashionai': ('the archives of the competition', lambda args, sources, notes: read_official(sources, notes)),
    'coco': ('COCO keypoint annotations', _coco),
    'deepfashion': ('DeepFashion, fashion landmark detection', lambda args, sources, notes: read_deepfashion(
        sources, args.upper, args.lower, notes)),
    'deepfashion2': ('DeepFashion2', lambda args, sources, notes: read_deepfashion2(sources, notes))}
"""What each command reads, in words, and the function that reads it."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The command line: a command for every kind of data set, and to-coco."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    readers = {name: commands.add_parser(name, help=f'read {what}', description=f'Read {what}; see docs/data.md.')
               for name, (what, _) in READERS.items()}
    for name, command in readers.items():
        add = command.add_argument
        add('sources', nargs='+', metavar='SOURCE', help='folder, .tar, .tar.gz, .tgz, .zip, or a single file')
        folder = 'data' if name == 'fashionai' else f'data/{name}'
        add('--output', default=in_project(folder), help=f'folder to make the tree in (default: {folder})')
        add('--link', action='store_true', help='link files of folders on the same disk instead of copying them')
        add('--overwrite', action='store_true', help='make lists and pictures anew where they are there')
        add('--check', action='store_true', help='look at everything and report, but write nothing')
    for name in ('fashionai', 'coco'):
        add = readers[name].add_argument
        add('--val', type=number_or_share, help='validation images drawn of each type, or a share such as 0.05 '
            f'(default: what val.csv names, without one {VAL_A_TYPE})')
        add('--seed', type=at_least(0), default=1, help='another seed draws others (default: %(default)s)')
    readers['coco'].add_argument('--names', metavar='FILE', help='JSON: what their categories and keypoints are here')
    readers['coco'].add_argument('--swap-sides', action='store_true', help="their left is the wearer's")
    readers['coco'].add_argument('--visibility', choices=(AUTOMATIC, *MEANINGS), default=AUTOMATIC, help='what the '
                                 'third number of a keypoint means (default: what the numbers of a file suggest)')
    readers['coco'].add_argument('--labels-on', choices=(UPRIGHT, STORED), help='which pixels were labelled of a '
                                 'picture with an EXIF orientation if its size does not tell (default: as in others)')
    add_garments_option(readers['coco'])
    add = readers['deepfashion'].add_argument
    add('--upper', default='blouse', choices=('blouse', 'outwear'), help='upper-body clothes (default: %(default)s)')
    add('--lower', choices=('skirt', 'trousers'), help='what lower-body clothes are (default: they are left out)')
    writer = commands.add_parser('to-coco', help='write COCO keypoint annotations', description='Write labels as COCO '
                                 'keypoint annotations. A box is that of the labelled keypoints, not of the garment.')
    writer.add_argument('--csv', required=True, help='labels')
    writer.add_argument('--imagepath', help='folder the image ids lead from (default: that of the CSV)')
    writer.add_argument('--output', required=True, help='JSON file')
    add_outside_option(writer)
    add_garments_option(writer)
    return parser.parse_args(argv)


def number_or_share(text: str) -> Union[int, float]:
    """An argparse type: a whole number from 0 on, or a share between 0 and 1."""
    try:
        value = int(text) if text.isdigit() else float(text)
    except ValueError:
        value = -1
    if value < 0 or (isinstance(value, float) and value >= 1):
        raise argparse.ArgumentTypeError(f'{text!r}: wanted a whole number, or a share between 0 and 1 such as 0.05')
    return value


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Do what the command says, and print the report."""
    args = parse(argv)
    if args.command == 'to-coco':
        path = resolve(args.csv)
        table = read_annotations(path, chosen_garments(args))
        table.check_inside(args.allow_outside)
        write_coco(prepare_output(args.output), table, resolve(args.imagepath) if args.imagepath else path.parent)
        print(f'{args.output} has the labels of {path}')
        return 0
    settings = Settings(Path(args.output), getattr(args, 'val', None), getattr(args, 'seed', 1), args.link,
                        args.overwrite, args.check, getattr(args, 'labels_on', None))
    paths = [resolve(path) for path in args.sources]
    check_apart(paths, settings)
    with ExitStack() as stack:
        if not settings.check:
            stack.enter_context(locked(prepare_output(settings.output), 'prepare.py'))
        sources, notes = open_sources(paths), new_notes()
        reading = READERS[args.command][1](args, sources, notes)
        print(prepare(reading, sources, settings, notes))
    return 0

