"""Lengths of garments by name, measured along paths over keypoints, in pixels and in centimetres.

They are lengths in the picture. They are those of the cloth if the garment lies or hangs flat, square to the camera; or
flat in a plane that is known.
"""
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Callable, Collection, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.contradictions import Length, believed, doubts, limits_of, merged
from fashionai.garments.planes import Plane
from fashionai.garments.table import Garment, Garments

Paths = Tuple[str, ...]
"""One path, or one for each side. A path goes from place to place, `a > b > c`. A place is a keypoint, or the middle of
two keypoints, `a + b`."""

_NECK, _MIDDLE_OF_NECK = 'neckline_left > neckline_right', 'neckline_left + neckline_right'
_SHOULDERS, _CHEST = 'shoulder_left > shoulder_right', 'armpit_left > armpit_right'
_WAIST, _MIDDLE_OF_WAIST = 'waistline_left > waistline_right', 'waistline_left + waistline_right'
_WAISTBAND, _MIDDLE_OF_BAND = 'waistband_left > waistband_right', 'waistband_left + waistband_right'
_TOP_HEM, _MIDDLE_OF_TOP_HEM = 'top_hem_left > top_hem_right', 'top_hem_left + top_hem_right'
_HEM, _MIDDLE_OF_HEM = 'hemline_left > hemline_right', 'hemline_left + hemline_right'
_SLEEVE = ('shoulder_left > cuff_left_out', 'shoulder_right > cuff_right_out')
_CUFF = ('cuff_left_in > cuff_left_out', 'cuff_right_in > cuff_right_out')

LENGTHS: Mapping[str, Mapping[str, Paths]] = MappingProxyType({
    'blouse': MappingProxyType({
        'neckline_width': (_NECK,),
        'neckline_depth': (f'{_MIDDLE_OF_NECK} > center_front',),
        'shoulder_width': (_SHOULDERS,),
        'chest': (_CHEST,),
        'hem': (_TOP_HEM,),
        'sleeve': _SLEEVE,
        'cuff': _CUFF,
        'side': ('armpit_left > top_hem_left', 'armpit_right > top_hem_right'),
        'body_length': (f'{_MIDDLE_OF_NECK} > {_MIDDLE_OF_TOP_HEM}',)}),
    'dress': MappingProxyType({
        'neckline_width': (_NECK,),
        'neckline_depth': (f'{_MIDDLE_OF_NECK} > center_front',),
        'shoulder_width': (_SHOULDERS,),
        'chest': (_CHEST,),
        'waist': (_WAIST,),
        'hem': (_HEM,),
        'sleeve': _SLEEVE,
        'cuff': _CUFF,
        'side': ('armpit_left > waistline_left > hemline_left', 'armpit_right > waistline_right > hemline_right'),
        'bodice_length': (f'{_MIDDLE_OF_NECK} > {_MIDDLE_OF_WAIST}',),
        'skirt_length': (f'{_MIDDLE_OF_WAIST} > {_MIDDLE_OF_HEM}',),
        'body_length': (f'{_MIDDLE_OF_NECK} > {_MIDDLE_OF_HEM}',)}),
    'outwear': MappingProxyType({
        'neckline_width': (_NECK,),
        'shoulder_width': (_SHOULDERS,),
        'chest': (_CHEST,),
        'waist': (_WAIST,),
        'hem': (_TOP_HEM,),
        'sleeve': _SLEEVE,
        'cuff': _CUFF,
        'side': ('armpit_left > waistline_left > top_hem_left', 'armpit_right > waistline_right > top_hem_right'),
        'body_length': (f'{_MIDDLE_OF_NECK} > {_MIDDLE_OF_TOP_HEM}',)}),
    'skirt': MappingProxyType({
        'waist': (_WAISTBAND,),
        'hem': (_HEM,),
        'side': ('waistband_left > hemline_left', 'waistband_right > hemline_right'),
        'body_length': (f'{_MIDDLE_OF_BAND} > {_MIDDLE_OF_HEM}',)}),
    'trousers': MappingProxyType({
        'waist': (_WAISTBAND,),
        'rise': (f'{_MIDDLE_OF_BAND} > crotch',),
        'inseam': ('crotch > bottom_left_in', 'crotch > bottom_right_in'),
        'outseam': ('waistband_left > bottom_left_out', 'waistband_right > bottom_right_out'),
        'leg_opening': ('bottom_left_in > bottom_left_out', 'bottom_right_in > bottom_right_out')})})
