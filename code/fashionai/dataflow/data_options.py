"""What a user can change in the data of a training, apart from the files: rows, points, and how pictures are varied."""
from dataclasses import dataclass
from typing import Optional

from fashionai.errors import InputError
from fashionai.option_group import OptionGroup

OCCLUDED = ('masked', 'counted')
ROTATION, MOST_ROTATION = 15, 180
"""Degrees a picture is turned by at most, either way: the original's, and the bound of what can be asked for."""


@dataclass(frozen=True)
class DataOptions(OptionGroup):
    """Flags of train.py and send_batches.py, kept in run.json.

    `sampling`: how often each row is drawn, a name of sampling.SAMPLINGS or the path of a file of image errors.
    `occluded`: whether a point that is labelled but hidden counts in the loss, a name of OCCLUDED.
    `rotation`: degrees a picture is turned by at most, either way. `photometric`: whether its light is varied too, see
    photometry.py. `rows`: how many rows are trained on, None for all. `cutout`: the share of pictures that rectangles
    hide parts of, see cutout.py. `garment_crops`: the share of pictures that are cut around the garment, not centred.
    """

    sampling: str = 'balanced'
    occluded: str = OCCLUDED[0]
    rotation: int = ROTATION
    photometric: bool = False
    rows: Optional[int] = None
    cutout: float = 0.
    garment_crops: float = 0.

    def __post_init__(self) -> None:
        self.check(occluded=OCCLUDED)
        if not 0 <= self.rotation <= MOST_ROTATION:
            raise InputError(f'--rotation {self.rotation}: wanted 0 to {MOST_ROTATION} degrees')
        for flag, share in (('cutout', self.cutout), ('garment-crops', self.garment_crops)):
            if not 0 <= share <= 1:
                raise InputError(f'--{flag} {share}: wanted a share of the pictures, from 0 to 1')

    @property
    def count_occluded(self) -> bool:
        """Whether points of v = 0 count in the loss."""
        return self.occluded == 'counted'
