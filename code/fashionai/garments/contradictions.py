"""Lengths of one garment that cannot all be right: sides that differ too much, and lengths that do not go together.

What is too much comes from the statistics of 63,765 labels in `shapes.json`: `benchmarks/length_limits.py` makes
`length_limits.json` from them. There is nothing of the kind for garments of other tables.
"""
import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from fashionai.garments.shapes import has_shape
from fashionai.garments.table import Garment

CLEARLY = 0.3
"""By so much higher is a score that decides between two lengths. On 1,049 labelled photographs that the network had not
seen, lengths of two sides were more than 20 % off their labels in 18.0 % as the mean of both, and in 16.9 % where the
side that scores higher by this counted alone, one in thirteen; by less, the other side's label is missed too often."""

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
"""The lengths of each type that are held against each other. Those of outwear leave out most of `body_length`: its
statistics are of the labels with a waistline, which long coats have, and one in ten short jackets is outside them."""


@dataclass(frozen=True)
class Length:
    """A length of a garment: in pixels, and the lowest score of its points."""

    pixels: float
    score: float


@dataclass(frozen=True)
class Limits:
    """What the labels allow. `sides`: by the name of a length with a left and a right side, how many times as long as
    the other one side may be. `pairs`: of two lengths, how many times the second the first is at least and at most."""

    sides: Mapping[str, float]
    pairs: Sequence[Tuple[str, str, float, float]]


def limits_of(garment: Garment) -> Limits:
    """The limits of a type: none where there are no statistics of its keypoints."""
    if not has_shape(garment):
        return Limits({}, ())
    entry = json.loads(Path(__file__).with_name('length_limits.json').read_text(encoding='utf-8'))[garment.name]
    return Limits(entry['sides'], [(first, second, low, high) for first, second, low, high in entry['pairs']])


def believed(sides: Sequence[Length]) -> Sequence[Length]:
    """Of two sides, the one with the clearly higher score; otherwise all."""
    best = [side for side in sides if all(side.score - other.score > CLEARLY for other in sides if other is not side)]
    return best or sides


def merged(sides: Sequence[Length]) -> Optional[Length]:
    """The mean of sides, with their lowest score; None of none."""
    if not sides:
        return None
    return Length(sum(side.pixels for side in sides) / len(sides), min(side.score for side in sides))


def doubts(lengths: Mapping[str, Sequence[Length]], limits: Limits) -> Mapping[str, Tuple[str, ...]]:
    """Why each length is doubtful: reasons by name, () for one that is not. Of two lengths that contradict each other
    both are doubtful, or the one with the clearly lower score.

    Args:
        lengths: by name, the sides that count: two, one or none.
        limits: of the garment.
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
    """To hundredths, as the limits are and as it is said; lengths below a pixel count as one."""
    return round(max(length, 1) / max(other, 1), 2)
