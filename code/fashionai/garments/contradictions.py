"""Finds lengths of one garment that cannot all be right: sides that differ too much, and lengths that do not fit.

The limits come from the statistics of 63,765 labels in `shapes.json`: `benchmarks/length_limits.py` makes
`length_limits.json` from them. There are no limits for garments of other tables.
"""
import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from fashionai.garments.shapes import has_shape
from fashionai.garments.table import Garment

CLEARLY = 0.3
"""Difference of scores from which only the length with the higher score counts.

Measured on 1,049 labelled photographs that the network had not seen, for lengths that have two sides: with the mean of
both sides, 18.0 % of the lengths were more than 20 % off their labels. With this rule, which took one side alone for
one length in thirteen, it was 16.9 %. With a smaller difference, the label of the other side is missed too often.
"""

PAIRS: Mapping[str, Tuple[Tuple[str, str], ...]] = MappingProxyType({
    'blouse': (('neckline_width', 'shoulder_width'), ('shoulder_width', 'chest'), ('chest', 'hem'), ('cuff', 'chest'),
               ('cuff', 'sleeve'), ('sleeve', 'body_length'), ('side', 'body_length'), ('chest', 'body_length'),
               ('hem', 'body_length')),
    'dress': (('neckline_width', 'shoulder_width'), ('shoulder_width', 'chest'), ('chest', 'waist'), ('waist', 'hem'),
              ('cuff', 'sleeve'), ('sleeve', 'body_length'), ('side', 'body_length'), ('chest', 'body_length'),
              ('bodice_length', 'skirt_length')),
    'outwear': (('neckline_width', 'shoulder_width'), ('shoulder_width', 'chest'), ('chest', 'waist'), ('chest', 'hem'),
                ('cuff', 'chest'), ('cuff', 'sleeve'), ('side', 'body_length')),
    'skirt': (('waist', 'hem'), ('waist', 'body_length'), ('hem', 'body_length'), ('side', 'body_length')),
    'trousers': (('waist', 'rise'), ('waist', 'outseam'), ('rise', 'outseam'), ('waist', 'leg_opening'),
                 ('inseam', 'outseam'), ('inseam', 'leg_opening'))})
"""The lengths of each type that are compared with each other.

For outwear, most pairs with `body_length` are left out: its statistics come from labels with a waistline, which long
coats have, and one in ten short jackets is outside the limits.
"""


@dataclass(frozen=True)
class Length:
    """A length of a garment in pixels, and the lowest score of its points."""

    pixels: float
    score: float


@dataclass(frozen=True)
class Limits:
    """The limits that the labels give.

    sides: for each length with a left and a right side, the largest ratio of the longer to the shorter side.
    pairs: two lengths, and the smallest and largest ratio of the first to the second.
    """

    sides: Mapping[str, float]
    pairs: Sequence[Tuple[str, str, float, float]]


def limits_of(garment: Garment) -> Limits:
    """Returns the limits of a type; empty if there are no statistics of its keypoints."""
    if not has_shape(garment):
        return Limits({}, ())
    entry = json.loads(Path(__file__).with_name('length_limits.json').read_text(encoding='utf-8'))[garment.name]
    return Limits(entry['sides'], [(first, second, low, high) for first, second, low, high in entry['pairs']])


def believed(sides: Sequence[Length]) -> Sequence[Length]:
    """Returns the side whose score is higher by more than CLEARLY, or all sides if there is none."""
    best = [side for side in sides if all(side.score - other.score > CLEARLY for other in sides if other is not side)]
    return best or sides


def merged(sides: Sequence[Length]) -> Optional[Length]:
    """Returns the mean of the sides with their lowest score; None if there are no sides."""
    if not sides:
        return None
    return Length(sum(side.pixels for side in sides) / len(sides), min(side.score for side in sides))


def doubts(lengths: Mapping[str, Sequence[Length]], limits: Limits) -> Mapping[str, Tuple[str, ...]]:
    """Returns the reasons why each length is doubtful, by name; () if it is not.

    If two lengths contradict each other, both are doubtful, unless the score of one is lower by more than CLEARLY: then
    only that one is.

    Args:
        lengths: by name, the sides that count: two, one or none.
        limits: the limits of the garment.
    """
    reasons: Dict[str, List[str]] = {name: [] for name in lengths}
    for name, most in limits.sides.items():
        shorter, *longer = sorted(side.pixels for side in lengths[name]) or [0]
        ratio = _ratio(longer[0], shorter) if longer else 1
        if ratio > most:
            reasons[name].append(f'one {name} is {ratio:.2f} x the other: up to {most:.2f} is usual')
    for first, second, low, high in limits.pairs:
        one, other = merged(lengths[first]), merged(lengths[second])
        if not one or not other or low <= _ratio(one.pixels, other.pixels) <= high:
            continue
        reason = f'{first} is {_ratio(one.pixels, other.pixels):.2f} x {second}: {low:.2f} to {high:.2f} is usual'
        if one.score - other.score <= CLEARLY:
            reasons[first].append(reason)
        if other.score - one.score <= CLEARLY:
            reasons[second].append(reason)
    return {name: tuple(said) for name, said in reasons.items()}


def _ratio(length: float, other: float) -> float:
    """Returns the ratio to hundredths, as limits and messages have it; lengths below a pixel count as one pixel."""
    return round(max(length, 1) / max(other, 1), 2)
