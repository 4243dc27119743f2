"""What to label next: the garments whose label is expected to teach the network most, with variety."""
from dataclasses import asdict
from typing import Any, List, Mapping, Sequence

import numpy as np

from fashionai.labelling.labels import OPEN, REVIEWED
from fashionai.labelling.proposals import LOOK_VALUES, Doubt
from fashionai.labelling.store import Item

WEIGHTS = Doubt(scores=0.5, mirror=1.0, presets=1.0, shape=0.1, type=0.2)
"""What each sign of doubt adds to the expected gain."""

_VARIED = 500
"""So many garments are chosen for variety, one after the other; the others follow in the order of their gain."""


def gain_of(proposal: Mapping[str, Any]) -> float:
    """Returns the expected gain of a label, from the doubt of a proposal as JSON."""
    weights = asdict(WEIGHTS)
    return sum(weights[name] * min(float(value), 1.) for name, value in proposal['doubt'].items())


def order(items: Sequence[Item]) -> List[int]:
    """Returns the numbers of the open garments, the one to label next first. Those without a proposal come last, in
    the order of their pictures.

    Each choice has the largest product of its gain and of how much it differs from what is labelled or chosen already:
    so pictures that look alike do not follow each other.
    """
    waiting = [item for item in items if item.label.state == OPEN]
    known = [item for item in waiting if _look(item)]
    labelled = [item for item in items if item.label.state == REVIEWED and _look(item)]
    gains = np.array([gain_of(item.proposal or {}) for item in known])
    ranks = varied(gains, _looks(known), _looks(labelled))
    return [known[rank].id for rank in ranks] + [item.id for item in waiting if not _look(item)]


def varied(gains: np.ndarray, looks: np.ndarray, seen: np.ndarray) -> List[int]:
    """Returns the indices of N garments in the order in which they should be labelled.

    Args:
        gains: (N,) expected gains.
        looks: (N, F) what each looks like.
        seen: (M, F) what those look like that are labelled already.
    """
    if not len(gains):
        return []
    gains = gains + 1e-6  # without any doubt, variety decides
    near = np.full(len(gains), np.inf)
    for look in seen:
        near = np.minimum(near, _distances(looks, look))
    reach = _usual_distance(looks)
    left = np.ones(len(gains), bool)
    ranks: List[int] = []
    while len(ranks) < min(_VARIED, len(gains)):
        worth = np.where(left, gains * (1 - np.exp(-(near / reach) ** 2)), -1)
        best = int(worth.argmax())
        ranks.append(best)
        left[best] = False
        near = np.minimum(near, _distances(looks, looks[best]))
    rest = np.flatnonzero(left)
    return ranks + rest[np.argsort(-gains[rest], kind='stable')].tolist()


def _distances(looks: np.ndarray, look: np.ndarray) -> np.ndarray:
    return np.sqrt(((looks - look) ** 2).mean(axis=1))


def _usual_distance(looks: np.ndarray) -> float:
    """Returns half of the median distance of garments from the mean: two that are nearer than this look alike."""
    return max(1e-6, float(np.median(_distances(looks, looks.mean(axis=0)))) / 2)


def _look(item: Item) -> Sequence[int]:
    return (item.proposal or {}).get('look', ())


def _looks(items: Sequence[Item]) -> np.ndarray:
    return np.array([_look(item) for item in items], np.float64).reshape(len(items), LOOK_VALUES)
