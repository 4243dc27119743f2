"""Where data sets come from: folders, .tar, .tar.gz, .tgz and .zip archives, and single files, read alike.

Nothing is unpacked: a source tells the names of its files and gives their bytes, so no name in an archive ever becomes
a path on the disk. Names are relative, with / between folders, whatever made the archive.
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
"""Endings by which archives in a folder are known."""
PICTURES = ('.jpg', '.jpeg', '.png')
"""Endings by which pictures are known, in any case."""

LARGEST_FILE = 1 << 30
"""Bytes of a file that is read; a few megabytes of an archive can stand for any number of gigabytes."""

Wanted = Callable[[str], bool]


class Source:
    """The files of a folder or an archive; `label` is what messages call it."""

    def __init__(self, location: Path) -> None:
        self.location = location
        self.label = location.name

    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        """The name of every file, in the order in which they are read fastest, with the bytes of those wanted.

        Raises InputError, naming the archive, where it is damaged or encrypted, and for a file of more bytes than
        LARGEST_FILE.
        """
        raise NotImplementedError

    def path(self, name: str) -> Optional[Path]:
        """The file itself where it lies on the disk, else None."""
        return None

    def faults(self) -> List[Found]:
        """What is not read, such as pipes and links that lead in a circle."""
        return []


class _Folder(Source):
    """A folder with all below it, links followed, or a single file, which then is all there is of its folder."""

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
        """The names of the files."""
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


class _Tar(Source):
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


class _Zip(Source):
    def walk(self, wanted: Wanted) -> Iterator[Tuple[str, Optional[bytes]]]:
        with _whole(self.location), zipfile.ZipFile(str(self.location)) as archive:
            for member in archive.infolist():
                name = _plain(member.filename)
                if member.filename.endswith('/') or _is_left_over(name):
                    continue
                if member.flag_bits & 1:
                    raise InputError(f'{self.location}: encrypted; unpack it with its password, and name the folder')
                if wanted(name):
                    _check_size(self.location, name, member.file_size)
                    yield name, archive.read(member)
                else:
                    yield name, None


def open_sources(paths: Sequence[Path]) -> List[Source]:
    """The sources that a user names, in that order: folders, each with the archives in it, archives and files.

    Raises InputError for what has the name of an archive and is none.
    """
    sources: List[Source] = []
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


def scan(sources: Sequence[Source], wanted: Wanted, notes: Notes) -> Iterator[Tuple[int, str, Optional[bytes]]]:
    """Every file of all sources, with its source's number and, of those wanted, the bytes; shows a progress bar."""
    for number, source in enumerate(sources):
        for name, fault in source.faults():
            notes['names that are not read'].append(f'{source.label}: {name} ({fault})')
        for name, data in tqdm(source.walk(wanted), desc=f'looking into {source.label}', unit='file'):
            if source.path(name) is None and name.lower().endswith(ARCHIVES):
                notes['archives inside of archives, not read: unpack the outer one'].append(f'{source.label}: {name}')
            yield number, name, data


def is_picture(name: str) -> bool:
    """Whether a file's name is that of a picture."""
    return name.lower().endswith(PICTURES)


class Pictures:
    """The pictures of all sources, found by the end of their names. A place is (number of the source, name in it)."""

    def __init__(self) -> None:
        self._places: Dict[str, List[Tuple[int, str]]] = {}

    def add(self, number: int, name: str) -> None:
        """Take note of a picture."""
        self._places.setdefault(name.rsplit('/', 1)[-1], []).append((number, name))

    def find(self, end: str, number: int, beside: str) -> Optional[Tuple[int, str]]:
        """The place of the picture whose name ends with those folders and that file; None where no source has it.

        Of several, that of the source of that number, and there the nearest to the file `beside`.
        """
        found = [place for place in self._places.get(end.rsplit('/', 1)[-1], ())
                 if place[1] == end or place[1].endswith('/' + end)]
        return max(found, key=lambda place: (place[0] == number, _folders_shared(place[1], beside)), default=None)

    def places(self) -> List[Tuple[int, str]]:
        """Every picture's place."""
        return [place for places in self._places.values() for place in places]


def _archive(path: Path) -> Source:
    with _whole(path):
        if tarfile.is_tarfile(str(path)):
            return _Tar(path)
        if zipfile.is_zipfile(str(path)):
            return _Zip(path)
    raise InputError(f'{path}: neither a tar nor a zip archive, or damaged, such as by a download that broke off')


def _check_end(archive: tarfile.TarFile) -> None:
    """Raises ReadError for an archive whose members have all been read and that does not end behind them: the standard
    library takes a damaged or cut off header as the end."""
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
    """What macOS leaves beside files: ._train.csv, __MACOSX/."""
    return any(part.startswith('._') or part == '__MACOSX' for part in name.split('/'))


def _folders_shared(first: str, second: str) -> int:
    return len(os.path.commonprefix([first.split('/')[:-1], second.split('/')[:-1]]))


@contextmanager
def _whole(location: Path) -> Iterator[None]:
    """Raise faults inside an archive as InputError that names it. The standard library raises many kinds of them."""
    try:
        yield
    except InputError:
        raise
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError,
            NotImplementedError, RuntimeError, ValueError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.filename:
            raise  # it is the disk's, not the archive's
        raise InputError(f'{location}: damaged, cut off or of an unusual kind: {str(error)[:200]}') from error
