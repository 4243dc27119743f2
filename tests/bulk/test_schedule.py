"""Tasks of workers: who gets which pictures, and what becomes of those whose worker died."""
from typing import Dict, List, Set

import pytest

from fashionai.bulk.schedule import Schedule, Task


def numbers(task: Task) -> List[int]:
    """The pictures of a task."""
    return list(range(task.start, task.stop))


def completed(schedule: Schedule, deadly: Set[int], most: int) -> Dict[str, List[int]]:
    """Runs a schedule with two workers; deadly pictures kill theirs. Returns what was predicted and given up."""
    found: Dict[str, List[int]] = {'predicted': [], 'given up': [], 'deaths': []}
    turn = 0
    while schedule.waits:
        turn += 1
        task = schedule.take(f'worker {turn % 2}', most)
        assert task and len(task) <= most
        if deadly.isdisjoint(numbers(task)):
            found['predicted'] += numbers(task)
        else:
            found['deaths'].append(len(task))
            if schedule.died(task):
                found['given up'] += numbers(task)
    return found


def test_every_picture_is_predicted_once() -> None:
    found = completed(Schedule([Task(0, 0, 10), Task(2, 20, 30)], 3), set(), 4)
    assert sorted(found['predicted']) == [*range(10), *range(20, 30)]
    assert found['given up'] == found['deaths'] == []


@pytest.mark.parametrize('deadly', [{0}, {9}, {4, 5}, set(range(10))])
def test_a_deadly_picture_costs_its_row_alone(deadly: Set[int]) -> None:
    found = completed(Schedule([Task(0, 0, 10)], 3), deadly, 8)
    assert sorted(found['given up']) == sorted(deadly)
    assert sorted(found['predicted']) == sorted(set(range(10)) - deadly)
    assert found['deaths'].count(1) == 3 * len(deadly), 'each was alone as often as --tries says'


def test_a_worker_stays_in_its_part_and_helps_others_at_the_end() -> None:
    schedule = Schedule([Task(0, 0, 4), Task(1, 4, 8)], 3)
    taken = [schedule.take(worker, 2) for worker in ('a', 'b', 'a', 'a')]
    assert [task.part for task in taken if task] == [0, 1, 0, 1]
    assert schedule.take('b', 2) is None and not schedule.waits


def test_a_worker_that_dies_by_chance_costs_nothing() -> None:
    schedule = Schedule([Task(0, 0, 8)], 2)
    task = schedule.take('a', 8)
    assert task and not schedule.died(task)
    found = completed(schedule, set(), 8)
    assert sorted(found['predicted']) == list(range(8))
