"""The pictures that a user names: files, folders, patterns, and the frames of videos."""
import glob
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

import cv2
import numpy as np

from fashionai.images.decoder import MEGAPIXELS, Unreadable, read_or_unreadable, read_upright
from fashionai.images.folders import Found, file_fault, folders_below

_LOG = logging.getLogger(__name__)

PICTURES = frozenset(('.avif', '.bmp', '.heic', '.heif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png',
                      '.pnm', '.ppm', '.tif', '.tiff', '.webp'))
VIDEOS = frozenset(('.avi', '.gif', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv'))
"""Endings of files that are taken from folders, in lower case; a file of another ending is a picture where it is named
itself."""


@dataclass(frozen=True)
class Source:
    """A file that was named or found: its path, its name below what was named, and why there is none, '' where it may
    be read."""

    path: str
    name: str
    fault: str = ''

    @property
    def is_video(self) -> bool:
        """Whether it has frames."""
        return Path(self.path).suffix.lower() in VIDEOS


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, or one that cannot be read: its source; the number of the frame in a video, the first is 0; (h, w, 3)
    uint8 BGR, or why it cannot be read, or None if it is still in its file; and how many million pixels it may have."""

    source: Source
    frame: Optional[int] = None
    content: Union[None, np.ndarray, Unreadable] = None
    megapixels: float = MEGAPIXELS

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.source.path if self.frame is None else f'{self.source.path}, frame {self.frame}'

    def read(self) -> Union[np.ndarray, Unreadable]:
        """Return the picture, upright, or why it cannot be read."""
        if self.content is not None:
            return self.content
        return read_or_unreadable(self.source.path, lambda path: read_upright(path, self.megapixels))


def sources_of(paths: Sequence[str]) -> List[Source]:
    """The files that paths name, each once, in their order: a file itself; of a folder, every picture and video below
    it, by name, hidden ones left out; of a pattern such as `shop/*.jpg`, or `shop/**/*.jpg`, what matches, by name.
    What names nothing is a source with a fault."""
    unique: Dict[str, Source] = {}
    for path in paths:
        for source in _sources_of(path):
            folder, name = os.path.split(os.path.abspath(source.path))
            unique.setdefault(os.path.join(os.path.realpath(folder), name), source)
    return list(unique.values())


def pictures_of(sources: Sequence[Source], every: int = 1, megapixels: float = MEGAPIXELS) -> Iterator[Picture]:
    """The pictures of the sources, in order; of a video, every so many frames from the first. Frames are read when
    they are asked for, other pictures by `read`. Pictures and frames of more million pixels are not decoded."""
    for source in sources:
        if source.fault:
            yield _unreadable(source, source.fault)
        elif source.is_video:
            yield from _frames(source, every, megapixels)
        else:
            yield Picture(source, megapixels=megapixels)


def expected(sources: Sequence[Source], every: int = 1) -> int:
    """How many pictures there are, as far as videos say how many frames they have."""
    return sum(_expected_frames(source, every) if source.is_video and not source.fault else 1 for source in sources)


def _sources_of(path: str) -> List[Source]:
    if os.path.isdir(path):  # unlike pathlib's, it raises nothing for what may not be looked at
        return _below(path) or [Source(path, path, 'a folder without pictures')]
    if os.path.lexists(path) or not glob.has_magic(path):
        return [Source(path, Path(path).name, file_fault(path))]
    matching, faults = _matching(path)
    found = [source for match in matching for source in _sources_of(match)] + _faulty(faults)
    return found or [Source(path, path, 'nothing matches')]


def _matching(pattern: str) -> Tuple[List[str], List[Found]]:
    """What matches a pattern, by name, and the folders that were not entered for it.

    A part `**` stands for folders of any depth. Python's own glob follows links in circles there.
    """
    parts = pattern.split(os.sep)
    if '**' not in parts:
        return sorted(glob.glob(pattern)), []
    place = parts.index('**')
    head, tail = os.sep.join(parts[:place]), os.sep.join(parts[place + 1:]) or '*'
    matches: Set[str] = set()
    faults: Dict[str, str] = {}
    for root in sorted(glob.glob(head)) if head else [os.sep if place else os.curdir]:
        for folder, _, closed in folders_below(root, hidden=False):
            deeper, more = _matching(os.path.join(glob.escape(os.path.normpath(folder)), tail))
            matches.update(map(os.path.normpath, deeper))
            faults.update((os.path.normpath(path), fault) for path, fault in closed + more)
    return sorted(matches - set(faults)), list(faults.items())


def _below(folder: str) -> List[Source]:
    """What is to be looked at in a folder and those in it, and the folders that are not entered."""
    files: List[Path] = []
    faults: List[Found] = []
    for place, names, closed in folders_below(folder, hidden=False):
        files += [Path(place, name) for name in names if _is_wanted(name)]
        faults += closed
    return [Source(str(file), str(file.relative_to(folder)), file_fault(file)) for file in sorted(files)
            ] + _faulty(faults)


def _faulty(faults: Sequence[Found]) -> List[Source]:
    return [Source(path, path, fault) for path, fault in faults]


def _is_wanted(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in PICTURES | VIDEOS and not name.startswith('.')


def _frames(source: Source, every: int, megapixels: float) -> Iterator[Picture]:
    video = _video(source.path)
    try:
        width, height = (int(video.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > megapixels * 1e6:
            yield _unreadable(source, f'frames of {width} x {height} pixels: at most {megapixels:g} million are read')
            return
        said, number = video.get(cv2.CAP_PROP_FRAME_COUNT), 0
        while video.isOpened() and video.grab():
            if number % every == 0:
                ok, image = video.retrieve()
                yield Picture(source, number, image) if ok else _unreadable(source, 'cannot be decoded', number)
            number += 1
        if not number:
            yield _unreadable(source, 'not a video that OpenCV can read' if _is_utf8(source.path) else
                              'OpenCV reads no video whose name is not UTF-8: give it another name')
        elif number < said - 1:  # some formats only estimate it
            _LOG.warning('%s: frames %d to %d are missing: was the video cut off?', source.path, number, said - 1)
    finally:
        video.release()


def _unreadable(source: Source, why: str, frame: Optional[int] = None) -> Picture:
    picture = Picture(source, frame)
    return replace(picture, content=Unreadable(f'{picture.label}: {why}'))


def _video(path: str) -> cv2.VideoCapture:
    """A video, closed where there is none. OpenCV ends the process at a name that is not UTF-8."""
    return cv2.VideoCapture(path) if _is_utf8(path) else cv2.VideoCapture()


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected_frames(source: Source, every: int) -> int:
    video = _video(source.path)
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 1
    video.release()
    return max(1, -(-frames // every))
