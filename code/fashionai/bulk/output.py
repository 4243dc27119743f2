"""The output of a run over many pictures: a folder of Parquet parts, a manifest, and a table of failures.

`part-000000.parquet` and so on have the rows, in the order of the list. `_manifest.json` says what they are made from.
`_failures.parquet` appears at the end. Programs that read the folder as one table leave out names with an underscore.
"""
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional

from fashionai.bulk.places import Places, joined, scheme_of
from fashionai.bulk.rows import arrow_schema
from fashionai.errors import InputError
from fashionai.files import naming, parse_json
from fashionai.results.run_manifest import check_same_job

MANIFEST, FAILURES = '_manifest.json', '_failures.parquet'
_FAILURE_COLUMNS = ('id', 'source', 'error')
_AT_ONCE = 8
"""Parts whose ends are read at a time."""


@dataclass(frozen=True)
class PartCounts:
    """The rows of a part, and how many of them have an error."""

    rows: int
    failed: int


@dataclass(frozen=True)
class Output:
    """The folder of an output.

    Attributes:
        place: its path or URL.
        job: everything that decides the rows, as texts by name.
        notes: what else the manifest keeps, such as versions.
        places: opens the files.
    """

    place: str
    job: Mapping[str, str]
    notes: Mapping[str, Any]
    places: Places = field(default_factory=Places)

    @property
    def failures(self) -> str:
        """The place of the table of failures."""
        return joined(self.place, FAILURES)

    def begin(self, overwrite: bool) -> None:
        """Makes the folder and its manifest, or goes on with what is there.

        Raises InputError if the folder has an output of another job, or other files.
        """
        names = self.places.files(self.place)
        if overwrite:
            ours = [name for name in names if name in (MANIFEST, FAILURES) or _is_part(name)]
            for name in sorted(ours, key=lambda each: each == MANIFEST):  # the manifest last
                self._delete(name)
            names = [name for name in names if name not in ours]
        if MANIFEST in names:
            return check_same_job(self.place, self._manifest()['job'], self.job)
        if [name for name in names if not name.startswith('.')]:
            raise InputError(f'{self.place} has files, and no {MANIFEST}: wanted a new folder, or one that '
                             'predict_many.py wrote')
        if not scheme_of(self.place):
            system, path = self.places.system(self.place)
            system.create_dir(path, recursive=True)
        self._write_manifest({'started': _now()})
        return None

    def done(self) -> Dict[int, PartCounts]:
        """Returns the parts that are there and whole, by number."""
        names = [name for name in self.places.files(self.place) if _is_part(name)]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            counts = readers.map(self._counts, names)
            return {_number(name): count for name, count in zip(names, counts) if count}

    def write(self, number: int, table: Any) -> None:
        """Writes a part, a pyarrow.Table, completely or not at all."""
        self._write(_part(number), _parquet_bytes(table))

    def finish(self, numbers: List[int], counts: Mapping[str, int], versions: Mapping[str, str]) -> None:
        """Writes the table of failures of the parts, the counts, and the versions of the workers' libraries; without
        versions, those of before stay."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
        columns = pa.schema([arrow_schema().field(name) for name in _FAILURE_COLUMNS])
        sink = pa.BufferOutputStream()
        with ParquetWriter(sink, columns) as writer:
            for table in self._failed_rows(numbers):
                writer.write_table(table)
        self._write(FAILURES, sink.getvalue())
        before = self._manifest()
        self._write_manifest({'versions': dict(versions) or before.get('versions', {}),
                              'started': before.get('started'), 'ended': _now(), 'counts': dict(counts)})

    def _failed_rows(self, numbers: List[int]) -> Iterator[Any]:
        import pyarrow.compute as pc
        from pyarrow.parquet import read_table
        for number in numbers:
            with self.places.open(joined(self.place, _part(number))) as file:
                table = read_table(file, columns=list(_FAILURE_COLUMNS))
            yield table.filter(pc.is_valid(table['error'])).cast(table.schema)

    def _counts(self, name: str) -> Optional[PartCounts]:
        """Returns the counts at the end of a part; None if it is damaged."""
        from pyarrow import ArrowException
        from pyarrow.parquet import read_table
        try:
            with self.places.open(joined(self.place, name)) as file:
                errors = read_table(file, columns=['error'])['error']
            return PartCounts(len(errors), len(errors) - errors.null_count)
        except (ArrowException, OSError, InputError):
            return None

    def _manifest(self) -> Dict[str, Any]:
        place = joined(self.place, MANIFEST)
        with self.places.open(place) as file:
            found = parse_json(file.read(), place)
        if not isinstance(found, dict) or not isinstance(found.get('job'), dict):
            raise InputError(f'{place} is damaged: give --overwrite to start anew, or another --output')
        return found

    def _write_manifest(self, more: Mapping[str, Any]) -> None:
        content = {'job': dict(self.job), **self.notes, **more}
        self._write(MANIFEST, (json.dumps(content, indent=1, ensure_ascii=False) + '\n').encode())

    def _write(self, name: str, content: Any) -> None:
        """Writes a file at once. On this machine a hidden draft takes the place of the file; stores of objects show a
        file when it is closed."""
        system, path = self.places.system(joined(self.place, name))
        draft = path if scheme_of(self.place) else system.normalize_path(path)[:-len(name)] + f'.{name}.tmp'
        with naming(joined(self.place, name)):
            with system.open_output_stream(draft) as file:
                file.write(content)
            if draft != path:
                system.move(draft, path)

    def _delete(self, name: str) -> None:
        system, path = self.places.system(joined(self.place, name))
        system.delete_file(path)


def _parquet_bytes(table: Any) -> Any:
    import pyarrow as pa
    from pyarrow.parquet import write_table
    sink = pa.BufferOutputStream()
    write_table(table, sink, compression='zstd')
    return sink.getvalue()


def _part(number: int) -> str:
    return f'part-{number:06}.parquet'


def _is_part(name: str) -> bool:
    return name.startswith('part-') and name.endswith('.parquet') and name[5:-8].isdigit()


def _number(name: str) -> int:
    return int(name[5:-8])


def _now() -> str:
    return datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
