"""Chooses places for labels on a picture: inside it, apart from each other, and over no point.

Each label has many candidate places around its point. Each has a cost: a label should be near its point, beside the
garment, and no line from a point to its label should cross another label or line. The labels choose one after the
other, and then again a few times, since the later ones change what is best. Of several orders the cheapest result is
taken.

Letters: N labels, M points that stay free, C candidates. A rectangle is (left, top, right, bottom) in whole pixels of
the picture, without its last column and row.
"""
from dataclasses import dataclass, replace
from typing import List, Optional, Sequence, Tuple

import numpy as np

_KEPT = 100
"""So many of the best candidates of a label compete."""

_SWEEPS = 5
_COLUMNS, _ROWS = 12, 50
"""So many distances to the side, and so many heights, are tried on each side of a point."""

_OVERLAP, _CROSSING, _NEAR_POINT = 1000., 12., 8.
"""The cost of a label over another one; of a line that crosses a label or a line; of a line over another point. The
cost of a line is its length in heights of text."""

_OVER_GARMENT = 5.
"""The cost of a label that lies on the garment entirely."""

_MOST_COVERED = 0.25
"""The largest share of a picture that clear labels cover."""

Rectangle = Tuple[int, int, int, int]
_Choice = Tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Obstacles:
    """What labels have to keep away from.

    size_hw: the size of the picture.
    points_xy: (M, 2), points that no label may cover.
    radius: of the points, with some space around them, in pixels.
    garment_sums: (h + 1, w + 1) int, the integral image of where garments are; labels lie elsewhere if they can.
    taken: rectangles that no label may overlap.
    """

    size_hw: Tuple[int, int]
    points_xy: np.ndarray
    radius: float
    garment_sums: np.ndarray
    taken: Sequence[Rectangle] = ()

    def free(self, rectangles: np.ndarray) -> np.ndarray:
        """Returns (C,) bool: whether rectangles (C, 4) are inside the picture, over no point and nothing taken."""
        height, width = self.size_hw
        left, top, right, bottom = rectangles.T
        inside = (left >= 0) & (top >= 0) & (right <= width) & (bottom <= height)
        taken = np.array(self.taken, np.float64).reshape(-1, 4)
        return (inside & (_distances(rectangles, self.points_xy) >= self.radius).all(axis=1) &
                ~_overlaps(rectangles, taken).any(axis=1))

    def and_taken(self, place: Rectangle) -> 'Obstacles':
        """Returns these obstacles with one more rectangle that is taken."""
        return replace(self, taken=(*self.taken, place))

    def over_garment(self, rectangles: np.ndarray) -> np.ndarray:
        """Returns (C,), the share of rectangles (C, 4), all inside the picture, that is over the garment."""
        sums = self.garment_sums
        left, top, right, bottom = rectangles.astype(int).T
        covered = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return covered / np.maximum((right - left) * (bottom - top), 1)


def place_labels(anchors_xy: np.ndarray, sizes_wh: np.ndarray, obstacles: Obstacles) -> List[Optional[Rectangle]]:
    """Returns the place of each label, beside its point; None for labels for which no place is left.

    Args:
        anchors_xy: (N, 2), the point of each label.
        sizes_wh: (N, 2), the sizes of the labels in whole pixels.
        obstacles: what they keep away from.
    """
    if not len(anchors_xy):
        return []
    height = float(sizes_wh[:, 1].min())
    choices = [_candidates(anchor, size, obstacles, height) for anchor, size in zip(anchors_xy, sizes_wh)]
    able = [number for number, (places, _) in enumerate(choices) if len(places)]
    orders = [sorted(able, key=lambda each: -choices[each][1][0]),
              *(sorted(able, key=lambda each: tuple(sign * anchors_xy[each][::-1])) for sign in (1, -1))]
    return _apart(min((_settled(choices, anchors_xy, order) for order in orders), key=lambda result: result[1])[0])


