"""Several batches under way at once: while the graph computes one, another is read and cut, and a third decoded.

Threads do for this, since OpenCV, NumPy's products and the graph all let go of Python's lock.
"""
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Deque, Generator, Iterable, TypeVar

import numpy as np

AT_ONCE = 3
"""Batches under way: one in the graph, one before it and one behind it."""

Item = TypeVar('Item')
Result = TypeVar('Result')


def in_order(work: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Generator[Result, None, None]:
    """The results of `work` on items, in their order, each as soon as it and those before it are there.

    `at_once` items are worked on together, and no more than that are ahead of the result last asked for. What one
    raises is raised in its place; then, or when the generator is closed, items that were not begun are dropped and
    the others waited for.
    """
    waiting: Deque[Future[Result]] = deque()
    with ThreadPoolExecutor(max_workers=at_once) as workers:
        try:
            for item in items:
                waiting.append(workers.submit(work, item))
                if len(waiting) > at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def in_turn(forward: Callable[[np.ndarray], Result], turn: threading.Lock) -> Callable[[np.ndarray], Result]:
    """A network that computes one batch at a time, so that its memory is that of one; others wait for their turn,
    which several networks may share."""
    def one_at_a_time(images: np.ndarray) -> Result:
        with turn:
            return forward(images)
    return one_at_a_time
