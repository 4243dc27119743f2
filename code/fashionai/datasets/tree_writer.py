"""Entries put in their places: pictures checked and copied or linked, then the lists, each whole or not at all."""
import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations, write_annotations
from fashionai.datasets.notes import Notes
from fashionai.datasets.orientation import (
    ANOTHER,
    NO_SIZE,
    STORED,
    UNDECIDED,
    UPRIGHT,
    Size,
    frame_of,
    orientation_of,
    turned_upright,
)
from fashionai.datasets.pictures import picture_fault
from fashionai.datasets.samples import TRAIN, VAL, Place, Sample
from fashionai.datasets.sources import Source
from fashionai.errors import InputError
from fashionai.files import replacing
from fashionai.garments.table import Garments


def list_path(part: str) -> Path:
    """The list of a part, from the folder of all."""
    return Path(TRAIN, f'{part}.csv') if part in (TRAIN, VAL) else Path(part, 'test.csv')


def check_free(output: Path, parts: Sequence[str]) -> None:
    """Raises InputError where a list that is to be written is there: the lists come last, so that set is finished."""
    there = [output / list_path(part) for part in parts if (output / list_path(part)).exists()]
    if there:
        raise InputError(f'{there[0]} is there already: --overwrite makes pictures and lists anew, --output names '
                         'another folder')


_FRAMES: Mapping[str, str] = MappingProxyType({
    UPRIGHT: 'pictures stored turned that were labelled upright, turned upright',
    STORED: 'pictures stored turned that were labelled as stored, kept as stored'})
"""What becomes of pictures with an orientation, by the frame that was labelled."""


@dataclass(frozen=True)
class Placement:
    """How pictures are put in place.

    output: the folder of the tree; None to look at pictures only.
    link: link files on the same disk instead of copying them.
    overwrite: write anew what is there.
    labels_on: UPRIGHT or STORED, the frame of labels where sizes do not tell; None for that of the other pictures.
    """

    output: Optional[Path]
    link: bool
    overwrite: bool
    labels_on: Optional[str] = None


def place_pictures(entries: Sequence[Sample], sources: Sequence[Source], placement: Placement,
                   notes: Notes) -> List[Sample]:
    """Look at every entry's picture and put it where its id says; the entries with a good one, and of a test list that
    has any all of them, since a submission needs a row of each.

    A picture that is there stays unless it is to be overwritten, so an interrupted run goes on. A picture that was
    labelled upright and is stored turned is written upright. Missing and faulty pictures, and labels that do not fit
    theirs, go to the notes.
    """
    places = _Places(sources, placement, notes)
    wanted: Dict[Place, List[Sample]] = {}
    for entry in entries:
        if entry.picture is not None:
            wanted.setdefault(entry.picture, []).append(entry)
    undecided = places.put(wanted, placement.labels_on)
    if undecided:
        places.put(undecided, places.usual_frame())
    places.note_trained([entry for entry in entries if entry in places.placed])
    submitted = {entry.part for entry in entries if entry.keypoints is None and entry in places.placed}
    notes['images without a picture in the sources, left out'] += [
        entry.image_id for entry in entries if entry.picture is None and entry.part not in submitted]
    notes['images of test lists that have no good picture, kept for submissions'] += [
        entry.image_id for entry in entries if entry not in places.placed and entry.part in submitted]
    return [entry for entry in entries if entry in places.placed or entry.part in submitted]


