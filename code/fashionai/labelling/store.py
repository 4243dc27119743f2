"""The store of a project: pictures, proposals, labels, and who changed what, in one SQLite file.

Every change is one transaction, on the disk when the call returns (write-ahead log, synchronous FULL), so a killed
process loses nothing. Several threads and processes may use a project. The table `changes` is append-only: undo and
redo are changes too, so they work after a restart.
"""
import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from fashionai.errors import InputError
from fashionai.files import naming
from fashionai.garments.boxes import Box
from fashionai.labelling.labels import OPEN, REMOVED, Label, optional_box

FILE = 'labels.sqlite'
"""The name of the file in the folder of a project."""

EDIT, UNDO, REDO = 'edit', 'undo', 'redo'
"""The kinds of changes."""

_BUSY_SECONDS = 30
"""A change waits so long at most for the changes of other processes."""

_SCHEMA: Tuple[Tuple[str, ...], ...] = ((
    """CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    sum TEXT NOT NULL UNIQUE,      -- SHA-256 of the file: a picture that was moved stays the same picture
    path TEXT NOT NULL,
    name TEXT NOT NULL,            -- for people: the path from the folder that the user named
    width INTEGER NOT NULL,        -- of the upright picture, in pixels
    height INTEGER NOT NULL)""",
    """CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    picture INTEGER NOT NULL REFERENCES pictures,
    number INTEGER NOT NULL,       -- of the garment in its picture: 1 is the whole picture, others have a box
    label TEXT NOT NULL,           -- JSON of the label after the last change
    state TEXT NOT NULL,           -- state and type of the label
    type TEXT,
    revision INTEGER NOT NULL,     -- the number of changes
    person TEXT,                   -- who made the last change
    at TEXT,                       -- and when, UTC
    touched INTEGER NOT NULL,      -- the number of the last transaction that changed the row or its proposal
    UNIQUE (picture, number))""",
    """CREATE TABLE proposals (
    item INTEGER PRIMARY KEY REFERENCES items,
    model TEXT NOT NULL,           -- what made the proposal
    type TEXT,                     -- the type of the content
    content TEXT NOT NULL)         -- JSON""",
    """CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER NOT NULL REFERENCES items,
    kind TEXT NOT NULL,            -- edit, undo or redo
    action TEXT NOT NULL,          -- in words
    person TEXT NOT NULL,
    at TEXT NOT NULL,
    label TEXT NOT NULL)           -- JSON of the label after the change""",
    'CREATE INDEX changes_of_item ON changes (item)',
    "CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END",
    "CREATE TRIGGER changes_remain BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes is append-only'); END",
    'CREATE TABLE clock (transactions INTEGER NOT NULL)',
    'INSERT INTO clock VALUES (0)'),)
"""The statements that bring a file from each version of the schema to the next; `user_version` is a file's version."""

_ITEMS = """
SELECT items.*, pictures.name AS name, pictures.path AS path, pictures.sum AS sum, pictures.width AS width,
       pictures.height AS height, proposals.model AS model, proposals.content AS proposal
FROM items JOIN pictures ON pictures.id = items.picture LEFT JOIN proposals ON proposals.item = items.id """

_NEEDS_PROPOSAL = """
WHERE items.state = ? AND (proposals.item IS NULL OR proposals.model != ? OR items.type != proposals.type
                           OR items.type IS NOT NULL AND proposals.type IS NULL)"""


class Conflict(Exception):
    """Somebody else has changed the garment meanwhile; `item` is its present state."""

    def __init__(self, item: 'Item') -> None:
        super().__init__(f'{item.person} changed this garment meanwhile')
        self.item = item


@dataclass(frozen=True)
class PictureRow:
    """A picture of the project. `size_hw` is (height, width) of the upright picture."""

    id: int
    sum: str
    path: str
    name: str
    size_hw: Tuple[int, int]


@dataclass(frozen=True)
class Item:
    """A garment in a picture.

    Attributes:
        id: its number in the project.
        number: of the garment in the picture, from 1.
        picture: the picture.
        label: what people have said about it.
        revision: the number of changes so far.
        person, at: who made the last change, and when (UTC, ISO 8601); None if there was none.
        model: what made the proposal; None if there is none.
        proposal: what `proposals.Proposal.to_json` returned; None if there is none.
        touched: the number of the last transaction that changed the garment or its proposal.
    """

    id: int
    number: int
    picture: PictureRow
    label: Label
    revision: int
    person: Optional[str]
    at: Optional[str]
    model: Optional[str]
    proposal: Optional[Mapping[str, Any]]
    touched: int


@dataclass(frozen=True)
class Change:
    """One row of the history of a garment: its kind, the action in words, who, when (UTC), and the label after it."""

    kind: str
    action: str
    person: str
    at: str
    label: Label


