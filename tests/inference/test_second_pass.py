"""The second pass of a stand-in predictor that finds coloured dots: which picture it gets, how passes are joined."""
from dataclasses import replace
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import pytest

from fashionai.garments.shapes import shape_of
from fashionai.garments.table import GARMENTS, Garment
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.aggregator import CanvasMaps
from fashionai.inference.canvas import NEUTRAL, canvas_map
from fashionai.inference.predictor import KeypointPrediction
from fashionai.inference.second_pass import HEATMAPS, SECOND_PASSES, SIDE, SecondPass, frame_of

SKIRT, DRESS = GARMENTS['skirt'], GARMENTS['dress']
COLOURS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])


def twice(predictor: Any, garment: Garment, how: str = 'replace', side: int = SIDE) -> SecondPass:
    """A second pass that the predictor of the first computes too."""
    return SecondPass(predictor, predictor, garment, how, side)


def placed_shape(tag: str, size: float, degrees: float, centre: Tuple[float, float]) -> np.ndarray:
    """The mean shape (K, 2) in channel order, `size` pixels large, turned clockwise about its centroid at a place."""
    shape = shape_of(tag)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = shape.mean_xy @ np.array([[cosine, sine], [-sine, cosine]]) * size + centre
    return turned[[shape.keypoints.index(name) for name in GARMENTS[tag].keypoints]]


def dotted(points: np.ndarray, image_hw: Tuple[int, int]) -> np.ndarray:
    """A black picture with a dot of four pixels' radius and smooth edge at each point."""
    rows, columns = np.mgrid[0:image_hw[0], 0:image_hw[1]]
    image = np.zeros(image_hw + (3,))
    for (x, y), colour in zip(points, COLOURS):
        image += np.clip(4.5 - np.hypot(columns - x, rows - y), 0, 1)[:, :, None] * colour
    return image.astype(np.uint8)


class Eye:
    """Finds each dot of a picture of any size, with an error of `error` = (dx, dy) pixels."""

    def __init__(self, error: Tuple[float, float] = (0, 0)) -> None:
        self.error = error
        self.seen: List[List[np.ndarray]] = []

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        self.seen.append(list(images))
        return [self._predict_one(image) for image in images]

    def _predict_one(self, image: np.ndarray) -> KeypointPrediction:
        points, valid = np.zeros((4, 2)), np.zeros(4, bool)
        for channel, colour in enumerate(COLOURS):
            rows, columns = np.nonzero((np.abs(image - colour.astype(float)) < 128).all(axis=2))
            valid[channel] = len(rows) > 0
            if valid[channel]:
                points[channel] = (columns.mean() + self.error[0], rows.mean() + self.error[1])
        return KeypointPrediction(points, valid.astype(float), valid)


class Script:
    """Returns given predictions, one batch after the other. Decodes the highest place of each map."""

    def __init__(self, *batches: List[KeypointPrediction]) -> None:
        self.batches = list(batches)

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        assert len(images) == len(self.batches[0])
        return self.batches.pop(0)

    def decode(self, canvas: CanvasMaps, image_hw: Tuple[int, int]) -> KeypointPrediction:
        size = canvas.heatmaps.shape[1]
        rows, columns = np.unravel_index(canvas.heatmaps.reshape(-1, size * size).argmax(axis=1), (size, size))
        points = transform_points(invert(canvas_map(image_hw, size)), np.stack([columns, rows], axis=1).astype(float))
        return KeypointPrediction(points, canvas.heatmaps.max(axis=(1, 2)), np.ones(len(points), bool))


def said(points: np.ndarray, valid: Optional[Sequence[bool]] = None, score: float = 1.) -> KeypointPrediction:
    return KeypointPrediction(np.array(points, float), np.full(len(points), score),
                      np.ones(len(points), bool) if valid is None else np.array(valid))


def enlargement(size: float, side: int) -> float:
    """The factor by which the picture enlarges a skirt of that size, to 0.7 of the picture's side."""
    return 0.7 * side / (size * np.ptp(shape_of('skirt').mean_xy, axis=0).max())


