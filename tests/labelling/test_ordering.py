"""What to label next: doubt first, and no two alike one after the other."""
import numpy as np

from fashionai.labelling.labels import REVIEWED, Label
from fashionai.labelling.ordering import gain_of, order, varied
from fashionai.labelling.proposals import LOOK_VALUES, Doubt, Proposal
from fashionai.labelling.store import Store


def proposal(doubt: Doubt, shade: int) -> dict:
    return Proposal('skirt', doubt=doubt, look=[shade] * LOOK_VALUES).to_json()


def test_more_doubt_has_more_gain() -> None:
    base = gain_of(proposal(Doubt(), 0))
    for sign in ('scores', 'mirror', 'presets', 'shape', 'type'):
        assert gain_of(proposal(Doubt(**{sign: 0.5}), 0)) > base


def test_the_most_doubtful_comes_first_and_reviewed_ones_do_not_come(store: Store) -> None:
    for number, (scores, shade) in enumerate([(0.1, 0), (0.8, 100), (0.5, 200)], 1):
        store.propose(number, 'network', proposal(Doubt(scores=scores), shade))
    assert order(store.items()) == [2, 3, 1]
    store.save(2, Label(REVIEWED, 'skirt'), 'Ann', 'accepted')
    assert order(store.items()) == [3, 1]


def test_pictures_without_a_proposal_come_last(store: Store) -> None:
    store.propose(3, 'network', proposal(Doubt(), 9))
    assert order(store.items()) == [3, 1, 2]


def test_twenty_that_look_alike_do_not_come_first() -> None:
    random = np.random.RandomState(1)
    looks = random.randint(0, 256, (40, LOOK_VALUES)).astype(float)
    looks[:20] = looks[0] + random.rand(20, LOOK_VALUES)
    gains = np.where(np.arange(40) < 20, 0.6, 0.3)
    first = varied(gains, looks, np.empty((0, LOOK_VALUES)))[:20]
    assert first[0] < 20 and sum(index < 20 for index in first) == 1
    assert sorted(varied(gains, looks, looks[:1])) == list(range(40))
    assert varied(gains, looks, looks[:1])[0] >= 20, 'one of the twenty is labelled already'
