"""Tells a loss that explodes from one that is noisy."""
from collections import deque
from statistics import median
from typing import Deque

import numpy as np

from fashionai.errors import InputError

_WINDOW = 100
"""Losses whose median a loss is compared to."""

_RAISED, _EXPLODED = 4., 200.
"""Multiples of the median from which on nothing is saved, and of the lowest median from which on the training stops.

In curves of four networks, with and without warm-up, no loss was more than 1.7 times the median of those before it. Six
stages without warm-up may begin with some tens. At a rate of 0.05, vgg's second loss was 1,400,000 times its first.
"""


class DivergedError(InputError):
    """The loss or its gradient is not a finite number, or the loss has exploded."""


class LossWatch:
    """Sees the loss of each step.

    `normal`: whether the last one was near the median of those before it. A median is low where all went well: the
    lowest one is remembered, so that a loss that grows slowly is noticed too.
    """

    def __init__(self) -> None:
        self.normal = True
        self._losses: Deque[float] = deque(maxlen=_WINDOW)
        self._lowest = float('inf')

    def see(self, loss: float, gradient_norm: float) -> None:
        """Raises DivergedError if the training is to stop."""
        usual = median(self._losses) if self._losses else loss
        self.normal = bool(loss <= _RAISED * usual)  # not so for NaN
        if not np.isfinite([loss, gradient_norm]).all():
            self.normal = False
            raise DivergedError(f'the loss is {loss} and its gradient has norm {gradient_norm}: training stops before '
                                'this step is saved; try a lower --lr')
        self._lowest = min(self._lowest, usual)
        if loss > _EXPLODED * self._lowest:
            raise DivergedError(f'the loss is {loss:.4g}, and its running median was {self._lowest:.4g}: training '
                                'stops before this step is saved; try a lower --lr')
        self._losses.append(loss)
