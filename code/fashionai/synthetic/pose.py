"""Samples the places of a garment's keypoints: a shape from the shape model, then a size, a place and a tilt.

A garment is sampled and drawn *upright*: in pixels from its centroid, y down, not yet tilted or mirrored. Its
`frame` is the (2, 3) affine map from there to the pixels of the picture.
"""
from dataclasses import dataclass
from typing import FrozenSet, Mapping, Tuple

import numpy as np

from fashionai.garments.shapes import REFERENCE_SIZE, Shape, shape_of
from fashionai.garments.table import mirror_name
from fashionai.images import geometry

ASPECTS = ((1, 1), (3, 2), (4, 3), (3, 4))
"""Height : width of the pictures; ASPECT_SHARES has the share of each."""
ASPECT_SHARES = (0.72, 0.16, 0.1, 0.02)
TRUNCATION = 2.0
"""Coefficients are sampled within so many standard deviations."""
MARGIN = 4
CUT_OFF_RATE = 0.03
"""The share of garments that may reach outside the picture. In the labels, points outside are absent."""


@dataclass(frozen=True)
class Pose:
    """The pose of one garment: its keypoints upright, the absent ones, and its place in the picture."""

    tag: str
    points: Mapping[str, np.ndarray]
    """The upright point (2,) of every keypoint of the type, also of absent ones."""
    absent: FrozenSet[str]
    frame: np.ndarray
    size_hw: Tuple[int, int]
    mirrored: bool


