"""The label of one garment in a picture, as a person gives it."""
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Dict, Mapping, Optional, Tuple

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.errors import InputError, shown
from fashionai.garments.boxes import Box, check_inside, is_number, parse_box
from fashionai.garments.table import Garment, Garments

OPEN, REVIEWED, SKIPPED, REMOVED = 'open', 'reviewed', 'skipped', 'removed'
STATES = (OPEN, REVIEWED, SKIPPED, REMOVED)
"""The states of a garment: to be reviewed; reviewed; not fit for training; a box that was taken back."""

Point = Tuple[float, float, int]
"""x, y in pixels of the upright picture, and v as in annotations: 1 visible, 0 occluded, -1 absent."""


@dataclass(frozen=True)
class Label:
    """What is known of one garment. It is plain data; `check` says whether it fits a picture and a garment table.

    Attributes:
        state: one of STATES.
        type: the garment type; None if nobody has chosen it.
        points: the points that a person has placed or marked absent, by name. A keypoint that is not here is a
            proposal, or is still to be placed.
        box: the part of the picture that has the garment; None for the whole picture.
    """

    state: str = OPEN
    type: Optional[str] = None
    points: Mapping[str, Point] = field(default_factory=lambda: MappingProxyType({}))
    box: Optional[Box] = None

    def to_json(self) -> Dict[str, Any]:
        """Returns the label as values for JSON."""
        return {'state': self.state, 'type': self.type, 'box': self.box and list(self.box),
                'points': {name: list(point) for name, point in self.points.items()}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> 'Label':
        """Returns the label of `to_json`. Raises InputError, which names the key, if a value has another form."""
        unknown = set(values) - {'state', 'type', 'points', 'box'}
        if unknown:
            raise InputError(f'label: unknown keys {", ".join(sorted(map(str, unknown)))}, wanted state, type, points '
                             'and box')
        state, kind, points = values.get('state', OPEN), values.get('type'), values.get('points') or {}
        if state not in STATES:
            raise InputError(f'state {shown(state)}: wanted one of {", ".join(STATES)}')
        if kind is not None and not isinstance(kind, str):
            raise InputError(f'type {shown(kind)}: wanted the name of a garment type')
        if not isinstance(points, dict):
            raise InputError(f'points {shown(points)}: wanted points by name')
        placed = {name: _point(name, point) for name, point in points.items()}
        return cls(state, kind, placed, optional_box(values.get('box')))

    def check(self, garments: Garments, size_hw: Tuple[int, int]) -> None:
        """Raises InputError, which names the keypoint, if the label does not fit the table or a picture of this size,
        or if it is reviewed and a keypoint of its type is neither placed nor absent."""
        if self.box is not None:
            check_inside(self.box, size_hw)
        if self.type is None:
            if self.points or self.state == REVIEWED:
                raise InputError('label: no type, wanted one of ' + ', '.join(garments))
            return
        garment = garments.get(self.type)
        if garment is None:
            raise InputError(f'type {shown(self.type)}: wanted one of {", ".join(garments)}')
        self._check_points(garment, size_hw)

    def _check_points(self, garment: Garment, size_hw: Tuple[int, int]) -> None:
        height, width = size_hw
        for name, (x, y, v) in self.points.items():
            if name not in garment.keypoints:
                raise InputError(f'{shown(name)} is not a keypoint of {garment.name}: wanted one of '
                                 f'{", ".join(garment.keypoints)}')
            if v != ABSENT and not (-0.5 <= x <= width and -0.5 <= y <= height):
                raise InputError(f'{name}: x {x:g}, y {y:g}, outside of the picture of {width} x {height} pixels')
        missing = [name for name in garment.keypoints if name not in self.points]
        if self.state == REVIEWED and missing:
            raise InputError(f'{missing[0]} is not placed: place it, or mark it absent')


def optional_box(values: Any) -> Optional[Box]:
    """Returns the box that JSON gives, or None. Errors as in `parse_box`."""
    return None if values is None else parse_box(values)


def _point(name: str, values: Any) -> Point:
    if not isinstance(values, (list, tuple)) or len(values) != 3 or not all(map(is_number, values)):
        raise InputError(f'{name}: {shown(values)}, wanted x, y and v')
    x, y, v = values
    if v not in (VISIBLE, OCCLUDED, ABSENT):
        raise InputError(f'{name}: v {shown(v)}, wanted {VISIBLE} visible, {OCCLUDED} occluded or {ABSENT} absent')
    return round(float(x), 2), round(float(y), 2), int(v)
