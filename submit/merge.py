#!/usr/bin/env python3
"""Merge the submissions of the five garment types into one file, submit.csv.

The script reads submit_blouse.csv, submit_dress.csv, submit_outwear.csv, submit_skirt.csv and submit_trousers.csv in
its own folder, or the files given. `fashionai merge` of an installed package reads them in the folder submit/ of the
working folder. Every header, cell, garment type and image id is checked first; if there is any error, nothing is
written. It is an error if a file is missing or has no rows, or, with --list, if an image of the list has no row; with
--partial, these are warnings, and the existing rows are merged. The script needs only Python. With --garments, the
types and columns are those of another garment table; YAML needs PyYAML.
"""
import argparse
import csv
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

HERE = Path(__file__).resolve().parent
FOLDER = Path('submit') if (HERE / 'entry_point.py').exists() else HERE  # a wheel has this script in its code
TYPES = ('blouse', 'dress', 'outwear', 'skirt', 'trousers')
HEADER = (
    'image_id', 'image_category', 'neckline_left', 'neckline_right', 'center_front', 'shoulder_left', 'shoulder_right',
    'armpit_left', 'armpit_right', 'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out',
    'cuff_right_in', 'cuff_right_out', 'top_hem_left', 'top_hem_right', 'waistband_left', 'waistband_right',
    'hemline_left', 'hemline_right', 'crotch', 'bottom_left_in', 'bottom_left_out', 'bottom_right_in',
    'bottom_right_out')
CELL = '-?[0-9]{1,6}_-?[0-9]{1,6}_(?:-1|0|1)'
NAMED_IN_MESSAGES = 10


class Form(NamedTuple):
    """The form of a submission: its garment types and its columns."""

    types: Tuple[str, ...] = TYPES
    header: Tuple[str, ...] = HEADER


class Row(NamedTuple):
    """One image of a submission: its garment type, its line, and its file and row."""

    category: str
    line: str
    place: str


def read_form(path: Path) -> Form:
    """Returns the form of submissions with a garment table. code/run.py checks the table itself."""
    try:
        text = path.read_text(encoding='utf-8-sig')
        values = json.loads(text) if path.suffix.lower() == '.json' else load_yaml(path, text)
        keypoints = {name: list(garment['keypoints']) for name, garment in values['types'].items()}
        columns = values.get('csv_keypoints') or dict.fromkeys(name for names in keypoints.values() for name in names)
        return Form(tuple(map(str, keypoints)), HEADER[:2] + tuple(map(str, columns)))
    except (json.JSONDecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError,
            RecursionError) as error:
        raise ValueError(f'{path} is not a garment table: {type(error).__name__}: {error}') from None


def load_yaml(path: Path, text: str) -> Any:
    """Returns the values in a YAML text. Raises ValueError if it is not YAML or PyYAML is not installed."""
    try:
        import yaml
    except ImportError:
        raise ValueError(f'{path}: reading YAML needs the package PyYAML: pip install PyYAML, or write the table in '
                         'JSON') from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise ValueError(f'{path} is not YAML: {" ".join(str(error).split())}') from None


def read_lines(path: Path, form: Form, listed: bool = False) -> Iterator[Tuple[str, str, List[str]]]:
    """Yields place, line and cells of each row of a submission, or of a test list; checks the header and the types."""
    width = 0
    with open(str(path), encoding='utf-8-sig') as file:
        for number, line in enumerate(decoded(path, file), 1):
            line, place = line.rstrip('\n'), f'{path}, row {number}'
            cells = next(csv.reader([line])) if '"' in line else line.split(',')
            if not width:
                width = len(cells)
                check_header(place, cells, form.header[:2] if listed else form.header, listed)
            elif line.strip():
                if len(cells) != width:
                    raise ValueError(f'{place}: {len(cells)} columns, wanted {width}')
                if cells[1] not in form.types:
                    raise ValueError(f'{place}, column image_category: {cells[1]!r}, wanted one of '
                                     f'{", ".join(form.types)}')
                yield place, line, cells


