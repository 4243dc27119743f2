"""Distinguishes a loss that explodes from a loss that is only noisy."""
from collections import deque
from statistics import median
from typing import Deque

import numpy as np

from fashionai.errors import InputError

_WINDOW = 100
"""The number of previous losses. A loss is compared with their median."""

_RAISED, _EXPLODED = 4., 200.
"""Above the first multiple of the median, nothing is saved. Above the second multiple of the lowest median, the
training stops.

In the curves of four networks, with and without warm-up, no loss was more than 1.7 times the median of the losses
before it. Six stages without warm-up may begin with a factor of some tens. At a learning rate of 0.05, the second loss
of vgg was 1,400,000 times its first.
"""


class DivergedError(InputError):
    """The loss or its gradient is not finite, or the loss has exploded."""


class LossWatch:
    """Checks the loss of each step.

    `normal`: whether the last loss was near the median of the losses before it. The lowest median is remembered, so
    that a loss that grows slowly is noticed too.
    """

    def __init__(self) -> None:
        self.normal = True
        self._losses: Deque[float] = deque(maxlen=_WINDOW)
        self._lowest = float('inf')

    def check(self, loss: float, gradient_norm: float) -> None:
        """Takes the loss of a step and the norm of its gradient. Raises DivergedError if the training must stop."""
        usual = median(self._losses) if self._losses else loss
        self.normal = bool(loss <= _RAISED * usual)  # False for NaN
        if not np.isfinite([loss, gradient_norm]).all():
            self.normal = False
            raise DivergedError(f'the loss is {loss} and the norm of its gradient is {gradient_norm}: the training '
                                'stopped before this step was saved; try a lower --lr')
        self._lowest = min(self._lowest, usual)
        if loss > _EXPLODED * self._lowest:
            raise DivergedError(f'the loss is {loss:.4g}, and its running median was {self._lowest:.4g}: the training '
                                'stopped before this step was saved; try a lower --lr')
        self._losses.append(loss)
