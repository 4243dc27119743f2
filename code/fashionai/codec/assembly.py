"""Heat maps and part affinity fields -> the keypoints that agree best: peaks that lie on limbs, not only high ones.

Every map gives several candidates by non-maximum suppression; two candidates of a limb are scored along the fields
(Cao et al., CVPR 2017); of all assemblies, one candidate a keypoint, the best is found exactly, by max-sum elimination
of one keypoint after the other (e.g. Koller and Friedman, "Probabilistic Graphical Models", 2009, section 13.2).

Letters: K keypoints, L limbs, (h, w) the maps' grid, C candidates of a keypoint.
"""
from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np

CANDIDATES = 6
"""Peaks of a map that are weighed against each other."""

LIMB_WEIGHT = 0.05
"""What a limb that lies wholly along its field is worth, as height of a peak of sigmoids (0.5 to 0.73).

On 250 photographs of the training rows, a network of 150 steps had 27.5 % NE at weight 0, 26.8 at 0.02, 26.9 at 0.05,
27.2 at 0.2 and 28.4 at 0.4; one that has seen generated garments alone is helped most by 0.2.
"""

_NEIGHBOURHOOD = 1 / 32
"""A candidate suppresses others nearer than this part of the grid's longer side, along x and y."""

_SAMPLES = 16
"""Points along a limb at which its field is read."""


@dataclass(frozen=True)
class _Table:
    """What the candidates of some keypoints are worth together: an axis of `values` for each keypoint of `scope`."""

    scope: Tuple[int, ...]
    """Keypoints in ascending order."""
    values: np.ndarray


def assemble(heatmaps: np.ndarray, fields: np.ndarray, limb_indices: np.ndarray, candidates: int = CANDIDATES,
             limb_weight: float = LIMB_WEIGHT) -> Tuple[np.ndarray, np.ndarray]:
    """The assembly with the greatest sum of its peaks' heights and, weighted, its limbs' scores.

    A limb's score is the mean over points evenly spaced between its ends of the dot product of its field there and its
    unit vector (equation 11), about 1 where it follows the field. A flat map has one candidate: its arg-max.

    Args:
        heatmaps: (h, w, K) float32 in 0..1, the background left out.
        fields: (h, w, 2 L) float32, x and y of each limb interleaved, as `fields.encode_fields` writes them.
        limb_indices: (L, 2) int, the keypoints at the ends of each limb.
        candidates: the most a map gives, its highest.
        limb_weight: what a limb counts beside a peak.

    Returns:
        (K, 2) int positions (x, y) in the maps' grid, and (K,) the maps' heights there.
    """
    planes = np.ascontiguousarray(heatmaps.transpose(2, 0, 1))
    reach = max(1, round(max(heatmaps.shape[:2]) * _NEIGHBOURHOOD))
    places = [_candidates(plane, candidates, reach) for plane in planes]
    heights = [plane[xy[:, 1], xy[:, 0]] for plane, xy in zip(planes, places)]
    tables = [_Table((keypoint,), values) for keypoint, values in enumerate(heights)]
    for limb, (start, end) in enumerate(limb_indices):
        scores = limb_weight * _limb_scores(fields[:, :, 2 * limb:2 * limb + 2], places[start], places[end])
        tables.append(_Table((start, end), scores) if start < end else _Table((end, start), scores.T))
    chosen = _best_choice(tables, len(planes))
    return (np.array([xy[choice] for xy, choice in zip(places, chosen)]),
            np.array([values[choice] for values, choice in zip(heights, chosen)]))


def _candidates(plane: np.ndarray, count: int, reach: int) -> np.ndarray:
    """(C, 2) int positions (x, y) of the highest local maxima of a map, the highest first; C from 1 to `count`."""
    places = _local_maxima(plane)
    heights = plane[places[:, 1], places[:, 0]]
    order = np.argsort(-heights, kind='stable')
    places = places[order]
    kept: List[np.ndarray] = []
    while len(places) and len(kept) < count:
        kept.append(places[0])
        places = places[np.abs(places - places[0]).max(axis=1) >= reach]
    return np.array(kept or [(0, 0)])  # a map of NaN has no maximum


def _local_maxima(plane: np.ndarray) -> np.ndarray:
    """(n, 2) int positions (x, y), in reading order, of all pixels that none of their eight neighbours exceeds.

    Of equal neighbours the first in reading order counts, so that a flat top has one, and a flat map its first pixel.
    """
    padded = np.pad(plane, 1, mode='constant', constant_values=-np.inf)
    middle = padded[1:-1]
    rows, columns = np.nonzero((middle > padded[:-2]) & (middle >= padded[2:]))  # few are left for the other six
    centre = padded[rows + 1, columns]
    passed = np.ones(len(centre), bool)
    for dy, dx in ((-1, -1), (0, -1), (1, -1), (-1, 1), (0, 1), (1, 1)):
        neighbour = padded[rows + 1 + dy, columns + dx]
        passed &= centre > neighbour if (dy, dx) < (0, 0) else centre >= neighbour
    return np.stack([columns[passed] - 1, rows[passed]], axis=1)


def _limb_scores(field: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(C, C') scores of a limb between candidates (C, 2) and (C', 2) of its ends in its field (h, w, 2)."""
    vectors = (ends[None] - starts[:, None]).astype(np.float64)
    lengths = np.hypot(vectors[..., 0], vectors[..., 1])
    units = vectors / np.maximum(lengths, 1)[..., None]
    along = np.linspace(0, 1, _SAMPLES)[:, None, None, None]
    samples = np.rint(starts[:, None] + along * vectors).astype(int)
    return (field[samples[..., 1], samples[..., 0]] * units).sum(axis=-1).mean(axis=0)


def _best_choice(tables: Sequence[_Table], keypoints: int) -> List[int]:
    """The candidate of each keypoint that together make the sum of all tables greatest.

    One keypoint after the other, that with the fewest others in its tables first, gives way to a table that holds the
    best it can add for every choice of those others. The limbs of a garment are rings with few chords: no table spans
    more than three keypoints, four where all types are joined.
    """
    tables, remaining = list(tables), set(range(keypoints))
    decisions = []
    while remaining:
        keypoint = min(sorted(remaining), key=lambda one: len(_scope_about(one, tables)))
        scope = _scope_about(keypoint, tables)
        axis, rest = scope.index(keypoint), tuple(one for one in scope if one != keypoint)
        total = sum(_spread(table, scope) for table in tables if keypoint in table.scope)
        decisions.append((keypoint, rest, total.argmax(axis=axis)))
        tables = [table for table in tables if keypoint not in table.scope] + [_Table(rest, total.max(axis=axis))]
        remaining.remove(keypoint)
    chosen = [0] * keypoints
    for keypoint, rest, best in reversed(decisions):
        chosen[keypoint] = int(best[tuple(chosen[one] for one in rest)])
    return chosen


def _scope_about(keypoint: int, tables: Sequence[_Table]) -> Tuple[int, ...]:
    """All keypoints, in order, of the tables that a keypoint is in."""
    return tuple(sorted({one for table in tables if keypoint in table.scope for one in table.scope}))


def _spread(table: _Table, scope: Tuple[int, ...]) -> np.ndarray:
    """A table's values with an axis for every keypoint of a wider scope, of length 1 where it has none."""
    lengths = dict(zip(table.scope, table.values.shape))
    return table.values.reshape([lengths.get(one, 1) for one in scope])
