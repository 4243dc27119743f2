"""Writes files completely or not at all, reads JSON, YAML and XML, and locks outputs against a second process."""
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Tuple, Union

from fashionai.errors import InputError, shown
from fashionai.extras import missing_package

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PathLike = Union[str, Path]

_MOST_NODES = 100000
"""Largest number of values in a YAML file; a few lines of aliases can stand for billions."""

_SURROGATE = re.compile(rb'\\u[dD][89a-fA-F]')
"""The start of an escaped surrogate: one half of a character beyond 16 bits."""


@contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """Adds the name of `path` to an OSError of the block that names no file, such as "No space left on device"."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def replacing(path: PathLike) -> Iterator[Path]:
    """Yields the path of a draft beside `path`; at the end of the block the draft replaces `path`.

    The file appears complete or not at all; its folder is created. If the block raises, the draft is removed and `path`
    stays as it was. An OSError that names no file gets the name of `path`. A device or a pipe, such as /dev/stdout, is
    written directly.
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
    """Writes a file, completely or not at all."""
    with replacing(path) as draft:
        draft.write_bytes(content)


def write_text(path: PathLike, text: str) -> None:
    """Writes a file in UTF-8 with unchanged line ends, completely or not at all."""
    write_bytes(path, text.encode('utf-8'))


def write_json(path: PathLike, content: Any, indent: int = 1) -> None:
    """Writes a JSON file, completely or not at all."""
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + '\n')


def read_json(path: PathLike) -> Any:
    """Reads a JSON file. Errors as in `parse_json`, and OSError if the file cannot be read."""
    return parse_json(Path(path).read_bytes(), str(path))


def read_object_if_any(path: PathLike) -> Dict[str, Any]:
    """Returns the JSON object in a file; {} if there is no file. Raises InputError if it holds anything else."""
    path = Path(path)
    return parse_object(path.read_bytes(), str(path)) if path.is_file() else {}


def parse_object(content: bytes, name: str) -> Dict[str, Any]:
    """Parses a JSON object. Errors as in `parse_json`, and InputError for any other value."""
    values = parse_json(content, name)
    if not isinstance(values, dict):
        raise InputError(f'{name} holds a {type(values).__name__}: wanted an object')
    return values


def parse_json(content: bytes, name: str, allow_nan: bool = False) -> Any:
    """Parses JSON in UTF-8, with or without a byte order mark; every JSON file is read by this function.

    Args:
        content: the bytes of the file.
        name: the name of the file in messages.
        allow_nan: accept the numbers NaN and Infinity, which some other tools write.

    Raises InputError that names the file if it is not JSON, has a key twice in one object, or is nested too deep.
    """
    def refused(constant: str) -> float:
        raise InputError(f'{name}: {constant} is not a valid number in JSON')

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
        raise InputError(f'{name} cannot be used: its JSON is nested too deep') from None
    except InputError:
        raise
    except ValueError as error:  # not JSON, not UTF-8, half of a character, or a number of thousands of digits
        raise InputError(f'{name} is not JSON: {error}') from None


def parse_yaml(content: bytes, name: str) -> Any:
    """Parses YAML in UTF-8; every YAML file is read by this function.

    Raises InputError that names the file if PyYAML is missing, if the file is not YAML, is nested too deep, has a key
    twice in one mapping, or if its aliases stand for more than _MOST_NODES values.
    """
    try:
        import yaml
    except ImportError:
        raise InputError(f'{name}: {missing_package("yaml")}') from None
    try:
        text = content.decode('utf-8-sig')
        _check_nodes(name, yaml.compose(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except InputError:
        raise
    except RecursionError:
        raise InputError(f'{name} cannot be used: its YAML is nested too deep') from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML does not catch errors of dates and numbers
        raise InputError(f'{name} is not YAML: {" ".join(str(error).split())}') from None


def _check_nodes(name: str, root: Any) -> None:
    """Raises InputError if a YAML tree contains itself, has too many nodes, or has a key twice in one mapping.

    An alias counts as all the nodes that it stands for. PyYAML itself would keep the last of two equal keys.
    """
    waiting, count = [root], 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > _MOST_NODES:
            raise InputError(f'{name}: more than {_MOST_NODES} values, or a value that contains itself')
        parts = node.value if node is not None and isinstance(node.value, list) else []
        pairs = [part for part in parts if isinstance(part, tuple)]
        twice = [key for key, number in Counter(str(key.value) for key, _ in pairs).items() if number > 1]
        if twice:
            raise InputError(f'{name}: {", ".join(twice)[:300]} more than once')
        waiting += [value for _, value in pairs] + [part for part in parts if not isinstance(part, tuple)]


def parse_xml(content: bytes, name: str) -> ElementTree.Element:
    """Parses XML in UTF-8. Declarations of documents and entities are refused: a few lines of them can stand for
    gigabytes.

    Raises InputError that names the file if it is not XML, or has such a declaration.
    """
    try:
        text = content.decode('utf-8-sig')
        if '<!DOCTYPE' in text or '<!ENTITY' in text:
            raise InputError(f'{name} cannot be used: it has a document type or entities')
        return ElementTree.fromstring(text)
    except InputError:
        raise
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f'{name} is not XML: {error}') from None


@contextmanager
def locked(output: PathLike, action: str) -> Iterator[None]:
    """Holds the lock of an output file or folder during the block; the lock is a hidden file beside the output.

    The system releases the lock when the process ends, in whatever way. On systems without flock nothing is locked.

    Args:
        output: the file or folder that only one process may write.
        action: the command that holds the lock, such as 'run.py', for the message to the second process.

    Raises InputError that names the process if another process holds the lock.
    """
    if fcntl is None:
        yield
        return
    output = Path(output)
    path = output.with_name(f'.{output.name}.lock')
    file = _acquired(path, output)
    os.register_at_fork(after_in_child=file.close)  # otherwise a worker that outlives this process keeps the lock
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
    """Returns the open and locked file. The last holder may remove the file at any moment; then it is created again."""
    while True:
        file = open(str(path), 'a+', encoding='utf-8')
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read() or 'another process'
            file.close()
            raise InputError(f'{output} is being written by {holder}: wait until it ends, or choose another output'
                             ) from None
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), os.stat(str(path))):
            return file
        file.close()
