"""Sources of data sets: folders, .tar, .tar.gz, .tgz and .zip archives, and single files, all read in the same way.

Nothing is unpacked: a source lists the names of its files and returns their bytes, so a name in an archive never
becomes a path on the disk. Names are relative, with / between folders, whichever program made the archive.
"""
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from tqdm import tqdm

from fashionai.datasets.notes import Notes
from fashionai.errors import InputError
from fashionai.images.folders import Found, file_fault, folders_below

ARCHIVES = ('.tar', '.tar.gz', '.tgz', '.tar.bz2', '.tar.xz', '.zip')
"""Endings of the names of archives."""
PICTURES = ('.jpg', '.jpeg', '.png')
"""Endings of the names of pictures, in upper or lower case."""

LARGEST_FILE = 1 << 30
"""Largest file that is read, in bytes: a few megabytes of an archive can unpack to any number of gigabytes."""

Wanted = Callable[[str], bool]


class DataSource:
    """The files of a folder or an archive. `label` is its name in messages."""

    def __init__(self, location: Path) -> None:
        self.location = location
        self.label = location.name

    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        """Yields the name of every file, and its bytes if `wanted(name)`, else None; in the order of the archive.

        Raises InputError that names the archive if it is damaged or encrypted, or if a file is larger than
        LARGEST_FILE.
        """
        raise NotImplementedError

    def path(self, name: str) -> Optional[Path]:
        """Returns the path of a file on the disk; None if the file is in an archive."""
        return None

    def faults(self) -> List[Found]:
        """Returns names that are not read, with the reason, such as pipes and circular links."""
        return []


class _Folder(DataSource):
    """A folder with all files below it, links followed; or a single file, without the other files of its folder."""

    def __init__(self, location: Path) -> None:
        super().__init__(location)
        self._root = location if location.is_dir() else location.parent

    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        for name in self.names():
            yield name, self._content(name) if wanted(name) else None

    def _content(self, name: str) -> bytes:
        path = self._root / name
        _check_size(self.location, name, path.stat().st_size)
        return path.read_bytes()

    def path(self, name: str) -> Optional[Path]:
        return self._root / name

    def names(self) -> Iterator[str]:
        """Yields the names of the files."""
        for name, fault in self._found():
            if not fault:
                yield name

    def faults(self) -> List[Found]:
        return [(name, fault) for name, fault in self._found() if fault]

    def _found(self) -> Iterator[Found]:
        if self.location != self._root:
            yield self.location.name, file_fault(self.location)
            return
        for folder, files, closed in folders_below(str(self._root)):
            for path, fault in [(os.path.join(folder, file), '') for file in sorted(files)] + closed:
                name = Path(path).relative_to(self._root).as_posix()
                if not _is_left_over(name):
                    yield name, fault or file_fault(path)


