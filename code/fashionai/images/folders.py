"""Lists the files below folders, and says why other things are not read."""
import errno
import os
import stat
from pathlib import Path
from typing import Iterator, List, Set, Tuple, Union

Found = Tuple[str, str]
"""A path, and the reason why it is not read; '' if it can be read."""

_KINDS = ((stat.S_ISDIR, 'a folder, not a file'), (stat.S_ISFIFO, 'a pipe, not a file'),
          (stat.S_ISSOCK, 'a socket, not a file'), (stat.S_ISCHR, 'a device, not a file'),
          (stat.S_ISBLK, 'a device, not a file'))


def file_fault(path: Union[str, Path]) -> str:
    """Returns the reason why a path is not read, or '' for a regular file.

    Pipes, sockets and devices are not read, since a reader may wait for them forever.
    """
    try:
        mode = os.stat(str(path)).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return 'a link that leads back to itself'
        if isinstance(error, FileNotFoundError):
            return 'a link to a file that does not exist' if os.path.islink(str(path)) else 'no such file'
        return f'cannot be read: {error.strerror}'
    except ValueError as error:  # a zero byte in the name
        return f'cannot be read: {error}'
    return '' if stat.S_ISREG(mode) else next((kind for is_kind, kind in _KINDS if is_kind(mode)), 'not a file')


def folders_below(folder: str, hidden: bool = True) -> Iterator[Tuple[str, List[str], List[Found]]]:
    """Yields a folder and all folders below it, links followed, each once, in the order of their names.

    Each is a triple: the folder, the names in it that are not folders, and the folders in it that are not entered, with
    the reason. `hidden`: whether to enter folders whose names start with a dot.
    """
    seen: Set[str] = set()
    closed: List[OSError] = []
    for place, folders, names in os.walk(folder, followlinks=True, onerror=closed.append):
        real = os.path.realpath(place)
        folders.sort()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if hidden or not name.startswith('.')]
        looping = [name for name in folders if _leads_back(os.path.join(place, name), folder)]
        folders[:] = [name for name in folders if name not in looping]
        yield place, names, [(os.path.join(place, name), 'a link that leads back to a folder above it')
                             for name in looping]
    for error in closed:
        yield folder, [], [(str(error.filename), f'a folder that cannot be read: {error.strerror}')]


def _leads_back(path: str, root: str) -> bool:
    """Returns whether a path below `root` is a link to a folder above it."""
    if not os.path.islink(path):
        return False
    target, above = os.path.realpath(path), path
    while above != root:
        above = os.path.dirname(above)
        real = os.path.realpath(above)
        if real == target or real.startswith(target.rstrip(os.sep) + os.sep):
            return True
    return False