class Store:
    """The store of a project. Several threads may use it; close it, or use it in a `with` block."""

    def __init__(self, folder: Path) -> None:
        """Opens the store in a folder; both are made if they do not exist.

        Raises InputError if the file is of a newer version of this program, or is not such a store.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._turn = threading.RLock()
        with naming(self.path), _is_store(self.path):
            self._db = sqlite3.connect(str(self.path), timeout=_BUSY_SECONDS, isolation_level=None,
                                       check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            for pragma in ('journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'):
                self._db.execute(f'PRAGMA {pragma}')
            self._migrate()

    def __enter__(self) -> 'Store':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        with self._turn:
            self._db.close()

    def add_picture(self, sum: str, path: str, name: str, size_hw: Tuple[int, int]) -> bool:
        """Adds a picture with one garment, the whole picture. Returns whether it is new: a picture with the same bytes
        only gets the new path and name."""
        with self._change() as clock:
            known = self._db.execute('SELECT id FROM pictures WHERE sum = ?', (sum,)).fetchone()
            if known:
                self._db.execute('UPDATE pictures SET path = ?, name = ? WHERE id = ?', (path, name, known['id']))
                return False
            row = self._db.execute('INSERT INTO pictures (sum, path, name, width, height) VALUES (?, ?, ?, ?, ?)',
                                   (sum, path, name, size_hw[1], size_hw[0]))
            assert row.lastrowid is not None
            self._insert_item(row.lastrowid, 1, Label(), clock)
            return True

    def pictures(self) -> List[PictureRow]:
        """Returns all pictures, in the order in which they were added."""
        with self._turn:
            return [_picture(row) for row in self._db.execute('SELECT * FROM pictures ORDER BY id')]

    def picture(self, number: int) -> PictureRow:
        """Returns a picture. Raises KeyError if there is none with this number."""
        with self._turn:
            row = self._db.execute('SELECT * FROM pictures WHERE id = ?', (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return _picture(row)

    def items(self, since: int = 0) -> List[Item]:
        """Returns the garments that were touched after the transaction `since`, in the order of their pictures."""
        with self._turn:
            rows = self._db.execute(f'{_ITEMS} WHERE items.touched > ? ORDER BY items.picture, items.number', (since,))
            return [_item(row) for row in rows]

    def item(self, number: int) -> Item:
        """Returns a garment. Raises KeyError if there is none with this number."""
        with self._turn:
            row = self._db.execute(f'{_ITEMS} WHERE items.id = ?', (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return _item(row)

    @property
    def clock(self) -> int:
        """The number of transactions so far."""
        with self._turn:
            return int(self._db.execute('SELECT transactions FROM clock').fetchone()[0])

    def save(self, number: int, label: Label, person: str, action: str, revision: Optional[int] = None) -> Item:
        """Changes the label of a garment. Returns the garment.

        Args:
            number: of the garment.
            label: the new label.
            person: who changes it.
            action: what they do, in words, for the history.
            revision: the revision that the person saw; None: whatever it is.

        Raises Conflict if the garment has another revision, KeyError if there is no such garment.
        """
        return self._save(number, EDIT, lambda item: (action, label), person, revision)

    def undo(self, number: int, person: str, revision: Optional[int] = None) -> Item:
        """Takes the last change of a garment back that is not taken back yet; if there is none, nothing happens.
        Raises as `save` does."""
        return self._save(number, UNDO, lambda item: self._step(item, back=True), person, revision)

    def redo(self, number: int, person: str, revision: Optional[int] = None) -> Item:
        """Makes the change again that was last taken back; if there is none, nothing happens. Raises as `save` does."""
        return self._save(number, REDO, lambda item: self._step(item, back=False), person, revision)

    def undoable(self, number: int) -> Tuple[bool, bool]:
        """Returns whether a garment has a change to undo, and one to redo."""
        past, future = _stacks(self.history(number))
        return bool(past), bool(future)

    def history(self, number: int) -> List[Change]:
        """Returns the changes of a garment, the first one first."""
        with self._turn:
            rows = self._db.execute('SELECT * FROM changes WHERE item = ? ORDER BY id', (number,))
            return [Change(row['kind'], row['action'], row['person'], row['at'], _label(row['label'])) for row in rows]

    def add_box(self, picture: int, box: Box, person: str) -> Item:
        """Adds a garment to a picture by its box. Returns the garment. Raises KeyError if there is no such picture."""
        self.picture(picture)
        with self._change() as clock:
            most = self._db.execute('SELECT MAX(number) FROM items WHERE picture = ?', (picture,)).fetchone()[0]
            number = self._insert_item(picture, most + 1, Label(REMOVED, box=box), clock)
            self._append(number, EDIT, 'box', person, Label(OPEN, box=box), clock)
        return self.item(number)

    def propose(self, number: int, model: str, content: Mapping[str, Any]) -> None:
        """Sets the proposal of a garment; a proposal before it is replaced. Raises KeyError for an unknown garment."""
        self.item(number)
        with self._change() as clock:
            self._db.execute('INSERT OR REPLACE INTO proposals (item, model, type, content) VALUES (?, ?, ?, ?)',
                             (number, model, content['type'], _text(content)))
            self._db.execute('UPDATE items SET touched = ? WHERE id = ?', (clock, number))

    def next_without(self, model: str, first: Sequence[int] = ()) -> Optional[Item]:
        """Returns the open garment that needs a proposal of a model: it has none, or one of another type than a person
        chose. Of several, it is one of those in `first`, or else the one that a person changed last, or else the first.
        Returns None if there is none.
        """
        numbers = ', '.join(str(int(number)) for number in first)
        with self._turn:
            row = self._db.execute(f'{_ITEMS} {_NEEDS_PROPOSAL} ORDER BY items.id IN ({numbers}) DESC, '
                                   'items.at DESC, items.id LIMIT 1', (OPEN, model)).fetchone()
        return row and _item(row)

    def count_without(self, model: str) -> int:
        """Returns how many open garments need a proposal of a model."""
        with self._turn:
            return int(self._db.execute('SELECT COUNT(*) FROM items LEFT JOIN proposals ON proposals.item = items.id '
                                        f'{_NEEDS_PROPOSAL}', (OPEN, model)).fetchone()[0])

    def _save(self, number: int, kind: str, decide: Any, person: str, revision: Optional[int]) -> Item:
        """Appends the change that `decide(item)` returns, an action and a label; or nothing if it returns None."""
        with self._change() as clock:
            item = self.item(number)
            if revision is not None and revision != item.revision:
                raise Conflict(item)
            decided = decide(item)
            if decided is None:
                return item
            action, label = decided
            self._append(number, kind, action, person, label, clock)
            return self.item(number)

    def _step(self, item: Item, back: bool) -> Optional[Tuple[str, Label]]:
        changes = self.history(item.id)
        past, future = _stacks(changes)
        stack = past if back else future
        if not stack:
            return None
        change = changes[stack[-1]]
        if not back:
            return change.action, change.label
        first = Label() if item.number == 1 else Label(REMOVED, box=item.label.box)
        return change.action, changes[past[-2]].label if len(past) > 1 else first

    def _append(self, number: int, kind: str, action: str, person: str, label: Label, clock: int) -> None:
        at, text = datetime.now(timezone.utc).isoformat(timespec='milliseconds'), _text(label.to_json())
        self._db.execute('INSERT INTO changes (item, kind, action, person, at, label) VALUES (?, ?, ?, ?, ?, ?)',
                         (number, kind, action, person, at, text))
        self._db.execute('UPDATE items SET label = ?, state = ?, type = ?, person = ?, at = ?, '
                         'revision = revision + 1, touched = ? WHERE id = ?',
                         (text, label.state, label.type, person, at, clock, number))

    def _insert_item(self, picture: int, number: int, label: Label, clock: int) -> int:
        row = self._db.execute('INSERT INTO items (picture, number, label, state, revision, touched) '
                               'VALUES (?, ?, ?, ?, 0, ?)',
                               (picture, number, _text(label.to_json()), label.state, clock))
        assert row.lastrowid is not None
        return row.lastrowid

    @contextmanager
    def _change(self) -> Iterator[int]:
        """One transaction, as `_transaction` makes it. Yields its number."""
        with self._transaction():
            self._db.execute('UPDATE clock SET transactions = transactions + 1')
            yield self.clock

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """The changes of the block are written at its end, or not at all if it raises."""
        with self._turn, naming(self.path):
            self._db.execute('BEGIN IMMEDIATE')
            try:
                yield
                self._db.execute('COMMIT')
            except BaseException:
                self._db.execute('ROLLBACK')
                raise

    def _migrate(self) -> None:
        with self._transaction():
            version = self._db.execute('PRAGMA user_version').fetchone()[0]
            if version > len(_SCHEMA):
                raise InputError(f'{self.path} has version {version}: this program knows versions up to '
                                 f'{len(_SCHEMA)}, wanted a newer program')
            for statements in _SCHEMA[version:]:
                for statement in statements:
                    self._db.execute(statement)
            self._db.execute(f'PRAGMA user_version = {len(_SCHEMA)}')


@contextmanager
def _is_store(path: Path) -> Iterator[None]:
    """Turns an error of SQLite into an InputError that names the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise InputError(f'{path} cannot be opened as a project: {error}') from None


def _stacks(changes: Sequence[Change]) -> Tuple[List[int], List[int]]:
    """Returns the indices of the changes that can be undone and redone, the next one last."""
    past: List[int] = []
    future: List[int] = []
    for index, change in enumerate(changes):
        if change.kind == UNDO:
            future.append(past.pop())
        elif change.kind == REDO:
            past.append(future.pop())
        else:
            past.append(index)
            future.clear()
    return past, future


def _picture(row: Mapping[str, Any], key: str = 'id') -> PictureRow:
    return PictureRow(row[key], row['sum'], row['path'], row['name'], (row['height'], row['width']))


def _item(row: Mapping[str, Any]) -> Item:
    return Item(row['id'], row['number'], _picture(row, 'picture'), _label(row['label']), row['revision'],
                row['person'], row['at'], row['model'], json.loads(row['proposal']) if row['proposal'] else None,
                row['touched'])


def _label(text: str) -> Label:
    """Returns a label that was checked before it was written."""
    values = json.loads(text)
    return Label(values['state'], values['type'], {name: tuple(point) for name, point in values['points'].items()},
                 optional_box(values['box']))


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)
