"""Samples: the common form of every data set. A sample is an image of one garment with its row of the CSV.

A sample has a part, which is the list it belongs to: parts `train` and `val` are the files train/train.csv and
train/val.csv, and any other part is the file test.csv in a folder of the part's name. `split_samples` divides the
samples of the part UNASSIGNED between `train` and `val`.

C is the number of keypoint columns of a garment table, 24 in the built-in one.
"""
import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from fashionai.annotations import ABSENT, MAX_COORDINATE
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import Size
from fashionai.datasets.sources import DataSource, Pictures
from fashionai.errors import InputError, shown
from fashionai.garments.table import GARMENTS, Garments

TRAIN, VAL, UNASSIGNED = 'train', 'val', ''
TEST = 'test'
"""The part of the test images of a data set that has only one test list."""

Place = Tuple[int, str]
"""The number of a source, and the name of a file in it."""


@dataclass(frozen=True, eq=False)
class Sample:
    """An image with its labels.

    image_id: the id in the CSV: the path of the image from the part's folder.
    category: the garment type.
    keypoints: (C, 3) int32 of x, y, v in original pixels; None if the image is not labelled.
    part: the list that the sample belongs to (see the top of this file).
    picture: where the image is in the sources; None if no source has it.
    labelled_hw: (height, width) of the picture that was labelled; NO_SIZE if the labels do not say it; None if the
        labels are known to be in pixels as stored (see `orientation.frame_of`).
    """

    image_id: str
    category: str
    keypoints: Optional[np.ndarray]
    part: str
    picture: Optional[Place]
    labelled_hw: Optional[Size] = None


@dataclass(frozen=True)
class ParsedDataset:
    """What was read from sources.

    samples: all samples, in the order of the lists.
    tables: one line for each list that was read, for the report.
    garments: the garment table that the samples use.
    """

    samples: List[Sample]
    tables: List[str]
    garments: Garments = GARMENTS


def note_unlisted(samples: Sequence[Sample], pictures: Pictures, sources: Sequence[DataSource], notes: Notes) -> None:
    """Adds to `notes` the pictures that belong to no sample."""
    used = {sample.picture for sample in samples}
    notes['pictures without a row, left out'] += [
        f'{sources[number].label}: {name}' for number, name in pictures.places() if (number, name) not in used]


def csv_row(points: Mapping[str, Tuple[float, float, int]], garments: Garments = GARMENTS) -> np.ndarray:
    """Returns a row of the CSV, (C, 3) int32, from (x, y, v) by keypoint name; keypoints without a name are absent.

    Raises InputError that names the keypoint if the CSV cannot hold its coordinates.
    """
    columns = garments.csv_keypoints
    row = np.full((len(columns), 3), ABSENT, np.int32)
    for name, (x, y, v) in points.items():
        if v != ABSENT:
            if not all(isinstance(value, (int, float)) and abs(value) <= MAX_COORDINATE for value in (x, y)):
                raise InputError(f'{name}: x {shown(x)}, y {shown(y)}, wanted pixels, numbers up to {MAX_COORDINATE}')
            row[columns.index(name)] = int(np.floor(x + 0.5)), int(np.floor(y + 0.5)), v
    return row


def image_id(tag: str, name: str) -> str:
    """Returns the image id of a picture: `Images/<tag>/<name>`, the folders in the name joined by `_`.

    A name that has this form already stays as it is.
    """
    folders = [part for part in name.replace('\\', '/').split('/') if part not in ('', '.', '..')]
    return '/'.join(folders if folders[:-1] == ['Images', tag] else ['Images', tag, '_'.join(folders)])


_PART_FOLDERS = MappingProxyType({'train': TRAIN, 'val': VAL, 'valid': VAL, 'validation': VAL, 'test': TEST})


def part_of(path: str) -> str:
    """Returns the part that the folders of a path name, the last one first; UNASSIGNED if none does."""
    folders = path.split('/')[:-1]
    return next((_PART_FOLDERS[folder] for folder in reversed(folders) if folder in _PART_FOLDERS), UNASSIGNED)


def image_id_of_path(tag: str, path: str) -> str:
    """Returns the image id of a picture in a folder: as `image_id`, but what is above `Images/<tag>/` is left out."""
    folders = path.split('/')
    return image_id(tag, '/'.join(folders[-3:]) if folders[-3:-1] == ['Images', tag] else path)


def usable(samples: Sequence[Sample], notes: Notes) -> List[Sample]:
    """Returns the samples of one list that have labels and are the only garment of their type in their picture.

    A network predicts one garment for each picture. The other samples are added to `notes`.
    """
    counts: Dict[str, int] = defaultdict(int)
    for sample in samples:
        counts[sample.image_id] += 1
    alone = [sample for sample in samples if counts[sample.image_id] == 1]
    notes['pictures with several garments of one type, left out'] += [
        image_id for image_id, count in counts.items() if count > 1]
    notes['garments without a labelled keypoint, left out'] += [
        sample.image_id for sample in alone if not _is_labelled(sample)]
    return [sample for sample in alone if _is_labelled(sample)]


