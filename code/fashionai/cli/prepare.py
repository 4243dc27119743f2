"""Bring data sets into the tree that train.py and run.py read, or write labels in the form of others."""
import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import List, Optional, Sequence, Union

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
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.formats import FORMATS, READABLE, WRITABLE
from fashionai.datasets.labelled import LabelledPicture, check_distinct, inside, labelled_pictures
from fashionai.datasets.names import read_names
from fashionai.datasets.notes import new_notes
from fashionai.datasets.orientation import STORED, UPRIGHT
from fashionai.datasets.preparing import SHOWN, VAL_A_TYPE, Settings, check_apart, prepare
from fashionai.datasets.sources import open_sources
from fashionai.datasets.visibility import AUTOMATIC, MEANINGS
from fashionai.errors import InputError
from fashionai.files import locked
from fashionai.option_group import at_least

_OLD_WRITER = 'to-coco'
"""The command of versions before `to coco`."""


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The command line: `from FORMAT`, `to FORMAT`, and the commands of earlier versions: a format's name alone, and
    to-coco."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    readers = commands.add_parser('from', help='read a data set of another form, into the folders that train.py and '
                                  'run.py read').add_subparsers(dest='format', required=True, metavar='FORMAT')
    writers = commands.add_parser('to', help='write labels or predictions in the form of another tool'
                                  ).add_subparsers(dest='format', required=True, metavar='FORMAT')
    for name in READABLE:
        title = FORMATS[name].title
        _add_reading(readers.add_parser(name, help=title, description=f'Read {title}; see docs/data.md.'), name)
        old = commands.add_parser(name, help=f'the same as from {name}', description=f'Read {title}; see docs/data.md.')
        old.set_defaults(format=name)
        _add_reading(old, name)
    for name in WRITABLE:
        title = FORMATS[name].title
        _add_writing(writers.add_parser(name, help=title, description=f'Write {title}; see docs/data.md.'), name)
    old = commands.add_parser(_OLD_WRITER, help='the same as to coco', description='Write COCO keypoint annotations; '
                              'see docs/data.md.')
    old.set_defaults(format='coco')
    _add_writing(old, 'coco')
    return parser.parse_args(argv)


def _add_reading(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of reading a format."""
    add, flags = parser.add_argument, FORMATS[name].flags
    add('sources', nargs='+', metavar='SOURCE', help='folder, .tar, .tar.gz, .tgz, .zip, or a single file')
    folder = 'data' if name == 'fashionai' else f'data/{name}'
    add('--output', default=in_project(folder), help=f'folder to make the tree in (default: {folder})')
    add('--link', action='store_true', help='link files of folders on the same disk instead of copying them')
    add('--overwrite', action='store_true', help='make lists and pictures anew where they are there')
    add('--check', action='store_true', help='look at everything and report, but write nothing')
    if 'split' in flags:
        add('--val', type=number_or_share, help='validation images drawn of each type, or a share such as 0.05 '
            f'(default: those that the data set names, or {VAL_A_TYPE})')
        add('--seed', type=at_least(0), default=1, help='another seed draws others (default: %(default)s)')
    if 'names' in flags:
        add('--names', metavar='FILE', help='JSON: what their categories and keypoints are here')
        add('--swap-sides', action='store_true', help="their left is the wearer's")
        add('--labels-on', choices=(UPRIGHT, STORED), help='which pixels were labelled of a picture with an EXIF '
            'orientation if its size does not tell (default: as in others)')
        add_garments_option(parser)
    if 'visibility' in flags:
        add('--visibility', choices=(AUTOMATIC, *MEANINGS), default=AUTOMATIC, help='what the third number of a '
            'keypoint means (default: what the numbers of a file suggest)')
    if 'deepfashion' in flags:
        add('--upper', default='blouse', choices=('blouse', 'outwear'), help='upper-body clothes (default: '
            '%(default)s)')
        add('--lower', choices=('skirt', 'trousers'), help='what lower-body clothes are (default: they are left out)')


def _add_writing(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flags of writing a format."""
    add, folder = parser.add_argument, FORMATS[name].folder
    add('--csv', required=True, nargs='+', help='labels or predictions, such as train.csv val.csv: the name of a file '
        'without its ending is the name of the list')
    add('--imagepath', help='folder the image ids lead from (default: that of the CSV)')
    add('--output', required=True, help='folder to write, new or empty' if folder else 'JSON file')
    if folder:
        add('--overwrite', action='store_true', help='write into a folder that has files')
        add('--link', action='store_true', help='link pictures on the same disk instead of copying them')
    if name in ('cvat', 'labelstudio'):
        add('--predicted', action='store_true', help='the labels are predictions, which people are to check')
    add_outside_option(parser)
    add_garments_option(parser)


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
    print(_written(args) if args.command in ('to', _OLD_WRITER) else _read(args))
    return 0


def _read(args: argparse.Namespace) -> str:
    """Read a data set into folders. Returns the report."""
    settings = Settings(Path(args.output), getattr(args, 'val', None), getattr(args, 'seed', 1), args.link,
                        args.overwrite, args.check, getattr(args, 'labels_on', None))
    paths = [resolve(path) for path in args.sources]
    check_apart(paths, settings)
    read = FORMATS[args.format].read
    assert read is not None, 'a command for it is only there if it can be read'
    with ExitStack() as stack:
        if not settings.check:
            stack.enter_context(locked(prepare_output(settings.output), 'prepare.py'))
        sources, notes = open_sources(paths), new_notes()
        return prepare(read(sources, _read_options(args), notes), sources, settings, notes)


def _read_options(args: argparse.Namespace) -> ReadOptions:
    given = vars(args)
    if 'garments' not in given:
        return ReadOptions(upper=given.get('upper', ReadOptions.upper), lower=given.get('lower'))
    garments = chosen_garments(args)
    return ReadOptions(garments, read_names(resolve(args.names), garments) if args.names else None, args.swap_sides,
                       given.get('visibility', AUTOMATIC))


def _written(args: argparse.Namespace) -> str:
    """Write the rows of CSV files. Returns the report."""
    form, garments, notes = FORMATS[args.format], chosen_garments(args), new_notes()
    output = prepare_output(args.output)
    pictures: List[LabelledPicture] = []
    if form.folder and not args.overwrite and output.exists() and any(output.iterdir()):
        raise InputError(f'{args.output} has files: --overwrite writes into it, --output chooses another folder')
    paths = [resolve(path) for path in args.csv]
    for path in paths:
        table = read_annotations(path, garments)
        table.check_inside(args.allow_outside)
        root = resolve(args.imagepath) if args.imagepath else path.parent
        named = labelled_pictures(table, root, path.stem, form.frame)
        pictures += [replace(picture, name=inside(picture.name)) for picture in named] if form.folder else named
    check_distinct(pictures)
    options = WriteOptions(garments, f'keypoints of {", ".join(path.name for path in paths)}',
                           getattr(args, 'predicted', False), getattr(args, 'link', False))
    assert form.write is not None, 'a command for it is only there if it can be written'
    with locked(output, 'prepare.py'):
        form.write(output, pictures, options, notes)
    lines = [f'{len(names)} {what}: {", ".join(names[:SHOWN])}' for what, names in notes.items() if names]
    return '\n'.join([*lines, f'{args.output} has the labels of {", ".join(map(str, paths))}'])
