"""Reads files by path or URL: of this machine, of the web, or of a file system that pyarrow or fsspec knows (S3, GCS).

A place is a path, or a URL such as `s3://bucket/shop/1.jpg`.
"""
import io
import os
import re
import time
from functools import lru_cache
from http.client import HTTPException
from typing import Any, BinaryIO, Callable, List, Tuple, cast
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from fashionai.errors import InputError, in_a_line

MOST_BYTES = 200 * 2 ** 20
"""The largest file of a picture that is read from another machine."""

TRIES = 3
"""So often is a file of another machine asked for, if the network fails."""

_SECONDS = 60
"""Time for an answer of a web server."""

_SCHEME = re.compile('([A-Za-z][A-Za-z0-9+.-]+)://')
_WEB = ('http', 'https')
_BUFFER = 2 ** 16


def scheme_of(place: str) -> str:
    """Returns the scheme of a URL in lower case; '' for a path of this machine, also as file://."""
    match = _SCHEME.match(place)
    return match.group(1).lower() if match and match.group(1).lower() != 'file' else ''


def local_path(place: str) -> str:
    """Returns the path of a place of this machine."""
    return place[len('file://'):] if place.lower().startswith('file://') else place


def absolute(place: str, folder: str = '') -> str:
    """Returns the place so that a process with another working directory finds it. Relative paths start in `folder`, or
    in the working directory."""
    return place if scheme_of(place) else os.path.abspath(os.path.join(folder, local_path(place)))


def joined(place: str, name: str) -> str:
    """Returns the place of a name below a folder. The options of a URL, which follow a question mark, stay."""
    folder, mark, options = place.partition('?') if scheme_of(place) else (place, '', '')
    return f'{folder.rstrip("/")}/{name}{mark}{options}'


class Places:
    """Opens files. It keeps the connections to file systems of other machines. Several threads may use it.

    Raises InputError, which names the place, if a file cannot be read.
    """

    def __init__(self) -> None:
        self._folder: Callable[[str], Tuple[Any, str]] = lru_cache(maxsize=64)(_opened)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Places, ()  # another process makes connections of its own

    def system(self, place: str) -> Tuple[Any, str]:
        """Returns the file system of pyarrow that has a place, and the place's path in it.

        Raises ModuleNotFoundError without pyarrow.
        """
        if not scheme_of(place):
            folder, name = os.path.split(absolute(place))
            options = ''
        else:
            head, mark, options = place.partition('?')
            folder, name = head.rstrip('/').rsplit('/', 1)
            options = mark + options
            if folder.endswith('/'):  # the place is a whole bucket
                return self._folder(place)
        system, path = self._folder(folder + options)
        return system, f'{path.rstrip("/")}/{name}'

    def open(self, place: str) -> BinaryIO:
        """Returns a file that can be read at any position."""
        system, path = self.system(place)
        try:
            return cast(BinaryIO, io.BufferedReader(system.open_input_file(path), _BUFFER))
        except Exception as error:  # each file system has classes of its own
            raise InputError(f'{place}: cannot be read: {in_a_line(error)}') from None

    def read(self, place: str, start: int = 0, size: int = MOST_BYTES) -> bytes:
        """Returns `size` bytes of a file of another machine from `start`, or all that it has if it is smaller. If the
        network fails, it tries again."""
        scheme = scheme_of(place)
        for turn in range(TRIES):
            try:
                return _web_bytes(place) if scheme in _WEB else self._bytes(place, start, size)
            except (ValueError, FileNotFoundError, PermissionError, IsADirectoryError) as error:
                reason: Exception = error
                break
            except (OSError, HTTPException) as error:
                reason = error
                if isinstance(error, HTTPError) and error.code < 500 and error.code != 429:
                    break
                if turn + 1 < TRIES:
                    time.sleep(4 ** turn)
        raise InputError(f'{place}: cannot be read: {in_a_line(reason)}')

    def _bytes(self, place: str, start: int, size: int) -> bytes:
        system, path = self.system(place)
        try:
            with system.open_input_file(path) as file:
                return file.read_at(min(size, file.size() - start), start)
        except (OSError, ValueError):
            raise
        except Exception as error:  # of a file system of fsspec
            raise ValueError(in_a_line(error)) from None

    def files(self, place: str) -> List[str]:
        """Returns the paths of all files below a folder, from that folder, in their order; [] if it is no folder."""
        from pyarrow.fs import FileSelector, FileType
        system, path = self.system(place)
        try:
            found = system.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
        except NotADirectoryError:
            return []
        except Exception as error:
            raise InputError(f'{place}: cannot be listed: {in_a_line(error)}') from None
        return sorted(item.path[len(path):].lstrip('/') for item in found if item.type == FileType.File)

    def size(self, place: str) -> int:
        """Returns the bytes of a file."""
        system, path = self.system(place)
        try:
            size = system.get_file_info(path).size
        except Exception as error:
            raise InputError(f'{place}: cannot be read: {in_a_line(error)}') from None
        if size is None:
            raise InputError(f'{place}: no such file')
        return int(size)


def _opened(folder: str) -> Tuple[Any, str]:
    """Returns the file system of a folder and the folder's path in it. Raises InputError if none knows it."""
    from pyarrow import ArrowInvalid, fs
    if not scheme_of(folder):
        return fs.LocalFileSystem(), folder
    try:
        return fs.FileSystem.from_uri(quote(folder, safe="/:%@?&=+,~!$'()*;[]#"))
    except (ArrowInvalid, NotImplementedError) as unknown:  # of pyarrow; fsspec knows many more
        try:
            import fsspec
            system, path = fsspec.core.url_to_fs(folder)
        except Exception as error:
            raise InputError(f'{folder}: neither pyarrow ({in_a_line(unknown)}) nor fsspec ({in_a_line(error)}) '
                             'knows such a place') from None
        return fs.PyFileSystem(fs.FSSpecHandler(system)), path
    except OSError as error:
        raise InputError(f'{folder}: cannot be reached: {in_a_line(error)}') from None


def _web_bytes(url: str) -> bytes:
    with urlopen(url, timeout=_SECONDS) as answer:
        content = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f'it has more than {MOST_BYTES // 2 ** 20} MB')
    return content
