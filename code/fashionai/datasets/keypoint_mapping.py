"""The mapping from landmarks of other data sets to keypoints of FashionAI: tables, and nothing else.

"left" is the image's left in FashionAI, in DeepFashion and in DeepFashion2; docs/data.md says how that is known. A
keypoint is absent in the row if no landmark marks the same point of the garment.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping, Tuple

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE

FLD_LANDMARKS: Mapping[str, Tuple[str, ...]] = MappingProxyType({
    '1': ('left collar', 'right collar', 'left sleeve', 'right sleeve', 'left hem', 'right hem'),
    '2': ('left waistline', 'right waistline', 'left hem', 'right hem'),
    '3': ('left collar', 'right collar', 'left sleeve', 'right sleeve', 'left waistline', 'right waistline',
          'left hem', 'right hem')})
"""Landmarks in the order of list_landmarks.txt, by clothes_type: 1 upper-body, 2 lower-body, 3 full-body clothes."""

FLD_VISIBILITY: Mapping[str, int] = MappingProxyType({'0': VISIBLE, '1': OCCLUDED, '2': ABSENT})
"""Our v by landmark_visibility: 0 visible, 1 occluded, 2 cut off by the border."""

_COLLAR = {'left collar': 'neckline_left', 'right collar': 'neckline_right'}
_TOP_HEM = {'left hem': 'top_hem_left', 'right hem': 'top_hem_right'}
_WAISTBAND = {'left waistline': 'waistband_left', 'right waistline': 'waistband_right'}
FLD_KEYPOINTS: Mapping[str, Mapping[str, str]] = MappingProxyType({
    'blouse': {**_COLLAR, **_TOP_HEM},
    'outwear': {**_COLLAR, **_TOP_HEM},
    'dress': {**_COLLAR, 'left waistline': 'waistline_left', 'right waistline': 'waistline_right',
              'left hem': 'hemline_left', 'right hem': 'hemline_right'},
    'skirt': {**_WAISTBAND, 'left hem': 'hemline_left', 'right hem': 'hemline_right'},
    'trousers': {**_WAISTBAND, 'left hem': 'bottom_left_out', 'right hem': 'bottom_right_out'}})
"""The keypoint of each landmark, by garment type. A sleeve has one landmark, a cuff has two keypoints: not mapped."""

COCO_VISIBILITY: Mapping[int, int] = MappingProxyType({2: VISIBLE, 1: OCCLUDED, 0: ABSENT})
"""Our v by the visibility of COCO and DeepFashion2: 2 visible, 1 occluded, 0 not labelled."""


@dataclass(frozen=True)
class Category:
    """A category of DeepFashion2.

    landmarks: the number of landmarks.
    garment: our garment type.
    numbers: the number of the landmark, from 1, by our keypoint.
    """

    name: str
    landmarks: int
    garment: str
    numbers: Mapping[str, int]


_UPPER = ('neckline_left', 'neckline_right', 'center_front', 'shoulder_left', 'shoulder_right', 'armpit_left',
          'armpit_right', 'cuff_left_out', 'cuff_left_in', 'cuff_right_in', 'cuff_right_out')
_TOP = _UPPER + ('top_hem_left', 'top_hem_right')
_DRESS = _UPPER + ('waistline_left', 'waistline_right', 'hemline_left', 'hemline_right')
_SKIRT = ('waistband_left', 'waistband_right', 'hemline_left', 'hemline_right')
_TROUSERS = ('waistband_left', 'waistband_right', 'crotch', 'bottom_left_out', 'bottom_left_in', 'bottom_right_in',
             'bottom_right_out')


def _category(name: str, landmarks: int, garment: str, keypoints: Tuple[str, ...], *numbers: int) -> Category:
    """Returns a row of the table below; the number 0 means that no landmark fits the keypoint."""
    assert len(numbers) == len(keypoints), name
    pairs = zip(keypoints, numbers)
    return Category(name, landmarks, garment, {keypoint: number for keypoint, number in pairs if number})


DEEPFASHION2: Mapping[int, Category] = MappingProxyType({
    1: _category('short sleeve top', 25, 'blouse', _TOP, 2, 6, 4, 7, 25, 12, 20, 9, 10, 22, 23, 15, 17),
    2: _category('long sleeve top', 33, 'blouse', _TOP, 2, 6, 4, 7, 33, 16, 24, 11, 12, 28, 29, 19, 21),
    3: _category('short sleeve outwear', 31, 'outwear', _TOP, 0, 6, 0, 7, 25, 12, 20, 9, 10, 22, 23, 15, 17),
    4: _category('long sleeve outwear', 39, 'outwear', _TOP, 2, 6, 0, 7, 33, 16, 24, 11, 12, 28, 29, 19, 21),
    5: _category('vest', 15, 'blouse', _TOP, 2, 6, 4, 7, 15, 8, 14, 0, 0, 0, 0, 10, 12),
    6: _category('sling', 15, 'blouse', _TOP, 0, 0, 4, 0, 0, 8, 14, 0, 0, 0, 0, 10, 12),
    7: _category('shorts', 10, 'trousers', _TROUSERS, 1, 3, 7, 5, 6, 8, 9),
    8: _category('trousers', 14, 'trousers', _TROUSERS, 1, 3, 9, 6, 7, 11, 12),
    9: _category('skirt', 8, 'skirt', _SKIRT, 1, 3, 5, 7),
    10: _category('short sleeve dress', 29, 'dress', _DRESS, 2, 6, 4, 7, 29, 12, 24, 9, 10, 26, 27, 14, 22, 17, 19),
    11: _category('long sleeve dress', 37, 'dress', _DRESS, 2, 6, 4, 7, 37, 16, 28, 11, 12, 32, 33, 18, 26, 21, 23),
    12: _category('vest dress', 19, 'dress', _DRESS, 2, 6, 4, 7, 19, 8, 18, 0, 0, 0, 0, 9, 17, 12, 14),
    13: _category('sling dress', 19, 'dress', _DRESS, 0, 0, 4, 0, 0, 8, 18, 0, 0, 0, 0, 9, 17, 12, 14)})
"""The categories by category_id.

Two kinds of landmarks are left out: two public tables disagree about which landmark of a short sleeve outwear is at the
left end of the neckline, and the landmarks of a sling's straps are not the points that FashionAI labels.
"""