class _Tar(DataSource):
    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        with _whole(self.location), tarfile.open(str(self.location)) as archive:
            for member in archive:
                name = _plain(member.name)
                if member.isfile() and not _is_left_over(name):
                    yield name, self._content(archive, member, name) if wanted(name) else None
            _check_end(archive)

    def _content(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes:
        _check_size(self.location, name, member.size)
        file = archive.extractfile(member)
        content = file.read() if file else b''
        if len(content) != member.size:
            raise tarfile.ReadError(f'{name} is cut off')
        return content


class _Zip(DataSource):
    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        with _whole(self.location), zipfile.ZipFile(str(self.location)) as archive:
            for member in archive.infolist():
                name = _plain(member.filename)
                if member.filename.endswith('/') or _is_left_over(name):
                    continue
                if member.flag_bits & 1:
                    raise InputError(f'{self.location}: encrypted; unpack it with its password and give the folder')
                if wanted(name):
                    _check_size(self.location, name, member.file_size)
                    yield name, archive.read(member)
                else:
                    yield name, None


def open_sources(paths: Sequence[Path]) -> List[DataSource]:
    """Opens folders, archives and single files, in the order given; after each folder come the archives in it.

    Raises InputError if a file has the name of an archive but is none, or cannot be read.
    """
    sources: List[DataSource] = []
    for path in paths:
        if path.is_dir():
            folder = _Folder(path)
            sources.append(folder)
            sources += [_archive(path / name) for name in folder.names() if name.lower().endswith(ARCHIVES)]
        elif file_fault(path):
            raise InputError(f'{path}: {file_fault(path)}')
        else:
            sources.append(_archive(path) if path.name.lower().endswith(ARCHIVES) else _Folder(path))
    return sources


def scan(sources: Sequence[DataSource], wanted: Wanted, notes: Notes) -> Iterator[Tuple[int, str, Optional[bytes]]]:
    """Yields every file of all sources: the number of its source, its name, and its bytes if `wanted(name)`, else None.

    Adds names that are not read to `notes`, and shows a progress bar.
    """
    for number, source in enumerate(sources):
        for name, fault in source.faults():
            notes['names that are not read'].append(f'{source.label}: {name} ({fault})')
        for name, data in tqdm(source.walk(wanted), desc=f'reading {source.label}', unit='file'):
            if source.path(name) is None and name.lower().endswith(ARCHIVES):
                notes['archives inside of archives, not read: unpack the outer one'].append(f'{source.label}: {name}')
            yield number, name, data


def is_picture(name: str) -> bool:
    """Returns whether a file has the name of a picture."""
    return name.lower().endswith(PICTURES)


class Pictures:
    """An index of the pictures of all sources by the end of their names.

    A place is (number of the source, name in the source).
    """

    def __init__(self) -> None:
        self._places: Dict[str, List[Tuple[int, str]]] = {}

    def add(self, number: int, name: str) -> None:
        """Adds a picture."""
        self._places.setdefault(name.rsplit('/', 1)[-1], []).append((number, name))

    def find(self, end: str, number: int, beside: str) -> Optional[Tuple[int, str]]:
        """Returns the place of the picture whose name ends with `end`, whole folders each; None if there is none.

        If there are several, pictures of the source `number` come first, then those that share most folders with the
        file `beside`.
        """
        found = [place for place in self._places.get(end.rsplit('/', 1)[-1], ())
                 if place[1] == end or place[1].endswith('/' + end)]
        return max(found, key=lambda place: (place[0] == number, _folders_shared(place[1], beside)), default=None)

    def places(self) -> List[Tuple[int, str]]:
        """Returns the places of all pictures."""
        return [place for places in self._places.values() for place in places]


def _archive(path: Path) -> DataSource:
    with _whole(path):
        if tarfile.is_tarfile(str(path)):
            return _Tar(path)
        if zipfile.is_zipfile(str(path)):
            return _Zip(path)
    raise InputError(f'{path}: not a tar or zip archive, or damaged, for example by an interrupted download')


def _check_end(archive: tarfile.TarFile) -> None:
    """Raises ReadError if the archive does not end after its last member.

    The standard library treats a damaged or cut off header as the end.
    """
    assert archive.fileobj is not None
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError(f'no end at byte {archive.offset}')


def _check_size(location: Path, name: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise InputError(f'{location}: {name} has {size} bytes, wanted {LARGEST_FILE} at most')


def _plain(name: str) -> str:
    return '/'.join(part for part in name.replace('\\', '/').split('/') if part not in ('', '.'))


def _is_left_over(name: str) -> bool:
    """Returns whether a file is one that macOS adds to archives, such as ._train.csv or __MACOSX/."""
    return any(part.startswith('._') or part == '__MACOSX' for part in name.split('/'))


def _folders_shared(first: str, second: str) -> int:
    return len(os.path.commonprefix([first.split('/')[:-1], second.split('/')[:-1]]))


@contextmanager
def _whole(location: Path) -> Iterator[None]:
    """Turns errors in an archive into an InputError that names it; the standard library raises many types of errors."""
    try:
        yield
    except InputError:
        raise
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
            NotImplementedError, RuntimeError, ValueError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.filename:
            raise  # an error of the disk, not of the archive
        raise InputError(f'{location}: damaged, cut off or of an unsupported kind: {str(error)[:200]}') from error