"""The lengths of each built-in type. Widths are of the garment lying flat: chest, waist and hem are half the
circumference."""


@dataclass(frozen=True)
class Measurement:
    """A length of a garment. If one of its points was not found, all values are None or empty.

    pixels: the length in pixels of the picture.
    cm: the length in centimetres; None if no scale is known.
    score: the lowest score of its points.
    doubtful: the reasons why it is doubtful: the lengths that contradict it.
    """

    pixels: Optional[float]
    cm: Optional[float]
    score: Optional[float]
    doubtful: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """Two keypoints whose distance is known in centimetres.

    Raises InputError if the keypoints are the same or the distance is not above 0.
    """

    start: str
    end: str
    cm: float

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise InputError(f'{self.start},{self.end}: wanted two different keypoints')
        if not 0 < self.cm < float('inf'):
            raise InputError(f'{self.start},{self.end}={self.cm}: wanted a length above 0 cm')


PixelScale = Callable[['Points'], Optional[float]]
"""A function from the points of a garment to centimetres per pixel; None if it is not known for this picture."""


@dataclass(frozen=True, eq=False)
class Points:
    """The points to measure.

    garment: the type, with K keypoints.
    points_xy: (K, 2) in pixels of the picture.
    scores: (K,).
    found: (K,) bool, whether each point was found.
    plane: the plane of the garment, or why it is not known; None if nobody looked for it.
    """

    garment: Garment
    points_xy: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    plane: Optional[Plane] = None

    def flattened(self) -> 'Points':
        """Returns the points as a camera square to the plane sees them, in pixels of the size that they have at the
        object that shows the plane. Points that are not on the plane were not found. The plane must be known."""
        assert self.plane is not None
        flat_cm, on_plane = self.plane.flattened(self.points_xy)
        return Points(self.garment, flat_cm / self.plane.cm_per_pixel, self.scores, self.found & on_plane)

    def path(self, path: str) -> Optional[Length]:
        """Returns the length of a path; None if one of its points was not found or is not of this garment."""
        places = places_of(self.garment, path)
        flat = sum(places or [], [])
        if not places or not self.found[flat].all():
            return None
        return Length(float(along(self.points_xy, places)), float(self.scores[flat].min()))


def lengths_of(garment: Garment) -> Mapping[str, Paths]:
    """Returns the lengths of a type by name: those of LENGTHS that its keypoints allow, then those of its own."""
    return {**{name: paths for name, paths in LENGTHS.get(garment.name, {}).items()
               if any(places_of(garment, path) for path in paths)}, **dict(garment.lengths)}


def lengths_added(garments: Garments) -> Sequence[Tuple[str, Mapping[str, Paths]]]:
    """Returns the lengths that a table adds to those of LENGTHS, by type; empty if it adds none."""
    return [(name, dict(garment.lengths)) for name, garment in garments.items() if garment.lengths]


def places_of(garment: Garment, path: str) -> Optional[List[List[int]]]:
    """Returns the channels of each place of a path, one or two; None if the garment does not have all its keypoints."""
    names = [place.split(' + ') for place in path.split(' > ')]
    if not all(name in garment.keypoints for place in names for name in place):
        return None
    return [[garment.keypoints.index(name) for name in place] for place in names]


