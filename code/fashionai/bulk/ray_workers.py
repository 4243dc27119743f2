"""Workers on a Ray cluster, or on a Ray that this process starts on this machine for itself.

Ray starts and ends the workers, and says which have died. Which pictures they get is decided by `Schedule`.
"""
import logging
import os
import secrets
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import fashionai
from fashionai.bulk.listing import Listing
from fashionai.bulk.schedule import Schedule, Task
from fashionai.bulk.worker import Worker, WorkerSetup
from fashionai.errors import InputError, in_a_line

_LOG = logging.getLogger(__name__)

_SECONDS_OF_TASK = 3.
"""A worker gets as many pictures as it did before in this time."""

_MOST_PICTURES, _FIRST_PICTURES = 64, 4
"""Pictures of a task: at most, and of the first task of a worker."""

_FAILED_STARTS = 5
"""So many workers in a row may die while they load the networks."""

_STARTS_OF_RAY = 4
"""So often is Ray started on this machine, before it counts as impossible; each start may take half a minute."""

_POLL = 0.5
"""Seconds between two looks at workers that say nothing."""

_SECONDS_TO_START = 60
"""After this time without a worker, a message says what the run waits for."""

_STORE_BYTES = 2 ** 27
"""Ray's store of objects on this machine: tasks and results are small."""


@dataclass(frozen=True)
class WorkerLimits:
    """How many workers there are, and what each may use.

    Attributes:
        least, most: the number of workers.
        cpus: the processors that Ray keeps for each.
        gpus: the GPUs of each, also a part of one.
        seconds: a worker that has not answered for so long is ended.
    """

    least: int
    most: int
    cpus: int
    gpus: float
    seconds: float


@dataclass(frozen=True)
class Done:
    """A task that a worker has ended. `table` has its rows; if it is None, the pictures were given up for a reason."""

    task: Task
    table: Any = None
    reason: str = ''


@dataclass(eq=False)
class _Worker:
    """An actor. `task` is None while it loads the networks."""

    actor: Any
    task: Optional[Task] = None
    since: float = 0.
    pictures: int = _FIRST_PICTURES
    reason: str = ''


@contextmanager
def connected(address: str, model_bytes: int = 0) -> Iterator[None]:
    """Joins the cluster at an address, or starts a Ray on this machine if it is ''; it ends with the block.

    Raises InputError if no cluster answers or Ray does not start, ModuleNotFoundError if Ray is not installed.
    """
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    package = Path(fashionai.__file__).parent
    settings: Dict[str, Any] = {'log_to_driver': False, 'logging_level': logging.ERROR}
    if address:
        settings.update(address=address, runtime_env={'py_modules': [str(package)]})
    else:
        if 'RAY_AUTH_MODE' not in os.environ:  # Ray listens on every address of the machine
            os.environ.update(RAY_AUTH_MODE='token', RAY_AUTH_TOKEN=secrets.token_hex(32))
        os.environ.setdefault('RAY_worker_niceness', '0')  # Ray's 15 would starve workers beside other programs
        paths = [str(package.parent), *filter(None, [os.environ.get('PYTHONPATH')])]
        os.environ['PYTHONPATH'] = os.pathsep.join(dict.fromkeys(os.pathsep.join(paths).split(os.pathsep)))
        settings.update(include_dashboard=False, object_store_memory=_STORE_BYTES + 2 * model_bytes)
    ray = import_module('ray')
    try:
        _init(settings)
        yield
    finally:
        ray.shutdown()


def _init(settings: Dict[str, Any]) -> None:
    """Connects to a cluster or starts one; on a machine that is busy with other work, Ray may need several tries.

    Raises InputError if it does not succeed.
    """
    ray = import_module('ray')
    address = settings.get('address')
    for _ in range(1 if address else _STARTS_OF_RAY):
        try:
            ray.init(**settings)
            return
        except SystemExit:  # Ray handles SIGTERM itself meanwhile, with an exit code of its own
            raise SystemExit(128 + signal.SIGTERM) from None
        except (ConnectionError, RuntimeError, ValueError) as error:  # such as other versions of Python and Ray there
            reason: Exception = error
        except Exception as error:  # Ray has no class for a start that takes too long
            if type(error) is not Exception:
                raise
            reason = error
        ray.shutdown()
        _LOG.info('Ray did not start: %s', in_a_line(reason))
    if address:
        raise InputError(f'--ray {address}: the cluster cannot be joined: {in_a_line(reason)}')
    raise InputError(f'Ray did not start on this machine, tried {_STARTS_OF_RAY} times: {in_a_line(reason)}')


def resources() -> Tuple[List[int], float]:
    """Returns the processors of each machine of the cluster, and the number of GPUs of all."""
    ray = import_module('ray')
    nodes = [node['Resources'] for node in ray.nodes() if node['Alive']]
    return [int(node.get('CPU', 0)) for node in nodes], sum(node.get('GPU', 0.) for node in nodes)