def clear(anchors_xy: np.ndarray, places: Sequence[Optional[Rectangle]], size_hw: Tuple[int, int]) -> bool:
    """Returns whether every label has a place, no line from a point to its label crosses another label or line, and the
    labels leave most of the picture free."""
    if None in places:
        return False
    rectangles = np.array(places, np.float64).reshape(-1, 4)
    areas = (rectangles[:, 2] - rectangles[:, 0]) * (rectangles[:, 3] - rectangles[:, 1])
    crossings = [_conflicts(rectangles[[number]], anchors_xy[number], np.delete(rectangles, number, 0),
                            np.delete(anchors_xy, number, 0))[0] for number in range(len(rectangles))]
    return not any(crossings) and areas.sum() <= _MOST_COVERED * size_hw[0] * size_hw[1]


def place_block(size_wh: Tuple[int, int], obstacles: Obstacles, corner_xy: Tuple[float, float] = (0, 0),
                farthest: float = np.inf) -> Optional[Rectangle]:
    """Returns a place for text without a point: its top left corner is near the given one, it lies beside the garments
    if there is room, and over no point. None if there is no such place.

    `farthest` limits the sum of the distance to the right as a share of the picture's width, twice that down as a share
    of its height, and the share of the text that is over garments.
    """
    height, width = obstacles.size_hw
    if size_wh[0] > width or size_wh[1] > height:
        return None
    lefts, tops = (np.unique(np.rint(np.linspace(0, most, 25))) for most in (width - size_wh[0], height - size_wh[1]))
    corners = np.stack(np.meshgrid(lefts, tops), axis=-1).reshape(-1, 2)
    places = np.hstack([corners, corners + size_wh])
    away = (np.abs(corners - corner_xy) / (width, height / 2)).sum(axis=1) + obstacles.over_garment(places)
    able = obstacles.free(places) & (away <= farthest)
    return _whole(places[np.where(able, away, np.inf).argmin()]) if able.any() else None


def leaders(anchors_xy: np.ndarray, rectangles: np.ndarray) -> np.ndarray:
    """Returns (C, 4) the lines from points (C, 2), or from one point (2,), to the nearest place on the edge of
    rectangles (C, 4): x, y, x, y. They end in the middle third of a label's side."""
    left, top, right, bottom = rectangles.T
    x, y = anchors_xy.T
    third = np.where((x < left) | (x > right - 1), (bottom - top) / 3, 0)
    ends = np.stack([np.minimum(np.maximum(x, left), right - 1),
                     np.minimum(np.maximum(y, top + third), bottom - 1 - third)], axis=1)
    return np.hstack([np.broadcast_to(anchors_xy, ends.shape), ends])


def _settled(choices: Sequence[_Choice], anchors_xy: np.ndarray, order: Sequence[int]) -> Tuple[np.ndarray, float]:
    """Returns the places (N, 4) that labels take if they choose one after the other, -1 for those without a choice, and
    the sum of their costs."""
    chosen, total = np.full((len(choices), 4), -1.), 0.
    for _ in range(_SWEEPS):
        before, total = chosen.copy(), 0.
        for number in order:
            places, costs = choices[number]
            others = chosen[:, 0] >= 0
            others[number] = False
            costs = costs + _conflicts(places, anchors_xy[number], chosen[others], anchors_xy[others])
            chosen[number] = places[costs.argmin()]
            total += costs.min()
        if np.array_equal(before, chosen):
            break
    return chosen, total


def _candidates(anchor: np.ndarray, size: np.ndarray, obstacles: Obstacles, line: float) -> _Choice:
    """Returns the best places (C, 4) of a label that are free, and their costs (C,) in ascending order."""
    places = _around(anchor, size, obstacles, line)
    places = places[obstacles.free(places)]
    lines = leaders(anchor, places)
    others = obstacles.points_xy[np.hypot(*(obstacles.points_xy - anchor).T) > 1]
    costs = (np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) / line +
             _OVER_GARMENT * obstacles.over_garment(places) +
             _NEAR_POINT * (_to_points(lines, others) < obstacles.radius).sum(axis=1))
    best = np.argsort(costs, kind='stable')[:_KEPT]
    return places[best], costs[best]


