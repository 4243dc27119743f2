"""The flags that compare lengths with a table of sizes."""
import argparse
from pathlib import Path
from typing import Mapping, Optional, Sequence, Tuple

from fashionai.cli.entry_point import prepare_output, resolve
from fashionai.errors import InputError
from fashionai.garments.grade_files import read_grades, read_sizes
from fashionai.garments.grades import CM, Grader, known_by
from fashionai.garments.measurements import PixelScale, no_scale
from fashionai.garments.picture_names import listed_name
from fashionai.garments.table import Garments
from fashionai.model_files.contract import file_sum


def add_grading_options(parser: argparse.ArgumentParser) -> None:
    """Add --grades, --size and --report."""
    add = parser.add_argument
    add('--grades', metavar='CSV', help='a table of sizes (type, size, length, expected, tolerance): adds the size '
        'that fits best, and whether each length is within its tolerance; with --format json, lengths or table')
    add('--size', default='', metavar='SIZE', help='with --grades: the size that the garments should have, or a CSV '
        'file with the columns path and size (default: the size that fits best)')
    add('--report', metavar='HTML', help='with --grades: write a page with a drawing of each garment, and its lengths '
        'beside those of its size')


def chosen_grader(args: argparse.Namespace, garments: Garments, scale: Optional[PixelScale],
                  pictures: Sequence[str]) -> Optional[Grader]:
    """Returns what finds the size of the garments in the pictures, paths; None without --grades.

    Raises InputError for flags and files that do not fit together.
    """
    if not args.grades:
        for flag in ('size', 'report'):
            if getattr(args, flag):
                raise InputError(f'--{flag} needs the table of sizes of --grades: give that too')
        return None
    table = read_grades(resolve(args.grades), garments)
    if (table.unit == CM) != (scale not in (None, no_scale)):
        raise InputError(f'{args.grades} has lengths in {table.unit}: ' + (
            'give a scale, such as --cm-per-pixel' if table.unit == CM else 'give no scale'))
    known = known_by(args.reference, garments, table) if args.reference else ()
    if known:
        raise InputError(f'--reference {args.reference} gives {known[0]} to every garment, so it says nothing of the '
                         f'size: leave it out of {args.grades}, or give another scale')
    _check_report(args)
    size, by_picture = _sizes(args.size, pictures)
    known_sizes = dict.fromkeys(name for sizes in table.sizes.values() for name in sizes)
    for name in filter(None, [size, *by_picture.values()]):
        if name not in known_sizes:
            raise InputError(f'--size {args.size}: {name} is not in {args.grades}, wanted one of '
                             f'{", ".join(known_sizes)}')
    return Grader(table, size, by_picture)


def grading_sums(args: argparse.Namespace) -> Tuple[str, ...]:
    """Returns what the manifest of an output keeps of the sizes; () without --grades."""
    if not args.grades:
        return ()
    return (file_sum(resolve(args.grades)), file_sum(resolve(args.size)) if _is_file(args.size) else args.size)


def _check_report(args: argparse.Namespace) -> None:
    """Raises InputError if --report cannot be written, before any picture is predicted."""
    if args.report and (Path(args.report).suffix.lower() != '.html' or prepare_output(args.report).is_dir()):
        raise InputError(f'--report {args.report}: wanted a file with the ending .html')


def _sizes(size: str, pictures: Sequence[str]) -> Tuple[str, Mapping[str, str]]:
    """Returns the size of all pictures, or the sizes of a file. Raises InputError if it lacks a picture."""
    if not _is_file(size):
        return size, {}
    by_picture = read_sizes(resolve(size))
    for picture in pictures:
        if listed_name(picture, by_picture) is None:
            raise InputError(f'{picture}: no row of {size} has the path of this picture')
    return '', by_picture


def _is_file(size: str) -> bool:
    return Path(size).suffix.lower() == '.csv'
