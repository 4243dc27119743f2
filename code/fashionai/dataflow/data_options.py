"""The flags that change the samples of a training: which rows and points count, and how pictures are varied."""
from dataclasses import dataclass
from typing import Optional

from fashionai.dataflow.sampling import SAMPLINGS
from fashionai.errors import InputError
from fashionai.option_group import OptionGroup, at_least, option

OCCLUDED = ('masked', 'counted')
MOST_ROTATION = 180
"""The largest rotation in degrees that --rotation takes."""


@dataclass(frozen=True)
class DataOptions(OptionGroup):
    """Flags of train.py, send_batches.py and browse.py. run.json keeps them.

    Attributes:
        sampling: how often each row is drawn: a name of SAMPLINGS, or the path of a file of image errors.
        rows: number of rows to train on; None for all.
        occluded: whether a point that is labelled but hidden counts in the loss: a name of OCCLUDED.
        rotation: maximum rotation of a picture in degrees, in both directions.
        photometric: whether light and colours of a picture are varied too; see photometry.py.
        cutout: the share of the pictures in which rectangles hide some places; see cutout.py.
        garment_crops: the share of the pictures that are cropped to the garment instead of the centre.
    """

    sampling: str = option('balanced', 'balanced: draw all types equally often. uniform: draw every row once an '
                           'epoch. CSV: draw rows in proportion to their errors in a file of evaluate.py --errors',
                           names=tuple(SAMPLINGS), metavar='balanced|uniform|CSV')
    occluded: str = option('masked', 'masked or counted: whether labelled but hidden points count in the loss',
                           allowed=OCCLUDED)
    rotation: int = option(15, 'maximum rotation in degrees, in both directions', parse=at_least(0), metavar='DEGREES')
    photometric: bool = option(False, 'vary light and colours; add blur, noise and compression')
    rows: Optional[int] = option(None, 'train on N rows only: equally many of each type, always the same rows; '
                                 'default: all rows', parse=at_least(1), metavar='N')
    cutout: float = option(0., 'share of the pictures in which rectangles hide some places, mostly keypoints',
                           metavar='SHARE')
    garment_crops: float = option(0., 'share of the pictures that are cropped to the garment, as a second pass '
                                  'sees it', metavar='SHARE')

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.rotation <= MOST_ROTATION:
            raise InputError(f'--rotation {self.rotation}: wanted 0 to {MOST_ROTATION} degrees')
        for flag, share in (('cutout', self.cutout), ('garment-crops', self.garment_crops)):
            if not 0 <= share <= 1:
                raise InputError(f'--{flag} {share}: wanted a share of the pictures from 0 to 1')

    @property
    def count_occluded(self) -> bool:
        """Whether points with v = 0 count in the loss."""
        return self.occluded == 'counted'
