"""A user's pictures through a finder, several batches under way."""
import time
from dataclasses import dataclass
from itertools import islice
from typing import Generator, Iterable, Iterator, List, Tuple, Union

import numpy as np

from fashionai.dataflow.inputs import Picture
from fashionai.inference.finder import Finder, Finding
from fashionai.inference.pipeline import AT_ONCE, in_order

_Numbered = Tuple[int, Picture]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a picture: its number in the order they were named, from 1; itself, and (h, w, 3) uint8 BGR; what
    was found; seconds, the share of its batch."""

    number: int
    picture: Picture
    image: np.ndarray
    finding: Finding
    seconds: float


@dataclass(frozen=True)
class Failure:
    """A picture that could not be read, and why."""

    picture: Picture
    reason: str


def outcomes(finder: Finder, pictures: Iterable[Picture], tag: str,
             batch: int) -> Generator[Union[Outcome, Failure], None, None]:
    """What becomes of each picture, in order; so many at a time go through the network together. `tag`: the type of
    all, or finder.AUTO."""
    numbered = iter(enumerate(pictures, 1))
    batches: Iterator[List[_Numbered]] = iter(lambda: list(islice(numbered, batch)), [])
    results = in_order(lambda members: _looked(finder, members, tag), batches, AT_ONCE)
    try:
        for result in results:
            yield from result
    finally:
        results.close()


def _looked(finder: Finder, members: List[_Numbered], tag: str) -> List[Union[Outcome, Failure]]:
    """What becomes of the pictures of a batch."""
    started = time.perf_counter()
    read = [picture.read() for _, picture in members]
    images = [image for image in read if not isinstance(image, str)]
    findings = iter(finder.find(images, [tag] * len(images)))
    seconds = (time.perf_counter() - started) / max(1, len(images))
    return [Failure(picture, image) if isinstance(image, str) else
            Outcome(number, picture, image, next(findings), seconds) for (number, picture), image in zip(members, read)]
