"""The numbered list of all pictures of a run: of folders, lists, Parquet files and tars.

A part of a list is a list too. It says where pictures are and does not have them, so a driver sends it to a worker,
which reads them.
"""
import hashlib
import tarfile
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from fashionai.bulk.places import Places, absolute, joined, local_path, scheme_of
from fashionai.bulk.rows import Row
from fashionai.errors import InputError, in_a_line, shown
from fashionai.images.sources import PICTURES, sources_of
from fashionai.results.writers import printable

PARQUET, TAR = '.parquet', '.tar'
LISTS = ('.txt', '.list')
"""Endings of text files with a path or URL on each line."""

ID_COLUMN = 'id'
PICTURE_COLUMNS = ('bytes', 'image', 'path', 'url')
"""Columns of a Parquet file that are looked for, in this order."""

_ROWS = 16
"""Rows with bytes of pictures that are read from a Parquet file together."""


@dataclass(frozen=True)
class Columns:
    """The columns of Parquet files that a user names; '': see ID_COLUMN and PICTURE_COLUMNS."""

    id: str = ''
    picture: str = ''


@dataclass(frozen=True)
class Files:
    """Pictures that are files.

    Attributes:
        names: their ids.
        places: their paths or URLs.
    """

    names: Sequence[str]
    places: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def container(self) -> str:
        """A text that changes with the file that has the pictures; here every picture is a file."""
        return ''

    def slice(self, start: int, stop: int) -> 'Files':
        """Returns the pictures with the numbers from `start` to `stop`, without the last."""
        return Files(self.names[start:stop], self.places[start:stop])

    def ids(self, reader: 'Reader') -> Iterator[str]:
        """Yields the ids."""
        del reader
        return iter(self.names)

    def rows(self, reader: 'Reader') -> Iterator[Row]:
        """Yields the rows, see `fashionai.bulk.rows`."""
        del reader
        return ({'id': name, 'path': place} for name, place in zip(self.names, self.places))


@dataclass(frozen=True)
class TarMembers:
    """Pictures in a tar that is not compressed, such as a shard of WebDataset.

    Attributes:
        tar: the path or URL of the tar.
        name: its part of the ids.
        size: its bytes.
        members: the names of the pictures.
        spans: (n, 2) int64, the first byte and the number of bytes of each.
    """

    tar: str
    name: str
    size: int
    members: Sequence[str]
    spans: np.ndarray

    def __len__(self) -> int:
        return len(self.members)

    @property
    def container(self) -> str:
        """The name and the size of the tar."""
        return f'{self.name} {self.size}'

    def slice(self, start: int, stop: int) -> 'TarMembers':
        """Returns the pictures with the numbers from `start` to `stop`, without the last."""
        return replace(self, members=self.members[start:stop], spans=self.spans[start:stop])

    def ids(self, reader: 'Reader') -> Iterator[str]:
        """Yields the ids: the name of the tar and that of the member."""
        del reader
        return (f'{self.name}/{member}' for member in self.members)

    def rows(self, reader: 'Reader') -> Iterator[Row]:
        """Yields the rows with their bytes."""
        for name, (start, size) in zip(self.ids(reader), self.spans.tolist()):
            yield {'id': name, 'bytes': reader.places.read(self.tar, start, size)}


@dataclass(frozen=True)
class RowGroup:
    """Rows of one row group of a Parquet file.

    Attributes:
        file: the path or URL of the file.
        name: the file in ids, if there is no column of ids.
        size: the bytes of the file.
        group: the number of the row group.
        before: the rows of the file before the group.
        first, count: the rows, from the first of the group.
        columns: with the names that the file has.
    """

    file: str
    name: str
    size: int
    group: int
    before: int
    first: int
    count: int
    columns: Columns

    def __len__(self) -> int:
        return self.count

    @property
    def container(self) -> str:
        """The name and the size of the file, and the column of the pictures."""
        return f'{self.name} {self.size} {self.columns.picture}'

    def slice(self, start: int, stop: int) -> 'RowGroup':
        """Returns the rows with the numbers from `start` to `stop`, without the last."""
        return replace(self, first=self.first + start, count=stop - start)

    def ids(self, reader: 'Reader') -> Iterator[str]:
        """Yields the ids. Only their column is read. Raises InputError if one is null."""
        if not self.columns.id:
            return (f'{self.name}#{self.before + self.first + number}' for number in range(self.count))
        return (self._id(number, row) for number, row in
                enumerate(reader.group_rows(self, [self.columns.id])))

    def rows(self, reader: 'Reader') -> Iterator[Row]:
        """Yields the rows with their bytes or paths."""
        names = [name for name in dict.fromkeys((self.columns.id, self.columns.picture)) if name]
        for number, values in enumerate(reader.group_rows(self, names)):
            picture = values[self.columns.picture]
            if isinstance(picture, dict):  # as Hugging Face's data sets write images
                picture = picture.get('path') if picture.get('bytes') is None else picture['bytes']
            name = self._id(number, values)
            if isinstance(picture, bytes):
                yield {'id': name, 'bytes': picture}
            else:
                yield {'id': name, 'path': None if picture is None else absolute(picture, reader.folder)}

    def _id(self, number: int, values: Row) -> str:
        row = self.before + self.first + number
        if not self.columns.id:
            return f'{self.name}#{row}'
        if values[self.columns.id] is None:
            raise InputError(f'{self.file}, row {row}: {self.columns.id} is null: wanted an id')
        return str(values[self.columns.id])


