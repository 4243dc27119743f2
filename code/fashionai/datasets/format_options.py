"""How a format is read and written; the same options serve every format."""
from dataclasses import dataclass
from typing import Optional

from fashionai.datasets.names import Names, own_names, with_swapped_sides
from fashionai.datasets.visibility import AUTOMATIC
from fashionai.garments.table import GARMENTS, Garments


@dataclass(frozen=True)
class ReadOptions:
    """How a format is read. A format takes no notice of options that mean nothing to it.

    garments: the garment table.
    names: the categories and keypoints to read, with our names for them; by default they are called as ours are.
    swap_sides: exchange left and right, for labels that mean the wearer's sides.
    visibility: the meaning of the third number of a keypoint (`visibility.MEANINGS`), or AUTOMATIC.
    upper, lower: the types of DeepFashion's upper-body and lower-body clothes.
    """

    garments: Garments = GARMENTS
    names: Optional[Names] = None
    swap_sides: bool = False
    visibility: str = AUTOMATIC
    upper: str = 'blouse'
    lower: Optional[str] = None

    @property
    def categories(self) -> Names:
        """The names to read by."""
        names = own_names(self.garments) if self.names is None else self.names
        return with_swapped_sides(names, self.garments) if self.swap_sides else names


@dataclass(frozen=True)
class WriteOptions:
    """How a format is written.

    garments: the garment table.
    description: what the labels are, for formats that have a place for it.
    predicted: the labels are a network's predictions, for tools that keep these apart from the labels of people.
    link: link pictures on the same disk instead of copying them.
    """

    garments: Garments = GARMENTS
    description: str = 'keypoints of garments'
    predicted: bool = False
    link: bool = False
