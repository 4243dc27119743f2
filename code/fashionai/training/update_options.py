"""What a user can change in how steps change the weights, the rate apart: flags of train.py, kept in run.json."""
from dataclasses import dataclass

from fashionai.errors import InputError
from fashionai.option_group import OptionGroup


@dataclass(frozen=True)
class UpdateOptions(OptionGroup):
    """`average_decay`: what a step keeps of the moving average of the weights, see averaging.py; 0 for no average."""

    average_decay: float = 0.

    def __post_init__(self) -> None:
        if not 0 <= self.average_decay < 1:
            raise InputError(f'--average-decay {self.average_decay}: wanted a number from 0 on and below 1, such as '
                             '0.999')
