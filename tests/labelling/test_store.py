"""The store of a project: changes, undo, several writers, and a process that is killed."""
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, List

import pytest

from fashionai.errors import InputError
from fashionai.labelling.labels import OPEN, REMOVED, REVIEWED, Label
from fashionai.labelling.pictures import add_pictures
from fashionai.labelling.store import FILE, Conflict, Store

CODE = Path(__file__).resolve().parents[2] / 'code'

WRITER = """
import sys
sys.path.insert(0, {code!r})
from pathlib import Path
from fashionai.labelling.labels import Label
from fashionai.labelling.store import Store
with Store(Path({folder!r})) as store:
    for number in range({count}):
        item = store.save(1, Label(type='skirt', points={{'hemline_left': (number, 5, 1)}}), {person!r}, str(number))
        print(number, flush=True)
"""
"""A process that changes the first garment, and says each change that is saved."""


def writer(folder: Path, person: str, count: int) -> 'subprocess.Popen[str]':
    script = WRITER.format(code=str(CODE), folder=str(folder), person=person, count=count)
    return subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, universal_newlines=True)


def test_a_change_is_kept_with_who_and_when(store: Store, skirt: Callable[..., Any]) -> None:
    label = Label(REVIEWED, 'skirt', skirt())
    item = store.save(1, label, 'Ann', 'accepted', revision=0)
    assert (item.label, item.revision, item.person) == (label, 1, 'Ann')
    with Store(store.path.parent) as other:
        assert other.item(1) == item
        (change,) = other.history(1)
        assert (change.action, change.person, change.at, change.label) == ('accepted', 'Ann', item.at, label)
    assert [other.label.state for other in store.items()] == [REVIEWED, OPEN, OPEN]


def test_undo_and_redo_work_after_a_restart(store: Store, skirt: Callable[..., Any]) -> None:
    labels = [Label(type='skirt', points=skirt(x)) for x in (30, 31, 32)]
    for label in labels:
        store.save(1, label, 'Ann', 'moved')
    with Store(store.path.parent) as other:
        assert other.undo(1, 'Bob').label == labels[1]
        assert other.undo(1, 'Bob').label == labels[0]
        assert other.undoable(1) == (True, True)
        assert other.redo(1, 'Ann').label == labels[1]
    assert store.undo(1, 'Ann').label == labels[0]
    assert store.undo(1, 'Ann').label == Label()
    before = store.item(1)
    assert store.undo(1, 'Ann') == before and store.undoable(1) == (False, True)
    assert store.redo(1, 'Ann').label == labels[0]
    store.save(1, labels[2], 'Ann', 'moved')
    assert store.undoable(1) == (True, False)
    assert [change.kind for change in store.history(1)] == ['edit'] * 3 + ['undo'] * 2 + ['redo'] + ['undo'] * 2 + [
        'redo', 'edit']


def test_a_box_is_a_garment_of_its_own_and_can_be_taken_back(store: Store) -> None:
    item = store.add_box(2, (10, 20, 100, 200), 'Ann')
    assert (item.picture.id, item.number, item.label.box, item.label.state) == (2, 2, (10, 20, 100, 200), OPEN)
    assert store.undo(item.id, 'Ann').label.state == REMOVED
    assert store.redo(item.id, 'Ann').label.state == OPEN


def test_a_change_of_what_another_person_has_changed_is_refused(store: Store) -> None:
    store.save(1, Label(type='skirt'), 'Ann', 'type', revision=0)
    with pytest.raises(Conflict) as refused:
        store.save(1, Label(type='dress'), 'Bob', 'type', revision=0)
    assert refused.value.item.label.type == 'skirt' and refused.value.item.person == 'Ann'
    assert store.item(1).label.type == 'skirt' and len(store.history(1)) == 1


def test_the_history_cannot_be_changed(store: Store) -> None:
    store.save(1, Label(type='skirt'), 'Ann', 'type')
    with sqlite3.connect(str(store.path)) as other:
        for statement in ('DELETE FROM changes', "UPDATE changes SET person = 'Bob'"):
            with pytest.raises(sqlite3.DatabaseError):
                other.execute(statement)
    other.close()
    assert store.history(1)[0].person == 'Ann'


def test_several_processes_write_at_a_time_and_lose_nothing(store: Store) -> None:
    processes = [writer(store.path.parent, person, 40) for person in ('Ann', 'Bob', 'Cleo')]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    history = store.history(1)
    assert store.item(1).revision == len(history) == 120
    for person in ('Ann', 'Bob', 'Cleo'):
        assert [change.action for change in history if change.person == person] == list(map(str, range(40)))


@pytest.mark.skipif(not hasattr(signal, 'SIGKILL'), reason='no SIGKILL on this system')
def test_a_killed_process_loses_no_change(store: Store) -> None:
    saved: List[str] = []
    for _ in range(5):
        process = writer(store.path.parent, 'Ann', 100000)
        assert process.stdout
        saved += [process.stdout.readline().strip() for _ in range(7)]
        os.kill(process.pid, signal.SIGKILL)
        rest = process.communicate()[0]
        saved += rest.split('\n')[:-1]
    history = [change.action for change in store.history(1)]
    assert len(saved) <= len(history) <= len(saved) + 5  # a change may be saved and not yet be said
    assert store.item(1).revision == len(history)
    rest = iter(history)
    assert all(action in rest for action in saved)  # in this order
    db = sqlite3.connect(str(store.path))
    assert db.execute('PRAGMA integrity_check').fetchone()[0] == 'ok'
    db.close()


def test_a_picture_that_was_moved_stays_the_same_and_no_picture_is_changed(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / 'pictures'
    content = (folder / '0.png').read_bytes()
    (folder / '0.png').rename(tmp_path / 'moved.png')
    (tmp_path / 'no picture.jpg').write_text('text')
    added = add_pictures(store, [str(tmp_path / '*.*'), str(folder)], 25)
    assert (added.new, added.known, len(added.faults)) == (0, 3, 1) and 'no picture.jpg' in added.faults[0]
    assert store.picture(1).path == str(tmp_path / 'moved.png') and Path(store.picture(1).path).read_bytes() == content
    assert store.picture(1).size_hw == (400, 300)


def test_proposals_are_asked_for_first_where_a_person_waits(store: Store) -> None:
    first = store.next_without('network')
    assert first is not None and first.id == 1 and store.count_without('network') == 3
    store.save(3, Label(type='skirt'), 'Ann', 'type')
    waited = store.next_without('network')
    assert waited is not None and waited.id == 3
    store.propose(3, 'network', {'type': 'dress'})
    again = store.next_without('network')
    assert again is not None and again.id == 3, 'a person chose another type'
    store.propose(3, 'network', {'type': 'skirt'})
    following = store.next_without('network')
    assert following is not None and following.id == 1 and store.count_without('network') == 2
    looked_at = store.next_without('network', first=[3, 2])
    assert looked_at is not None and looked_at.id == 2
    assert store.count_without('another network') == 3


def test_a_project_of_a_newer_program_and_other_files_are_refused(tmp_path: Path) -> None:
    Store(tmp_path / 'newer').close()
    db = sqlite3.connect(str(tmp_path / 'newer' / FILE))
    db.execute('PRAGMA user_version = 99')
    db.close()
    with pytest.raises(InputError, match='99'):
        Store(tmp_path / 'newer')
    (tmp_path / 'other').mkdir()
    (tmp_path / 'other' / FILE).write_bytes(b'no database at all' * 100)
    with pytest.raises(InputError, match=FILE):
        Store(tmp_path / 'other')