class _Places:
    """Puts pictures in place, pass by pass, and remembers which entries have a good one."""

    def __init__(self, sources: Sequence[Source], placement: Placement, notes: Notes) -> None:
        self.placed: Dict[Sample, bytes] = {}
        """The entries that have a good picture, and the sum of its file."""
        self._sources, self._placement, self._notes = sources, placement, notes
        self._frames = {UPRIGHT: 0, STORED: 0}
        """How many pictures with an orientation are labelled in which frame, by their sizes."""

    def put(self, wanted: Mapping[Place, Sequence[Sample]], frame: Optional[str]) -> Dict[Place, List[Sample]]:
        """Put the pictures of entries in place; `frame` is that of labels whose sizes do not tell it. With None, the
        entries of such pictures are returned instead."""
        undecided: Dict[Place, List[Sample]] = {}
        for (number, name), data in tqdm(_files(wanted, self._sources), total=len(wanted), desc='pictures',
                                         unit='picture'):
            stored_hw, fault = picture_fault(data, f'{self._sources[number].label}: {name}')
            if stored_hw is None:
                self._notes['faulty pictures, left out'].append(f'{self._sources[number].label}: {name} ({fault})')
                continue
            orientation = orientation_of(data)
            for entry in wanted[number, name]:
                said = frame_of(entry.labelled_hw, stored_hw, orientation)
                if said == UNDECIDED and frame is None:
                    undecided.setdefault((number, name), []).append(entry)
                else:
                    self._put_one(entry, data, stored_hw, orientation, said, frame)
        return undecided

    def usual_frame(self) -> str:
        """The frame of most pictures whose sizes tell it, else upright, as most tools show pictures."""
        return STORED if self._frames[STORED] > self._frames[UPRIGHT] else UPRIGHT

    def note_trained(self, entries: Sequence[Sample]) -> None:
        """Take note of validation pictures that are training pictures under another id."""
        trained = {self.placed[entry]: entry.image_id for entry in entries if entry.part == TRAIN}
        self._notes['validation pictures that are training pictures too, under another id'] += [
            f'{entry.image_id} ({trained[self.placed[entry]]})' for entry in entries
            if entry.part == VAL and self.placed[entry] in trained]

    def _put_one(self, entry: Sample, data: bytes, stored_hw: Size, orientation: int, said: str,
                 frame: Optional[str]) -> None:
        """Put the picture of one entry in place, turned if its labels are those of the upright one."""
        if said == ANOTHER:
            self._notes['pictures of another size than their labels say, left out'].append(
                f'{entry.image_id} (labelled {_size_text(entry.labelled_hw)}, stored {_size_text(stored_hw)})')
            return
        known = frame if said == UNDECIDED and frame else said
        if entry.labelled_hw is not None and orientation != 1:
            self._note_frame(entry, said, known)
        turn = known == UPRIGHT
        if not _fits(entry, stored_hw[::-1] if turn and orientation >= 5 else stored_hw, self._notes):
            return
        self.placed[entry] = hashlib.sha1(data).digest()
        if self._placement.output is not None:
            number, name = entry.picture or (0, '')
            origin = self._sources[number].path(name) if self._placement.link and not turn else None
            target = self._placement.output / list_path(entry.part).parent / entry.image_id
            _put(target, turned_upright(data, name) if turn else data, origin, self._placement.overwrite, self._notes)

    def _note_frame(self, entry: Sample, said: str, known: str) -> None:
        """Count and take note of a picture with an orientation: what its sizes said of the frame, and which it is."""
        if said == UNDECIDED:
            self._notes[f'pictures whose sizes do not tell which frame was labelled, taken as {known} (see --labels-on)'
                        ].append(entry.image_id)
        else:
            self._frames[said] += 1
        self._notes[_FRAMES[known]].append(entry.image_id)


def write_lists(entries: Sequence[Sample], output: Path, garments: Garments) -> None:
    """Write the list of every part that has entries, under the header of their table."""
    for part in dict.fromkeys(entry.part for entry in entries):
        path = output / list_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = [entry for entry in entries if entry.part == part]
        ids, tags = tuple(entry.image_id for entry in chosen), tuple(entry.category for entry in chosen)
        labels = [entry.keypoints for entry in chosen if entry.keypoints is not None]
        if labels:
            write_annotations(path, Annotations(ids, tags, np.stack(labels), str(path), garments))
        else:
            _write_test_list(path, ids, tags)


def _files(places: Collection[Place], sources: Sequence[Source]) -> Iterator[Tuple[Place, bytes]]:
    """The bytes at each place, each once: an archive may have a name twice."""
    seen: Set[Place] = set()
    for number, source in enumerate(sources):
        names = {name for owner, name in places if owner == number}
        for name, data in source.walk(names.__contains__) if names else ():
            if data is not None and (number, name) not in seen:
                seen.add((number, name))
                yield (number, name), data


def _write_test_list(path: Path, ids: Tuple[str, ...], tags: Tuple[str, ...]) -> None:
    with replacing(path) as draft, open(str(draft), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(('image_id', 'image_category'))
        writer.writerows(zip(ids, tags))


def _fits(entry: Sample, size_hw: Size, notes: Notes) -> bool:
    """Whether the labels may belong to a picture of that size: none is further outside than the picture is long.

    Labels may lie on the border, which is one pixel further than the last pixel's centre.
    """
    if entry.keypoints is None:
        return True
    points = entry.keypoints[entry.keypoints[:, 2] != ABSENT, :2]
    beyond = np.maximum(-points, points - size_hw[::-1])
    if (beyond > max(size_hw)).any():
        x, y = points[beyond.max(axis=1).argmax()].tolist()
        notes['images with labels far outside of their picture, left out'].append(
            f'{entry.image_id} ({x}, {y} in {_size_text(size_hw)})')
        return False
    if (beyond > 0).any():
        notes['images with labels outside of their picture, kept'].append(entry.image_id)
    return True


def _size_text(size_hw: Optional[Size]) -> str:
    height, width = size_hw or NO_SIZE
    return f'{width}x{height}'


def _put(target: Path, data: bytes, origin: Optional[Path], overwrite: bool, notes: Notes) -> None:
    """Write a picture whole or not at all, or link it to its origin where the disk allows it."""
    if target.exists() and not overwrite:
        if target.stat().st_size != len(data):
            notes['pictures that were there already, with other content: kept'].append(str(target))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(target.name + '.tmp')
    if unfinished.exists():
        unfinished.unlink()
    try:
        if origin is None:
            raise OSError('no file to link to')
        os.link(str(origin), str(unfinished))
    except OSError:
        unfinished.write_bytes(data)
    os.replace(str(unfinished), str(target))
    if unfinished.exists():  # renaming does nothing where both names are links to one file
        unfinished.unlink()
