"""Proposals: points in the picture's frame, boxes, doubt, and the thread that makes them."""
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import numpy as np
import pytest

from fashionai.engines.network import Description
from fashionai.garments.table import GARMENTS, Garments
from fashionai.inference.garment_predictor import GarmentPrediction
from fashionai.inference.missing_keypoints import usual_points
from fashionai.labelling.background import Background
from fashionai.labelling.labels import Label
from fashionai.labelling.proposals import Proposer, shared_types, unusual
from fashionai.labelling.store import Store


class Predictor:
    """Places every point where a bright spot is: so its answer for the mirror image is the mirror image's place."""

    types = ('skirt', 'dress')
    served = {name: GARMENTS[name] for name in ('skirt', 'dress')}

    def __init__(self, shift: float = 0) -> None:
        self._shift = shift

    def predict(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[GarmentPrediction]:
        """Returns points around the spot, `shift` pixels further right."""
        return [self._prediction(image, tag) for image, tag in zip(images, tags)]

    def describe(self, images: Sequence[np.ndarray]) -> Sequence[Description]:
        """Says the same of every image."""
        return [Description(np.array([0.2, 0.7, 0.1]), None)] * len(images)

    def type_shares(self, whole: Description) -> Dict[str, float]:
        """Returns the probabilities by name, the highest first."""
        assert whole.types is not None
        return dict(sorted(zip(('skirt', 'dress', 'blouse'), whole.types.tolist()), key=lambda pair: -pair[1]))

    def _prediction(self, image: np.ndarray, name: str) -> GarmentPrediction:
        garment = GARMENTS[name]
        y, x = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
        points = usual_points(garment, (400, 400)) - 199.5 + (x + self._shift, y)
        return GarmentPrediction(garment, {}, True, points, np.full(len(points), 0.75), np.ones(len(points), bool),
                                 image.shape[:2], np.zeros((len(points), 2, 2)))


def spot(x: int, y: int) -> np.ndarray:
    image = np.zeros((400, 500, 3), np.uint8)
    image[y, x] = 255
    return image


def test_points_are_in_the_frame_of_the_picture_with_and_without_a_box() -> None:
    proposer: Any = Proposer(GARMENTS, 'network', Predictor())  # type: ignore[arg-type]
    whole = proposer.propose(spot(300, 200), 'skirt', None)
    boxed = proposer.propose(spot(300, 200), 'skirt', (250, 120, 100, 160))
    assert whole.points == boxed.points and list(whole.points) == list(GARMENTS['skirt'].keypoints)
    assert np.mean([point[0] for point in whole.points.values()]) == pytest.approx(300, abs=5)
    assert whole.type_probabilities == {} and whole.doubt.type == 0


def test_the_type_is_one_of_the_project() -> None:
    skirts = Garments((GARMENTS['skirt'],))
    assert Proposer(skirts, 'network', Predictor()).propose(spot(9, 9), None, None).type == 'skirt'  # type: ignore
    assert Proposer(skirts, 'none').propose(spot(9, 9), None, None).type == 'skirt'
    both: Any = Proposer(GARMENTS, 'network', Predictor())  # type: ignore[arg-type]
    proposal = both.propose(spot(200, 200), None, None)
    assert proposal.type == 'dress' and proposal.type_probabilities == {'dress': 0.7, 'skirt': 0.2}
    assert proposal.doubt.type == pytest.approx(0.3)
    unknown = both.propose(spot(200, 200), 'blouse', None)
    assert unknown.type == 'blouse' and unknown.points == {}, 'the network does not find blouses'


def test_what_differs_in_the_mirror_and_between_presets_is_doubtful() -> None:
    sure = Proposer(GARMENTS, 'network', Predictor()).propose(spot(200, 200), 'skirt', None).doubt  # type: ignore
    assert sure.mirror < 0.01 and sure.presets == 0 and sure.scores == pytest.approx(0.25) and sure.shape == 0
    unsure = Proposer(GARMENTS, 'network', Predictor(), Predictor(shift=20))  # type: ignore[arg-type]
    doubt = unsure.propose(spot(200, 200), 'skirt', None).doubt
    assert doubt.presets > 0 and doubt.mirror == pytest.approx(2 * doubt.presets, abs=0.01)


def test_an_unusual_shape_is_told() -> None:
    garment = GARMENTS['blouse']
    usual = usual_points(garment, (400, 400))
    assert unusual(garment, usual) == 0
    odd = usual.copy()
    odd[3] += 300
    assert unusual(garment, odd) > 0.3


def test_types_are_shared_if_they_have_the_same_keypoints() -> None:
    assert shared_types({'skirt': GARMENTS['skirt'], 'dress': GARMENTS['blouse']}, GARMENTS) == ('skirt',)


def test_the_thread_proposes_for_all_and_for_chosen_types_and_survives_a_lost_picture(store: Store, stand_in: Any
                                                                                      ) -> None:
    Path(store.picture(2).path).unlink()
    with Background(store, stand_in) as background:
        _wait(lambda: store.count_without(stand_in.model) == 0)
        assert store.item(1).proposal is not None and store.item(1).proposal['type'] == 'dress'
        assert '1.png' in store.item(2).proposal['fault']
        store.save(1, Label(type='skirt'), 'Ann', 'type')
        background.wake()
        _wait(lambda: store.item(1).proposal['type'] == 'skirt')
    assert set(store.item(1).proposal['points']) == set(GARMENTS['skirt'].keypoints)


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)
