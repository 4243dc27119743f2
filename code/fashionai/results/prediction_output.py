"""The output file of predict.py. An interrupted run continues after the file's last complete row."""
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Callable, FrozenSet, Iterable, Iterator, List, Mapping, Optional, TextIO, Tuple, Type

from fashionai.images.decoder import Unreadable
from fashionai.images.sources import Picture
from fashionai.results.run_manifest import RunManifest
from fashionai.results.writers import Writer, printable


@dataclass(frozen=True)
class Done:
    """What an interrupted run has written.

    Attributes:
        rows: the names of the pictures that have all their rows.
        length: the bytes of these rows in the output.
        failures: label -> reason of the pictures that failed.
    """

    rows: FrozenSet[str] = frozenset()
    length: int = 0
    failures: Mapping[str, str] = field(default_factory=dict)


def done_so_far(manifest: RunManifest, form: Type[Writer], garments: Mapping[str, int]) -> Done:
    """Returns what the output of a job has; changes nothing. Pictures are written one after the other, so that only the
    last one may lack rows: then the rows that it has do not count.

    Args:
        manifest: of the job.
        form: of the output.
        garments: the numbers of garments, which is that of rows, by the names of pictures; 1 for others.

    Raises InputError if the output is of another job, or has no manifest.
    """
    failures = manifest.resume()
    if not manifest.output.exists():
        return Done()
    with open(str(manifest.output), 'rb') as file:
        rows = form.whole_rows(file)
    names = [name for name, _ in rows]
    own = names.count(names[-1]) if names else 0
    if own and own < garments.get(names[-1], 1):
        del rows[-own:]
    return Done(frozenset(name for name, _ in rows), rows[-1][1] if rows else 0, failures)


class ToDo:
    """The pictures of a run that have no row yet, with their numbers, from 1. Pictures that failed before are
    unreadable, for the reason that was noted.

    Attributes:
        count: the number of pictures so far, also of those that have a row.
        are_left: whether any picture must still be predicted.

    `pass_over` is called with each picture that has a row.
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
            has_row = has_row or picture.boxes == ()
            if reason is not None:
                yield self.count, replace(picture, content=Unreadable(reason))
            elif not has_row:
                yield self.count, picture


class Failures:
    """Notes each picture that fails, label -> reason, in the manifest if there is one. A run that continues does not
    try these pictures again."""

    def __init__(self, manifest: Optional[RunManifest], reasons: Mapping[str, str]) -> None:
        self._manifest, self._reasons = manifest, dict(reasons)

    def note(self, picture: Picture, reason: str) -> None:
        """Adds a picture and writes the manifest at once."""
        label = printable(picture.label)
        if self._manifest and label not in self._reasons:
            self._reasons[label] = printable(reason)
            self._manifest.save(self._reasons)


@contextmanager
def opened(manifest: RunManifest, done: Done) -> Iterator[TextIO]:
    """Yields the output, open for reading, and for writing after the rows that it has. If it has none, it is started
    anew."""
    if done.rows:
        os.truncate(str(manifest.output), done.length)
    elif manifest.output.exists():
        manifest.output.unlink()
    manifest.save(done.failures)
    with open(str(manifest.output), 'a+', encoding='utf-8', newline='') as file:
        yield file