def share_of_cpus(cpus: Sequence[int], workers: int) -> int:
    """Returns the most processors that each of so many workers can have on machines with `cpus` processors; 1 if there
    are fewer processors than workers."""
    shares = range(max(cpus, default=1), 0, -1)
    return next((share for share in shares if sum(count // share for count in cpus) >= workers), 1)


class RayWorkers:
    """The workers of a run. Ray is connected.

    Attributes:
        versions: of the libraries of the first worker, once it has begun.
        count: the workers that have loaded their networks.
    """

    def __init__(self, setup: WorkerSetup, limits: WorkerLimits) -> None:
        self._ray = import_module('ray')
        self._limits = limits
        self._setup = self._ray.put(setup)
        self._actor = self._ray.remote(Worker).options(num_cpus=limits.cpus, num_gpus=limits.gpus, max_restarts=0,
                                                       max_task_retries=0)
        self._busy: Dict[Any, _Worker] = {}  # by the reference of what they do
        self._idle: List[_Worker] = []
        self._failed_starts, self._said = 0, False
        self._begun = time.monotonic()
        self.versions: Dict[str, str] = {}

    @property
    def count(self) -> int:
        """The workers that have loaded their networks."""
        return len(self._idle) + sum(worker.task is not None for worker in self._busy.values())

    def run(self, listing: Listing, schedule: Schedule) -> Iterator[Done]:
        """Yields the tasks of a schedule as they end, in any order, with tables of their rows.

        Raises the exceptions of the program and InputError of workers, and InputError if workers cannot begin.
        """
        try:
            while schedule.waits or any(worker.task for worker in self._busy.values()):
                self._give_tasks(listing, schedule)
                self._begin_workers(schedule)
                for reference in self._ray.wait(list(self._busy), num_returns=1, timeout=_POLL)[0]:
                    yield from self._ended(reference, self._busy.pop(reference), schedule)
                self._end_silent()
        finally:
            for worker in [*self._busy.values(), *self._idle]:
                self._ray.kill(worker.actor)

    def _begin_workers(self, schedule: Schedule) -> None:
        """Begins workers as long as tasks wait: the least number at once, then as many again as there are."""
        loading = len(self._busy) + len(self._idle) - self.count
        while schedule.waits and loading + self.count < self._limits.most and (
                loading + self.count < self._limits.least or loading < max(1, self.count)):
            worker = _Worker(self._actor.remote())
            self._busy[worker.actor.load.remote(self._setup)] = worker
            loading += 1
        if not self._said and not self.versions and time.monotonic() - self._begun > _SECONDS_TO_START:
            self._said = True
            _LOG.warning('no worker has begun yet: each waits for %d free processors%s of the cluster, or loads its '
                         'networks', self._limits.cpus, f' and {self._limits.gpus:g} GPUs' if self._limits.gpus else '')

    def _give_tasks(self, listing: Listing, schedule: Schedule) -> None:
        """Gives tasks to the idle workers; ends those that are not needed any more, but for the least number."""
        idle, self._idle = self._idle, []
        for worker in idle:
            task = schedule.take(worker, worker.pictures)
            if task:
                worker.task, worker.since = task, time.monotonic()
                pictures = listing.slice(task.start, task.stop)
                self._busy[worker.actor.predict.remote(pictures)] = worker
            elif self.count >= self._limits.least:
                self._ray.kill(worker.actor)
            else:
                self._idle.append(worker)

    def _ended(self, reference: Any, worker: _Worker, schedule: Schedule) -> Iterator[Done]:
        """Takes the result of a worker, or takes back the task of one that died."""
        errors = import_module('ray.exceptions')
        task, worker.task = worker.task, None
        try:
            result = self._ray.get(reference)
        except errors.RayTaskError as error:
            if not isinstance(error.cause, MemoryError):
                raise (error.cause if isinstance(error.cause, (InputError, ModuleNotFoundError)) else error) from None
            reason = 'out of memory'
            self._ray.kill(worker.actor)
        except errors.RayError as error:
            reason = worker.reason or _cause_of_death(error)
            self._ray.kill(worker.actor)
        else:
            self._idle.append(worker)
            self._failed_starts = 0
            if task:
                worker.pictures = _next_pictures(len(task), time.monotonic() - worker.since)
                yield Done(task, result)
            else:
                self.versions = self.versions or result
            return
        if task is None:
            self._failed_starts += 1
            if self._failed_starts >= _FAILED_STARTS:
                raise InputError(f'{_FAILED_STARTS} workers in a row died while they loaded the networks ({reason}): '
                                 'wanted more memory, or fewer --workers')
        elif schedule.died(task):
            yield Done(task, reason=reason)
        else:
            _LOG.info('a worker died with %d pictures, from number %d: %s; they are tried again', len(task), task.start,
                      reason)

    def _end_silent(self) -> None:
        """Ends workers that have not answered for too long; their task then comes back as that of a dead one."""
        for worker in self._busy.values():
            if worker.task and not worker.reason and time.monotonic() - worker.since > self._limits.seconds:
                worker.reason = f'no answer for {self._limits.seconds:g} s'
                self._ray.kill(worker.actor)


def _next_pictures(before: int, seconds: float) -> int:
    """Returns how many pictures a worker gets that took some seconds for the last ones; at most twice as many."""
    wanted = before * _SECONDS_OF_TASK / max(seconds, 1e-3)
    return max(1, min(_MOST_PICTURES, 2 * before, int(wanted)))


def _cause_of_death(error: Exception) -> str:
    return 'out of memory' if type(error).__name__ == 'OutOfMemoryError' else 'it ended unexpectedly'
