"""Finds and reads the pictures that a user names: files, folders, patterns, and the frames of videos."""
import glob
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

import cv2
import numpy as np

from fashionai.garments.boxes import GarmentBox
from fashionai.images.decoder import MEGAPIXELS, Unreadable, read_or_unreadable, read_upright
from fashionai.images.folders import Found, file_fault, folders_below

_LOG = logging.getLogger(__name__)

PICTURES = frozenset(('.avif', '.bmp', '.heic', '.heif', '.jp2', '.jpe', '.jpeg', '.jpg', '.pbm', '.pgm', '.png',
                      '.pnm', '.ppm', '.tif', '.tiff', '.webp'))
VIDEOS = frozenset(('.avi', '.gif', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv'))
"""Endings of the files that are read in folders, in lower case. A file with another ending is read as a picture if the
user names the file itself."""


@dataclass(frozen=True)
class MediaFile:
    """A picture or video file that the user named, or that was found in a folder.

    path: its path.
    name: its path from the folder that the user named.
    fault: the reason why it cannot be read; '' if it can.
    """

    path: str
    name: str
    fault: str = ''

    @property
    def is_video(self) -> bool:
        """Whether the file is a video."""
        return Path(self.path).suffix.lower() in VIDEOS


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture.

    source: its file.
    frame: the number of the frame in a video, from 0; None for a picture file.
    content: (h, w, 3) uint8 BGR, or Unreadable; None if it is not yet read.
    megapixels: the largest allowed size in million pixels.
    boxes: its garments; None: it has one, somewhere in the picture.
    """

    source: MediaFile
    frame: Optional[int] = None
    content: Union[None, np.ndarray, Unreadable] = None
    megapixels: float = MEGAPIXELS
    boxes: Optional[Sequence[GarmentBox]] = None

    @property
    def label(self) -> str:
        """The name of the picture in messages."""
        return self.source.path if self.frame is None else f'{self.source.path}, frame {self.frame}'

    def read(self) -> Union[np.ndarray, Unreadable]:
        """Returns the picture, upright, or Unreadable with the reason."""
        if self.content is not None:
            return self.content
        return read_or_unreadable(self.source.path, lambda path: read_upright(path, self.megapixels))


def sources_of(paths: Sequence[str]) -> List[MediaFile]:
    """Returns the files that the paths name, each once, in order.

    A path is a file, or a folder: then every picture and video below it is read, in the order of names, without hidden
    ones; or a pattern such as `shop/*.jpg` or `shop/**/*.jpg`: then every match is read, in the order of names. A path
    that names nothing becomes a MediaFile with a fault.
    """
    unique: Dict[str, MediaFile] = {}
    for path in paths:
        for source in _sources_of(path):
            folder, name = os.path.split(os.path.abspath(source.path))
            unique.setdefault(os.path.join(os.path.realpath(folder), name), source)
    return list(unique.values())


def pictures_of(sources: Sequence[MediaFile], every: int = 1, megapixels: float = MEGAPIXELS) -> Iterator[Picture]:
    """Yields the pictures of the files, in order.

    Args:
        sources: the files.
        every: in a video, read the first of each `every` frames.
        megapixels: the largest allowed size in million pixels; larger pictures and frames are not decoded.

    Frames are decoded one by one as they are yielded; other pictures are decoded by `Picture.read`.
    """
    for source in sources:
        if source.fault:
            yield _unreadable(source, source.fault)
        elif source.is_video:
            yield from _frames(source, every, megapixels)
        else:
            yield Picture(source, megapixels=megapixels)


def expected(sources: Sequence[MediaFile], every: int = 1) -> int:
    """Returns the number of pictures; for videos, it is an estimate from their headers."""
    return sum(_expected_frames(source, every) if source.is_video and not source.fault else 1 for source in sources)


def _sources_of(path: str) -> List[MediaFile]:
    if os.path.isdir(path):  # unlike pathlib's function, it does not raise if access is denied
        return _below(path) or [MediaFile(path, path, 'a folder without pictures')]
    if os.path.lexists(path) or not glob.has_magic(path):
        return [MediaFile(path, Path(path).name, file_fault(path))]
    matching, faults = _matching(path)
    found = [source for match in matching for source in _sources_of(match)] + _faulty(faults)
    return found or [MediaFile(path, path, 'nothing matches')]


def _matching(pattern: str) -> Tuple[List[str], List[Found]]:
    """Returns the matches of a pattern, in the order of names, and the folders that were not entered.

    A part `**` matches folders of any depth. Python's own glob would follow circular links.
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


def _below(folder: str) -> List[MediaFile]:
    """Returns the pictures and videos below a folder, and the folders that are not entered."""
    files: List[Path] = []
    faults: List[Found] = []
    for place, names, closed in folders_below(folder, hidden=False):
        files += [Path(place, name) for name in names if _is_wanted(name)]
        faults += closed
    return [MediaFile(str(file), str(file.relative_to(folder)), file_fault(file)) for file in sorted(files)
            ] + _faulty(faults)


def _faulty(faults: Sequence[Found]) -> List[MediaFile]:
    return [MediaFile(path, path, fault) for path, fault in faults]


def _is_wanted(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in PICTURES | VIDEOS and not name.startswith('.')


def _frames(source: MediaFile, every: int, megapixels: float) -> Iterator[Picture]:
    video = _video(source.path)
    try:
        width, height = (int(video.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > megapixels * 1e6:
            yield _unreadable(source, f'frames of {width} x {height} pixels: at most {megapixels:g} million are '
                                      'allowed')
            return
        said, number = video.get(cv2.CAP_PROP_FRAME_COUNT), 0
        while video.isOpened() and video.grab():
            if number % every == 0:
                ok, image = video.retrieve()
                yield Picture(source, number, image) if ok else _unreadable(source, 'cannot be decoded', number)
            number += 1
        if not number:
            yield _unreadable(source, 'not a video that OpenCV can read' if _is_utf8(source.path) else
                              'OpenCV cannot read a video whose name is not UTF-8: rename it')
        elif number < said - 1:  # some formats only estimate it
            _LOG.warning('%s: frames %d to %d are missing: the video may be cut off', source.path, number, said - 1)
    finally:
        video.release()


def _unreadable(source: MediaFile, why: str, frame: Optional[int] = None) -> Picture:
    picture = Picture(source, frame)
    return replace(picture, content=Unreadable(f'{picture.label}: {why}'))


def _video(path: str) -> cv2.VideoCapture:
    """Returns a video, not opened if it cannot be read. OpenCV would end the process for a name that is not UTF-8."""
    return cv2.VideoCapture(path) if _is_utf8(path) else cv2.VideoCapture()


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected_frames(source: MediaFile, every: int) -> int:
    video = _video(source.path)
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 1
    video.release()
    return max(1, -(-frames // every))
