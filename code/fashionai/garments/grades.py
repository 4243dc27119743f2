"""Sizes of garments: compares measured lengths with a table of sizes, and chooses the size that fits best."""
import math
from dataclasses import dataclass, field
from typing import Mapping, Optional, Sequence

from fashionai.garments.measurements import Paths, lengths_of
from fashionai.garments.picture_names import listed_name
from fashionai.garments.table import Garments

CM, PIXELS = UNITS = ('cm', 'px')

LEAST_SHARE = 0.5
"""A size is only decided if at least this share of the lengths that its table has were measured without a doubt."""

TIE = 0.1
"""Two sizes fit equally well if their misfits differ by less than this."""


@dataclass(frozen=True)
class Grade:
    """A length of a size: what is expected, and by how much it may differ, above 0, in the unit of the table."""

    expected: float
    tolerance: float

    def difference(self, value: float) -> float:
        """Returns by how much a length is longer than expected, to hundredths."""
        return round(value - self.expected, 2)

    def allows(self, value: float) -> bool:
        """Returns whether a length is within the tolerance; the ends belong to it."""
        return round(abs(value - self.expected) - self.tolerance, 6) <= 0


Grades = Mapping[str, Grade]
"""The lengths of a size by name."""


@dataclass(frozen=True)
class GradeTable:
    """A table of sizes.

    Attributes:
        source: its file.
        unit: CM or PIXELS.
        sizes: the sizes by type, and the lengths by size. All sizes of a type have the same lengths.
    """

    source: str
    unit: str
    sizes: Mapping[str, Mapping[str, Grades]]

    @property
    def lengths(self) -> Sequence[str]:
        """The names of all lengths."""
        return list(dict.fromkeys(name for kind in self.sizes.values() for size in kind.values() for name in size))


@dataclass(frozen=True)
class MeasuredLength:
    """A length as it was measured.

    value: in the unit of the measurement, rounded to hundredths; None if it is not known.
    doubt: why it is not known, or why it may be wrong; '' if there is no doubt.
    """

    value: Optional[float]
    doubt: str = ''


@dataclass(frozen=True)
class MeasuredGarment:
    """A garment and its lengths by name. `type_doubt` says why its type may be wrong; '' if there is no doubt."""

    type: str
    type_doubt: str
    lengths: Mapping[str, MeasuredLength]


@dataclass(frozen=True)
class SizeCheck:
    """The size of a garment, and its lengths against those of the size.

    Attributes:
        size: its name; None if it cannot be decided.
        reason: why it cannot; '' if it can.
        given: whether the size was given, not chosen.
        misfits: of each size of the type: the root of the mean squared difference of the lengths that are known without
            a doubt, each divided by its tolerance. {} if sizes cannot be compared.
        lengths: the lengths that the table has of the type, as they were measured.
        grades: the lengths of `size`; {} if it is None.
    """

    size: Optional[str]
    reason: str
    given: bool
    misfits: Mapping[str, float]
    lengths: Mapping[str, MeasuredLength]
    grades: Grades = field(default_factory=dict)

    @property
    def passes(self) -> Optional[bool]:
        """Whether all lengths are within the tolerances of the size; False if one that is not doubtful is outside; None
        if it cannot be decided."""
        if self.size is None:
            return None
        within = [self.within(name) if not length.doubt else None for name, length in self.lengths.items()]
        return False if False in within else None if None in within else True

    def within(self, name: str) -> Optional[bool]:
        """Returns whether a length is within the tolerance of the size; None if that is not known."""
        value, grade = self.lengths[name].value, self.grades.get(name)
        return None if value is None or grade is None else grade.allows(value)

    def difference(self, name: str) -> Optional[float]:
        """Returns by how much a length is longer than expected; None if that is not known."""
        value, grade = self.lengths[name].value, self.grades.get(name)
        return None if value is None or grade is None else grade.difference(value)


@dataclass(frozen=True)
class Grader:
    """Finds the size of garments.

    table: the sizes.
    size: the size that all garments should have; '' to choose it.
    by_picture: the size that the garment of each picture should have, by the end of its path; '' to choose it.
    """

    table: GradeTable
    size: str = ''
    by_picture: Mapping[str, str] = field(default_factory=dict)

    def check(self, path: str, garment: MeasuredGarment) -> SizeCheck:
        """Returns the size of the garment in a picture."""
        size = self.by_picture.get(listed_name(path, self.by_picture) or '', self.size)
        return check_size(self.table, garment, size)


def check_size(table: GradeTable, garment: MeasuredGarment, size: str = '') -> SizeCheck:
    """Returns the size of a garment: the one that is given, or the one with the smallest misfit.

    It is not decided if the type is doubtful or not in the table; and, if none is given, if less than LEAST_SHARE of
    the lengths are known without a doubt, or if two sizes fit equally well.
    """
    sizes = table.sizes.get(garment.type, {})
    names = next(iter(sizes.values()), {})
    lengths = {name: garment.lengths.get(name, MeasuredLength(None, 'it was not measured')) for name in names}
    sure = {name: length.value for name, length in lengths.items() if length.value is not None and not length.doubt}
    misfits = {name: _misfit(grades, sure) for name, grades in sizes.items()} if sure else {}
    reason = (garment.type_doubt and f'the type is doubtful: {garment.type_doubt}' or
              (_given_fault(table, garment.type, size) if size else _undecided(table, garment.type, misfits, sure)))
    if reason:
        return SizeCheck(None, reason, bool(size), misfits, lengths)
    chosen = size or min(misfits, key=lambda name: misfits[name])
    return SizeCheck(chosen, '', bool(size), misfits, lengths, sizes[chosen])


def _misfit(grades: Grades, values: Mapping[str, float]) -> float:
    shares = [(value - grades[name].expected) / grades[name].tolerance for name, value in values.items()]
    return math.sqrt(sum(share ** 2 for share in shares) / len(shares))


def _given_fault(table: GradeTable, kind: str, size: str) -> str:
    return '' if size in table.sizes.get(kind, {}) else f'the table has no size {size} of {kind}'


def _undecided(table: GradeTable, kind: str, misfits: Mapping[str, float], sure: Mapping[str, float]) -> str:
    """Returns why the size cannot be chosen; '' if it can."""
    if kind not in table.sizes:
        return f'the table has no sizes of {kind}'
    names = next(iter(table.sizes[kind].values()))
    if not sure or len(sure) < LEAST_SHARE * len(names):
        return (f'{len(sure)} of {len(names)} lengths are known without a doubt: wanted at least '
                f'{max(1, math.ceil(LEAST_SHARE * len(names)))}')
    best, *others = sorted(misfits, key=lambda name: misfits[name])
    if others and misfits[others[0]] - misfits[best] < TIE:
        return f'{best} and {others[0]} fit equally well'
    return ''


def known_by(reference: str, garments: Garments, table: GradeTable) -> Sequence[str]:
    """Returns the lengths of a table of sizes that a reference, as `measurements.scale_of` takes it, gives to every
    picture: they say nothing of its size."""
    ends = [name.strip() for name in reference.partition('=')[0].split(',')]
    ways = (' > '.join(ends), ' > '.join(reversed(ends)))

    def is_given(name: str, paths: Paths) -> bool:
        return [name] == ends or (len(ends) == 2 and len(paths) == 1 and paths[0] in ways)
    return list(dict.fromkeys(
        name for kind, sizes in table.sizes.items() for grades in sizes.values() for name in grades
        if is_given(name, lengths_of(garments[kind])[name])))