@pytest.mark.parametrize('degrees', [-38, 0, 25])
def test_a_small_turned_garment_is_found_to_the_pixel(degrees: float) -> None:
    """A predictor with an error of 8 pixels in any picture has a smaller error by way of an enlarged picture."""
    truth, eye = placed_shape('skirt', 110, degrees, (330, 180)), Eye((8, 0))
    found, = twice(eye, SKIRT, 'replace', 400).predict([dotted(truth, (420, 500))])
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    off = np.array([cosine, sine]) * 8 / enlargement(110, 400)
    np.testing.assert_allclose(found.points_xy, truth + off, atol=0.3)
    assert np.hypot(*off) < 3 and found.valid.all()


def test_average_is_the_mean_of_both_passes() -> None:
    truth = placed_shape('skirt', 110, 0, (330, 180))
    found, = twice(Eye((8, 0)), SKIRT, 'average', 400).predict([dotted(truth, (420, 500))])
    np.testing.assert_allclose(found.points_xy, truth + ((8 + 8 / enlargement(110, 400)) / 2, 0), atol=0.3)


def test_another_predictor_may_compute_the_second_pass() -> None:
    first, second = Eye(), Eye()
    truth = placed_shape('skirt', 150, 30, (200, 300))
    found, = SecondPass(first, second, SKIRT, 'replace', 400).predict([dotted(truth, (512, 400))])
    assert [[picture.shape for picture in batch] for batch in first.seen] == [[(512, 400, 3)]]
    assert [[picture.shape for picture in batch] for batch in second.seen] == [[(400, 400, 3)]]
    np.testing.assert_allclose(found.points_xy, truth, atol=1)


@pytest.mark.parametrize('degrees', [0, 30])
def test_agree_is_the_mean_where_passes_agree_and_the_second_elsewhere(degrees: float) -> None:
    """Skirts 150 pixels long, with errors of 13 and 17 pixels: below a tenth of the length, and above."""
    size = 150 / np.ptp(shape_of('skirt').mean_xy, axis=0).max()
    truth = placed_shape('skirt', size, degrees, (250, 260))
    moved = np.array([(0, 13.), (13., 0), (0, -17.), (-13., 0)])
    first = said(truth)
    frame = frame_of(first, SKIRT, (512, 512), 512)
    assert frame is not None
    in_picture = said(transform_points(frame, truth + moved))
    found, = twice(Script([first], [in_picture]), SKIRT, 'agree', 512).predict([np.zeros((512, 512, 3), np.uint8)])
    share = np.array([.5, .5, 1., .5])[:, None]
    np.testing.assert_allclose(found.points_xy, truth + share * moved, atol=0.01)


def test_the_picture_shows_the_garment_upright_in_the_middle() -> None:
    eye = Eye()
    twice(eye, SKIRT, side=400).predict([dotted(placed_shape('skirt', 150, 30, (200, 300)), (512, 400))])
    (_,), (picture,) = eye.seen
    assert picture.shape == (400, 400, 3) and picture.dtype == np.uint8
    seen = eye.predict([picture])[0].points_xy
    np.testing.assert_allclose((seen.min(axis=0) + seen.max(axis=0)) / 2, 199.5, atol=0.5)
    assert np.ptp(seen, axis=0).max() == pytest.approx(280, abs=1)
    np.testing.assert_allclose(seen - seen.mean(axis=0), placed_shape('skirt', 150 * enlargement(150, 400), 0, (0, 0)),
                               atol=1)


@pytest.mark.parametrize('points, valid', [
    (placed_shape('skirt', 200, 0, (250, 250)), (True, True, False, False)),
    (placed_shape('skirt', 200, 55, (250, 250)), None),
    (placed_shape('skirt', 200, 180, (250, 250)), None),
    (placed_shape('skirt', 30, 0, (250, 250)), None),
    (placed_shape('skirt', 800, 0, (250, 250)), None),
    (np.full((4, 2), 250.), None)], ids=['few points', 'turned', 'upside down', 'tiny', 'huge', 'one place'])
def test_the_first_pass_stays_where_it_shows_no_plausible_garment(
        points: np.ndarray, valid: Optional[Sequence[bool]]) -> None:
    first = said(points, valid)
    found, = twice(Script([first]), SKIRT).predict([np.zeros((512, 512, 3), np.uint8)])
    assert found is first


