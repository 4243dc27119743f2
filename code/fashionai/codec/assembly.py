"""Finds the keypoints that fit heat maps and part affinity fields best together: peaks that are joined by limbs.

Every heat map gives several candidates by non-maximum suppression. Each pair of candidates for the two ends of a limb
gets a score along the limb's field (Cao et al., CVPR 2017). An assembly has one candidate for each keypoint. The best
of all assemblies is found exactly, by max-sum elimination of one keypoint after the other (e.g. Koller and Friedman,
"Probabilistic Graphical Models", 2009, section 13.2).

Letters used in shapes: K keypoints, L limbs, (h, w) the grid of the maps, C candidates of a keypoint.
"""
from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np

CANDIDATES = 6
"""Largest number of candidates of a map."""

LIMB_WEIGHT = 0.05
"""The weight of a limb that follows its field completely, in heights of a peak; peaks are sigmoids (0.5 to 0.73).

On 250 photographs of the training rows, a network of 150 steps had 27.5 % NE at weight 0, 26.8 at 0.02, 26.9 at 0.05,
27.2 at 0.2 and 28.4 at 0.4. For a network trained only on generated garments, 0.2 is best.
"""

_NEIGHBOURHOOD = 1 / 32
"""A candidate suppresses others that are nearer than this share of the grid's longer side, along x and along y."""

_SAMPLES = 16
"""Number of points along a limb at which its field is read."""


@dataclass(frozen=True)
class _Table:
    """The scores of all combinations of candidates of some keypoints: `values` has an axis for each keypoint in
    `scope`."""

    scope: Tuple[int, ...]
    """Keypoints in ascending order."""
    values: np.ndarray


def assemble(heatmaps: np.ndarray, fields: np.ndarray, limb_indices: np.ndarray, candidates: int = CANDIDATES,
             limb_weight: float = LIMB_WEIGHT) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the assembly with the largest sum of the heights of its peaks and the weighted scores of its limbs.

    The score of a limb is the mean, over points evenly spaced between its ends, of the dot product of its field and its
    unit vector (equation 11): about 1 if the limb follows the field. A flat map has one candidate, its arg-max.

    Args:
        heatmaps: (h, w, K) float32 in 0..1, without the background.
        fields: (h, w, 2 L) float32, x and y of each limb interleaved, as `fields.encode_fields` writes them.
        limb_indices: (L, 2) int, the keypoints at the ends of each limb.
        candidates: largest number of candidates of a map, the highest first.
        limb_weight: the weight of a limb's score beside the height of a peak.

    Returns:
        (K, 2) int positions (x, y) in the grid of the maps, and (K,) heights of the maps there.
    """
    places, heights = candidates_of(heatmaps, candidates)
    tables = [_Table((keypoint,), values) for keypoint, values in enumerate(heights)]
    for limb, (start, end) in enumerate(limb_indices):
        scores = limb_weight * _limb_scores(fields[:, :, 2 * limb:2 * limb + 2], places[start], places[end])
        tables.append(_Table((start, end), scores) if start < end else _Table((end, start), scores.T))
    chosen = _best_choice(tables, len(places))
    return (np.array([xy[choice] for xy, choice in zip(places, chosen)]),
            np.array([values[choice] for values, choice in zip(heights, chosen)]))


def candidates_of(heatmaps: np.ndarray, count: int = CANDIDATES) -> Tuple[List[np.ndarray], List[np.ndarray]]:
    """Returns for each of the K maps (h, w, K) its highest local maxima, the highest first.

    Returns:
        K arrays (C, 2) int of positions (x, y) in the grid, 1 <= C <= `count`, and K arrays (C,) of the heights there.
    """
    planes = np.ascontiguousarray(heatmaps.transpose(2, 0, 1))
    reach = max(1, round(max(heatmaps.shape[:2]) * _NEIGHBOURHOOD))
    places = [_candidates(plane, count, reach) for plane in planes]
    return places, [plane[xy[:, 1], xy[:, 0]] for plane, xy in zip(planes, places)]


def _candidates(plane: np.ndarray, count: int, reach: int) -> np.ndarray:
    """Returns (C, 2) int positions (x, y) of the highest local maxima of a map, the highest first; 1 <= C <= `count`.
    """
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
    """Returns (n, 2) int positions (x, y), in reading order, of all pixels with no higher one among eight neighbours.

    Among equal neighbours, only the first in reading order counts: a flat top has one maximum, and a flat map has its
    first pixel.
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
    """Returns (C, C') scores of a limb between candidates (C, 2) and (C', 2) of its ends, in its field (h, w, 2)."""
    vectors = (ends[None] - starts[:, None]).astype(np.float64)
    lengths = np.hypot(vectors[..., 0], vectors[..., 1])
    units = vectors / np.maximum(lengths, 1)[..., None]
    along = np.linspace(0, 1, _SAMPLES)[:, None, None, None]
    samples = np.rint(starts[:, None] + along * vectors).astype(int)
    return (field[samples[..., 1], samples[..., 0]] * units).sum(axis=-1).mean(axis=0)


def _best_choice(tables: Sequence[_Table], keypoints: int) -> List[int]:
    """Returns the candidates of all keypoints that make the sum of all tables largest.

    The keypoints are eliminated one by one, first the keypoint that shares tables with the fewest others. Its tables
    are replaced by one table that holds, for every choice of these others, the largest value that the keypoint can add.
    The limbs of a garment are rings with few chords: no table has more than three keypoints, or four if all types are
    joined.
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
    """Returns, in order, all keypoints of the tables that contain a keypoint."""
    return tuple(sorted({one for table in tables if keypoint in table.scope for one in table.scope}))


def _spread(table: _Table, scope: Tuple[int, ...]) -> np.ndarray:
    """Returns a table's values with an axis for every keypoint of a wider scope; new axes have length 1."""
    lengths = dict(zip(table.scope, table.values.shape))
    return table.values.reshape([lengths.get(one, 1) for one in scope])
