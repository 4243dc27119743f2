#!/usr/bin/env python3
"""Combine several submissions of the same images into one, keypoint by keypoint.

x and y of every keypoint are the mean or the median over the files, in whole pixels. A file that has -1_-1_-1 for a
keypoint does not count for it; if all files have it, the result is -1_-1_-1. The rows keep the order of the first file.
With --agree, the result is a list of labels for training: it has only the points on which all files agree.
Every header, cell, garment type and image id is checked first; if there is any error, nothing is written. The script
needs only Python. With --garments, the types and columns are those of another garment table; YAML needs PyYAML.
"""
import argparse
import csv
import math
import statistics
import sys
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from merge import Form, Row, add_submission, few, find, read_form, write

ABSENT = '-1_-1_-1'
HOW: Mapping[str, Callable[[Sequence[int]], float]] = {
    'mean': lambda values: sum(values) / len(values), 'median': statistics.median}


def read(path: Path, form: Form) -> Dict[str, Row]:
    """Reads the rows of one submission, by image id."""
    rows: Dict[str, Row] = {}
    if not add_submission(path, rows, form):
        raise ValueError(f'{path} has no rows')
    return rows


def check_images(path: Path, rows: Mapping[str, Row], first_path: Path, first: Mapping[str, Row]) -> None:
    """Raises ValueError if a submission has other images or types than the first one."""
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
    """Returns the combined row of one image from its rows in all submissions; `points` is the number of keypoints."""
    image, *_ = rows[0].line.rsplit(',', points)
    columns = zip(*(row.line.replace('"', '').rsplit(',', points)[1:] for row in rows))
    cells = [combine_cells(column, weights, how) for column in columns]
    return Row(rows[0].category, ','.join([image] + cells), rows[0].place)


def combine_cells(cells: Sequence[str], weights: Sequence[int], how: str) -> str:
    """Returns the combined cell of one keypoint; each submission counts as many times as its weight."""
    said = [[int(number) for number in cell.split('_')]
            for cell, weight in zip(cells, weights) if cell != ABSENT for _ in range(weight)]
    if not said:
        return ABSENT
    x, y, v = zip(*said)
    return f'{round(HOW[how](x))}_{round(HOW[how](y))}_{max(v)}'


def agreed_row(row: Row, rows: Sequence[Row], points: int, share: float) -> Optional[Row]:
    """Returns a combined row without the points on which its rows disagree.

    Rows agree on a point if all have it, and none is further from the combined point than `share` times the longer side
    of the box of all combined points. Returns None if they disagree on more than half of the points.
    """
    image, *cells = row.line.rsplit(',', points)
    places = [place(cell) for cell in cells]
    seen = [xy for xy in places if xy]
    if not seen:
        return None
    limit = share * max(max(axis) - min(axis) for axis in zip(*seen))
    columns = zip(*(one.line.replace('"', '').rsplit(',', points)[1:] for one in rows))
    kept = [cell if xy and all(near(xy, place(other), limit) for other in others) else ABSENT
            for cell, xy, others in zip(cells, places, columns)]
    if 2 * sum(cell != ABSENT for cell in kept) < len(seen):
        return None
    return Row(row.category, ','.join([image] + kept), row.place)


def place(cell: str) -> Optional[Tuple[int, int]]:
    """Returns x and y of a cell; None for -1_-1_-1."""
    if cell == ABSENT:
        return None
    x, y, _ = cell.split('_')
    return int(x), int(y)


def near(first: Tuple[int, int], second: Optional[Tuple[int, int]], limit: float) -> bool:
    """Returns whether two points are no further apart than `limit`."""
    return second is not None and math.hypot(first[0] - second[0], first[1] - second[1]) <= limit


def parse_weights(text: Optional[str], count: int) -> List[int]:
    """Returns the weight of each of `count` submissions; 1 for each if `text` is None."""
    weights = text.split(',') if text else ['1'] * count
    if len(weights) != count or not all(weight.strip().isdecimal() and int(weight) for weight in weights):
        raise ValueError(f'--weights {text}: wanted {count} whole numbers above 0, one for each file, such as '
                         f'{",".join(["2"] + ["1"] * (count - 1))}')
    return [int(weight) for weight in weights]


def combine(args: argparse.Namespace) -> None:
    """Checks and combines the submissions, and writes the result."""
    paths = [Path(path) for path in args.inputs]
    if len(paths) < 2:
        raise ValueError(f'{paths[0]} is the only submission; wanted at least two')
    weights = parse_weights(args.weights, len(paths))
    form = read_form(find(args.garments)) if args.garments else Form()
    submissions = [read(path, form) for path in paths]
    for path, rows in zip(paths[1:], submissions[1:]):
        check_images(path, rows, paths[0], submissions[0])
    points = len(form.header) - 2
    together = [[rows[image_id] for rows in submissions] for image_id in submissions[0]]
    combined = [combine_rows(rows, points, weights, args.how) for rows in together]
    if args.agree is not None:
        if not 0 < args.agree < 1:
            raise ValueError(f'--agree {args.agree}: wanted a number between 0 and 1, such as 0.05')
        agreed = [agreed_row(row, rows, points, args.agree) for row, rows in zip(combined, together)]
        combined = [row for row in agreed if row]
    write(Path(args.output), combined, form)
    print(f'{args.output}: {len(combined)} rows, the {args.how} of {len(paths)} submissions')


def main(argv: Optional[Sequence[str]] = None) -> int:
    """The entry point. Returns the exit code, 1 if there is an error in the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='+', metavar='FILE', help='two or more submissions of the same images')
    parser.add_argument('--output', metavar='CSV', required=True, help='file for the combined submission')
    parser.add_argument('--how', choices=list(HOW), default='mean', help='how to combine (default: %(default)s)')
    parser.add_argument('--weights', metavar='N,N,...', help='how many times each file counts (default: 1 each)')
    parser.add_argument('--agree', metavar='SHARE', type=float, help='keep only points on which all files agree: '
                        'none is further from the combined point than SHARE times the longer side of the garment. '
                        'Images with fewer than half of their points are left out')
    parser.add_argument('--garments', metavar='FILE', help='garment table, if it is not the built-in one')
    args = parser.parse_args(argv)
    try:
        combine(args)
    except (ValueError, OSError, csv.Error) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