def test_half_of_many_points_are_wanted() -> None:
    points = placed_shape('dress', 400, 0, (250, 250))
    image = np.zeros((512, 512, 3), np.uint8)
    seven, eight = (said(points, np.arange(15) < count) for count in (7, 8))
    assert twice(Script([seven]), DRESS).predict([image])[0] is seven
    assert twice(Script([eight], [eight]), DRESS).predict([image])[0] is not eight


def test_images_of_a_batch_keep_their_places() -> None:
    truths = [placed_shape('skirt', 150, turn, (250, 260)) for turn in (20, 90, -10)]
    eye = Eye()
    found = twice(eye, SKIRT).predict([dotted(truth, (500, 512)) for truth in truths])
    for one, truth in zip(found, truths):
        np.testing.assert_allclose(one.points_xy, truth, atol=0.5)
    assert [len(batch) for batch in eye.seen] == [3, 2]
    assert twice(Eye(), SKIRT).predict([]) == []


@pytest.mark.parametrize('how', [how for how in SECOND_PASSES if how != HEATMAPS])
def test_a_point_that_one_pass_alone_saw_is_that_ones(how: str) -> None:
    """The second pass found point 0, the first points 1 and 3, both point 2. The second pass is off by (100, 0)."""
    truth = placed_shape('skirt', 335, 0, (255.5, 255.5))
    first = said(truth + (4, 0), (False, True, True, True), 0.2)
    second_at = np.full((4, 2), 255.5) + (100, 0)
    second = said(second_at, (True, False, True, False), 0.6)
    found, = twice(Script([first], [second]), SKIRT, how, 512).predict([np.zeros((512, 512, 3), np.uint8)])
    scale = enlargement(335, 512)
    middle = (truth.min(axis=0) + truth.max(axis=0)) / 2 + (4, 0)
    seen_second = middle + (100 / scale, 0)
    both = (seen_second + first.points_xy[2]) / 2 if how == 'average' else seen_second  # the two passes are far apart
    np.testing.assert_allclose(found.points_xy, [seen_second, first.points_xy[1], both, first.points_xy[3]], atol=0.01)
    np.testing.assert_allclose(found.scores, [0.6, 0.2, 0.4 if how == 'average' else 0.6, 0.2])
    assert found.valid.all()


def test_points_stay_in_the_image_and_lost_ones_follow_the_others() -> None:
    """The hem was filled in from a first pass that is 40 pixels off. The second pass moves all points."""
    truth = placed_shape('dress', 500, 0, (200, 250))
    lost = np.array([name.startswith('hemline') for name in DRESS.keypoints])
    first = said(truth + (40, 0), ~lost)
    side, extent = 512, np.ptp(shape_of('dress').mean_xy * 500, axis=0).max()
    in_picture = 255.5 + np.array([-40, 0]) * 0.7 * side / extent + (
        placed_shape('dress', 500, 0, (0, 0)) - (truth.min(axis=0) + truth.max(axis=0)) / 2 + (200, 250)
    ) * 0.7 * side / extent
    second = said(in_picture, ~lost)
    found, = twice(Script([first], [second]), DRESS, side=side).predict([np.zeros((512, 512, 3), np.uint8)])
    np.testing.assert_allclose(found.points_xy, np.clip(truth, 0, 511), atol=0.01)
    assert found.valid.tolist() == (~lost).tolist()
    narrow = np.zeros((512, 260, 3), np.uint8)
    found, = twice(Script([first], [second]), DRESS, side=side).predict([narrow])
    assert (found.points_xy >= 0).all() and (found.points_xy <= (259, 511)).all()


def with_peaks(image_hw: Tuple[int, int], points: np.ndarray,
               *peaks: Tuple[Sequence[Sequence[float]], float]) -> KeypointPrediction:
    """A prediction of `points` in an image, whose heat maps have round peaks: places (K, 2) in pixels and a height."""
    size = 256
    rows, columns = np.mgrid[:size, :size]
    maps = np.full((len(points), size, size), NEUTRAL, np.float32)
    for places, height in peaks:
        for channel, (x, y) in enumerate(transform_points(canvas_map(image_hw, size), np.array(places, float))):
            bump = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 50)
            maps[channel] = np.maximum(maps[channel], NEUTRAL + bump)
    return KeypointPrediction(points, np.ones(len(points)), np.ones(len(points), bool), maps)


