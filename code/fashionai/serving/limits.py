"""What the service takes on, and how it says that it takes on no more."""
from dataclasses import dataclass
from typing import Mapping, Optional

from fashionai.errors import InputError
from fashionai.images.decoder import MEGAPIXELS

MEGA = 1_000_000


@dataclass(frozen=True)
class Limits:
    """`megabytes` and `megapixels` of a picture; `seconds` that it may take to arrive, and again to be looked at;
    `waiting`: pictures taken on at the same time, which bounds the memory; `batch`: pictures that are looked at
    together; `gather`: seconds that the first of them waits for others.

    Raises InputError, naming it, for one that is not above 0.
    """

    megabytes: float = 20
    megapixels: float = MEGAPIXELS
    seconds: float = 60
    waiting: int = 16
    batch: int = 8
    gather: float = 0.005

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float('inf'):
                raise InputError(f'{name} {value}: wanted a number above 0')


class Refusal(Exception):
    """A request that is not served: the HTTP status, why in one sentence, and headers that go with it."""

    def __init__(self, status: int, reason: str, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})
