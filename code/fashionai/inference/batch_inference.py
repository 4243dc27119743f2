"""Runs a garment predictor over a user's pictures. Several batches are worked on at a time: while the network computes
one, another is decoded and cut into windows.

Threads are enough for this, because OpenCV, NumPy's products and the network all release Python's lock.
"""
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Callable, Deque, Generator, Iterable, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.boxes import GarmentBox
from fashionai.images.decoder import Unreadable
from fashionai.images.scale import ScaleObject
from fashionai.images.sources import Picture
from fashionai.inference.boxes import predict_in_boxes, predict_twice
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor, in_planes

AT_ONCE = 3
"""Batches that are worked on at a time: one before the network, one in it, and one after it."""

Item = TypeVar('Item')
Result = TypeVar('Result')
_Numbered = Tuple[int, Picture]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The prediction of one garment.

    Attributes:
        number: of the picture in the order in which pictures were named, from 1.
        picture: where it comes from.
        image: (h, w, 3) uint8 BGR, upright.
        prediction: the garment.
        seconds: the time of its batch divided by the number of garments in it.
        garment: its number among the boxes of the picture, from 1; None if the picture has no boxes.
    """

    number: int
    picture: Picture
    image: np.ndarray
    prediction: GarmentPrediction
    seconds: float
    garment: Optional[int] = None


@dataclass(frozen=True)
class Failure:
    """A picture that could not be read, or has a bad box, and the reason."""

    picture: Picture
    reason: str


PictureResult = Union[Sequence[Outcome], Failure]
"""What became of a picture: an outcome for each of its garments, or a failure."""


def predict_pictures(predictor: GarmentPredictor, pictures: Iterable[_Numbered], tag: str, batch: int,
                     twice: bool = False, scale: Optional[ScaleObject] = None) -> Generator[PictureResult, None, None]:
    """Yields the result of each picture, in order.

    Args:
        predictor: it may be used by several threads.
        pictures: with their numbers.
        tag: the garment type of all garments whose box has none, or AUTO.
        batch: so many pictures are read, and so many garments go through the network together.
        twice: whether a garment without a box is predicted again in the box of its points.
        scale: the object that shows the plane of the garments in each picture.
    """
    numbered = iter(pictures)
    batches: Iterator[List[_Numbered]] = iter(lambda: list(islice(numbered, batch)), [])
    results = in_order(lambda members: _predict_batch(predictor, members, tag, twice, scale), batches, AT_ONCE)
    try:
        for members in results:
            yield from members
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


def _predict_batch(predictor: GarmentPredictor, members: List[_Numbered], tag: str,
                   twice: bool, scale: Optional[ScaleObject]) -> List[PictureResult]:
    """Returns the result of each picture of a batch."""
    started = time.perf_counter()
    read = [_read(picture) for _, picture in members]
    garments = [(image, garment) for (_, picture), image in zip(members, read) if not isinstance(image, Unreadable)
                for garment in _boxes_of(picture)]
    images = [image for image, _ in garments]
    tags = [garment.type if garment and garment.type else tag for _, garment in garments]
    boxes = [garment.box if garment else None for _, garment in garments]
    predicted = (predict_twice(predictor, images, tags, len(members)) if twice else
                 predict_in_boxes(predictor, images, tags, boxes, len(members)))
    predictions = iter(in_planes(predicted, images, scale))
    seconds = (time.perf_counter() - started) / max(1, len(garments))
    return [Failure(picture, image.reason) if isinstance(image, Unreadable) else
            [Outcome(number, picture, image, next(predictions), seconds, place if garment else None)
             for place, garment in enumerate(_boxes_of(picture), 1)]
            for (number, picture), image in zip(members, read)]


def _boxes_of(picture: Picture) -> Sequence[Optional[GarmentBox]]:
    """Returns the boxes of a picture; for a picture without boxes, None for its only garment."""
    return [None] if picture.boxes is None else picture.boxes


def _read(picture: Picture) -> Union[np.ndarray, Unreadable]:
    """Returns the picture, or the reason why it or one of its boxes cannot be used."""
    image = picture.read()
    if isinstance(image, Unreadable):
        return image
    try:
        for garment in picture.boxes or ():
            garment.check(image.shape[:2])
    except InputError as error:
        return Unreadable(f'{picture.label}: {error}')
    return image
