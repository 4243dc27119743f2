"""Files that are whole or not there, JSON read strictly, and locks that keep two processes from writing one output."""
import json
import os
import re
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Tuple, Union

from fashionai.errors import InputError, shown

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PathLike = Union[str, Path]

_SURROGATE = re.compile(rb'\\u[dD][89a-fA-F]')
"""The escape of one half of a character beyond 16 bits."""


@contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """An OSError of the block that names no file, such as "No space left on device", gets the name of `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield the path of a draft beside `path`; at the end of the block the draft takes the place of `path`.

    The file appears complete or not at all; its folder is made. If the block raises, the draft is removed and `path`
    stays as it was. An OSError that names no file gets the name of `path`. A device or a pipe, such as /dev/stdout, is
    written itself.
    """
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        with naming(path):
            yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.{os.getpid()}.tmp')
    try:
        with naming(path):
            yield draft
        os.replace(str(draft), str(path))
    finally:
        if draft.exists():
            draft.unlink()


def write_bytes(path: PathLike, content: bytes) -> None:
    """Write a file: whole, or not at all."""
    with replacing(path) as draft:
        draft.write_bytes(content)


def write_text(path: PathLike, text: str) -> None:
    """Write a file in UTF-8, line ends as they are: whole, or not at all."""
    write_bytes(path, text.encode('utf-8'))


def write_json(path: PathLike, content: Any, indent: int = 1) -> None:
    """Write a JSON file: whole, or not at all."""
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + '\n')


def read_json(path: PathLike) -> Any:
    """Read a JSON file; errors as in `parse_json`, and OSError for a file that cannot be read."""
    return parse_json(Path(path).read_bytes(), str(path))


def parse_json(content: bytes, name: str, allow_nan: bool = False) -> Any:
    """Parse JSON in UTF-8, with or without a byte order mark; every JSON file is read by this function.

    Args:
        content: the bytes of the file.
        name: what messages call the file.
        allow_nan: accept the numbers NaN and Infinity, which some writers of other people's files use.

    Raises InputError, naming the file, if it is not JSON, has a key twice in one object, or is nested too deep.
    """
    def refused(constant: str) -> float:
        raise InputError(f'{name}: {constant} is not a number of JSON')

    def distinct(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise InputError(f'{name}: the key {shown(twice)} occurs more than once in an object')
        return values

    try:
        values = json.loads(content.decode('utf-8-sig'), object_pairs_hook=distinct,
                            parse_constant=float if allow_nan else refused)
        if _SURROGATE.search(content):
            json.dumps(values, ensure_ascii=False).encode('utf-8')  # fails for half of a pair
        return values
    except RecursionError:
        raise InputError(f'{name} is not usable: its JSON is nested too deep') from None
    except InputError:
        raise
    except ValueError as error:  # not JSON, not UTF-8, half of a character, or a number of thousands of digits
        raise InputError(f'{name} is not JSON: {error}') from None


@contextmanager
def locked(output: PathLike, action: str) -> Iterator[None]:
    """Hold the lock of an output file or folder during the block; the lock is a hidden file beside the output.

    The system releases the lock when the process ends, however it ends. On systems without flock nothing is locked.

    Args:
        output: what only one process may write.
        action: what the holder does, such as 'run.py', for the message to the second process.

    Raises InputError, naming the process that holds the lock, if another process holds it.
    """
    if fcntl is None:
        yield
        return
    output = Path(output)
    path = output.with_name(f'.{output.name}.lock')
    file = _acquired(path, output)
    os.register_at_fork(after_in_child=file.close)  # else a worker that outlives this process would keep the lock
    try:
        file.seek(0)
        file.truncate()
        file.write(f'{action}, process {os.getpid()}')
        file.flush()
        yield
    finally:
        if path.exists():
            path.unlink()
        file.close()


def _acquired(path: Path, output: Path) -> IO[str]:
    """The open and locked file. The last holder may remove it at any moment: then a new one is made."""
    while True:
        file = open(str(path), 'a+', encoding='utf-8')
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read() or 'another process'
            file.close()
            raise InputError(f'{output} is being written by {holder}: wait until it ends, or give another output'
                             ) from None
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), os.stat(str(path))):
            return file
        file.close()
