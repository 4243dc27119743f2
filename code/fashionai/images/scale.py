"""The scale of a picture from an object of known size in it: a printed marker, a sheet of A4 paper, or a bank card.

The object lies in the plane of the garment. Its outline gives the homography from the picture to that plane.
"""
import re
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np

from fashionai.errors import InputError
from fashionai.garments.planes import Plane
from fashionai.images.camera_pose import View, fitted_view
from fashionai.images.markers import IDS, find_markers
from fashionai.images.quadrilaterals import area, outlines, refined

A4, CARD, MARKER = 'a4', 'card', 'marker'

_SIZES_CM = {A4: (29.7, 21.0), CARD: (8.560, 5.398)}
"""Sizes by ISO 216, and by ISO/IEC 7810 for ID-1."""

_UNITS_CM = {'mm': 0.1, 'cm': 1., 'in': 2.54}

_MOST_TILT = 60.
"""Degrees from which on a sheet or card is too tilted to be told from other rectangles."""

_MISFIT, _MISFIT_SHARE, _LEAST_PIXELS = 0.2, 0.004, 56
"""The largest distance of a corner from its place in a view of a sheet or card, in pixels, and as a share of a side:
the larger of both; and its smallest side. A card that is taken for a sheet of A4 is off by 0.25 pixels if it has 60,
and by 0.95 if it has 97."""

_SUPPORT = 0.8
"""The share of each side of the outline that must be an edge."""

_WANTED = f': wanted a whole one before another colour, with sides of at least {_LEAST_PIXELS} pixels'

_AGREE = 0.05
"""The largest difference of scales of two objects that do not contradict each other, as a share."""


@dataclass(frozen=True)
class ScaleObject:
    """An object of known size.

    kind: MARKER, A4 or CARD.
    size_cm: the lengths of its sides, the longer one first.
    number: of a marker.
    """

    kind: str
    size_cm: Tuple[float, float]
    number: int = 0

    def __str__(self) -> str:
        return {A4: 'sheet of A4 paper', CARD: 'bank card'}.get(self.kind, f'marker {self.number}')


def parse_scale(text: str) -> ScaleObject:
    """Parses `a4`, `card`, `marker:5cm`, or `marker:5cm:7` with the marker's number; 0 is the number without one.

    Raises InputError for any other text.
    """
    if text in _SIZES_CM:
        return ScaleObject(text, _SIZES_CM[text])
    parts = text.split(':')
    number = parts[2] if len(parts) == 3 else '0'
    if parts[0] != MARKER or len(parts) not in (2, 3) or not re.fullmatch('[0-9]{1,2}', number) or int(number) >= IDS:
        raise InputError(f'{text[:80]!r} is not a scale: wanted {A4}, {CARD}, {MARKER}:SIDE such as {MARKER}:5cm, or '
                         f'{MARKER}:SIDE:NUMBER with a number from 0 to {IDS - 1}')
    side = parse_side(parts[1])
    return ScaleObject(MARKER, (side, side), int(number))


def parse_side(text: str) -> float:
    """Returns the centimetres of a length such as `5cm`, `50mm` or `2in`. Raises InputError for any other text."""
    found = re.fullmatch(r'([0-9]{1,4}(?:\.[0-9]{1,6})?)(mm|cm|in)', text)
    if not found or not float(found.group(1)):
        raise InputError(f'{text[:80]!r} is not the side of a marker: wanted a number above 0 and a unit, mm, cm or '
                         'in, such as 5cm')
    return float(found.group(1)) * _UNITS_CM[found.group(2)]


