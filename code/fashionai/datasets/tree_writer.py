"""Writes samples as a folder of FashionAI's layout: first the pictures, checked and copied or linked, then the lists.

A file is written completely or not at all.
"""
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
from fashionai.datasets.notes import Notes, first_names
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
from fashionai.datasets.sources import DataSource
from fashionai.errors import InputError
from fashionai.files import replacing
from fashionai.garments.table import Garments
from fashionai.images.headers import upright_size


def list_path(part: str) -> Path:
    """Returns the path of the list of a part, relative to the output folder."""
    return Path(TRAIN, f'{part}.csv') if part in (TRAIN, VAL) else Path(part, 'test.csv')


def check_free(output: Path, parts: Sequence[str]) -> None:
    """Raises InputError if a list exists already: lists are written last, so that data set is finished."""
    existing = [output / list_path(part) for part in parts if (output / list_path(part)).exists()]
    if existing:
        raise InputError(f'{existing[0]} is there already: --overwrite replaces pictures and lists, --output chooses '
                         'another folder')


_FRAMES: Mapping[str, str] = MappingProxyType({
    UPRIGHT: 'pictures stored turned that were labelled upright, turned upright',
    STORED: 'pictures stored turned that were labelled as stored, kept as stored'})
"""The remark about pictures with an EXIF orientation, by the frame that was labelled."""


@dataclass(frozen=True)
class TreeOptions:
    """How the folder is written.

    output: the folder; None to check the pictures only.
    link: link files on the same disk instead of copying them.
    overwrite: replace existing files.
    labels_on: UPRIGHT or STORED: the frame of labels if sizes do not tell it; None for the frame of most other
        pictures.
    """

    output: Optional[Path]
    link: bool
    overwrite: bool
    labels_on: Optional[str] = None


def write_tree(samples: Sequence[Sample], sources: Sequence[DataSource], garments: Garments, options: TreeOptions,
               notes: Notes) -> List[Sample]:
    """Writes pictures and lists, or with `options.output` None only checks the pictures. Returns the listed samples.

    Raises InputError if no sample has a good picture.
    """
    written = write_pictures(samples, sources, options, notes)
    if not written:
        raise InputError(f'{len(samples)} images are listed, and none of them has a good picture in the sources'
                         f'{first_names(notes)}')
    if options.output is not None:
        write_lists(written, options.output, garments)
    return written


def write_pictures(samples: Sequence[Sample], sources: Sequence[DataSource], options: TreeOptions,
                   notes: Notes) -> List[Sample]:
    """Checks the picture of every sample and writes it to the path that its id gives.

    Returns the samples that have a good picture. A test list that has at least one keeps all of its samples, since a
    submission needs a row for each. An existing picture stays unless `overwrite` is set, so an interrupted run can
    continue. A picture that was labelled upright and is stored turned is written upright. Missing and faulty pictures,
    and labels that do not fit their picture, are added to `notes`.
    """
    writer = _PictureWriter(sources, options, notes)
    wanted: Dict[Place, List[Sample]] = {}
    for sample in samples:
        if sample.picture is not None:
            wanted.setdefault(sample.picture, []).append(sample)
    undecided = writer.write(wanted, options.labels_on)
    if undecided:
        writer.write(undecided, writer.usual_frame())
    writer.note_trained([sample for sample in samples if sample in writer.written])
    submitted = {sample.part for sample in samples if sample.keypoints is None and sample in writer.written}
    notes['images without a picture in the sources, left out'] += [
        sample.image_id for sample in samples if sample.picture is None and sample.part not in submitted]
    notes['images of test lists that have no good picture, kept for submissions'] += [
        sample.image_id for sample in samples if sample not in writer.written and sample.part in submitted]
    return [sample for sample in samples if sample in writer.written or sample.part in submitted]


