"""Puts the results of workers together: parts are written when their last picture is there."""
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, List, Tuple

from fashionai.bulk.listing import Listing, Reader
from fashionai.bulk.output import Output, PartCounts
from fashionai.bulk.ray_workers import Done
from fashionai.bulk.rows import RowSettings, failed_row
from fashionai.bulk.schedule import Task
from fashionai.bulk.worker import table_of


def parts_of(count: int, rows: int) -> List[Task]:
    """Returns the parts of so many pictures, with so many rows each, but for the last."""
    return [Task(number, start, min(start + rows, count)) for number, start in enumerate(range(0, count, rows))]


@dataclass(frozen=True)
class PartWriter:
    """Collects the rows of parts, and writes each part when it is complete.

    Attributes:
        output: takes the parts.
        parts: all parts by number.
        written: what is in the output, by number.
    """

    output: Output
    parts: Dict[int, Task]
    written: Dict[int, PartCounts]
    _waiting: Dict[int, List[Tuple[int, Any]]] = field(default_factory=dict)

    def add(self, task: Task, table: Any) -> None:
        """Takes the rows of a task, a pyarrow.Table."""
        import pyarrow as pa
        tables = self._waiting.setdefault(task.part, [])
        tables.append((task.start, table))
        if sum(rows.num_rows for _, rows in tables) < len(self.parts[task.part]):
            return
        del self._waiting[task.part]
        whole = pa.concat_tables([rows for _, rows in sorted(tables, key=lambda each: each[0])])
        self.output.write(task.part, whole)
        self.written[task.part] = PartCounts(whole.num_rows, failures_in(whole))

    @property
    def failed(self) -> int:
        """The rows with an error, in the output and in parts that are not complete."""
        return sum(counts.failed for counts in self.written.values()) + sum(
            failures_in(table) for tables in self._waiting.values() for _, table in tables)


def failures_in(table: Any) -> int:
    """Returns the number of rows with an error."""
    return table.num_rows - table['error'].null_count


def write_results(results: Iterable[Done], writer: PartWriter, listing: Listing, reader: Reader, settings: RowSettings,
                  tries: int, tell: Callable[[Task], None]) -> None:
    """Writes the results of workers. A picture that was given up gets a row that says so.

    `tell` is called with each task that ended.
    """
    for done in results:
        table = done.table
        if table is None:
            reason = f'worker died: {done.reason}; {tries} workers that had this picture alone'
            rows = listing.slice(done.task.start, done.task.stop).bare_rows(reader)
            table = table_of([failed_row(row, reason, settings) for row in rows])
        writer.add(done.task, table)
        tell(done.task)
