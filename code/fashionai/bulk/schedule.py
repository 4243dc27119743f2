"""Which pictures go to which worker next, and what becomes of pictures whose worker died. It knows nothing of Ray.

Pictures are numbered. A part is a range of numbers that becomes one file of the output. A worker gets a task, a range
within a part, and stays in its part as long as there is something to do.
"""
from collections import deque
from dataclasses import dataclass
from typing import Deque, Dict, Hashable, Iterable, List, Optional


@dataclass(frozen=True)
class Task:
    """Pictures for one worker: the numbers from `start` to `stop`, without the last.

    Attributes:
        part: the number of the part.
        deaths: workers that died with this picture alone.
    """

    part: int
    start: int
    stop: int
    deaths: int = 0

    def __len__(self) -> int:
        return self.stop - self.start


class Schedule:
    """The tasks of the parts that are missing.

    Args:
        parts: a task for each part, with all its pictures.
        tries: a picture is given up after it was alone in so many workers that died.
    """

    def __init__(self, parts: Iterable[Task], tries: int) -> None:
        self._fresh, self._tries = deque(parts), tries
        self._begun: Dict[int, Deque[Task]] = {}
        self._part_of: Dict[Hashable, int] = {}

    @property
    def waits(self) -> bool:
        """Whether there is a task that no worker has."""
        return bool(self._fresh or self._begun)

    def take(self, worker: Hashable, most: int) -> Optional[Task]:
        """Returns the next task of a worker, with at most so many pictures: of its part, or of one that nobody has
        begun, or of that of another worker; None if there is none."""
        part = self._part_of.get(worker)
        if part not in self._begun:
            part = self._begin()
        if part is None:
            return None
        self._part_of[worker] = part
        tasks = self._begun[part]
        task = tasks.popleft()
        if len(task) > most:
            tasks.appendleft(Task(part, task.start + most, task.stop))
            task = Task(part, task.start, task.start + most)
        if not tasks:
            del self._begun[part]
        return task

    def died(self, task: Task) -> bool:
        """Takes back a task whose worker died. Several pictures are halved, so that in the end the one that kills
        workers is alone. Returns True if the task is given up: it is one picture, and was tried often enough."""
        if len(task) == 1:
            if task.deaths + 1 >= self._tries:
                return True
            self._put_back([Task(task.part, task.start, task.stop, task.deaths + 1)])
        else:
            middle = (task.start + task.stop) // 2
            self._put_back([Task(task.part, task.start, middle), Task(task.part, middle, task.stop)])
        return False

    def _begin(self) -> Optional[int]:
        """Returns the number of a part with tasks: one that nobody has begun, or else any other."""
        if self._fresh:
            first = self._fresh.popleft()
            self._begun[first.part] = deque([first])
            return first.part
        return next(iter(self._begun), None)

    def _put_back(self, tasks: List[Task]) -> None:
        self._begun.setdefault(tasks[0].part, deque()).extendleft(reversed(tasks))
