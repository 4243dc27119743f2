"""Requests that come together are one batch; limits in number and time hold; a fault concerns one request only."""
import asyncio
import threading
from typing import AsyncIterator, Awaitable, Callable, List, Sequence, Tuple, Union

import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.serving.batching import Batcher, Room
from fashionai.serving.limits import MEGA, Limits, Refusal
from fashionai.serving.uploads import Uploads

Answer = Tuple[int, str]


class Stand:
    """A stand-in predictor: returns the brightness of the picture, fails on black, and notes the size of each batch."""

    def __init__(self) -> None:
        self.batches: List[int] = []
        self.free = threading.Event()
        self.free.set()

    def predict(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[Answer]:
        assert self.free.wait(5)
        self.batches.append(len(images))
        if not all(image.any() for image in images):
            raise ValueError('black')
        return [(int(image[0, 0, 0]), tag) for image, tag in zip(images, tags)]


def picture(brightness: int) -> np.ndarray:
    return np.full((2, 2, 3), brightness, np.uint8)


def serve(stand: Stand, limits: Limits, ask: Callable[[Batcher], Awaitable[list]]) -> list:
    async def session() -> list:
        batcher = Batcher(stand.predict, limits)
        running = asyncio.ensure_future(batcher.run())
        try:
            return await ask(batcher)
        finally:
            stand.free.set()
            running.cancel()
    return asyncio.run(session())


def all_of(*brightness: int, seconds: float = 60) -> Callable[[Batcher], Awaitable[list]]:
    async def ask(batcher: Batcher) -> list:
        end = asyncio.get_running_loop().time() + seconds
        return await asyncio.gather(*[batcher.predict(picture(value), f'tag {value}', end) for value in brightness],
                                    return_exceptions=True)
    return ask


def test_what_arrives_together_is_one_batch() -> None:
    stand = Stand()
    found = serve(stand, Limits(batch=4, gather=1), all_of(1, 2, 3, 4, 5, 6, 7, 8))
    assert found == [(value, f'tag {value}') for value in range(1, 9)] and stand.batches == [4, 4]


def test_a_single_request_does_not_wait_for_long() -> None:
    stand = Stand()
    assert serve(stand, Limits(gather=0.001), all_of(9, seconds=2)) == [(9, 'tag 9')] and stand.batches == [1]


def test_one_fault_does_not_spoil_the_others() -> None:
    stand = Stand()
    first, fault, last = serve(stand, Limits(batch=3, gather=1), all_of(5, 0, 6))
    assert (first[0], last[0]) == (5, 6) and isinstance(fault, ValueError) and stand.batches == [3, 1, 1, 1]


def test_a_request_that_waits_too_long_is_refused_and_left_out() -> None:
    stand = Stand()
    stand.free.clear()

    async def ask(batcher: Batcher) -> list:
        late = await all_of(1, seconds=0.2)(batcher) + await all_of(2, seconds=0.2)(batcher)
        stand.free.set()
        return late + await all_of(3)(batcher)
    first, second, third = serve(stand, Limits(seconds=0.2, gather=0.001), ask)
    assert first.status == second.status == 504 and '0.2 seconds' in first.reason
    assert third == (3, 'tag 3') and len(stand.batches) < 3, 'the second was gone when its turn came'


def in_room(limits: Limits, visits: Callable[[Room], Awaitable[None]]) -> None:
    async def session() -> None:
        room = Room(limits)
        await visits(room)
        assert room.taken == room.queued == 0
    asyncio.run(session())


async def visit(room: Room, name: str, seconds: float, log: List[str]) -> None:
    """Takes a place, holds it for a moment, and notes whether it was refused."""
    try:
        async with room.place(asyncio.get_running_loop().time() + seconds):
            log.append(name)
            await asyncio.sleep(0.01)
    except Refusal as refused:
        assert refused.status == 503 and refused.headers == {'Retry-After': '1'}
        log.append(f'{name} refused')


def test_places_are_given_in_the_order_of_arrival_and_no_more_than_fit_are_taken_on() -> None:
    log: List[str] = []

    async def visits(room: Room) -> None:
        await asyncio.gather(*[visit(room, name, 5, log) for name in 'abcdefgh'])
    in_room(Limits(waiting=2, queue=4), visits)
    assert log == ['a', 'b', 'g refused', 'h refused', 'c', 'd', 'e', 'f']


def test_who_has_waited_for_too_long_or_has_left_is_passed_over() -> None:
    log: List[str] = []

    async def visits(room: Room) -> None:
        end = asyncio.get_running_loop().time() + 5
        async with room.place(end):
            late = asyncio.ensure_future(visit(room, 'late', 0.01, log))
            left = asyncio.ensure_future(visit(room, 'left', 5, log))
            last = asyncio.ensure_future(visit(room, 'last', 5, log))
            await late
            left.cancel()
            await asyncio.sleep(0)
            assert (room.taken, room.queued) == (1, 1)
        await last
    in_room(Limits(waiting=1, queue=3), visits)
    assert log == ['late refused', 'last']


def test_a_place_that_comes_as_its_owner_leaves_is_passed_on() -> None:
    log: List[str] = []

    async def visits(room: Room) -> None:
        async with room.place(asyncio.get_running_loop().time() + 5):
            left = asyncio.ensure_future(visit(room, 'left', 5, log))
            last = asyncio.ensure_future(visit(room, 'last', 5, log))
            await asyncio.sleep(0)
        left.cancel()  # its turn has come, and it does not know yet
        await last
    in_room(Limits(waiting=1, queue=3), visits)
    assert log == ['last']


async def chunks(*parts: bytes, then: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(0)
    await asyncio.sleep(then)


async def kept(uploads: Uploads, body: AsyncIterator[bytes], seconds: float = 0) -> Union[int, Refusal]:
    """Returns the length of a body that is kept for a while, or why it was refused."""
    try:
        async with uploads.received({}, body) as data:
            await asyncio.sleep(seconds)
            return len(data)
    except Refusal as refused:
        return refused


def test_a_picture_may_not_take_for_ever_to_arrive() -> None:
    async def session() -> None:
        refused = await kept(Uploads(Limits(seconds=0.05)), chunks(b'x', then=60))
        assert isinstance(refused, Refusal) and refused.status == 408
    asyncio.run(session())


def test_a_body_is_joined_and_bounded_as_it_comes() -> None:
    async def session() -> None:
        uploads = Uploads(Limits(megabytes=0.00001))
        assert await kept(uploads, chunks(b'12345', b'', b'67890')) == 10
        refused = await kept(uploads, chunks(b'12345', b'678901', then=60))
        assert isinstance(refused, Refusal) and refused.status == 413
    asyncio.run(session())


def test_slow_bodies_give_way_to_whole_ones() -> None:
    """Memory for two bodies of a megabyte: the slowest is refused for it, and all of it is free again at the end."""
    async def session() -> None:
        uploads, half = Uploads(Limits(megabytes=1, waiting=2)), bytes(MEGA // 2)
        slow = [asyncio.ensure_future(kept(uploads, chunks(half, then=1))) for _ in range(4)]
        await asyncio.sleep(0.02)
        assert await kept(uploads, chunks(half, half)) == MEGA
        refused = await asyncio.gather(*slow[:2])
        assert [fault.status for fault in refused if isinstance(fault, Refusal)] == [503, 503]
        whole = [asyncio.ensure_future(kept(uploads, chunks(half, half), 0.2)) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert all(each.done() and isinstance(each.result(), Refusal) for each in slow)
        fault = await kept(uploads, chunks(half))
        assert isinstance(fault, Refusal) and fault.status == 503, 'whole ones are not refused for others'
        assert await asyncio.gather(*whole) == [MEGA, MEGA]
        assert await asyncio.gather(*[kept(uploads, chunks(half, half)) for _ in range(2)]) == [MEGA, MEGA]
    asyncio.run(session())


def test_limits_are_numbers_above_0() -> None:
    with pytest.raises(InputError, match='seconds 0'):
        Limits(seconds=0)
