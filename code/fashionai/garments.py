"""The keypoint table: the one place that knows names, orders, limbs and mirror images.

Heat-map channels, field channels, CSV columns, flips and normalisers elsewhere are all derived from here.
"left" and "right" mean the left and right of the image, as in the FashionAI labels.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping, Tuple

import numpy as np

CSV_KEYPOINTS = (
    'neckline_left', 'neckline_right', 'center_front', 'shoulder_left', 'shoulder_right', 'armpit_left',
    'armpit_right', 'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in',
    'cuff_right_out', 'top_hem_left', 'top_hem_right', 'waistband_left', 'waistband_right', 'hemline_left',
    'hemline_right', 'crotch', 'bottom_left_in', 'bottom_left_out', 'bottom_right_in', 'bottom_right_out')
"""Order of the 24 keypoint columns in every FashionAI CSV."""

JOINT = 'all'
"""Name of the pseudo-type whose network serves all five garment types."""


@dataclass(frozen=True)
class Garment:
    """A garment type: its keypoints in heat-map channel order, its limbs in field order, and its measuring pair."""

    name: str
    keypoints: Tuple[str, ...]
    limbs: Tuple[Tuple[str, str], ...]
    normaliser: Tuple[str, str]

    @property
    def num_heatmaps(self) -> int:
        """Heat-map channels: one a keypoint and, last, the background."""
        return len(self.keypoints) + 1

    @property
    def num_fields(self) -> int:
        """Part-affinity-field channels: x and y of each limb, interleaved."""
        return 2 * len(self.limbs)

    @property
    def csv_indices(self) -> np.ndarray:
        """(K,) int: the CSV column, 0 to 23, of each heat-map channel."""
        return np.array([CSV_KEYPOINTS.index(name) for name in self.keypoints])

    @property
    def limb_indices(self) -> np.ndarray:
        """(L, 2) int: channel numbers of the two ends of each limb."""
        return np.array([[self.keypoints.index(end) for end in limb] for limb in self.limbs])

    @property
    def mirror_indices(self) -> np.ndarray:
        """(K,) int: the channel each channel becomes in a mirrored image; its own inverse."""
        return np.array([self.keypoints.index(mirror_name(name)) for name in self.keypoints])


def mirror_name(keypoint: str) -> str:
    """The keypoint's counterpart on the other side of the garment: itself where it lies on the axis."""
    swapped = {'left': 'right', 'right': 'left'}
    return '_'.join(swapped.get(word, word) for word in keypoint.split('_'))


_NECK = (('neckline_left', 'neckline_right'), ('neckline_left', 'shoulder_left'), ('neckline_right', 'shoulder_right'))
_SLEEVES = (
    ('shoulder_left', 'cuff_left_out'), ('shoulder_right', 'cuff_right_out'), ('cuff_left_out', 'cuff_left_in'),
    ('cuff_right_out', 'cuff_right_in'), ('cuff_left_in', 'armpit_left'), ('cuff_right_in', 'armpit_right'))
_FRONT = (('center_front', 'neckline_left'), ('center_front', 'neckline_right'))
_WAIST = (('armpit_left', 'waistline_left'), ('armpit_right', 'waistline_right'))
_ARMPITS = ('armpit_left', 'armpit_right')
_WAISTBAND = ('waistband_left', 'waistband_right')

_BLOUSE = Garment(
    'blouse',
    ('neckline_left', 'neckline_right', 'shoulder_left', 'shoulder_right', 'center_front', 'armpit_left',
     'armpit_right', 'top_hem_left', 'top_hem_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in',
     'cuff_right_out'),
    _NECK + _FRONT + _SLEEVES + (
        ('armpit_left', 'top_hem_left'), ('armpit_right', 'top_hem_right'), ('top_hem_left', 'top_hem_right')),
    _ARMPITS)
_DRESS = Garment(
    'dress',
    ('neckline_left', 'neckline_right', 'shoulder_left', 'shoulder_right', 'center_front', 'armpit_left',
     'armpit_right', 'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in',
     'cuff_right_out', 'hemline_left', 'hemline_right'),
    _NECK + _SLEEVES + _WAIST + (
        ('waistline_left', 'hemline_left'), ('waistline_right', 'hemline_right'), ('hemline_left', 'hemline_right'),
    ) + _FRONT,
    _ARMPITS)
_OUTWEAR = Garment(
    'outwear',
    ('neckline_left', 'neckline_right', 'shoulder_left', 'shoulder_right', 'armpit_left', 'armpit_right',
     'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in', 'cuff_right_out',
     'top_hem_left', 'top_hem_right'),
    _NECK + _SLEEVES + _WAIST + (
        ('waistline_left', 'top_hem_left'), ('waistline_right', 'top_hem_right'), ('top_hem_left', 'top_hem_right'),
        ('waistline_left', 'waistline_right')),
    _ARMPITS)
_SKIRT = Garment(
    'skirt',
    ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right'),
    (_WAISTBAND, ('waistband_left', 'hemline_left'), ('waistband_right', 'hemline_right'),
     ('hemline_left', 'hemline_right'), ('waistband_left', 'hemline_right')),
    _WAISTBAND)
_TROUSERS = Garment(
    'trousers',
    ('waistband_left', 'waistband_right', 'crotch', 'bottom_left_in', 'bottom_left_out', 'bottom_right_in',
     'bottom_right_out'),
    (_WAISTBAND, ('waistband_left', 'bottom_left_out'), ('waistband_right', 'bottom_right_out'),
     ('bottom_left_out', 'bottom_left_in'), ('bottom_right_out', 'bottom_right_in'), ('bottom_left_in', 'crotch'),
     ('bottom_right_in', 'crotch'), ('waistband_left', 'crotch')),
    _WAISTBAND)

GARMENTS: Mapping[str, Garment] = MappingProxyType(
    {garment.name: garment for garment in (_BLOUSE, _DRESS, _OUTWEAR, _SKIRT, _TROUSERS)})
"""The five garment types by name."""


def joint_garment() -> Garment:
    """All five types as one: the 24 keypoints in CSV order and every limb of any type, once."""
    limbs = tuple(dict.fromkeys(limb for garment in GARMENTS.values() for limb in garment.limbs))
    return Garment(JOINT, CSV_KEYPOINTS, limbs, _ARMPITS)


def garment_of(tag: str) -> Garment:
    """The garment of a `--tag`: one of the five types, or `all` for the joint network.

    Raises ValueError for any other tag.
    """
    if tag == JOINT:
        return joint_garment()
    if tag not in GARMENTS:
        raise ValueError(f'unknown garment type {tag!r}: wanted one of {", ".join(GARMENTS)}, or {JOINT}')
    return GARMENTS[tag]
