"""The output file of predict.py, which an interrupted run goes on with behind its last whole row."""
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Callable, FrozenSet, Iterable, Iterator, List, Mapping, Optional, TextIO, Tuple, Type

from fashionai.images.decoder import Unreadable
from fashionai.images.sources import Picture
from fashionai.results.run_manifest import Record
from fashionai.results.writers import Writer, printable


@dataclass(frozen=True)
class Done:
    """What an output has: the names of the pictures with a row, and the bytes that the rows take; and the pictures that
    failed, label -> reason."""

    rows: FrozenSet[str] = frozenset()
    length: int = 0
    failures: Mapping[str, str] = field(default_factory=dict)


def done_so_far(record: Record, form: Type[Writer]) -> Done:
    """Return what the output of a record's job has; nothing is changed.

    Raises InputError if the output is of another job, or its record is missing.
    """
    failures = record.resume()
    if not record.output.exists():
        return Done()
    with open(str(record.output), 'rb') as file:
        rows, length = form.whole_rows(file)
    return Done(frozenset(rows), length, failures)


class ToDo:
    """The pictures of a run with their numbers, from 1, without those that have a row; those that failed are unreadable
    for the reason that was noted.

    `count`: the pictures so far. `are_left`: whether a picture is still to be looked at. `pass_over` is called with
    each picture that has a row.
    """

    def __init__(self, pictures: Iterable[Picture], done: Done, form: Type[Writer],
                 pass_over: Optional[Callable[[Picture], None]] = None) -> None:
        self.count, self._done, self._form, self._pass_over = 0, done, form, pass_over
        self._coming = self._marked(pictures)
        self._first: List[Tuple[int, Picture]] = []
        for number, picture in self._coming:
            self._first.append((number, picture))
            if not isinstance(picture.content, Unreadable):
                break
        self.are_left = bool(self._first) and not isinstance(self._first[-1][1].content, Unreadable)

    def __iter__(self) -> Iterator[Tuple[int, Picture]]:
        yield from self._first
        yield from self._coming

    def _marked(self, pictures: Iterable[Picture]) -> Iterator[Tuple[int, Picture]]:
        for self.count, picture in enumerate(pictures, 1):
            has_row = self._form.name_of(picture) in self._done.rows
            if has_row and self._pass_over:
                self._pass_over(picture)
            reason = self._done.failures.get(printable(picture.label))
            if reason is not None:
                yield self.count, replace(picture, content=Unreadable(reason))
            elif not has_row:
                yield self.count, picture


class Failures:
    """The pictures that failed, label -> reason; noted in the record, if there is one, as they come, so that a run that
    goes on does not try them again."""

    def __init__(self, record: Optional[Record], reasons: Mapping[str, str]) -> None:
        self._record, self._reasons = record, dict(reasons)

    def note(self, picture: Picture, reason: str) -> None:
        """Add one, at once."""
        label = printable(picture.label)
        if self._record and label not in self._reasons:
            self._reasons[label] = printable(reason)
            self._record.save(self._reasons)


@contextmanager
def opened(record: Record, done: Done) -> Iterator[TextIO]:
    """Yield the output, open for what comes behind the rows that it has; without any, it starts anew."""
    if done.rows:
        os.truncate(str(record.output), done.length)
    elif record.output.exists():
        record.output.unlink()
    record.save(done.failures)
    with open(str(record.output), 'a', encoding='utf-8', newline='') as file:
        yield file