def _around(anchor: np.ndarray, size: np.ndarray, obstacles: Obstacles, line: float) -> np.ndarray:
    """Returns places (C, 4) around a point: left and right of it at growing distances, above and below it; those that
    would leave the picture are moved to its edge."""
    (height, width), (x, y) = obstacles.size_hw, anchor
    gap = obstacles.radius + 1
    steps = np.concatenate([np.arange(4) * line / 2, np.linspace(2 * line, max(width, 3 * line), _COLUMNS)])
    lefts = np.concatenate([x - gap - size[0] - steps, x + gap + steps, [x - size[0] / 2]])
    rows = max(1, min(_ROWS, int(2 * height / line)))
    tops = y - size[1] / 2 + np.arange(-rows, rows + 1) * max(line / 2, height / _ROWS)
    corners = np.stack(np.meshgrid(lefts, tops), axis=-1).reshape(-1, 2)
    most = np.maximum(np.array([width, height]) - size, 0)
    corners = np.clip(np.rint(corners), 0, most)
    corners = corners[np.unique(corners @ (1, width + 1), return_index=True)[1]]
    return np.hstack([corners, corners + size])


def _conflicts(places: np.ndarray, anchor: np.ndarray, others: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Returns (C,), the cost of places of a label beside the labels (N, 4) of other points (N, 2)."""
    if not len(others):
        return np.zeros(len(places))
    lines, other_lines = leaders(anchor, places), leaders(anchors, others)
    crossings = (_cross(lines, other_lines) | _through(lines, others) | _through(other_lines, places).T)
    return _OVERLAP * _overlaps(places, others).sum(axis=1) + _CROSSING * crossings.sum(axis=1)


def _apart(chosen: np.ndarray) -> List[Optional[Rectangle]]:
    """Returns the places (N, 4) without those that overlap another one; the first of two stays."""
    kept: List[Optional[Rectangle]] = []
    for place in chosen:
        others = np.array([other for other in kept if other], np.float64).reshape(-1, 4)
        fits = place[0] >= 0 and not _overlaps(place[None], others).any()
        kept.append(_whole(place) if fits else None)
    return kept


def _whole(place: np.ndarray) -> Rectangle:
    left, top, right, bottom = (int(value) for value in place)
    return left, top, right, bottom


def _overlaps(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns (C, N) bool: whether rectangles (C, 4) and (N, 4) share a pixel."""
    left, top, right, bottom = places.T[:, :, None]
    return (left < others[:, 2]) & (others[:, 0] < right) & (top < others[:, 3]) & (others[:, 1] < bottom)


def _distances(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns (C, M), the distances of points (M, 2) from the nearest pixel of rectangles (C, 4)."""
    left, top, right, bottom = places.T[:, :, None]
    x, y = points.T
    return np.hypot(np.maximum(0, np.maximum(left - x, x - right + 1)),
                    np.maximum(0, np.maximum(top - y, y - bottom + 1)))


def _to_points(lines: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns (C, M), the distances of points (M, 2) from lines (C, 4)."""
    start, along = lines[:, None, :2], (lines[:, 2:] - lines[:, :2])[:, None]
    length = np.maximum((along ** 2).sum(axis=-1), 1e-9)
    share = np.clip(((points - start) * along).sum(axis=-1) / length, 0, 1)
    return np.hypot(*np.moveaxis(points - start - share[..., None] * along, -1, 0))


def _cross(lines: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns (C, N) bool: whether lines (C, 4) and (N, 4) cross."""
    def side(of: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sign((of[..., 2] - of[..., 0]) * (y - of[..., 1]) - (of[..., 3] - of[..., 1]) * (x - of[..., 0]))
    one, two = lines[:, None], others[None]
    return ((side(one, two[..., 0], two[..., 1]) * side(one, two[..., 2], two[..., 3]) < 0) &
            (side(two, one[..., 0], one[..., 1]) * side(two, one[..., 2], one[..., 3]) < 0))


def _through(lines: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns (C, N) bool: whether lines (C, 4) go through rectangles (N, 4)."""
    left, top, right, bottom = places.T
    start, along = lines[:, None, :2], (lines[:, 2:] - lines[:, :2])[:, None]
    safe = np.where(np.abs(along) < 1e-9, 1e-9, along)
    first = (np.stack([left, top], axis=-1) - start) / safe
    last = (np.stack([right, bottom], axis=-1) - start) / safe
    enters = np.maximum(np.minimum(first, last).max(axis=-1), 0)
    leaves = np.minimum(np.maximum(first, last).min(axis=-1), 1)
    return enters < leaves
