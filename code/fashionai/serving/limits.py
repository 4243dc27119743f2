"""What the service takes on, and how it says that it takes on no more."""
from dataclasses import dataclass
from typing import Mapping, Optional

from fashionai.errors import InputError
from fashionai.images.decoder import MEGAPIXELS

MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """`megabytes` and `megapixels` of a picture; `seconds` that it may take to arrive, and again from then to its
    answer; `waiting`: pictures that are decoded and looked at at the same time, and, times `megabytes`, what all
    bodies of requests may take of memory together; `queue`: whole pictures that wait for their turn before them;
    `batch`: pictures that are looked at together; `gather`: seconds that the first of them waits for others;
    `connections` that are open at the same time; `header_seconds` that the head of a request may take to arrive.

    Raises InputError, naming it, for one that is not above 0.
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

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float('inf'):
                raise InputError(f'{name} {value}: wanted a number above 0')

    @property
    def request_seconds(self) -> float:
        """The longest that a request may take: its picture arrives, and is answered."""
        return 2 * self.seconds


class Refusal(Exception):
    """A request that is not served: the HTTP status, why in one sentence, and headers that go with it."""

    def __init__(self, status: int, reason: str, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


class Busy(Refusal):
    """A request that may be served a moment later: 503, with `Retry-After`."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, f'{reason}: try again in a second', {'Retry-After': '1'})
