"""Entries put in their places: pictures checked and copied or linked, then the lists, each whole or not at all."""
import csv
import os
from pathlib import Path
from typing import Collection, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np
from tqdm import tqdm

from fashionai.annotations import ABSENT, Annotations, write_annotations
from fashionai.datasets.entries import TRAIN, VAL, Entry, Place
from fashionai.datasets.notes import Notes
from fashionai.datasets.pictures import picture_fault
from fashionai.datasets.sources import Source
from fashionai.errors import InputError
from fashionai.files import replacing
from fashionai.garments import Garments


def list_path(part: str) -> Path:
    """The list of a part, from the folder of all."""
    return Path(TRAIN, f'{part}.csv') if part in (TRAIN, VAL) else Path(part, 'test.csv')


def check_free(output: Path, parts: Sequence[str]) -> None:
    """Raises InputError where a list that is to be written is there: the lists come last, so that set is finished."""
    there = [output / list_path(part) for part in parts if (output / list_path(part)).exists()]
    if there:
        raise InputError(f'{there[0]} is there already: --overwrite makes pictures and lists anew, --output names '
                         'another folder')


def place_pictures(entries: Sequence[Entry], sources: Sequence[Source], output: Optional[Path], link: bool,
                   overwrite: bool, notes: Notes) -> List[Entry]:
    """Look at every entry's picture and, unless `output` is None, put it where its id says; the entries with a good
    one, and of a test list that has any all of them, since a submission needs a row of each.

    A picture that is there stays unless `overwrite`, so an interrupted run goes on. With `link`, files on the same
    disk are linked, not copied. Missing and faulty pictures, and labels outside of theirs, go to the notes.
    """
    wanted: Dict[Place, List[Entry]] = {}
    for entry in entries:
        if entry.picture is not None:
            wanted.setdefault(entry.picture, []).append(entry)
    good: Set[Place] = set()
    for (number, name), data in tqdm(_files(wanted, sources), total=len(wanted), desc='pictures', unit='picture'):
        size, fault = picture_fault(data, f'{sources[number].label}: {name}')
        if size is None:
            notes['faulty pictures, left out'].append(f'{sources[number].label}: {name} ({fault})')
            continue
        good.add((number, name))
        for entry in wanted[number, name]:
            _note_outside(entry, size, notes)
            if output is not None:
                path = sources[number].path(name) if link else None
                _put(output / list_path(entry.part).parent / entry.image_id, data, path, overwrite, notes)
    submitted = {entry.part for entry in entries if entry.keypoints is None and entry.picture in good}
    notes['images without a picture in the sources, left out'] += [
        entry.image_id for entry in entries if entry.picture is None and entry.part not in submitted]
    notes['images of test lists that have no good picture, kept for submissions'] += [
        entry.image_id for entry in entries if entry.picture not in good and entry.part in submitted]
    return [entry for entry in entries if entry.picture in good or entry.part in submitted]


def write_lists(entries: Sequence[Entry], output: Path, garments: Garments) -> None:
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


def _note_outside(entry: Entry, size_hw: Tuple[int, int], notes: Notes) -> None:
    """Labels may lie on the border, which is one pixel further than the last pixel's centre."""
    if entry.keypoints is None:
        return
    points = entry.keypoints[entry.keypoints[:, 2] != ABSENT, :2]
    if (points < 0).any() or (points > size_hw[::-1]).any():
        notes['images with labels outside of their picture, kept'].append(entry.image_id)


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