def along(points_xy: np.ndarray, places: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns the lengths (...) of a path over places, for points (..., K, 2)."""
    stops = np.stack([points_xy[..., place, :].mean(axis=-2) for place in places], axis=-2)
    return np.linalg.norm(np.diff(stops, axis=-2), axis=-1).sum(axis=-1)


def measure(points: Points, cm_per_pixel: Optional[float] = None) -> Mapping[str, Measurement]:
    """Returns the lengths of a garment by name, in the order of `lengths_of`; {} for a type that has none.

    A length that has a path on each side is the mean of both sides. It is the length of one side if only the points of
    that side were found, or if the score of that side is higher by more than `contradictions.CLEARLY`. If the plane of
    the garment is known, centimetres and doubts are those of lengths in the plane.
    """
    if points.plane and not points.plane.fault:
        flat = points.flattened()
        seen = measure(replace(points, found=flat.found, plane=None))
        return {name: replace(length, pixels=seen[name].pixels) for name, length in measure(flat, cm_per_pixel).items()}
    lengths = {name: believed(list(filter(None, map(points.path, paths))))
               for name, paths in lengths_of(points.garment).items()}
    doubtful = doubts(lengths, limits_of(points.garment))
    return {name: _measured(merged(sides), cm_per_pixel, doubtful[name]) for name, sides in lengths.items()}


def fixed_scale(cm_per_pixel: float) -> PixelScale:
    """Returns the same scale for every picture. Raises InputError if it is not a finite number above 0."""
    if not 0 < cm_per_pixel < float('inf'):
        raise InputError(f'{cm_per_pixel} cm per pixel: wanted a number above 0')
    return lambda points: cm_per_pixel


def reference_scale(reference: Reference) -> PixelScale:
    """Returns the scale of each picture from a known length; None if its points were not found or coincide."""
    def scale(points: Points) -> Optional[float]:
        length = points.path(f'{reference.start} > {reference.end}')
        return reference.cm / length.pixels if length and length.pixels else None
    return scale


def length_scale(name: str, cm: float) -> PixelScale:
    """Returns the scale of each picture from a length that is known in centimetres, by its name; None if its points
    were not found or coincide, and for a garment type without that length. Raises InputError if it is not above 0."""
    if not 0 < cm < float('inf'):
        raise InputError(f'{name}={cm}: wanted a length above 0 cm')

    def scale(points: Points) -> Optional[float]:
        length = measure(points).get(name)
        return cm / length.pixels if length and length.pixels else None
    return scale


def scale_of(reference: str, types: Collection[Garment]) -> PixelScale:
    """Returns the scale that a text gives: two keypoints and their distance in cm, `waistband_left,waistband_right=38`,
    or a length, `chest=50`.

    Raises InputError as `parse_reference` does, and for a length that none of the types has.
    """
    name, _, length = reference.partition('=')
    if ',' in name or not length:
        return reference_scale(parse_reference(reference, types))
    names = dict.fromkeys(each for garment in types for each in lengths_of(garment))
    if name.strip() not in names:
        raise InputError(f'{reference!r}: unknown length {name.strip()!r}; wanted one of {", ".join(names)}, or two '
                         'keypoints, such as waistband_left,waistband_right=38')
    try:
        return length_scale(name.strip(), float(length))
    except ValueError:
        raise InputError(f'{reference!r}: wanted a number of cm above 0, such as {name.strip()}=50') from None


def no_scale(points: Points) -> Optional[float]:
    """The scale that is never known: lengths are in pixels only."""
    del points
    return None


def plane_scale(points: Points) -> Optional[float]:
    """The scale at the object that shows the plane of the garment; None if the plane is not known."""
    return points.plane.cm_per_pixel if points.plane else None


def chosen_scale(cm_per_pixel: Optional[float], reference: str, types: Collection[Garment]) -> PixelScale:
    """Returns the scale of a reference as `scale_of` takes it, or of a size of pixels, or `no_scale` if neither is
    given. Raises InputError as `scale_of` and `fixed_scale` do."""
    if reference:
        return scale_of(reference, types)
    return no_scale if cm_per_pixel is None else fixed_scale(cm_per_pixel)


def parse_reference(text: str, types: Collection[Garment]) -> Reference:
    """Parses a reference such as `waistband_left,waistband_right=38`, in cm.

    Raises InputError if the form is another, or if the names are not two keypoints of one of the types.
    """
    names, _, length = text.partition('=')
    pair = [name.strip() for name in names.split(',')]
    try:
        cm = float(length)
    except ValueError:
        pair = []
    if len(pair) != 2:
        raise InputError(f'{text!r}: wanted two keypoints and their distance in cm, such as '
                         'waistband_left,waistband_right=38')
    known = dict.fromkeys(name for garment in types for name in garment.keypoints)
    unknown = [name for name in pair if name not in known]
    if unknown:
        raise InputError(f'{text!r}: unknown keypoint {unknown[0]!r}; wanted one of {", ".join(known)}')
    if not any(set(pair) <= set(garment.keypoints) for garment in types):
        raise InputError(f'{text!r}: no garment type has both keypoints; wanted two keypoints of one type')
    return Reference(pair[0], pair[1], cm)


def _measured(length: Optional[Length], cm_per_pixel: Optional[float], doubtful: Tuple[str, ...]) -> Measurement:
    if not length:
        return Measurement(None, None, None)
    cm = None if cm_per_pixel is None else length.pixels * cm_per_pixel
    return Measurement(length.pixels, cm, length.score, doubtful)
