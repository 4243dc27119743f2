"""Requests that arrive together are looked at together, by one thread; only so many are taken on at a time."""
import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Iterator, List, Sequence, Union

import numpy as np

from fashionai.inference.finder import Finding
from fashionai.serving.limits import Limits, Refusal

Find = Callable[[Sequence[np.ndarray], Sequence[str]], Sequence[Finding]]
"""Pictures (h, w, 3) uint8 BGR, and a type or AUTO for each, to what is in them."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Job:
    image: np.ndarray
    tag: str
    answer: 'asyncio.Future[Finding]'


class Room:
    """Counts the requests that are being served."""

    def __init__(self, places: int) -> None:
        self._places, self.taken = places, 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one for a request. Raises Refusal, 503, where all are taken."""
        if self.taken >= self._places:
            raise Refusal(503, f'busy with {self.taken} pictures: try again in a second', {'Retry-After': '1'})
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Batcher:
    """Collects jobs for a moment and has them done together. `run` does so until it is cancelled."""

    def __init__(self, find: Find, limits: Limits) -> None:
        self._find, self._limits = find, limits
        self._waiting: asyncio.Queue[_Job] = asyncio.Queue()

    async def find(self, image: np.ndarray, tag: str) -> Finding:
        """What is in a picture. Raises what `find` raised for it, and Refusal, 504, where it took too long; a picture
        that nobody waits for any more is passed over."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Job(image, tag, answer))
        try:
            return await asyncio.wait_for(answer, self._limits.seconds)
        except asyncio.TimeoutError:
            raise Refusal(504, f'the picture was not looked at within {self._limits.seconds:g} seconds') from None

    async def run(self) -> None:
        """Serve the jobs, batch by batch."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, 'finder') as worker:
            while True:
                jobs = [job for job in await self._gathered() if not job.answer.done()]
                outcomes = await loop.run_in_executor(worker, self._outcomes, jobs)
                for job, outcome in zip(jobs, outcomes):
                    _tell(job.answer, outcome)

    async def _gathered(self) -> List[_Job]:
        """The next job, and those that come within the moment after it."""
        jobs = [await self._waiting.get()]
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.gather
        while len(jobs) < self._limits.batch:
            try:
                jobs.append(await asyncio.wait_for(self._waiting.get(), end - loop.time()))
            except asyncio.TimeoutError:
                break
        return jobs

    def _outcomes(self, jobs: Sequence[_Job]) -> Sequence[Union[Finding, Exception]]:
        """What was found for each, or why nothing: where a batch fails, each is tried alone."""
        try:
            return self._find([job.image for job in jobs], [job.tag for job in jobs]) if jobs else []
        except Exception as error:  # noqa: B902  one request's fault must not end the service
            if len(jobs) == 1:
                return [error]
            _LOG.warning('a batch of %d failed, each is tried alone: %s', len(jobs), error)
            return [outcome for job in jobs for outcome in self._outcomes([job])]


def _tell(answer: 'asyncio.Future[Finding]', outcome: Union[Finding, Exception]) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