def decoded(path: Path, lines: Iterable[str]) -> Iterator[str]:
    """Yields the lines. Raises ValueError that names the file if a line cannot be decoded."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not a text file in UTF-8: {error}') from error


def check_header(place: str, found: Sequence[str], wanted: Sequence[str], more: bool) -> None:
    """Raises ValueError if a header has other names, or further names and `more` is not set."""
    for column, name in enumerate(wanted):
        if column >= len(found) or found[column] != name:
            there = repr(found[column]) if column < len(found) else 'nothing'
            raise ValueError(f'{place}: column {column + 1} of the header is {there}, wanted {name!r}')
    if len(found) > len(wanted) and not more:
        raise ValueError(f'{place}: {len(found)} columns in the header, wanted {len(wanted)}')


def add_submission(path: Path, rows: Dict[str, Row], form: Form) -> int:
    """Checks a submission and adds its rows to `rows`, by image id. Returns their number."""
    before = len(rows)
    named = re.fullmatch(f'submit_({"|".join(map(re.escape, form.types))})', path.stem)
    all_cells = re.compile(','.join([CELL] * (len(form.header) - 2)))
    for place, line, cells in read_lines(path, form):
        image_id, category = cells[:2]
        if '\\' in image_id:
            raise ValueError(f'{place}, column image_id: {image_id!r}, wanted / between folders, as in the test list')
        if named and category != named.group(1):
            raise ValueError(f'{place}, column image_category: {category!r}, wanted {named.group(1)!r} as in the name '
                             f'of the file')
        if not all_cells.fullmatch(','.join(cells[2:])):
            column = next(i for i in range(2, len(cells)) if not re.fullmatch(CELL, cells[i]))
            raise ValueError(f'{place}, column {form.header[column]}: {cells[column]!r} is not x_y_v; wanted whole '
                             f'numbers, v 1, 0 or -1')
        if not image_id or image_id in rows:
            raise ValueError(f'{place}: ' + (f'image {image_id} occurs already in {rows[image_id].place}' if image_id
                                             else 'the image id is empty'))
        rows[image_id] = Row(category, line, place)
    return len(rows) - before


def read_all(paths: Sequence[Path], form: Form, partial: bool) -> Dict[str, Row]:
    """Reads the rows of all files, by image id, and prints their number in each file."""
    rows: Dict[str, Row] = {}
    absent = []
    for path in paths:
        count = add_submission(path, rows, form) if path.exists() else 0
        if count:
            print(f'{path.name}: {count} rows')
        else:
            absent.append(f'{path} {"has no rows" if path.exists() else "does not exist"}')
    if absent:
        complain('; '.join(absent), partial)
    if not rows:
        raise ValueError('nothing to merge')
    return rows


def put_in_order(rows: Dict[str, Row], list_path: Path, form: Form, partial: bool) -> List[Row]:
    """Returns the rows in the order of a test list. Raises ValueError if a row is not in the list."""
    wanted: Dict[str, str] = {}
    for place, _, cells in read_lines(list_path, form, listed=True):
        image_id, category = cells[:2]
        if image_id in wanted:
            raise ValueError(f'{place}: image {image_id} occurs twice')
        if image_id in rows and rows[image_id].category != category:
            raise ValueError(f'{rows[image_id].place}: image {image_id} is of type {rows[image_id].category}, wanted '
                             f'{category} as in {place}')
        wanted[image_id] = category
    unknown = [row.place for image_id, row in rows.items() if image_id not in wanted]
    if unknown:
        raise ValueError(f'{len(unknown)} rows have images that are not in {list_path}: {few(unknown, "; ")}')
    missing = [image_id for image_id in wanted if image_id not in rows]
    if missing:
        types = Counter(wanted[image_id] for image_id in missing)
        counts = ', '.join(f'{types[name]} {name}' for name in form.types if types[name])
        complain(f'{len(missing)} of {len(wanted)} images of {list_path} have no row ({counts}): {few(missing)}',
                 partial)
    return [rows[image_id] for image_id in wanted if image_id in rows]


def write(path: Path, rows: Sequence[Row], form: Form) -> None:
    """Writes the merged file, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + '.tmp')
    try:
        with open(str(unfinished), 'w', encoding='utf-8', newline='') as file:
            file.write(','.join(form.header) + '\n')
            file.writelines(row.line + '\n' for row in rows)
        os.replace(str(unfinished), str(path))
    finally:
        if unfinished.exists():
            unfinished.unlink()


def complain(message: str, partial: bool) -> None:
    """Raises ValueError, or with `partial` only prints a warning."""
    if not partial:
        raise ValueError(f'{message}; to merge the existing rows, give --partial')
    print(f'warning: {message}', file=sys.stderr)


def few(names: Sequence[str], separator: str = ', ') -> str:
    """Returns the first of many names as text."""
    more = len(names) - NAMED_IN_MESSAGES
    return separator.join(names[:NAMED_IN_MESSAGES]) + (f' and {more} more' if more > 0 else '')


def find(path: str) -> Path:
    """Returns a path as given, or from the root of the project if it does not exist."""
    return Path(path) if Path(path).exists() else FOLDER.parent / path


def merge(args: argparse.Namespace) -> None:
    """Checks and merges the submissions, and writes the result."""
    form = read_form(find(args.garments)) if args.garments else Form()
    paths = [Path(path) for path in args.inputs] or [FOLDER / f'submit_{name}.csv' for name in form.types]
    rows = read_all(paths, form, args.partial)
    ordered = put_in_order(rows, find(args.list), form, args.partial) if args.list else list(rows.values())
    write(Path(args.output), ordered, form)
    print(f'{args.output}: {len(ordered)} rows in all')


def main(argv: Optional[Sequence[str]] = None) -> int:
    """The entry point. Returns the exit code, 1 if there is an error in the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('inputs', nargs='*', metavar='FILE', help='submissions to merge (default: submit_<type>.csv of '
                                                                      'each type, in the folder named above)')
    parser.add_argument('--list', metavar='CSV', help='test list that gives the order of the rows; it must contain '
                                                      'all images of the submissions')
    parser.add_argument('--output', metavar='CSV', default=str(FOLDER / 'submit.csv'), help='file for the merged '
                        'submission (default: %(default)s)')
    parser.add_argument('--garments', metavar='FILE', help='garment table, if it is not the built-in one')
    parser.add_argument('--partial', action='store_true', help='warn about missing files and rows instead of failing')
    args = parser.parse_args(argv)
    try:
        merge(args)
    except (ValueError, OSError, csv.Error) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