def _is_labelled(sample: Sample) -> bool:
    return sample.keypoints is not None and bool((sample.keypoints[:, 2] != ABSENT).any())


def remove_duplicates(samples: Sequence[Sample], notes: Notes) -> List[Sample]:
    """Returns the samples without repeated images: the first one stays, so that train and val share no image.

    A test list keeps all of its images even if other lists have them too, since a submission needs a row for each.
    """
    kept: Dict[Tuple[str, str], Sample] = {}
    for sample in samples:
        place = ('' if sample.part in (TRAIN, VAL, UNASSIGNED) else sample.part, sample.image_id)
        first = kept.setdefault(place, sample)
        if first is sample:
            continue
        if VAL in (first.part, sample.part) and first.part != sample.part:
            notes['images that are both in a validation list and in another one: the first row stays'].append(
                sample.image_id)
        distance = _distance(first, sample)
        if distance is None:
            notes['images labelled twice, with the same labels'].append(sample.image_id)
        else:
            notes['images labelled twice, with other labels: the first stay'].append(f'{sample.image_id} ({distance})')
    return list(kept.values())


def _distance(first: Sample, second: Sample) -> Optional[str]:
    """Returns how far the labels of two samples differ, as text; None if they are equal."""
    if first.keypoints is None or second.keypoints is None or np.array_equal(first.keypoints, second.keypoints):
        return None
    both = (first.keypoints[:, 2] != ABSENT) & (second.keypoints[:, 2] != ABSENT)
    apart = np.hypot(*(first.keypoints - second.keypoints)[both, :2].T)
    return f'{apart.max():.0f} pixels at most' if both.any() and apart.max() else 'in visibility alone'


def split_samples(samples: Sequence[Sample], count: Optional[Union[int, float]], default: int,
                  seed: int) -> List[Sample]:
    """Returns the samples with the part UNASSIGNED replaced by train or val.

    Args:
        samples: all samples.
        count: number of validation images of each type; below 1, their share of the images of the type. With a number,
            samples that the data set itself assigned to train and val are divided again too. With None, the data
            set's own val samples are used, and if it has none, `default` images of each type are drawn.
        default: see `count`.
        seed: another seed draws other images. The draw of an image depends only on its id and the seed, so it does not
            change if other images are added or removed.

    Raises InputError if no image of a type would be left for training.
    """
    if count is None and not any(sample.part == VAL for sample in samples):
        count = default
    mixed = (UNASSIGNED,) if count is None else (UNASSIGNED, TRAIN, VAL)
    if not any(sample.part == UNASSIGNED for sample in samples):
        return list(samples)
    lots: Dict[str, List[str]] = defaultdict(list)
    for sample in samples:
        if sample.part in mixed:
            lots[sample.category].append(_lot(sample, seed))
    limits = {category: _limit(category, sorted(values), count or 0) for category, values in lots.items()}
    return [replace(sample, part=VAL if _lot(sample, seed) < limits[sample.category] else TRAIN)
            if sample.part in mixed else sample for sample in samples]


def _lot(sample: Sample, seed: int) -> str:
    return hashlib.sha256(f'{seed}:{sample.image_id}'.encode()).hexdigest()


def _limit(category: str, lots: Sequence[str], count: Union[int, float]) -> str:
    """Returns the first of the sorted lots that goes to train."""
    number = int(count * len(lots) + 0.5) if count < 1 else int(count)
    if number >= len(lots):
        raise InputError(f'--val {count}: there are only {len(lots)} labelled images of {category}, so none is left '
                         'for training; wanted a smaller number, or a share such as 0.05')
    return lots[number]


def image_left_pairs(samples: Sequence[Sample], garments: Garments) -> Tuple[int, int]:
    """Returns the number of labelled pairs whose left keypoint is on the image's left, and the number of all pairs.

    A pair is a left keypoint and its right one in the same image.
    """
    pairs = [(name, other) for name, other in zip(garments.joint.keypoints, garments.joint.flipped_keypoints)
             if 'left' in name.split('_') and other != name]
    left, right = ([garments.csv_keypoints.index(pair[side]) for pair in pairs] for side in (0, 1))
    rows = [sample.keypoints for sample in samples if sample.keypoints is not None]
    if not rows:
        return 0, 0
    keypoints = np.stack(rows)
    first, second = keypoints[:, left], keypoints[:, right]
    both = (first[..., 2] != ABSENT) & (second[..., 2] != ABSENT)
    return int((both & (first[..., 0] < second[..., 0])).sum()), int(both.sum())
