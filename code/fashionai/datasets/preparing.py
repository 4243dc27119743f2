"""Makes a finished folder from the samples that were read: removes duplicates, splits, writes and reports."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Union

import numpy as np

from fashionai.annotations import ABSENT
from fashionai.datasets.notes import Notes, first_names
from fashionai.datasets.samples import (
    TRAIN,
    VAL,
    ParsedDataset,
    Sample,
    image_left_pairs,
    remove_duplicates,
    split_samples,
)
from fashionai.datasets.sources import DataSource
from fashionai.datasets.tree_writer import TreeOptions, check_free, list_path, write_tree
from fashionai.errors import InputError
from fashionai.evaluation.metrics import normaliser_ends
from fashionai.files import write_json
from fashionai.garments.table import Garments

REPORT = 'prepared.json'
"""The file in the output folder that has the report and every name of the notes."""
SHOWN = 3
"""Number of names in a printed note."""
VAL_A_TYPE = 400
"""Default number of validation images of each type."""


@dataclass(frozen=True)
class Settings:
    """Options of `prepare`.

    output: the folder to write.
    val: number of validation images of each type, a share below 1, or None (see `split_samples`).
    seed: another seed draws other validation images.
    link, overwrite, labels_on: see `TreeOptions`.
    check: check and report only, write nothing.
    """

    output: Path
    val: Optional[Union[int, float]] = None
    seed: int = 1
    link: bool = False
    overwrite: bool = False
    check: bool = False
    labels_on: Optional[str] = None


def check_apart(locations: Sequence[Path], settings: Settings) -> None:
    """Raises InputError if the output is inside a folder that is read, since its files would be read as well."""
    output = settings.output.resolve()
    for location in locations:
        if not settings.check and location.is_dir() and location.resolve() in (output, *output.parents):
            raise InputError(f'--output {settings.output} is inside {location}, which is read as a source: choose '
                             'another output folder, or give the archives and folders in the source one by one')


def prepare(dataset: ParsedDataset, sources: Sequence[DataSource], settings: Settings, notes: Notes) -> str:
    """Writes the samples into the output folder, or with `check` only checks them. Returns the report.

    Raises InputError if there are no samples or none has a good picture, or if a list exists already and `overwrite` is
    not set.
    """
    if not dataset.samples:
        labels = ', '.join(source.label for source in sources)
        raise InputError(f'no labels and no test lists in {labels}{first_names(notes)}')
    samples = split_samples(remove_duplicates(dataset.samples, notes), settings.val, VAL_A_TYPE, settings.seed)
    if not settings.check and not settings.overwrite:
        check_free(settings.output, sorted({sample.part for sample in samples}))
    options = TreeOptions(None if settings.check else settings.output, settings.link, settings.overwrite,
                          settings.labels_on)
    written = write_tree(samples, sources, dataset.garments, options, notes)
    _note_labels(written, dataset.garments, notes)
    if not settings.check:
        _write_report(written, dataset, settings, notes)
    return report(written, dataset, settings, notes)


def _note_labels(samples: Sequence[Sample], garments: Garments, notes: Notes) -> None:
    """Adds to `notes` the images whose labels are useless for training or for measuring errors."""
    labelled = [sample for sample in samples if sample.keypoints is not None]
    if not labelled:
        return
    keypoints = np.stack([sample.keypoints for sample in labelled])
    ends = normaliser_ends([sample.category for sample in labelled], keypoints, garments)
    flat = (ends[..., 2] != ABSENT).all(axis=1) & (ends[:, 0, :2] == ends[:, 1, :2]).all(axis=1)
    empty = (keypoints[..., 2] == ABSENT).all(axis=1)
    for what, rows in (('images whose normaliser has no length: their error cannot be measured', flat),
                       ('images without a labelled keypoint, kept', empty)):
        notes[what] += [labelled[row].image_id for row in np.flatnonzero(rows)]


def report(samples: Sequence[Sample], dataset: ParsedDataset, settings: Settings, notes: Notes) -> str:
    """Returns the report on a data set as text of several lines; `samples` are the samples that were written."""
    lines = ['read:', *(f'  {line}' for line in dataset.tables), '', *_table(samples, dataset.garments), '']
    left, pairs = image_left_pairs(samples, dataset.garments)
    if pairs:
        lines.append(f'"left" is on the left of the image in {100 * left / pairs:.1f} % of {pairs} pairs of keypoints')
    if 2 * left < pairs:
        lines.append("  FashionAI is different: these labels seem to mean the wearer's left")
    for what, names in notes.items():
        if names:
            more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
            lines.append(f'{len(names)} {what}: {", ".join(names[:SHOWN])}{more}')
    lines.append('checked only: nothing is written' if settings.check else
                 f'everything is in {settings.output}; every name of the notes is in {settings.output / REPORT}')
    return '\n'.join(lines)


def _table(samples: Sequence[Sample], garments: Garments) -> List[str]:
    counts = _counts(samples)
    types = [name for name in garments if any(name in row for row in counts.values())]
    width = max(len(name) for name in counts)
    lines = [' ' * width + ''.join(f'{name:>10}' for name in [*types, 'all'])]
    for name, row in counts.items():
        numbers = [row.get(tag, 0) for tag in types] + [sum(row.values())]
        lines.append(f'{name:<{width}}' + ''.join(f'{number:>10}' for number in numbers))
    return lines


def _counts(samples: Sequence[Sample]) -> Dict[str, Dict[str, int]]:
    """Returns the number of images by list and type; train and val come first."""
    order = {TRAIN: 0, VAL: 1}
    counts: Dict[str, Dict[str, int]] = {}
    for part in sorted({sample.part for sample in samples}, key=lambda part: (order.get(part, 2), part)):
        row = counts.setdefault(list_path(part).as_posix(), {})
        for sample in samples:
            if sample.part == part:
                row[sample.category] = row.get(sample.category, 0) + 1
    return counts


def _write_report(samples: Sequence[Sample], dataset: ParsedDataset, settings: Settings,
                  notes: Mapping[str, Sequence[str]]) -> None:
    left, pairs = image_left_pairs(samples, dataset.garments)
    content = {'read': dataset.tables, 'val': settings.val, 'seed': settings.seed, 'images': _counts(samples),
               'pairs': pairs, 'image_left_pairs': left, 'notes': {what: list(names) for what, names in notes.items()}}
    write_json(settings.output / REPORT, content)