def find_plane(image: np.ndarray, wanted: ScaleObject) -> Plane:
    """Returns the plane of an object in a picture (h, w, 3) uint8 BGR; if there is none, or if there are several of
    them that contradict each other, a plane that is not known, with the reason."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found, reason = _markers(grey, wanted) if wanted.kind == MARKER else (_sheets(grey, wanted), _WANTED)
    if not found:
        return Plane(fault=f'no {wanted} was found in the picture{reason}')
    planes = [_plane(corners, wanted, grey.shape) for corners in sorted(found, key=area, reverse=True)]
    if planes[0].fault:
        return planes[0]
    off = max((_disagreement(planes[0], other, wanted) for other in planes[1:]), default=0)
    if off > _AGREE:
        return Plane(fault=f'{len(planes)} objects in the picture look like a {wanted}, and they contradict each other '
                           f'by {off:.0%}: wanted one')
    return planes[0]


def _plane(corners: np.ndarray, wanted: ScaleObject, picture_hw: Sequence[int]) -> Plane:
    """Returns the plane of an object, a long side of which is between the first two corners (4, 2)."""
    view = _view(corners, wanted, picture_hw)
    fault = '' if view.is_clear else (
        f'the {wanted} is {np.sqrt(area(corners)):.0f} pixels wide, too few to tell how its plane is tilted: wanted a '
        'larger one, or a picture of more pixels')
    to_cm = np.linalg.inv(view.to_pixels)
    scale = float(np.sqrt(wanted.size_cm[0] * wanted.size_cm[1] / area(corners)))
    return Plane(None if fault else to_cm, None if fault else scale, corners, fault)


def _markers(grey: np.ndarray, wanted: ScaleObject) -> Tuple[List[np.ndarray], str]:
    """Returns the corners of each marker with the wanted number, and more words if there is none."""
    found = find_markers(grey)
    markers = []
    for corners in found.get(wanted.number, ()):
        shortest = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).min()
        quad = refined(grey, corners, float(np.clip(shortest / 14, 1.5, 8)))
        if quad is None or quad.support < _SUPPORT:
            return [], ' with clear edges: it is too small, blurred or partly hidden'
        markers.append(quad.corners_xy)
    others = ', '.join(str(number) for number in sorted(found) if number != wanted.number)
    return markers, f', only of number {others}' if others else ''


def _sheets(grey: np.ndarray, wanted: ScaleObject) -> List[np.ndarray]:
    """Returns the corners of each sheet or card."""
    sheets = sorted(filter(None, (_sheet(grey, outline, wanted) for outline in outlines(grey))), key=lambda one: one[0])
    found: List[np.ndarray] = []
    for _, corners in sheets:
        if not any(_same(corners, other) for other in found):
            found.append(corners)
    return found


def _sheet(grey: np.ndarray, outline: np.ndarray, wanted: ScaleObject) -> Optional[Tuple[float, np.ndarray]]:
    """Returns the misfit and the corners of a sheet or card, a long side first, whose rough outline is given; None if
    the outline is that of something else."""
    quad = refined(grey, outline, 2.5 * max(1., max(grey.shape) / 1000))
    quad = quad and refined(grey, quad.corners_xy, 2.5)
    side = 0. if quad is None else np.sqrt(area(quad.corners_xy))
    if quad is None or quad.support < _SUPPORT or side < _LEAST_PIXELS:
        return None
    turned = [np.roll(quad.corners_xy, turn, axis=0) for turn in (0, 1)]
    views = [_view(corners, wanted, grey.shape) for corners in turned]
    best = int(np.argmin([view.misfit for view in views]))
    fits = views[best].misfit < max(_MISFIT, _MISFIT_SHARE * side) and views[best].tilt < _MOST_TILT
    return (views[best].misfit, turned[best]) if fits else None


def _view(corners: np.ndarray, wanted: ScaleObject, picture_hw: Sequence[int]) -> View:
    height, width = picture_hw
    return fitted_view(corners, wanted.size_cm, (height, width))


def _same(corners: np.ndarray, other: np.ndarray) -> bool:
    """Returns whether two outlines are of one object: they have nearly the same middle and the same size."""
    gap = np.linalg.norm(corners.mean(axis=0) - other.mean(axis=0))
    return bool(gap ** 2 < 0.001 * area(corners) and abs(np.log(area(corners) / area(other))) < _AGREE)


def _disagreement(plane: Plane, other: Plane, wanted: ScaleObject) -> float:
    """Returns by what share the sides of another object, seen in a plane, differ from the wanted ones."""
    assert other.corners_xy is not None
    places, on_plane = plane.flattened(other.corners_xy)
    sides = np.linalg.norm(places - np.roll(places, -1, axis=0), axis=1)
    return float(abs(sides.sum() / (2 * sum(wanted.size_cm)) - 1)) if on_plane.all() else np.inf
