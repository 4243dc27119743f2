"""The outline of a garment: the lines that people are shown. Limbs are chosen for training; some cross the cloth."""
from typing import Tuple

from fashionai.garments.table import Garment, mirror_name

_DOWN_THE_LEFT = ('center_front', 'neckline_left', 'shoulder_left', 'cuff_left_out', 'cuff_left_in', 'armpit_left',
                  'waistline_left', 'waistband_left', 'top_hem_left', 'hemline_left', 'bottom_left_out',
                  'bottom_left_in', 'crotch')
"""The keypoints from the middle of the top down the left side to the middle of the bottom, over all types."""


def outline(garment: Garment) -> Tuple[Tuple[str, str], ...]:
    """Returns the lines of a drawing of a garment, as pairs of keypoints.

    They follow the edge of the garment once around: down its left side and up its right side. A type of a user's own
    table that has keypoints of other names, and the joint type, have no known edge: their lines are the limbs.
    """
    up_the_right = [mirror_name(name) for name in _DOWN_THE_LEFT[::-1]]
    around = [name for name in dict.fromkeys([*_DOWN_THE_LEFT, *up_the_right]) if name in garment.keypoints]
    if garment.types or len(around) < max(3, len(garment.keypoints)):
        return garment.limbs
    return tuple(zip(around, around[1:] + around[:1]))
