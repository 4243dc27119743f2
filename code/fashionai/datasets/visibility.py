"""What the third number of a keypoint means in COCO files of other tools.

The format says 2 visible, 1 labelled but occluded, 0 not labelled, and most tools write that. Some write other numbers:
docs/data.md lists them.
"""
import math
from types import MappingProxyType
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Set

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.datasets.keypoint_mapping import COCO_VISIBILITY
from fashionai.errors import InputError, shown

AUTOMATIC = 'auto'
"""Stands for the meaning that the numbers of a file suggest."""


class Meaning(NamedTuple):
    """What the numbers of a file mean, in words, and our v of such a number; KeyError for a number that has none."""

    words: str
    v_of: Callable[[Any], int]


MEANINGS: Mapping[str, Meaning] = MappingProxyType({
    'coco': Meaning('2 visible, 1 occluded, 0 absent', COCO_VISIBILITY.__getitem__),
    'binary': Meaning('1 visible, 0 absent', {1: VISIBLE, 0: ABSENT}.__getitem__),
    'fashionai': Meaning('1 visible, 0 occluded, -1 absent', {1: VISIBLE, 0: OCCLUDED, -1: ABSENT}.__getitem__),
    'positive': Meaning('above 0 visible, 0 absent', lambda value: VISIBLE if value > 0 else ABSENT)})
"""By the name that --visibility takes."""


def meaning_of(numbers: Iterable[Any], where: str) -> str:
    """Return the name of the meaning that all the third numbers of a file have.

    Without a 2 anywhere, 1 is visible: a data set in which every single point is occluded is less likely. Fractions are
    measures of trust. Raises InputError, naming the numbers, if they have no such meaning.
    """
    found: Set[Any] = set()
    for number in numbers:
        if not isinstance(number, (int, float)) or not math.isfinite(number):
            raise InputError(f'{where}: {shown(number)} in the place of a visibility, wanted a number')
        found.add(number)
    if found <= {0, 1, 2}:
        return 'binary' if 1 in found and 2 not in found else 'coco'
    if found <= {-1, 0, 1}:
        return 'fashionai'
    if min(found) >= 0 and any(number != int(number) for number in found):
        return 'positive'
    raise InputError(f'{where}: keypoints have the visibilities {shown(sorted(found))}, wanted 0, 1 and 2; '
                     f'--visibility {"|".join(MEANINGS)} says what they mean')
