"""Collects requests into batches, which one thread predicts, and limits how many requests are served at a time."""
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

Predict = Callable[[Sequence[np.ndarray], Sequence[str]], Sequence[GarmentPrediction]]
"""A function from pictures (h, w, 3) uint8 BGR, and a type or AUTO for each, to their predictions."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Job:
    image: np.ndarray
    tag: str
    answer: 'asyncio.Future[GarmentPrediction]'


class Room:
    """Places for the requests that are served, and a queue of those that wait, in the order of their arrival."""

    def __init__(self, limits: Limits, changed: Callable[[int, int], None] = lambda taken, queued: None) -> None:
        """`changed(taken, queued)` is called after each change of these numbers."""
        self._limits, self._changed, self.taken = limits, changed, 0
        self._queue: Deque[asyncio.Future[None]] = deque()

    @property
    def queued(self) -> int:
        """The number of requests that wait for a place."""
        return sum(not turn.done() for turn in self._queue)

    def check(self, count: int) -> None:
        """Raises Refusal, 503, if so many requests more would neither find a place nor fit into the queue."""
        if count > self._limits.waiting - self.taken + self._limits.queue - self.queued:
            raise Busy(f'busy with {self.taken} pictures, and {self.queued} wait')

    @asynccontextmanager
    async def place(self, end: float) -> AsyncIterator[None]:
        """Holds a place during the block.

        Raises Refusal, 503, if the queue is full, or if no place is free before `end`, a time of the loop's clock in
        seconds.
        """
        try:
            await self._turn(end)
        finally:
            self._changed(self.taken, self.queued)
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, end: float) -> None:
        if self.taken < self._limits.waiting:
            self.taken += 1
            return
        self.check(1)
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._queue.append(turn)
        self._changed(self.taken, self.queued)
        try:
            await asyncio.wait({turn}, timeout=end - loop.time())
        except asyncio.CancelledError:
            if turn.done():
                self._pass_on()
            turn.cancel()
            raise
        if not turn.done():
            turn.cancel()
            raise Busy(f'no place was free within {self._limits.seconds:g} seconds')

    def _pass_on(self) -> None:
        """Gives a place that is no longer needed to the next request in the queue."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        else:
            self.taken -= 1
        self._changed(self.taken, self.queued)


class Batcher:
    """Collects jobs for a moment and predicts them as one batch. `run` does so until it is cancelled."""

    def __init__(self, predict: Predict, limits: Limits) -> None:
        self._predict, self._limits = predict, limits
        self._waiting: asyncio.Queue[_Job] = asyncio.Queue()

    async def predict(self, image: np.ndarray, tag: str, end: float) -> GarmentPrediction:
        """Returns the prediction of a picture. A picture that no request waits for any more is left out.

        Raises what the predict function raised for it, and Refusal, 504, if the prediction is not ready before `end`,
        a time of the loop's clock in seconds.
        """
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._waiting.put_nowait(_Job(image, tag, answer))
        try:
            return await asyncio.wait_for(answer, end - loop.time())
        except asyncio.TimeoutError:
            raise Refusal(504, f'the prediction was not ready within {self._limits.seconds:g} seconds') from None

    async def run(self) -> None:
        """Predicts the jobs, batch by batch."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, 'predictor') as worker:
            while True:
                jobs = [job for job in await self._gathered() if not job.answer.done()]
                results = await loop.run_in_executor(worker, self._results, jobs)
                for job, result in zip(jobs, results):
                    _answer(job.answer, result)

    async def _gathered(self) -> List[_Job]:
        """Returns the next job and those that arrive within `gather` seconds after it."""
        jobs = [await self._waiting.get()]
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.gather
        while len(jobs) < self._limits.batch:
            try:
                jobs.append(await asyncio.wait_for(self._waiting.get(), end - loop.time()))
            except asyncio.TimeoutError:
                break
        return jobs

    def _results(self, jobs: Sequence[_Job]) -> Sequence[Union[GarmentPrediction, Exception]]:
        """Returns the prediction or the error of each job. If a batch fails, each job is tried alone."""
        try:
            return self._predict([job.image for job in jobs], [job.tag for job in jobs]) if jobs else []
        except Exception as error:  # noqa: B902  the fault of one request must not end the service
            if len(jobs) == 1:
                return [error]
            _LOG.warning('a batch of %d pictures failed, each is tried alone: %s', len(jobs), error)
            return [result for job in jobs for result in self._results([job])]


def _answer(answer: 'asyncio.Future[GarmentPrediction]', result: Union[GarmentPrediction, Exception]) -> None:
    if answer.done():
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
