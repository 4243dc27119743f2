"""What every data set is brought into: entries, each an image of one garment with its row of the CSV.

An entry goes to a part of the tree: `train` and `val` to the lists of those names in the folder `train`, any other part
to the list `test.csv` of a folder of its own. Entries of the part DRAWN are divided among train and val.

C is the number of keypoint columns of a table of garments, 24 of the built-in one.
"""
import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from fashionai.annotations import ABSENT, FARTHEST
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import Size
from fashionai.datasets.sources import Pictures, Source
from fashionai.errors import InputError, shown
from fashionai.garments.table import GARMENTS, Garments

TRAIN, VAL, DRAWN = 'train', 'val', ''
TEST = 'test'
"""The part of test images whose data set has only one such list."""

Place = Tuple[int, str]
"""Number of a source, and the name of a file in it."""


@dataclass(frozen=True, eq=False)
class Sample:
    """An image, and where it goes: its id in the CSV is its path from the part's folder.

    `keypoints` are (C, 3) int32 of x, y, v in original pixels, None of an unlabelled image; `picture` is its place
    in the sources, None where they lack it. `labelled_hw` is the size of the picture that was labelled, NO_SIZE if the
    labels do not say it; None of labels that are known to be in pixels as stored (see `orientation.frame_of`).
    """

    image_id: str
    category: str
    keypoints: Optional[np.ndarray]
    part: str
    picture: Optional[Place]
    labelled_hw: Optional[Size] = None


@dataclass(frozen=True)
class ParsedDataset:
    """What was found in sources: entries, a line on each list that they are from, and the table of their types."""

    entries: List[Sample]
    tables: List[str]
    garments: Garments = GARMENTS


def note_unlisted(entries: Sequence[Sample], pictures: Pictures, sources: Sequence[Source], notes: Notes) -> None:
    """Take note of the pictures that are no entry's."""
    used = {entry.picture for entry in entries}
    notes['pictures without a row, left out'] += [
        f'{sources[number].label}: {name}' for number, name in pictures.places() if (number, name) not in used]


def csv_row(points: Mapping[str, Tuple[float, float, int]], garments: Garments = GARMENTS) -> np.ndarray:
    """(C, 3) int32 in the order of the table's columns, of (x, y, v) of some keypoints by name; the others are absent.

    Raises InputError, naming the keypoint, for coordinates that the CSV cannot hold.
    """
    columns = garments.csv_keypoints
    row = np.full((len(columns), 3), ABSENT, np.int32)
    for name, (x, y, v) in points.items():
        if v != ABSENT:
            if not all(isinstance(value, (int, float)) and abs(value) <= FARTHEST for value in (x, y)):
                raise InputError(f'{name}: x {shown(x)}, y {shown(y)}, wanted pixels, numbers up to {FARTHEST}')
            row[columns.index(name)] = int(np.floor(x + 0.5)), int(np.floor(y + 0.5)), v
    return row


def image_id(tag: str, name: str) -> str:
    """Where a picture of that name goes: Images/<type>/, its folders joined by _; as it is where it is that already."""
    folders = [part for part in name.replace('\\', '/').split('/') if part not in ('', '.', '..')]
    return '/'.join(folders if folders[:-1] == ['Images', tag] else ['Images', tag, '_'.join(folders)])


def usable(entries: Sequence[Sample], notes: Notes) -> List[Sample]:
    """The entries of one list that have labels, and a picture with no other garment of their type: a network finds one
    in a picture."""
    counts: Dict[str, int] = defaultdict(int)
    for entry in entries:
        counts[entry.image_id] += 1
    alone = [entry for entry in entries if counts[entry.image_id] == 1]
    notes['pictures with several garments of one type, left out'] += [
        image_id for image_id, count in counts.items() if count > 1]
    notes['garments without a labelled keypoint, left out'] += [
        entry.image_id for entry in alone if not _is_labelled(entry)]
    return [entry for entry in alone if _is_labelled(entry)]


def _is_labelled(entry: Sample) -> bool:
    return entry.keypoints is not None and bool((entry.keypoints[:, 2] != ABSENT).any())


