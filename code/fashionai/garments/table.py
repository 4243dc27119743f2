"""The garment table: the single place for the names, orders, limbs and mirror images of keypoints.

Heat-map channels, field channels, CSV columns, flips and normalisers are all derived from a garment table. It is
GARMENTS, unless a user gives another one (see table_files.py). Entry points choose the table, and data that were read
with it carry it along. "left" and "right" mean the left and right of the image, as in the FashionAI labels.
"""
from dataclasses import dataclass, field
from typing import Iterator, Mapping, Tuple

import numpy as np

from fashionai.errors import InputError

CSV_KEYPOINTS = (
    'neckline_left', 'neckline_right', 'center_front', 'shoulder_left', 'shoulder_right', 'armpit_left',
    'armpit_right', 'waistline_left', 'waistline_right', 'cuff_left_in', 'cuff_left_out', 'cuff_right_in',
    'cuff_right_out', 'top_hem_left', 'top_hem_right', 'waistband_left', 'waistband_right', 'hemline_left',
    'hemline_right', 'crotch', 'bottom_left_in', 'bottom_left_out', 'bottom_right_in', 'bottom_right_out')
"""The order of the 24 keypoint columns in every FashionAI CSV."""

JOINT = 'all'
"""The `--tag` of the joint type, whose network predicts all garment types of a table."""

AUTO = 'auto'
"""The `--tag` that lets the network predict the type of each picture."""

SUPPLIED = 'supplied'
"""The folder of the network that comes with the project, among the folders named after garment types."""


@dataclass(frozen=True)
class Garment:
    """A garment type with K keypoints and L limbs.

    name: the value of `--tag` and of image_category.
    keypoints: in the order of the heat-map channels.
    limbs: pairs of keypoints, in the order of the fields.
    normaliser: the two keypoints whose distance normalises errors.
    csv_keypoints: the C keypoint columns of the CSV files that have the type.
    mirror_pairs: keypoints that become each other in a mirrored image; for all others, the names decide.
    types: the types of a joint garment, in the order of the type probabilities; () for a single type.
    lengths: lengths that a user adds: each has a name, and one path or, for left and right, two, as in
        `measurements.LENGTHS`. Types that differ in them alone are equal: no network depends on them.
    """

    name: str
    keypoints: Tuple[str, ...]
    limbs: Tuple[Tuple[str, str], ...]
    normaliser: Tuple[str, str]
    csv_keypoints: Tuple[str, ...] = CSV_KEYPOINTS
    mirror_pairs: Tuple[Tuple[str, str], ...] = ()
    types: Tuple[str, ...] = ()
    lengths: Tuple[Tuple[str, Tuple[str, ...]], ...] = field(default=(), compare=False)

    @property
    def num_heatmaps(self) -> int:
        """Number of heat-map channels: one for each keypoint and, last, the background."""
        return len(self.keypoints) + 1

    @property
    def num_fields(self) -> int:
        """Number of part-affinity-field channels: x and y of each limb, interleaved."""
        return 2 * len(self.limbs)

    @property
    def csv_indices(self) -> np.ndarray:
        """(K,) int: the keypoint column, 0 to C - 1, of each heat-map channel."""
        return np.array([self.csv_keypoints.index(name) for name in self.keypoints])

    @property
    def limb_indices(self) -> np.ndarray:
        """(L, 2) int: the channels of the two ends of each limb."""
        return np.array([[self.keypoints.index(end) for end in limb] for limb in self.limbs])

    @property
    def mirror_indices(self) -> np.ndarray:
        """(K,) int: the channel that each channel becomes in a mirrored image. The permutation is its own inverse."""
        return np.array([self.keypoints.index(name) for name in self.flipped_keypoints])

    @property
    def flipped_keypoints(self) -> Tuple[str, ...]:
        """The keypoint that each keypoint becomes in a mirrored image, in channel order."""
        pairs = {end: other for pair in self.mirror_pairs for end, other in (pair, pair[::-1])}
        return tuple(pairs.get(name, mirror_name(name)) for name in self.keypoints)

    def difference(self, other: 'Garment') -> str:
        """Returns what prevents one network from serving both types, such as 'keypoints'; '' if it can serve both."""
        for what, own, others in (('keypoints', self.keypoints, other.keypoints), ('limbs', self.limbs, other.limbs),
                                  ('mirror images', self.flipped_keypoints, other.flipped_keypoints)):
            if own != others:
                return what
        return ''


@dataclass(frozen=True)
class Garments(Mapping[str, Garment]):
    """A garment table: one or more types by name, in order, all with the same CSV columns. Plain data, for workers."""

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
        """All types as one: every keypoint, in the order of the columns, and every limb of any type, once."""
        limbs = dict.fromkeys(limb for garment in self.members for limb in garment.limbs)
        pairs = dict.fromkeys(pair for garment in self.members for pair in garment.mirror_pairs)
        return Garment(JOINT, self.csv_keypoints, tuple(limbs), self.members[0].normaliser, self.csv_keypoints,
                       tuple(pairs), tuple(self))

    def of(self, tag: str) -> Garment:
        """Returns the garment of a `--tag`: a type, or the joint type for `all`. Raises InputError for another tag."""
        if tag != JOINT and tag not in self:
            raise InputError(f'unknown garment type {tag!r}: wanted one of {self}, or {JOINT}')
        return self.joint if tag == JOINT else self[tag]


def mirror_name(keypoint: str) -> str:
    """Returns the name with left and right swapped: the mirror keypoint, or the same name if it has no side."""
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
