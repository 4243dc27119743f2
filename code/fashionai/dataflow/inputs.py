"""The pictures that a user names: files, folders, patterns, and the frames of videos."""
import glob
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Union

import cv2
import numpy as np

from fashionai.dataflow.reading import read_or_reason, read_upright

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
    """A picture, or one that could not be had: where it comes from, the number of the frame in a video (the first is
    0), and (h, w, 3) uint8 BGR, why there is none, or None where it is still in its file."""

    source: Source
    frame: Optional[int] = None
    content: Union[None, np.ndarray, str] = None

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.source.path if self.frame is None else f'{self.source.path}, frame {self.frame}'

    def read(self) -> Union[np.ndarray, str]:
        """The picture, upright, or in one line why it cannot be read."""
        return read_or_reason(self.source.path, read_upright) if self.content is None else self.content


def sources_of(paths: Sequence[str]) -> List[Source]:
    """The files that paths name, each once, in their order: a file itself; of a folder, every picture and video below
    it, by name, hidden ones left out; of a pattern such as `shop/*.jpg`, or `shop/**/*.jpg`, what matches, by name.
    What names nothing is a source with a fault."""
    unique: Dict[str, Source] = {}
    for path in paths:
        for source in _sources_of(path):
            unique.setdefault(os.path.abspath(source.path), source)
    return list(unique.values())


def pictures_of(sources: Sequence[Source], every: int = 1) -> Iterator[Picture]:
    """The pictures of the sources, in order; of a video, every so many frames from the first. Frames are read when
    they are asked for, other pictures by `read`."""
    for source in sources:
        if source.fault:
            yield Picture(source, content=f'{source.path}: {source.fault}')
        elif source.is_video:
            yield from _frames(source, every)
        else:
            yield Picture(source)


def expected(sources: Sequence[Source], every: int = 1) -> int:
    """How many pictures there are, as far as videos say how many frames they have."""
    return sum(_expected_frames(source, every) if source.is_video and not source.fault else 1 for source in sources)


def _sources_of(path: str) -> List[Source]:
    if os.path.isdir(path):  # unlike pathlib's, it raises nothing for what may not be looked at
        return _below(path) or [Source(path, path, 'a folder without pictures')]
    if os.path.exists(path) or not glob.has_magic(path):
        return [Source(path, Path(path).name)]
    matching = sorted(glob.glob(path, recursive=True))
    return [source for match in matching for source in _sources_of(match)] or [Source(path, path, 'nothing matches')]


def _below(folder: str) -> List[Source]:
    """What is to be looked at in a folder and those in it, and the folders that the system keeps closed."""
    closed: List[Source] = []
    files: List[Path] = []
    for place, folders, names in os.walk(folder, onerror=lambda error: closed.append(
            Source(error.filename, error.filename, f'a folder that cannot be looked into: {error.strerror}'))):
        folders[:] = [name for name in folders if not name.startswith('.')]
        files += [Path(place, name) for name in names if _is_wanted(name)]
    return [Source(str(file), str(file.relative_to(folder))) for file in sorted(files)
            if os.path.isfile(str(file))] + closed


def _is_wanted(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in PICTURES | VIDEOS and not name.startswith('.')


def _frames(source: Source, every: int) -> Iterator[Picture]:
    video = _video(source.path)
    try:
        said, number = video.get(cv2.CAP_PROP_FRAME_COUNT), 0
        while video.isOpened() and video.grab():
            if number % every == 0:
                ok, image = video.retrieve()
                yield Picture(source, number, image if ok else f'{source.path}, frame {number}: cannot be decoded')
            number += 1
        if not number:
            yield Picture(source, content=f'{source.path}: {_video_fault(source.path)}')
        elif number < said - 1:  # some formats only estimate it
            _LOG.warning('%s: frames %d to %d are missing: was the video cut off?', source.path, number, said - 1)
    finally:
        video.release()


def _video(path: str) -> cv2.VideoCapture:
    """A video, closed where there is none. OpenCV ends the process at a name that is not UTF-8."""
    return cv2.VideoCapture(path) if _is_utf8(path) else cv2.VideoCapture()


def _video_fault(path: str) -> str:
    """Why a video has no frames, in words."""
    if not _is_utf8(path):
        return 'OpenCV reads no video whose name is not UTF-8: give it another name'
    return 'not a video that OpenCV can read' if os.path.exists(path) else 'no such video'


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
