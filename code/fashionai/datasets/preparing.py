"""The way from what was read to a finished tree: once each, divided, looked at, put in place, reported."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

from fashionai.annotations import ABSENT
from fashionai.datasets.notes import Notes
from fashionai.datasets.samples import TRAIN, VAL, ParsedDataset, Sample, divided, image_left_pairs, without_repeats
from fashionai.datasets.sources import Source
from fashionai.datasets.tree_writer import Placement, check_free, list_path, place_pictures, write_lists
from fashionai.errors import InputError
from fashionai.evaluation.metrics import normaliser_ends
from fashionai.files import write_json
from fashionai.garments.table import Garments

REPORT = 'prepared.json'
"""What was found, with every name, in the output folder."""
SHOWN = 3
"""How many names a printed note has."""
VAL_A_TYPE = 400
"""Validation images of each type, where nothing says otherwise."""


@dataclass(frozen=True)
class Settings:
    """Where to, and how; `val` is a number of images a type, a share below 1, or None (see `divided`); `labels_on` as
    in `placing.Placement`."""

    output: Path
    val: Optional[Union[int, float]] = None
    seed: int = 1
    link: bool = False
    overwrite: bool = False
    check: bool = False
    labels_on: Optional[str] = None


def check_apart(locations: Sequence[Path], settings: Settings) -> None:
    """Raises InputError where the output lies in a folder that is read: what is written would be read as well."""
    output = settings.output.resolve()
    for location in locations:
        if not settings.check and location.is_dir() and location.resolve() in (output, *output.parents):
            raise InputError(f'--output {settings.output} lies in {location}, which is read: name another folder, or '
                             'the archives and folders in it one by one')


def prepare(reading: ParsedDataset, sources: Sequence[Source], settings: Settings, notes: Notes) -> str:
    """Bring the entries into the output folder, or with `check` only look at them; the report.

    Raises InputError where nothing was found, or where a list to be written is there and not to be overwritten.
    """
    if not reading.entries:
        labels = ', '.join(source.label for source in sources)
        raise InputError(f'no labels and no test lists in {labels}{_hints(notes)}')
    entries = divided(without_repeats(reading.entries, notes), settings.val, VAL_A_TYPE, settings.seed)
    if not settings.check and not settings.overwrite:
        check_free(settings.output, sorted({entry.part for entry in entries}))
    placement = Placement(None if settings.check else settings.output, settings.link, settings.overwrite,
                          settings.labels_on)
    placed = place_pictures(entries, sources, placement, notes)
    _note_labels(placed, reading.garments, notes)
    if not placed:
        raise InputError(f'{len(entries)} images are listed, and none of them has a good picture in the sources'
                         f'{_hints(notes)}')
    if not settings.check:
        write_lists(placed, settings.output, reading.garments)
        _write_report(placed, reading, settings, notes)
    return report(placed, reading, settings, notes)


def _note_labels(entries: Sequence[Sample], garments: Garments, notes: Notes) -> None:
    """Take note of labels that cannot teach, or by which no error can be measured."""
    labelled = [entry for entry in entries if entry.keypoints is not None]
    if not labelled:
        return
    keypoints = np.stack([entry.keypoints for entry in labelled])
    ends = normaliser_ends([entry.category for entry in labelled], keypoints, garments)
    flat = (ends[..., 2] != ABSENT).all(axis=1) & (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1)
    empty = (keypoints[..., 2] == ABSENT).all(axis=1)
    for what, rows in (('images whose normaliser has no length: their error cannot be measured', flat),
                       ('images without a labelled keypoint, kept', empty)):
        notes[what] += [labelled[row].image_id for row in np.flatnonzero(rows)]


def report(entries: Sequence[Sample], reading: ParsedDataset, settings: Settings, notes: Notes) -> str:
    """What was found and made of a reading, as text of several lines; the entries are those that were placed."""
    lines = ['read:', *(f'  {line}' for line in reading.tables), '', *_table(entries, reading.garments), '']
    left, pairs = image_left_pairs(entries, reading.garments)
    if pairs:
        lines.append(f'"left" is on the left of the image in {100 * left / pairs:.1f} % of {pairs} pairs of keypoints')
    if 2 * left < pairs:
        lines.append("  that is unlike FashionAI: these labels seem to mean the wearer's left")
    for what, names in notes.items():
        if names:
            more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
            lines.append(f'{len(names)} {what}: {", ".join(names[:SHOWN])}{more}')
    lines.append('looked only: nothing is written' if settings.check else
                 f'all is in {settings.output}; every name of the notes is in {settings.output / REPORT}')
    return '\n'.join(lines)


def _hints(notes: Notes) -> str:
    """Of each note the first name, for an error."""
    return ''.join(f'; {len(names)} {what}: {names[0]}' for what, names in notes.items() if names)


def _table(entries: Sequence[Sample], garments: Garments) -> List[str]:
    counts = _counts(entries)
    types = [name for name in garments if any(name in row for row in counts.values())]
    width = max(len(name) for name in counts)
    lines = [' ' * width + ''.join(f'{name:>10}' for name in [*types, 'all'])]
    for name, row in counts.items():
        numbers = [row.get(tag, 0) for tag in types] + [sum(row.values())]
        lines.append(f'{name:<{width}}' + ''.join(f'{number:>10}' for number in numbers))
    return lines


def _counts(entries: Sequence[Sample]) -> Dict[str, Dict[str, int]]:
    """Images by list and type; train and val come first."""
    order = {TRAIN: 0, VAL: 1}
    counts: Dict[str, Dict[str, int]] = {}
    for part in sorted({entry.part for entry in entries}, key=lambda part: (order.get(part, 2), part)):
        row = counts.setdefault(list_path(part).as_posix(), {})
        for entry in entries:
            if entry.part == part:
                row[entry.category] = row.get(entry.category, 0) + 1
    return counts


def _write_report(entries: Sequence[Sample], reading: ParsedDataset, settings: Settings,
                  notes: Mapping[str, Sequence[str]]) -> None:
    left, pairs = image_left_pairs(entries, reading.garments)
    content = {'read': reading.tables, 'val': settings.val, 'seed': settings.seed, 'images': _counts(entries),
               'pairs': pairs, 'image_left_pairs': left, 'notes': {what: list(names) for what, names in notes.items()}}
    write_json(settings.output / REPORT, content)
