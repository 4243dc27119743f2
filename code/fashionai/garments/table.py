"""The keypoint table: the one place that knows names, orders, limbs and mirror images.

Heat-map channels, field channels, CSV columns, flips and normalisers elsewhere are all derived from a table, GARMENTS
unless a user gives another (see garment_files.py). Entry points choose it; it travels with what is read by it.
"left" and "right" mean the left and right of the image, as in the FashionAI labels.
"""
from dataclasses import dataclass
from typing import Iterator, Mapping, Tuple

import numpy as np

from fashionai.errors import InputError

CSV_KEYPOINTS = (
    'neckline_left', 'neckline_right', 'center_front', 'shoulder_left', 'shoulder_right', 'armpit_left',
    'armpit_right', 'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in',
    'cuff_right_out', 'top_hem_left', 'top_hem_right', 'waistband_left', 'waistband_right', 'hemline_left',
    'hemline_right', 'crotch', 'bottom_left_in', 'bottom_left_out', 'bottom_right_in', 'bottom_right_out')
"""Order of the 24 keypoint columns in every FashionAI CSV."""

JOINT = 'all'
"""Name of the pseudo-type whose network serves all garment types of a table."""

AUTO = 'auto'
"""Stands for the type of a picture where the network is to tell it."""

SUPPLIED = 'supplied'
"""Stands for a type among the folders of trained networks: the network that comes with the project."""


@dataclass(frozen=True)
class Garment:
    """A garment type: its keypoints in heat-map channel order, its limbs in field order, and its measuring pair.

    `csv_keypoints` are the keypoint columns, C of them, of the CSV files that have the type. `mirror_pairs` become each
    other in a mirrored image; keypoints that are in none go by their names. `types` are those that a joint garment
    stands for, in the order of a type head's probabilities, () of a single one.
    """

    name: str
    keypoints: Tuple[str, ...]
    limbs: Tuple[Tuple[str, str], ...]
    normaliser: Tuple[str, str]
    csv_keypoints: Tuple[str, ...] = CSV_KEYPOINTS
    mirror_pairs: Tuple[Tuple[str, str], ...] = ()
    types: Tuple[str, ...] = ()

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
        """(K,) int: the keypoint column, 0 to C - 1, of each heat-map channel."""
        return np.array([self.csv_keypoints.index(name) for name in self.keypoints])

    @property
    def limb_indices(self) -> np.ndarray:
        """(L, 2) int: channel numbers of the two ends of each limb."""
        return np.array([[self.keypoints.index(end) for end in limb] for limb in self.limbs])

    @property
    def mirror_indices(self) -> np.ndarray:
        """(K,) int: the channel each channel becomes in a mirrored image; its own inverse."""
        return np.array([self.keypoints.index(name) for name in self.flipped_keypoints])

    @property
    def flipped_keypoints(self) -> Tuple[str, ...]:
        """The keypoint that each keypoint becomes in a mirrored image, in channel order."""
        pairs = {end: other for pair in self.mirror_pairs for end, other in (pair, pair[::-1])}
        return tuple(pairs.get(name, mirror_name(name)) for name in self.keypoints)

    def difference(self, other: 'Garment') -> str:
        """What a network for the one would get wrong of the other, in a word or two; '' where it serves both."""
        for what, own, others in (('keypoints', self.keypoints, other.keypoints), ('limbs', self.limbs, other.limbs),
                                  ('mirror images', self.flipped_keypoints, other.flipped_keypoints)):
            if own != others:
                return what
        return ''


@dataclass(frozen=True)
class Garments(Mapping[str, Garment]):
    """A table of garments: one type or more by name, in order, all of the same CSV columns. Plain data, for workers."""

    members: Tuple[Garment, ...]

    def __getitem__(self, name: str) -> Garment:
        for garment in self.members:
            if garment.name == name:
                return garment
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (garment.name for garment in self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __str__(self) -> str:
        return ', '.join(self)

    @property
    def csv_keypoints(self) -> Tuple[str, ...]:
        """The C keypoint columns of the CSV files, in order."""
        return self.members[0].csv_keypoints

    @property
    def joint(self) -> Garment:
        """All types as one: every keypoint in the order of the columns, and every limb of any type, once."""
        limbs = dict.fromkeys(limb for garment in self.members for limb in garment.limbs)
        pairs = dict.fromkeys(pair for garment in self.members for pair in garment.mirror_pairs)
        return Garment(JOINT, self.csv_keypoints, tuple(limbs), self.members[0].normaliser, self.csv_keypoints,
                       tuple(pairs), tuple(self))

    def of(self, tag: str) -> Garment:
        """The garment of a `--tag`: one of the types, or `all` for the joint one. Raises InputError for another tag."""
        if tag != JOINT and tag not in self:
            raise InputError(f'unknown garment type {tag!r}: wanted one of {self}, or {JOINT}')
        return self.joint if tag == JOINT else self[tag]


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

GARMENTS = Garments((_BLOUSE, _DRESS, _OUTWEAR, _SKIRT, _TROUSERS))
"""The built-in table: the five types of FashionAI."""
