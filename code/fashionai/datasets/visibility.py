"""The meaning of the third number of a keypoint in COCO files of other tools.

In the format, 2 is visible, 1 labelled but occluded, 0 not labelled, and most tools write that. Some write other
numbers, which docs/data.md lists.
"""
import math
from types import MappingProxyType
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Set

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.keypoint_mapping import COCO_VISIBILITY
from fashionai.errors import InputError, shown

AUTOMATIC = 'auto'
"""Chooses the meaning from the numbers in the file."""


class Meaning(NamedTuple):
    """The meaning of the numbers in a file.

    words: the meaning as text.
    v_of: returns our v for a number; raises KeyError if the number has no meaning.
    """

    words: str
    v_of: Callable[[Any], int]


MEANINGS: Mapping[str, Meaning] = MappingProxyType({
    'coco': Meaning('2 visible, 1 occluded, 0 absent', COCO_VISIBILITY.__getitem__),
    'binary': Meaning('1 visible, 0 absent', {1: VISIBLE, 0: ABSENT}.__getitem__),
    'fashionai': Meaning('1 visible, 0 occluded, -1 absent', {1: VISIBLE, 0: OCCLUDED, -1: ABSENT}.__getitem__),
    'positive': Meaning('above 0 visible, 0 absent', lambda value: VISIBLE if value > 0 else ABSENT)})
"""From the value of --visibility to its meaning."""


def meaning_of(numbers: Iterable[Any], where: str) -> str:
    """Returns the name of the meaning that fits all the third numbers of a file.

    If the file has no 2, then 1 is visible: a data set whose points are all occluded is less likely. Fractions are
    confidences. Raises InputError that names the numbers if no meaning fits.
    """
    found: Set[Any] = set()
    for number in numbers:
        if not isinstance(number, (int, float)) or not math.isfinite(number):
            raise InputError(f'{where}: visibility {shown(number)}, wanted a number')
        found.add(number)
    if found <= {0, 1, 2}:
        return 'binary' if 1 in found and 2 not in found else 'coco'
    if found <= {-1, 0, 1}:
        return 'fashionai'
    if min(found) >= 0 and any(number != int(number) for number in found):
        return 'positive'
    raise InputError(f'{where}: keypoints have the visibilities {shown(sorted(found))}, wanted 0, 1 and 2; '
                     f'set their meaning with --visibility {"|".join(MEANINGS)}')
