#!/usr/bin/env python3
"""Combine several submissions of the same images into one, point by point.

x and y of every keypoint become the mean or the median of what the files say, in whole pixels. A file that says
-1_-1_-1 has no say in that keypoint; where all do, it stays -1_-1_-1. The rows keep the order of the first file. Every
header, cell, garment type and image id is checked first; on any fault nothing is written. Needs Python alone. With
--garments, the types and columns are those of another table of garments; one in YAML needs PyYAML.
"""
import argparse
import csv
import statistics
import sys
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence

from merge import Form, Row, add_submission, few, find, read_form, write

ABSENT = '-1_-1_-1'
HOW: Mapping[str, Callable[[Sequence[int]], float]] = {
    'mean': lambda values: sum(values) / len(values), 'median': statistics.median}


def read(path: Path, form: Form) -> Dict[str, Row]:
    """The rows of one submission by image id."""
    rows: Dict[str, Row] = {}
    if not add_submission(path, rows, form):
        raise ValueError(f'{path} has no rows')
    return rows


def check_images(path: Path, rows: Mapping[str, Row], first_path: Path, first: Mapping[str, Row]) -> None:
    """Raise ValueError where a submission has not the images, and their types, that the first one has."""
    for image_id, row in rows.items():
        if image_id not in first:
            raise ValueError(f'{row.place}: image {image_id} has no row in {first_path}')
        if row.category != first[image_id].category:
            raise ValueError(f'{row.place}: image {image_id} is of type {row.category}, wanted '
                             f'{first[image_id].category} as in {first[image_id].place}')
    missing = [image_id for image_id in first if image_id not in rows]
    if missing:
        raise ValueError(f'{path}: {len(missing)} of {len(first)} images of {first_path} have no row: {few(missing)}')


def combine_rows(rows: Sequence[Row], points: int, weights: Sequence[int], how: str) -> Row:
    """The row of one image from its rows, of so many keypoints, in all submissions."""
    image, *_ = rows[0].line.rsplit(',', points)
    columns = zip(*(row.line.replace('"', '').rsplit(',', points)[1:] for row in rows))
    cells = [combine_cells(column, weights, how) for column in columns]
    return Row(rows[0].category, ','.join([image] + cells), rows[0].place)


def combine_cells(cells: Sequence[str], weights: Sequence[int], how: str) -> str:
    """One keypoint's cell from its cells in all submissions; each counts as often as its weight says."""
    said = [[int(number) for number in cell.split('_')]
            for cell, weight in zip(cells, weights) if cell != ABSENT for _ in range(weight)]
    if not said:
        return ABSENT
    x, y, v = zip(*said)
    return f'{round(HOW[how](x))}_{round(HOW[how](y))}_{max(v)}'


def parse_weights(text: Optional[str], count: int) -> List[int]:
    """The weight of each of `count` submissions; 1 where none are given."""
    weights = text.split(',') if text else ['1'] * count
    if len(weights) != count or not all(weight.strip().isdecimal() and int(weight) for weight in weights):
        raise ValueError(f'--weights {text}: wanted {count} whole numbers above 0, one a file, such as '
                         f'{",".join(["2"] + ["1"] * (count - 1))}')
    return [int(weight) for weight in weights]


def combine(args: argparse.Namespace) -> None:
    """Check, combine and write what the command line asks for."""
    paths = [Path(path) for path in args.inputs]
    if len(paths) < 2:
        raise ValueError(f'{paths[0]} is one submission: wanted two or more to combine')
    weights = parse_weights(args.weights, len(paths))
    form = read_form(find(args.garments)) if args.garments else Form()
    submissions = [read(path, form) for path in paths]
    for path, rows in zip(paths[1:], submissions[1:]):
        check_images(path, rows, paths[0], submissions[0])
    combined = [combine_rows([rows[image_id] for rows in submissions], len(form.header) - 2, weights, args.how)
                for image_id in submissions[0]]
    write(Path(args.output), combined, form)
    print(f'{args.output}: {len(combined)} rows, the {args.how} of {len(paths)} submissions')


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Entry point; the exit code is 1 where the files are at fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', metavar='FILE', help='submissions of the same images, two or more')
    parser.add_argument('--output', metavar='CSV', required=True, help='the combined submission')
    parser.add_argument('--how', choices=list(HOW), default='mean', help='default: %(default)s')
    parser.add_argument('--weights', metavar='N,N,...', help='how many times each file counts (default: once each)')
    parser.add_argument('--garments', metavar='FILE', help='table of the garment types, where they are not the five')
    args = parser.parse_args(argv)
    try:
        combine(args)
    except (ValueError, OSError, csv.Error) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