def without_repeats(entries: Sequence[Sample], notes: Notes) -> List[Sample]:
    """The entries with each image once: the first one stays, so that train and val share none.

    A test list keeps its images, whatever other lists have, since a submission needs them all.
    """
    kept: Dict[Tuple[str, str], Sample] = {}
    for entry in entries:
        place = ('' if entry.part in (TRAIN, VAL, DRAWN) else entry.part, entry.image_id)
        first = kept.setdefault(place, entry)
        if first is entry:
            continue
        if VAL in (first.part, entry.part) and first.part != entry.part:
            notes['images that are both in a validation list and in another one: the first row stays'].append(
                entry.image_id)
        distance = _distance(first, entry)
        if distance is None:
            notes['images labelled twice, with the same labels'].append(entry.image_id)
        else:
            notes['images labelled twice, with other labels: the first stay'].append(f'{entry.image_id} ({distance})')
    return list(kept.values())


def _distance(first: Sample, second: Sample) -> Optional[str]:
    """How far labels differ, in words; None where they do not."""
    if first.keypoints is None or second.keypoints is None or np.array_equal(first.keypoints, second.keypoints):
        return None
    both = (first.keypoints[:, 2] != ABSENT) & (second.keypoints[:, 2] != ABSENT)
    apart = np.hypot(*(first.keypoints - second.keypoints)[both, :2].T)
    return f'{apart.max():.0f} pixels at most' if both.any() and apart.max() else 'in visibility alone'


def divided(entries: Sequence[Sample], count: Optional[Union[int, float]], default: int, seed: int) -> List[Sample]:
    """The entries of the part DRAWN sent to train or val: `count` of each type to val, or that share of them below 1.

    With a count of None, val entries that the data set has itself do, and without any, `default` of each type are
    drawn. With a count, those of its own are drawn anew too. An image's lot depends on its id and the seed alone, so
    other images beside it do not change it. Raises InputError where nothing would be left to train on.
    """
    if count is None and not any(entry.part == VAL for entry in entries):
        count = default
    mixed = (DRAWN,) if count is None else (DRAWN, TRAIN, VAL)
    if not any(entry.part == DRAWN for entry in entries):
        return list(entries)
    lots: Dict[str, List[str]] = defaultdict(list)
    for entry in entries:
        if entry.part in mixed:
            lots[entry.category].append(_lot(entry, seed))
    limits = {category: _limit(category, sorted(values), count or 0) for category, values in lots.items()}
    return [replace(entry, part=VAL if _lot(entry, seed) < limits[entry.category] else TRAIN)
            if entry.part in mixed else entry for entry in entries]


def _lot(entry: Sample, seed: int) -> str:
    return hashlib.sha256(f'{seed}:{entry.image_id}'.encode()).hexdigest()


def _limit(category: str, lots: Sequence[str], count: Union[int, float]) -> str:
    """The first lot, of those in order, that goes to train."""
    number = int(count * len(lots) + 0.5) if count < 1 else int(count)
    if number >= len(lots):
        raise InputError(f'--val {count}: {len(lots)} labelled images of {category} leave none to train on; wanted a '
                         'smaller number, or a share such as 0.05')
    return lots[number]


def image_left_pairs(entries: Sequence[Sample], garments: Garments = GARMENTS) -> Tuple[int, int]:
    """In how many labelled pairs of a left and a right keypoint the left one is on the image's left, and all pairs."""
    pairs = [(name, other) for name, other in zip(garments.joint.keypoints, garments.joint.flipped_keypoints)
             if 'left' in name.split('_') and other != name]
    left, right = ([garments.csv_keypoints.index(pair[side]) for pair in pairs] for side in (0, 1))
    rows = [entry.keypoints for entry in entries if entry.keypoints is not None]
    if not rows:
        return 0, 0
    keypoints = np.stack(rows)
    first, second = keypoints[:, left], keypoints[:, right]
    both = (first[..., 2] != ABSENT) & (second[..., 2] != ABSENT)
    return int((both & (first[..., 0] < second[..., 0])).sum()), int(both.sum())
