"""What a user can change in the loss: flags of train.py, kept in run.json."""
from dataclasses import dataclass
from typing import Optional

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.option_group import OptionGroup

LOSS_NAMES = ('l2', 'focal')


@dataclass(frozen=True)
class LossOptions(OptionGroup):
    """The defaults are the original's loss.

    `loss`: how heat maps are compared, a name of LOSS_NAMES. `keypoint_weights`: what weighs them, see weighting.py.
    `hard_keypoints`: how many heat maps of an image count, those with the largest loss; None for all. `type_weight`:
    what multiplies the loss of a type head, the cross-entropy of an image.
    """

    loss: str = LOSS_NAMES[0]
    keypoint_weights: Optional[str] = None
    hard_keypoints: Optional[int] = None
    type_weight: float = 1.

    def __post_init__(self) -> None:
        self.check(loss=LOSS_NAMES)
        if not 0 < self.type_weight < float('inf'):
            raise InputError(f'--type-weight {self.type_weight}: wanted a number above 0, such as 1')

    def check_garment(self, garment: Garment) -> None:
        """Raises InputError where the garment has too few keypoints for the options to mean anything."""
        most = len(garment.keypoints) - 1
        if self.hard_keypoints is not None and not 1 <= self.hard_keypoints <= most:
            raise InputError(f'--hard-keypoints {self.hard_keypoints}: {garment.name} has {most + 1} keypoints, wanted '
                             f'1 to {most}')


UNCHANGED = LossOptions()