Container = Union[Files, TarMembers, RowGroup]


class Reader:
    """Reads the rows of lists. It stays at its place in a row group, so that reading on does not start again.

    Attributes:
        places: opens the files.
        folder: relative paths in Parquet files start there; '': in the working directory.
    """

    def __init__(self, places: Places, folder: str = '') -> None:
        self.places, self.folder = places, folder
        self._group: Optional[Tuple[str, int, Tuple[str, ...]]] = None
        self._next, self._values = 0, iter(())  # type: Tuple[int, Iterator[Dict[str, Any]]]

    def group_rows(self, rows: RowGroup, columns: Sequence[str]) -> Iterator[Dict[str, Any]]:
        """Yields the values of some columns, by name, of rows of a Parquet file."""
        group = (rows.file, rows.group, tuple(columns))
        if group != self._group or self._next > rows.first:
            self._group, self._next, self._values = group, 0, self._read(rows, columns)
        for values in self._values:
            self._next += 1
            if self._next > rows.first:
                yield values
            if self._next == rows.first + rows.count:
                return

    def parquet(self, file: str) -> Any:
        """Returns an open Parquet file. Raises InputError, which names it, if it is none."""
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
        source = self.places.open(file)
        try:
            return ParquetFile(source, buffer_size=2 ** 20, pre_buffer=False)
        except (ArrowException, OSError) as error:
            raise InputError(f'{file}: not a Parquet file: {in_a_line(error)}') from None

    def _read(self, rows: RowGroup, columns: Sequence[str]) -> Iterator[Dict[str, Any]]:
        with self.parquet(rows.file) as file:
            for batch in file.iter_batches(_ROWS, row_groups=[rows.group], columns=list(columns)):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class Listing:
    """All pictures of a run, or a part of them, in their order."""

    containers: Tuple[Container, ...]
    _ends: Tuple[int, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, '_ends', tuple(accumulate(map(len, self.containers))))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def slice(self, start: int, stop: int) -> 'Listing':
        """Returns the pictures with the numbers from `start` to `stop`, from 0, without the last."""
        found, number = [], bisect_right(self._ends, start)
        while start < stop:
            container = self.containers[number]
            before = self._ends[number] - len(container)
            last = min(stop, self._ends[number])
            found.append(container.slice(start - before, last - before))
            start, number = last, number + 1
        return Listing(tuple(found))

    def ids(self, reader: Reader) -> Iterator[str]:
        """Yields the ids."""
        for container in self.containers:
            yield from container.ids(reader)

    def rows(self, reader: Reader) -> Iterator[Row]:
        """Yields the rows, see `fashionai.bulk.rows`."""
        for container in self.containers:
            yield from container.rows(reader)

    def bare_rows(self, reader: Reader) -> Iterator[Row]:
        """Yields the rows without reading a picture: their paths, or null in place of bytes."""
        for container in self.containers:
            if isinstance(container, Files):
                yield from container.rows(reader)
            else:
                yield from ({'id': name, 'bytes': None} for name in container.ids(reader))


def checked_sum(listing: Listing, reader: Reader) -> str:
    """Returns the SHA-256 of a list: of the ids in their order, and of the names and sizes of tars and Parquet files.

    Raises InputError if an id occurs twice; it names it. An id takes 16 bytes of memory.
    """
    total, digests = hashlib.sha256(), bytearray()
    for container in listing.containers:
        total.update(f'{container.container}\n'.encode(errors='surrogateescape'))
        for name in container.ids(reader):
            text = printable(name).encode()
            total.update(text + b'\n')
            digests += hashlib.blake2b(text, digest_size=16).digest()
    values, counts = np.unique(np.frombuffer(bytes(digests), [('high', '<u8'), ('low', '<u8')]), return_counts=True)
    if len(values) < len(listing):
        twice = values[counts > 1][0].tobytes()
        name = next(name for name in listing.ids(reader)
                    if hashlib.blake2b(printable(name).encode(), digest_size=16).digest() == twice)
        raise InputError(f'the id {shown(name)} occurs more than once: wanted an id for each picture')
    return total.hexdigest()


