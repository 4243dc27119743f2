"""Requests that arrive together are looked at together, by one thread; only so many are served at a time, in order."""
import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import AsyncIterator, Callable, Deque, List, Sequence, Union

import numpy as np

from fashionai.inference.garment_predictor import GarmentPrediction
from fashionai.serving.limits import Busy, Limits, Refusal

Find = Callable[[Sequence[np.ndarray], Sequence[str]], Sequence[GarmentPrediction]]
"""Pictures (h, w, 3) uint8 BGR, and a type or AUTO for each, to what is in them."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Job:
    image: np.ndarray
    tag: str
    answer: 'asyncio.Future[GarmentPrediction]'


class Room:
    """Places for the requests that are being served, and a queue before them, in the order in which they came."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self.taken = limits, 0
        self._queue: Deque[asyncio.Future[None]] = deque()

    @property
    def queued(self) -> int:
        """How many wait for a place."""
        return sum(not turn.done() for turn in self._queue)

    @asynccontextmanager
    async def place(self, end: float) -> AsyncIterator[None]:
        """A place during the block. Raises Refusal, 503, if the queue is full, and if the turn does not come before
        the end, in seconds of the loop's clock."""
        await self._turn(end)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, end: float) -> None:
        if self.taken < self._limits.waiting:
            self.taken += 1
            return
        if self.queued >= self._limits.queue:
            raise Busy(f'busy with {self.taken} pictures, and {self.queued} wait')
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._queue.append(turn)
        try:
            await asyncio.wait({turn}, timeout=end - loop.time())
        except asyncio.CancelledError:
            if turn.done():
                self._pass_on()
            turn.cancel()
            raise
        if not turn.done():
            turn.cancel()
            raise Busy(f'the turn of the picture did not come within {self._limits.seconds:g} seconds')

    def _pass_on(self) -> None:
        """Give a place that was taken to the next in the queue."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1


class Batcher:
    """Collects jobs for a moment and has them done together. `run` does so until it is cancelled."""

    def __init__(self, find: Find, limits: Limits) -> None:
        self._find, self._limits = find, limits
        self._waiting: asyncio.Queue[_Job] = asyncio.Queue()

    async def find(self, image: np.ndarray, tag: str, end: float) -> GarmentPrediction:
        """What is in a picture. Raises what `find` raised for it, and Refusal, 504, if it is not found before the end,
        in seconds of the loop's clock; a picture that nobody waits for any more is passed over."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._waiting.put_nowait(_Job(image, tag, answer))
        try:
            return await asyncio.wait_for(answer, end - loop.time())
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

    def _outcomes(self, jobs: Sequence[_Job]) -> Sequence[Union[GarmentPrediction, Exception]]:
        """What was found for each, or why nothing: where a batch fails, each is tried alone."""
        try:
            return self._find([job.image for job in jobs], [job.tag for job in jobs]) if jobs else []
        except Exception as error:  # noqa: B902  one request's fault must not end the service
            if len(jobs) == 1:
                return [error]
            _LOG.warning('a batch of %d failed, each is tried alone: %s', len(jobs), error)
            return [outcome for job in jobs for outcome in self._outcomes([job])]


def _tell(answer: 'asyncio.Future[GarmentPrediction]', outcome: Union[GarmentPrediction, Exception]) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
