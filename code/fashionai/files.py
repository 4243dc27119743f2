"""Files that are whole or not there, and locks that keep two processes from writing one output."""
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Iterator, Union

from fashionai.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PathLike = Union[str, Path]


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yield the path of a draft beside `path`; at the end of the block the draft takes the place of `path`.

    The file appears complete or not at all; its folder is made. If the block raises, the draft is removed and `path`
    stays as it was. An OSError that names no file, such as "No space left on device", gets the name of `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.{os.getpid()}.tmp')
    try:
        yield draft
        os.replace(str(draft), str(path))
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise
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