def list_pictures(inputs: Sequence[str], columns: Columns, reader: Reader) -> Listing:
    """Returns the pictures that a user names.

    Args:
        inputs: places: a folder of pictures, or of Parquet files, or of tars; a Parquet file; a tar; a list, which is a
            text file with a place on each line; a picture.
        columns: of Parquet files.
        reader: opens the files.

    Raises InputError for an input that is none of these, and if there is no picture.
    """
    containers = [container for place in inputs for container in _containers(place, columns, reader)]
    listing = Listing(tuple(container for container in containers if len(container)))
    if not len(listing):
        raise InputError(f'{" ".join(inputs)}: there is no picture')
    return listing


def _containers(place: str, columns: Columns, reader: Reader) -> List[Container]:
    names = _below(place, reader)
    if names:
        for ending, read in ((PARQUET, _row_groups), (TAR, _tar_members)):
            wanted = [name for name in names if name.lower().endswith(ending)]
            if wanted:
                return [container for name in wanted
                        for container in read(absolute(joined(place, name)), name, columns, reader)]
        return [_folder(place, names)]
    name = PurePosixPath(local_path(place).partition('?')[0]).name
    ending = PurePosixPath(name).suffix.lower()
    if ending == PARQUET:
        return _row_groups(absolute(place), name, columns, reader)
    if ending == TAR:
        return list(_tar_members(absolute(place), name, columns, reader))
    if ending in LISTS:
        return [_lines(place, reader)]
    if ending in PICTURES:
        return [Files([place], [absolute(place)])]
    raise InputError(f'{place}: found neither a folder with files nor a file that ends with {PARQUET}, {TAR}, '
                     f'{", ".join(LISTS)}, or as pictures do')


def _below(place: str, reader: Reader) -> List[str]:
    """Returns the files below a folder, from it; without hidden ones and those that start with an underscore, which
    Spark and others write beside their parts."""
    if scheme_of(place) in ('http', 'https'):
        return []
    return [name for name in reader.places.files(place)
            if not any(part.startswith(('.', '_')) for part in name.split('/'))]


def _folder(place: str, names: Sequence[str]) -> Files:
    """Returns the pictures of a folder; on this machine those that predict.py finds, without videos."""
    if scheme_of(place):
        pictures = [name for name in names if PurePosixPath(name).suffix.lower() in PICTURES]
        return Files(pictures, [joined(place, name) for name in pictures])
    found = [source for source in sources_of([local_path(place)]) if not source.is_video]
    return Files([source.name for source in found], [absolute(source.path) for source in found])


def _lines(place: str, reader: Reader) -> Files:
    with reader.places.open(place) as file:
        try:
            lines = [line.strip() for line in file.read().decode('utf-8-sig').splitlines()]
        except UnicodeDecodeError as error:
            raise InputError(f'{place}: not a text in UTF-8: {error}') from None
    names = [line for line in lines if line]
    return Files(names, [absolute(name) for name in names])


def _tar_members(place: str, name: str, columns: Columns, reader: Reader) -> List[Container]:
    del columns
    members, spans = [], []
    try:
        with reader.places.open(place) as file, tarfile.open(fileobj=file, mode='r:') as tar:
            for member in tar:
                if member.isfile() and PurePosixPath(member.name).suffix.lower() in PICTURES:
                    members.append(member.name)
                    spans.append((member.offset_data, member.size))
    except (tarfile.TarError, OSError) as error:
        raise InputError(f'{place}: not a tar without compression: {in_a_line(error)}') from None
    return [TarMembers(place, name, reader.places.size(place), members, np.array(spans, np.int64).reshape(-1, 2))]


def _row_groups(place: str, name: str, columns: Columns, reader: Reader) -> List[Container]:
    with reader.parquet(place) as file:
        chosen = _chosen(place, file.schema_arrow, columns)
        counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    size, ends = reader.places.size(place), list(accumulate(counts))
    return [RowGroup(place, name, size, group, end - count, 0, count, chosen)
            for group, (count, end) in enumerate(zip(counts, ends))]


def _chosen(place: str, schema: Any, columns: Columns) -> Columns:
    """Returns the columns that a Parquet file has. Raises InputError if it lacks one."""
    import pyarrow as pa
    for name in filter(None, (columns.id, columns.picture)):
        if name not in schema.names:
            raise InputError(f'{place}: no column {name!r}: it has {", ".join(schema.names)}')
    picture = columns.picture or next((name for name in PICTURE_COLUMNS if name in schema.names), '')
    if not picture:
        raise InputError(f'{place}: none of the columns {", ".join(PICTURE_COLUMNS)}: it has '
                         f'{", ".join(schema.names)}; name the column of the pictures by --column')
    kind = schema.field(picture).type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_struct(kind)):
        raise InputError(f'{place}: the column {picture!r} has {kind}: wanted bytes, or paths and URLs as texts')
    usual = ID_COLUMN if ID_COLUMN in schema.names else picture if text else ''
    return Columns(columns.id or usual, picture)
