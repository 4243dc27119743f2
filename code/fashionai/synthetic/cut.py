"""The cut of a top: the outlines of its body and of its sleeves, which go exactly through the keypoints."""
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

import numpy as np

from fashionai.synthetic.curves import bezier, bow, mix, spline, wavy
from fashionai.synthetic.pose import mean_of

Points = Mapping[str, np.ndarray]
NECKLINES = ('scoop', 'vee', 'square')
_BACK_DEPTH = 0.3
"""The depth of the back edge of a neck opening, as a share of the depth of the front."""


@dataclass(frozen=True)
class Cut:
    """The free parameters of an outline; lengths are shares of the part that they shape."""

    neckline: str
    armhole: float
    """The inward curve of an armhole without a sleeve."""
    fit: float
    """The outward curve of the sides (negative: inward) if there is no waist."""
    hem_sag: float
    hem_waves: int
    hem_height: float
    bend: float
    """The outward curve of sleeves at the elbow."""
    puff: float
    gather: float


def sample_cut(rng: np.random.Generator, flowing: bool, worn: bool) -> Cut:
    """Returns a random cut. `flowing` hems have waves; worn sleeves bend at the elbow."""
    waves = int(rng.integers(2, 8)) if flowing else 0
    return Cut(
        neckline=NECKLINES[rng.choice(3, p=(0.62, 0.28, 0.1))],
        armhole=rng.uniform(0.08, 0.25), fit=rng.normal(-0.01, 0.025),
        hem_sag=abs(rng.normal(0.03, 0.05)), hem_waves=waves, hem_height=rng.uniform(0.01, 0.035),
        bend=abs(rng.normal(0, 0.09)) if worn else rng.normal(0, 0.02),
        puff=abs(rng.normal(0, 0.12)) * (rng.random() < 0.5), gather=rng.uniform(0.1, 0.5) * (rng.random() < 0.2))


def neck_curve(points: Points, cut: Cut) -> np.ndarray:
    """Returns the front edge of the neck opening, left to right, through center_front."""
    left, right, dip = points['neckline_left'], points['neckline_right'], points['center_front']
    if cut.neckline == 'vee':
        hollow = -0.04 * np.hypot(*(dip - left))
        return np.vstack([bow(left, dip, hollow), bow(dip, right, hollow)])
    if cut.neckline == 'square':
        low_left, low_right = (mix(end, dip, 0.25) * [1, 0] + dip * [0, 1] for end in (left, right))
        return np.vstack([left, low_left, dip, low_right, right])
    return bezier(left, 2 * dip - (left + right) / 2, right, 15)


def back_curve(points: Points) -> np.ndarray:
    """Returns the back edge of the neck opening, left to right."""
    left, right = points['neckline_left'], points['neckline_right']
    middle = (left + right) / 2
    return bezier(left, middle + _BACK_DEPTH * (points['center_front'] - middle) - [0, 0.06 * (right - left)[0]], right)


def side_curve(points: Points, side: str, hem: str, cut: Cut, waisted: bool) -> np.ndarray:
    """Returns one side seam, from the armpit down to the hem's corner."""
    armpit, low = points[f'armpit_{side}'], points[f'{hem}_{side}']
    sign = 1 if side == 'right' else -1
    if not waisted:
        return bow(armpit, low, sign * cut.fit * np.hypot(*(low - armpit)), 0.45)
    waist = points[f'waistline_{side}']
    hip = mix(waist, low, 0.35) + sign * np.array([max(cut.fit + 0.03, 0) * np.hypot(*(low - waist)), 0])
    ribs = mix(armpit, waist, 0.6) - sign * np.array([0.02 * np.hypot(*(waist - armpit)), 0])
    return spline([armpit, ribs, waist, hip, low], 5)


def hem_curve(right: np.ndarray, left: np.ndarray, cut: Cut, phase: float) -> np.ndarray:
    """Returns a hem from its right corner to its left corner."""
    width = np.hypot(*(right - left))
    edge = bow(right, left, cut.hem_sag * width, count=33)
    return wavy(edge, cut.hem_height * width, cut.hem_waves, phase) if cut.hem_waves else edge


