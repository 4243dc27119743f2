"""Requests that come together are looked at together; limits in number and time hold; one's fault stays its own."""
import asyncio
import threading
from typing import AsyncIterator, Awaitable, Callable, List, Sequence, Tuple

import numpy as np
import pytest

from fashionai.serving.batching import Batcher, Room
from fashionai.serving.limits import Limits, Refusal
from fashionai.serving.uploads import received

Answer = Tuple[int, str]


class Stand:
    """In the place of a finder: says the brightness of the picture, fails on black, and notes how many came at once."""

    def __init__(self) -> None:
        self.batches: List[int] = []
        self.free = threading.Event()
        self.free.set()

    def find(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[Answer]:
        assert self.free.wait(5)
        self.batches.append(len(images))
        if not all(image.any() for image in images):
            raise ValueError('black')
        return [(int(image[0, 0, 0]), tag) for image, tag in zip(images, tags)]


def picture(brightness: int) -> np.ndarray:
    return np.full((2, 2, 3), brightness, np.uint8)


def serve(stand: Stand, limits: Limits, ask: Callable[[Batcher], Awaitable[list]]) -> list:
    async def session() -> list:
        batcher = Batcher(stand.find, limits)
        running = asyncio.ensure_future(batcher.run())
        try:
            return await ask(batcher)
        finally:
            stand.free.set()
            running.cancel()
    return asyncio.run(session())


def all_of(*brightness: int) -> Callable[[Batcher], Awaitable[list]]:
    async def ask(batcher: Batcher) -> list:
        return await asyncio.gather(*[batcher.find(picture(value), f'tag {value}') for value in brightness],
                                    return_exceptions=True)
    return ask


def test_what_arrives_together_is_looked_at_together() -> None:
    stand = Stand()
    found = serve(stand, Limits(batch=4, gather=1), all_of(1, 2, 3, 4, 5, 6, 7, 8))
    assert found == [(value, f'tag {value}') for value in range(1, 9)] and stand.batches == [4, 4]


def test_a_single_request_does_not_wait_for_long() -> None:
    stand = Stand()
    assert serve(stand, Limits(seconds=2, gather=0.001), all_of(9)) == [(9, 'tag 9')] and stand.batches == [1]


def test_one_fault_does_not_spoil_the_others() -> None:
    stand = Stand()
    first, fault, last = serve(stand, Limits(batch=3, gather=1), all_of(5, 0, 6))
    assert (first[0], last[0]) == (5, 6) and isinstance(fault, ValueError) and stand.batches == [3, 1, 1, 1]


def test_who_waits_too_long_is_told_and_passed_over() -> None:
    stand = Stand()
    stand.free.clear()

    async def ask(batcher: Batcher) -> list:
        late = await all_of(1)(batcher) + await all_of(2)(batcher)
        stand.free.set()
        return late + await all_of(3)(batcher)
    first, second, third = serve(stand, Limits(seconds=0.2, gather=0.001), ask)
    assert first.status == second.status == 504 and '0.2 seconds' in first.reason
    assert third == (3, 'tag 3') and len(stand.batches) < 3, 'the second was gone when its turn came'


def test_only_so_many_are_taken_on() -> None:
    room = Room(2)
    with room.place():
        with room.place(), pytest.raises(Refusal) as refused, room.place():
            pass
        assert refused.value.status == 503 and refused.value.headers == {'Retry-After': '1'}
        with room.place():
            assert room.taken == 2
    assert room.taken == 0


def test_a_picture_may_not_take_for_ever_to_arrive() -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b'x'
        await asyncio.sleep(60)
    with pytest.raises(Refusal, match='did not arrive') as refused:
        asyncio.run(received({}, never(), Limits(seconds=0.05)))
    assert refused.value.status == 408


def test_limits_are_numbers_above_0() -> None:
    with pytest.raises(ValueError, match='seconds 0: wanted a number above 0'):
        Limits(seconds=0)
