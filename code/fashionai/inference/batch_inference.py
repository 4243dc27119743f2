"""Runs a garment predictor over a user's pictures. Several batches are worked on at a time: while the network computes
one, another is decoded and cut into windows.

Threads are enough for this, because OpenCV, NumPy's products and the network all release Python's lock.
"""
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Callable, Deque, Generator, Iterable, Iterator, List, Tuple, TypeVar, Union

import numpy as np

from fashionai.images.decoder import Unreadable
from fashionai.images.sources import Picture
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor

AT_ONCE = 3
"""Batches that are worked on at a time: one before the network, one in it, and one after it."""

Item = TypeVar('Item')
Result = TypeVar('Result')
_Numbered = Tuple[int, Picture]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The prediction of one picture.

    Attributes:
        number: of the picture in the order in which pictures were named, from 1.
        picture: where it comes from.
        image: (h, w, 3) uint8 BGR, upright.
        prediction: the garment.
        seconds: the time of its batch divided by the number of images in it.
    """

    number: int
    picture: Picture
    image: np.ndarray
    prediction: GarmentPrediction
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A picture that could not be read, and the reason."""

    picture: Picture
    reason: str


def predict_pictures(predictor: GarmentPredictor, pictures: Iterable[_Numbered], tag: str,
                     batch: int) -> Generator[Union[Outcome, Failure], None, None]:
    """Yields the outcome or the failure of each picture, in order.

    Args:
        predictor: it may be used by several threads.
        pictures: with their numbers.
        tag: the garment type of all pictures, or AUTO.
        batch: so many pictures go through the network together.
    """
    numbered = iter(pictures)
    batches: Iterator[List[_Numbered]] = iter(lambda: list(islice(numbered, batch)), [])
    results = in_order(lambda members: _predict_batch(predictor, members, tag), batches, AT_ONCE)
    try:
        for result in results:
            yield from result
    finally:
        results.close()


def failures(pictures: Iterable[_Numbered]) -> Iterator[Failure]:
    """Yields a failure for each picture that is known to be unreadable; the others are left out."""
    for _, picture in pictures:
        if isinstance(picture.content, Unreadable):
            yield Failure(picture, picture.content.reason)


def in_order(work: Callable[[Item], Result], items: Iterable[Item], at_once: int) -> Generator[Result, None, None]:
    """Yields the results of `work` on items in the order of the items.

    `at_once` items are worked on at a time, and no more than that are begun ahead of the last result that was asked
    for. An exception of an item is raised at its place. After that, or when the generator is closed, items that were
    not begun are dropped, and the generator waits for the others.
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


def _predict_batch(predictor: GarmentPredictor, members: List[_Numbered], tag: str) -> List[Union[Outcome, Failure]]:
    """Returns the outcome or the failure of each picture of a batch."""
    started = time.perf_counter()
    read = [picture.read() for _, picture in members]
    images = [image for image in read if not isinstance(image, Unreadable)]
    predictions = iter(predictor.predict(images, [tag] * len(images), together=len(members)))
    seconds = (time.perf_counter() - started) / max(1, len(images))
    return [Failure(picture, image.reason) if isinstance(image, Unreadable) else
            Outcome(number, picture, image, next(predictions), seconds)
            for (number, picture), image in zip(members, read)]
