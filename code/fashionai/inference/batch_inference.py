"""A user's pictures through a finder, several batches under way."""
import time
from dataclasses import dataclass
from itertools import islice
from typing import Generator, Iterable, Iterator, List, Tuple, Union

import numpy as np

from fashionai.images.decoder import Unreadable
from fashionai.images.sources import Picture
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor
from fashionai.inference.pipeline import AT_ONCE, in_order

_Numbered = Tuple[int, Picture]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a picture: its number in the order they were named, from 1; itself, and (h, w, 3) uint8 BGR; what
    was found; seconds, the share of its batch."""

    number: int
    picture: Picture
    image: np.ndarray
    finding: GarmentPrediction
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A picture that could not be read, and why."""

    picture: Picture
    reason: str


def outcomes(finder: GarmentPredictor, pictures: Iterable[_Numbered], tag: str,
             batch: int) -> Generator[Union[Outcome, Failure], None, None]:
    """What becomes of each picture, given with its number, in order; so many at a time go through the network together.
    `tag`: the type of all, or finder.AUTO."""
    numbered = iter(pictures)
    batches: Iterator[List[_Numbered]] = iter(lambda: list(islice(numbered, batch)), [])
    results = in_order(lambda members: _looked(finder, members, tag), batches, AT_ONCE)
    try:
        for result in results:
            yield from result
    finally:
        results.close()


def failures(pictures: Iterable[_Numbered]) -> Iterator[Failure]:
    """The failures of pictures of which none can be read."""
    for _, picture in pictures:
        if isinstance(picture.content, Unreadable):
            yield Failure(picture, picture.content.reason)


def _looked(finder: GarmentPredictor, members: List[_Numbered], tag: str) -> List[Union[Outcome, Failure]]:
    """What becomes of the pictures of a batch."""
    started = time.perf_counter()
    read = [picture.read() for _, picture in members]
    images = [image for image in read if not isinstance(image, Unreadable)]
    findings = iter(finder.find(images, [tag] * len(images), together=len(members)))
    seconds = (time.perf_counter() - started) / max(1, len(images))
    return [Failure(picture, image.reason) if isinstance(image, Unreadable) else
            Outcome(number, picture, image, next(findings), seconds) for (number, picture), image in zip(members, read)]