def sample_pose(rng: np.random.Generator, tag: str, long_side: int, fills_picture: bool) -> Pose:
    """Returns a random pose of a garment type in a picture whose longer side is `long_side` pixels.

    Garments with `fills_picture`, which nobody wears, are as large as the larger half of the labels and nearly
    symmetrical.
    """
    shape = shape_of(tag)
    aspect = ASPECTS[rng.choice(len(ASPECTS), p=ASPECT_SHARES)]
    height, width = (long_side * side // max(aspect) for side in aspect)
    aligned = _sample_shape(rng, shape)
    if fills_picture:
        aligned = _evened(aligned, shape, rng.uniform(0.3, 1))
    tilt = float(np.clip(rng.normal(0, shape.tilt_std_deg), -25, 25)) if rng.random() < 0.8 else 0.0
    mean, spread = shape.size_mean_std
    size = mean + abs(rng.normal(0, spread)) if fills_picture else rng.normal(mean - 0.3 * spread, 0.9 * spread)
    size = max(size, 0.4 * mean)
    scales = np.array([width, height]) / REFERENCE_SIZE
    centre = rng.normal(shape.centre_mean_xy, shape.centre_std_xy) * scales
    turned = geometry.transform_points(geometry.rotation(tilt, (0, 0)), aligned)
    size *= long_side / REFERENCE_SIZE
    if rng.random() >= CUT_OFF_RATE:
        size, centre = _fit(turned, size, centre, np.array([width, height], float))
    mirrored = bool(rng.random() < 0.5)
    frame = geometry.compose(geometry.rotation(tilt, (0, 0)), geometry.translation(*centre))
    if mirrored:
        frame = geometry.compose(frame, geometry.mirroring(width))
    points = {name: size * point for name, point in zip(shape.keypoints, aligned)}
    return Pose(tag, points, _sample_absent(rng, shape), frame, (height, width), mirrored)


def _fit(turned: np.ndarray, size: float, centre: np.ndarray, extent: np.ndarray) -> Tuple[float, np.ndarray]:
    """Returns size and centre, changed so that all points lie inside the picture."""
    low, high = turned.min(axis=0), turned.max(axis=0)
    size = min(size, float(np.min((extent - 2 * MARGIN) / (high - low))))
    return size, np.clip(centre, MARGIN - size * low, extent - 1 - MARGIN - size * high)


def _sample_absent(rng: np.random.Generator, shape: Shape) -> FrozenSet[str]:
    """Returns the absent keypoints, at the rates of the labels. Without shoulders, a garment has no sleeves either."""
    rates = {name.split('_')[0]: rate for name, rate in zip(shape.keypoints, shape.absent_rate)}
    top, waist = rng.random(2)
    chance = {'shoulder': top, 'cuff': top, 'waistline': waist}
    missing = {part for part in chance if chance[part] < rates.get(part, 0)}
    return frozenset(name for name in shape.keypoints if name.split('_')[0] in missing)


def _sample_shape(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Returns (K, 2) aligned points. An impossible shape is sampled again, each time closer to the mean."""
    spread = 1.0
    while True:
        coefficients = np.clip(rng.normal(0, spread, len(shape.std)), -TRUNCATION, TRUNCATION) * shape.std
        points = shape.mean_xy + np.tensordot(coefficients, shape.components, 1)
        if _unfolded(dict(zip(shape.keypoints, points))):
            return points
        spread *= 0.98


def _evened(points: np.ndarray, shape: Shape, share: float) -> np.ndarray:
    """Returns the (K, 2) points, more symmetrical by a share, because no person's pose moves the two sides apart."""
    flipped_keypoints = [shape.keypoints.index(mirror_name(name)) for name in shape.keypoints]
    return (1 - share / 2) * points + share / 2 * points[flipped_keypoints] * [-1, 1]


def _unfolded(points: Mapping[str, np.ndarray]) -> bool:
    """Returns whether a garment can have these corners: left of right, top above bottom, no sleeve or leg crossed."""
    return (_legs_unfolded if 'crotch' in points else _skirt_unfolded if 'waistband_left' in points
            else _top_unfolded)(points)


def _skirt_unfolded(points: Mapping[str, np.ndarray]) -> bool:
    waist = points['waistband_right'] - points['waistband_left']
    hem = points['hemline_right'] - points['hemline_left']
    return bool(waist[0] > 0.12 and hem[0] > 0.8 * waist[0] and abs(waist[1]) < 0.3 * waist[0]
                and abs(hem[1]) < 0.3 * hem[0] and np.mean([points['hemline_left'][1], points['hemline_right'][1]])
                > 0.7 * waist[0] + points['waistband_left'][1])


def _legs_unfolded(points: Mapping[str, np.ndarray]) -> bool:
    left, right, crotch = points['waistband_left'], points['waistband_right'], points['crotch']
    bottoms = np.array([points[f'bottom_{name}'] for name in ('left_out', 'left_in', 'right_in', 'right_out')])
    widths = np.hypot(*np.diff(bottoms, axis=0).T)
    across = np.diff(bottoms[:, 0])
    return bool(right[0] - left[0] > 0.12 and crotch[1] - max(left[1], right[1]) > 0.45 * (right[0] - left[0])
                and left[0] + 0.02 < crotch[0] < right[0] - 0.02 and bottoms[:, 1].min() > crotch[1] + 0.04
                and across[0] > 0.04 and across[2] > 0.04 and across[1] > -0.02
                and 0.4 < widths[0] / widths[2] < 2.5 and abs(left[1] - right[1]) < 0.15)


def _top_unfolded(points: Mapping[str, np.ndarray]) -> bool:
    sides = [_side(points, side, sign) for side, sign in (('left', -1), ('right', 1))]
    hem = 'hemline' if 'hemline_left' in points else 'top_hem'
    neck = points['neckline_right'][0] - points['neckline_left'][0]
    chest = points['armpit_right'][0] - points['armpit_left'][0]
    hems = points[f'{hem}_right'] - points[f'{hem}_left']
    dip = points['center_front'] - mean_of(points, 'neckline') if 'center_front' in points else np.zeros(2)
    return bool(all(sides) and neck > 0.05 and chest > 0.12 and hems[0] > 0.6 * chest and abs(hems[1]) < 0.25 * hems[0]
                and abs(dip[0]) < 0.35 * neck and -0.01 < dip[1] < 1.3 * neck)


def mean_of(points: Mapping[str, np.ndarray], part: str) -> np.ndarray:
    """Returns the point midway between the left and the right keypoint of a pair."""
    return (points[f'{part}_left'] + points[f'{part}_right']) / 2


def _side(points: Mapping[str, np.ndarray], side: str, sign: int) -> bool:
    """Returns whether one half of a top has neck, shoulder, armpit, waist and hem in order, and no twisted sleeve."""
    neck, shoulder, armpit = (points[f'{part}_{side}'] for part in ('neckline', 'shoulder', 'armpit'))
    hem = points.get(f'hemline_{side}', points.get(f'top_hem_{side}'))
    chain = [shoulder[1], armpit[1]] + ([points[f'waistline_{side}'][1]] if f'waistline_{side}' in points else [])
    outer, inner = points[f'cuff_{side}_out'], points[f'cuff_{side}_in']
    return bool(sign * (shoulder - neck)[0] > 0.015 and -0.03 < shoulder[1] - neck[1] < 0.16
                and np.all(np.diff(chain + [hem[1]]) > 0.04) and sign * armpit[0] > 0.05
                and sign * (shoulder - armpit)[0] > -0.08
                and _sleeve_unfolded(np.array([shoulder, outer, inner, armpit]) * [-sign, 1]))


def _sleeve_unfolded(corners: np.ndarray) -> bool:
    """Returns whether shoulder, both ends of the cuff and armpit make a sleeve. The corners are of the sleeve on the
    left of the image, or of the other one mirrored."""
    shoulder, outer, inner, armpit = corners
    axis, cuff = (outer + inner - shoulder - armpit) / 2, inner - outer
    length, width, armhole = np.hypot(*axis), np.hypot(*cuff), np.hypot(*(armpit - shoulder))
    return bool(length > 0.06 and 0.03 < width < 1.5 * armhole + 0.03 and width > 0.28 * armhole
                and abs(axis @ cuff) < 0.75 * length * width and _area(corners) > 0.35 * length * width
                and not _crossing(shoulder, outer, armpit, inner) and not _crossing(outer, inner, shoulder, armpit))


def _area(polygon: np.ndarray) -> float:
    """Returns the signed area, positive if the corners run anticlockwise on the screen."""
    x, y = polygon.T
    return float(np.sum(y * np.roll(x, -1) - x * np.roll(y, -1)) / 2)


def _crossing(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Returns whether the segments ab and cd cross."""
    def beside(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    return beside(a, b, c) * beside(a, b, d) < 0 and beside(c, d, a) * beside(c, d, b) < 0
