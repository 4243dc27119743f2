"""The limits of the service, and the errors by which it refuses requests."""
from dataclasses import dataclass
from typing import Mapping, Optional

from fashionai.errors import InputError
from fashionai.images.decoder import MEGAPIXELS

MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """The limits of the service.

    Attributes:
        megabytes: the largest file of a picture, in 1,000,000 bytes.
        megapixels: the largest picture, in 1,000,000 pixels.
        seconds: the time in which a picture must arrive, and the time from then to its answer.
        waiting: the pictures that are decoded and predicted at a time. `waiting` times `megabytes` is also the memory
            that all bodies of requests may take together.
        batch: the pictures that go through the network together.
        gather: seconds that the first picture of a batch waits for others.
        queue: the complete pictures that wait for their turn.
        connections: the connections that are open at a time.
        header_seconds: the time in which the head of a request must arrive.
        pictures: the pictures in one form, and the boxes of one picture.

    Raises InputError, which names the limit, if one is not above 0.
    """

    megabytes: float = 20
    megapixels: float = MEGAPIXELS
    seconds: float = 60
    waiting: int = 16
    batch: int = 8
    gather: float = 0.005
    queue: int = 64
    connections: int = 256
    header_seconds: float = 10
    pictures: int = 8

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float('inf'):
                raise InputError(f'{name} {value}: wanted a number above 0')

    @property
    def form_pictures(self) -> int:
        """The pictures in one form: not more than are processed at a time, since there is no memory for more."""
        return min(self.pictures, self.waiting)

    @property
    def request_seconds(self) -> float:
        """The longest time in seconds of a request: its picture arrives and is answered."""
        return 2 * self.seconds


class Refusal(Exception):
    """A refused request: the HTTP status, the reason in one sentence, and headers of the answer."""

    def __init__(self, status: int, reason: str, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


class Busy(Refusal):
    """A request that may succeed a moment later: 503, with `Retry-After`."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, f'{reason}: try again in a second', {'Retry-After': '1'})