@pytest.mark.parametrize('degrees', [0, 30])
def test_a_peak_of_both_passes_wins_over_a_higher_one_of_a_single_pass(degrees: float) -> None:
    """Both passes show the truth; the first has higher peaks at one false place, the second at another."""
    image_hw, size = (480, 512), 150 / np.ptp(shape_of('skirt').mean_xy, axis=0).max()
    truth = placed_shape('skirt', size, degrees, (250, 260))
    false, other = truth + (50., -10.), truth + (-20., 60.)
    first = with_peaks(image_hw, truth, (false, 0.2), (truth, 0.15))
    frame = frame_of(first, SKIRT, image_hw, 512)
    assert frame is not None
    in_picture = [transform_points(frame, points) for points in (truth, other)]
    second = with_peaks((512, 512), in_picture[0], (in_picture[0], 0.15), (in_picture[1], 0.2))
    found, = twice(Script([first], [second]), SKIRT, HEATMAPS).predict([np.zeros(image_hw + (3,), np.uint8)])
    np.testing.assert_allclose(found.points_xy, truth, atol=2)
    np.testing.assert_allclose(found.scores, NEUTRAL + 0.15, atol=0.02)
    assert found.heatmaps is first.heatmaps


def test_a_joined_peak_outside_the_photograph_does_not_count() -> None:
    """The picture of a narrow photograph has black beside it."""
    image_hw = (400, 120)
    truth = placed_shape('skirt', 150, 0, (60, 200))
    first = with_peaks(image_hw, truth, (truth, 0.1))
    frame = frame_of(first, SKIRT, image_hw, 512)
    assert frame is not None
    beside = transform_points(frame, truth + (150., 0))
    second = with_peaks((512, 512), beside, (beside, 0.2))
    found, = twice(Script([first], [second]), SKIRT, HEATMAPS).predict([np.zeros(image_hw + (3,), np.uint8)])
    np.testing.assert_allclose(found.points_xy, truth, atol=2)


@pytest.mark.parametrize('how', SECOND_PASSES)
@pytest.mark.parametrize('height, counts', [(0.05, False), (0.15, True)])
def test_low_peaks_on_the_border_of_the_photograph_are_not_valid(how: str, height: float, counts: bool) -> None:
    """The photograph ends at one end of the hem. In the picture of the second pass its border is a line within it."""
    image_hw = (300, 400)
    truth = placed_shape('skirt', 150, 20, (200, 150))
    truth[:, 1] += 299 - truth[:, 1].max()
    inner = truth[:, 1] < truth[:, 1].max()
    first = with_peaks(image_hw, truth, (truth, height))
    frame = frame_of(first, SKIRT, image_hw, 512)
    assert frame is not None
    in_picture = transform_points(frame, truth)
    second = with_peaks((512, 512), in_picture, (in_picture, height))
    first, second = (replace(one, scores=np.full(4, NEUTRAL + height), valid=valid)
                     for one, valid in ((first, inner | counts), (second, np.ones(4, bool))))
    found, = twice(Script([first], [second]), SKIRT, how).predict([np.zeros(image_hw + (3,), np.uint8)])
    assert found.valid.tolist() == (inner | counts).tolist()


def test_another_way_is_refused() -> None:
    with pytest.raises(ValueError, match="'twice': wanted one of replace, average, agree"):
        twice(Eye(), SKIRT, 'twice')


def test_what_is_seen_outside_the_photograph_does_not_count() -> None:
    """The picture of a narrow photograph has black beside it. A point there keeps the place of the first pass."""
    first = placed_shape('skirt', 150, 0, (60, 200))
    second = np.array([(256., 150.), (300., 150.), (1., 400.), (290., 400.)])
    eyes = Script([said(first)], [said(second)])
    found, = twice(eyes, SKIRT, 'replace').predict([np.zeros((400, 120, 3), np.uint8)])
    np.testing.assert_allclose(found.points_xy[2], first[2])
    assert (np.abs(found.points_xy[[0, 1, 3]] - first[[0, 1, 3]]) > 1).any(axis=1).all()