class _PictureWriter:
    """Writes pictures, in one or two passes, and remembers which samples have a good picture."""

    def __init__(self, sources: Sequence[DataSource], options: TreeOptions, notes: Notes) -> None:
        self.written: Dict[Sample, bytes] = {}
        """From the samples that have a good picture to the checksum of its file."""
        self._sources, self._options, self._notes = sources, options, notes
        self._frames = {UPRIGHT: 0, STORED: 0}
        """Number of pictures with an EXIF orientation by the frame that was labelled, as far as sizes tell it."""

    def write(self, wanted: Mapping[Place, Sequence[Sample]], frame: Optional[str]) -> Dict[Place, List[Sample]]:
        """Writes the pictures of samples. `frame` is used if sizes do not tell the frame of the labels.

        If `frame` is None, the samples of such pictures are not written but returned.
        """
        undecided: Dict[Place, List[Sample]] = {}
        for (number, name), data in tqdm(_files(wanted, self._sources), total=len(wanted), desc='pictures',
                                         unit='picture'):
            stored_hw, fault = picture_fault(data, f'{self._sources[number].label}: {name}')
            if stored_hw is None:
                self._notes['faulty pictures, left out'].append(f'{self._sources[number].label}: {name} ({fault})')
                continue
            orientation = orientation_of(data)
            for sample in wanted[number, name]:
                found = frame_of(sample.labelled_hw, stored_hw, orientation)
                if found == UNDECIDED and frame is None:
                    undecided.setdefault((number, name), []).append(sample)
                else:
                    self._write_one(sample, data, stored_hw, orientation, found, frame)
        return undecided

    def usual_frame(self) -> str:
        """Returns the frame of most pictures whose sizes tell it, else upright, as most tools show pictures."""
        return STORED if self._frames[STORED] > self._frames[UPRIGHT] else UPRIGHT

    def note_trained(self, samples: Sequence[Sample]) -> None:
        """Adds to the notes the validation pictures that are also training pictures under another id."""
        trained = {self.written[sample]: sample.image_id for sample in samples if sample.part == TRAIN}
        self._notes['validation pictures that are training pictures too, under another id'] += [
            f'{sample.image_id} ({trained[self.written[sample]]})' for sample in samples
            if sample.part == VAL and self.written[sample] in trained]

    def _write_one(self, sample: Sample, data: bytes, stored_hw: Size, orientation: int, found: str,
                   frame: Optional[str]) -> None:
        """Writes the picture of one sample, turned upright if its labels are in the upright frame."""
        if found == ANOTHER:
            self._notes['pictures of another size than their labels say, left out'].append(
                f'{sample.image_id} (labelled {_size_text(sample.labelled_hw)}, stored {_size_text(stored_hw)})')
            return
        known = frame if found == UNDECIDED and frame else found
        if sample.labelled_hw is not None and orientation != 1:
            self._note_frame(sample, found, known)
        turn = known == UPRIGHT
        if not _fits(sample, upright_size(stored_hw, orientation) if turn else stored_hw, self._notes):
            return
        self.written[sample] = hashlib.sha1(data).digest()
        if self._options.output is not None:
            number, name = sample.picture or (0, '')
            origin = self._sources[number].path(name) if self._options.link and not turn else None
            target = self._options.output / list_path(sample.part).parent / sample.image_id
            write_or_link(target, turned_upright(data, name) if turn else data, origin, self._options.overwrite,
                           self._notes)

    def _note_frame(self, sample: Sample, found: str, known: str) -> None:
        """Counts and notes a picture with an orientation: `found` from its sizes, `known` as it is used."""
        if found == UNDECIDED:
            self._notes[f'pictures whose sizes do not tell which frame was labelled, taken as {known} (see --labels-on)'
                        ].append(sample.image_id)
        else:
            self._frames[found] += 1
        self._notes[_FRAMES[known]].append(sample.image_id)


def write_lists(samples: Sequence[Sample], output: Path, garments: Garments) -> None:
    """Writes the list of every part that has samples, with the header of the garment table."""
    for part in dict.fromkeys(sample.part for sample in samples):
        path = output / list_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = [sample for sample in samples if sample.part == part]
        ids, tags = tuple(sample.image_id for sample in chosen), tuple(sample.category for sample in chosen)
        labels = [sample.keypoints for sample in chosen if sample.keypoints is not None]
        if labels:
            write_annotations(path, Annotations(ids, tags, np.stack(labels), str(path), garments))
        else:
            _write_test_list(path, ids, tags)


def _files(places: Collection[Place], sources: Sequence[DataSource]) -> Iterator[Tuple[Place, bytes]]:
    """Yields each place with its bytes, once: an archive may have a name twice."""
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


def _fits(sample: Sample, size_hw: Size, notes: Notes) -> bool:
    """Returns whether labels fit a picture of this size: none is further outside than the longer side of the picture.

    Labels may lie on the border, which is one pixel further than the centre of the last pixel.
    """
    if sample.keypoints is None:
        return True
    points = sample.keypoints[sample.keypoints[:, 2] != ABSENT, :2]
    beyond = np.maximum(-points, points - size_hw[::-1])
    if (beyond > max(size_hw)).any():
        x, y = points[beyond.max(axis=1).argmax()].tolist()
        notes['images with labels far outside of their picture, left out'].append(
            f'{sample.image_id} ({x}, {y} in {_size_text(size_hw)})')
        return False
    if (beyond > 0).any():
        notes['images with labels outside of their picture, kept'].append(sample.image_id)
    return True


def _size_text(size_hw: Optional[Size]) -> str:
    height, width = size_hw or NO_SIZE
    return f'{width}x{height}'


def write_or_link(target: Path, data: bytes, origin: Optional[Path], overwrite: bool, notes: Notes) -> None:
    """Links a picture to its origin if the disk allows it, else writes it, completely or not at all."""
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
    if unfinished.exists():  # renaming does nothing if both names are links to one file
        unfinished.unlink()