def body_outline(points: Points, hem: str, cut: Cut, waisted: bool, sleeved: bool, phase: float) -> np.ndarray:
    """Returns the outline of a top's body, clockwise from the left end of the neckline.

    `hem` is the name of the hem's pair of keypoints.
    """
    armholes = []
    for side, start, end in (('right', 'shoulder', 'armpit'), ('left', 'armpit', 'shoulder')):
        first, last = points[f'{start}_{side}'], points[f'{end}_{side}']
        armholes.append(bow(first, last, -(0.04 if sleeved else cut.armhole) * np.hypot(*(last - first))))
    shoulders = [bow(points['neckline_right'], points['shoulder_right'], 0),
                 bow(points['shoulder_left'], points['neckline_left'], 0)]
    return np.vstack([
        neck_curve(points, cut), shoulders[0], armholes[0], side_curve(points, 'right', hem, cut, waisted),
        hem_curve(points[f'{hem}_right'], points[f'{hem}_left'], cut, phase),
        side_curve(points, 'left', hem, cut, waisted)[::-1], armholes[1], shoulders[1]])


@dataclass(frozen=True)
class Sleeve:
    """One sleeve: its seams from body to cuff, and the middle line of an arm in it."""

    outer: np.ndarray
    inner: np.ndarray
    axis: np.ndarray
    outline: np.ndarray


def sleeve_of(points: Points, side: str, cut: Cut, bend: Optional[float] = None) -> Sleeve:
    """Returns the sleeve of one side, through its shoulder, armpit and both cuff points."""
    shoulder, armpit = points[f'shoulder_{side}'], points[f'armpit_{side}']
    cuff_out, cuff_in = points[f'cuff_{side}_out'], points[f'cuff_{side}_in']
    top, end = (shoulder + armpit) / 2, (cuff_out + cuff_in) / 2
    length, width = np.hypot(*(end - top)), np.hypot(*(armpit - shoulder))
    across = _unit(end - top)[::-1] * [1, -1] * (1 if side == 'right' else -1)
    bulge = (cut.bend if bend is None else bend) * length * across
    puff = cut.puff * width * across
    gather = cut.gather * np.hypot(*(cuff_out - cuff_in)) * across
    outer = spline([shoulder, mix(shoulder, cuff_out, 0.5) + bulge + puff, mix(shoulder, cuff_out, 0.86)
                    + 0.4 * bulge + gather, cuff_out])
    inner = spline([armpit, mix(armpit, cuff_in, 0.5) + bulge - puff * 0.4, mix(armpit, cuff_in, 0.86)
                    + 0.4 * bulge - gather, cuff_in])
    edge = bow(cuff_out, cuff_in, (1 if side == 'right' else -1) * 0.06 * np.hypot(*(cuff_out - cuff_in)))
    armhole = bow(armpit, shoulder, (1 if side == 'right' else -1) * 0.06 * width)
    return Sleeve(outer, inner, np.stack([top, mix(top, end, 0.5) + bulge, end]),
                  np.vstack([outer, edge, inner[::-1], armhole]))


def chest_width(points: Points) -> float:
    """Returns the distance of the armpits in pixels."""
    return float(np.hypot(*(points['armpit_right'] - points['armpit_left'])))


def completed(points: Points, dip: float) -> Points:
    """Returns the points; if the type has no center_front, with one that is `dip` neck widths below the neckline."""
    if 'center_front' in points:
        return points
    width = (points['neckline_right'] - points['neckline_left'])[0]
    return {**points, 'center_front': mean_of(points, 'neckline') + [0, dip * width]}


def strapped(points: Points, width: float) -> Points:
    """Returns the points with the shoulders moved to straps of that width, beside the ends of the neckline."""
    return {**points, 'shoulder_left': points['neckline_left'] + [-width, 0.1 * width],
            'shoulder_right': points['neckline_right'] + [width, 0.1 * width]}


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.hypot(*vector)), 1e-6)


def down_of(points: Points, hem: str) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the top's axis: the middle of the neckline and the middle of the hem."""
    return mean_of(points, 'neckline'), mean_of(points, hem)
