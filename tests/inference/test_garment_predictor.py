"""A garment predictor: types predicted or given, scores in 0..1, points not found, several threads."""
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import List, Sequence

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.calibration.calibration import Calibration, ScoreCurve, TypeCalibration
from fashionai.engines.network import Description
from fashionai.errors import InputError
from fashionai.garments.table import AUTO, GARMENTS
from fashionai.images.decoder import Unreadable
from fashionai.inference.config import InferenceConfig
from fashionai.inference.garment_predictor import TOGETHER, GarmentPredictor, load_predictor
from fashionai.inference.predictor import KeypointPrediction, PredictionOptions
from fashionai.inference.scoring import Scoring
from fashionai.model_files.contract import Contract
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME, TYPES_NAME

TYPES = ('skirt', 'trousers')


class Stand:
    """A stand-in predictor: points depend on the brightness of the picture."""

    def __init__(self, tag: str) -> None:
        self.points = len(GARMENTS[tag].keypoints)
        self.batches: List[int] = []

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        self.batches.append(len(images))
        heights = 1 / (1 + np.exp(-np.linspace(0.1, 1.3, self.points)))
        valid = np.arange(self.points) != 1
        return [KeypointPrediction(np.full((self.points, 2), float(image[0, 0, 0])), heights, valid,
                           np.full((self.points, 4, 4), 0.5, np.float32)) for image in images]


def picture(brightness: int) -> np.ndarray:
    return np.full((6, 4, 3), brightness, np.uint8)


def type_predictor(images: Sequence[np.ndarray]) -> Description:
    """Returns probabilities: the brighter a picture, the more probable are trousers."""
    shares = np.array([image[0, 0, 0] / 100 for image in images])
    return Description(np.column_stack([1 - shares, shares]), None)


def test_each_picture_keeps_its_place_and_types_are_predicted_if_asked_for() -> None:
    stands = {name: Stand(name) for name in TYPES}
    predictor = GarmentPredictor(stands, TYPES, [type_predictor])
    predictions = predictor.predict([picture(90), picture(10), picture(30), picture(40)],
                                    [AUTO, 'trousers', AUTO, 'skirt'])
    assert [prediction.type for prediction in predictions] == ['trousers', 'trousers', 'skirt', 'skirt']
    assert [prediction.points_xy[0, 0] for prediction in predictions] == [90, 10, 30, 40]
    assert predictions[0].type_probabilities == pytest.approx({'trousers': 0.9, 'skirt': 0.1})
    assert list(predictions[2].type_probabilities) == ['skirt', 'trousers'], 'the most probable first'
    assert not predictions[1].type_probabilities
    assert [prediction.type_sure for prediction in predictions] == [True, True, False, True]
    assert stands['skirt'].batches == stands['trousers'].batches == [2], 'of a type, together'
    assert predictor.predict([], []) == []


def test_the_type_probabilities_of_several_networks_are_averaged() -> None:
    predictor = GarmentPredictor({name: Stand(name) for name in TYPES}, TYPES,
                                 [type_predictor, lambda images: Description(np.array([[1., 0.]]), None)])
    prediction, = predictor.predict([picture(90)], [AUTO])
    assert prediction.type_probabilities == pytest.approx({'skirt': 0.55, 'trousers': 0.45})


def test_a_score_is_the_response_and_what_was_not_found_has_none() -> None:
    prediction = GarmentPredictor({'skirt': Stand('skirt')}, (), []).predict([picture(5)], ['skirt'])[0]
    np.testing.assert_allclose(prediction.scores, [0.1, 0, 0.9, 1], atol=1e-9)
    assert prediction.found.tolist() == [True, False, True, True]
    assert prediction.image_hw == (6, 4) and prediction.keypoints == GARMENTS['skirt'].keypoints
    assert prediction.score_kind == 'height' and prediction.heights is prediction.scores
    assert prediction.visibility is None and set(prediction.states) == {None}


def test_a_calibrated_score_comes_from_the_peak_and_its_rival_and_the_peak_stays() -> None:
    scoring = Scoring(ScoreCurve(0.5, 2, -1))
    prediction = GarmentPredictor({'skirt': Stand('skirt')}, (), [], scoring=scoring).predict(
        [picture(5)], ['skirt'])[0]
    np.testing.assert_allclose(prediction.heights, [0.1, 0, 0.9, 1], atol=1e-9)
    logits = [0.5 + 2 * math.log(height / (1 - height)) + math.log(0.98 / 0.02) for height in (0.1, 0.02, 0.9, 0.98)]
    np.testing.assert_allclose(prediction.scores, [1 / (1 + math.exp(-one)) for one in logits], atol=1e-9)
    assert prediction.score_kind == 'probability'


def test_the_visibility_of_each_point_is_that_of_its_name() -> None:
    seen = ('crotch', *reversed(GARMENTS['skirt'].keypoints))
    states = np.array([[1, 0, 0], [0.1, 0.6, 0.3], [0, 0, 1], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    predictor = GarmentPredictor({'skirt': Stand('skirt')}, (), [lambda images: Description(None, states[np.newaxis])],
                                 seen=seen)
    prediction, = predictor.predict([picture(5)], ['skirt'])
    assert prediction.states == ('visible', 'absent', 'visible', 'occluded')
    assert prediction.labels.tolist() == [1, -1, 1, 0] and prediction.type_probabilities == {}
    np.testing.assert_allclose(prediction.visibility, states[:0:-1])


def test_types_are_sure_from_the_probability_that_the_calibration_says() -> None:
    stands = {name: Stand(name) for name in TYPES}
    predictor = GarmentPredictor(stands, TYPES, [type_predictor], scoring=Scoring(sure=0.65))
    assert [one.type_sure for one in predictor.predict([picture(30), picture(38)], [AUTO] * 2)] == [True, False]


def test_other_tags_are_refused() -> None:
    predictor = GarmentPredictor({'skirt': Stand('skirt')}, (), [])
    with pytest.raises(InputError, match="'dress'.* skirt"):
        predictor.predict([picture(5)], ['dress'])
    with pytest.raises(InputError, match='type'):
        predictor.predict([picture(5)], [AUTO])


@pytest.mark.parametrize('image, found', [
    (np.zeros((6, 4, 3)), 'float64, (6, 4, 3)'), (np.zeros((6, 4, 3), np.float32), 'float32, (6, 4, 3)'),
    (np.zeros((6, 4, 3), np.uint16), 'uint16, (6, 4, 3)'), (np.zeros((6, 4), np.uint8), 'uint8, (6, 4)'),
    (np.zeros((6, 4, 4), np.uint8), 'uint8, (6, 4, 4)'), (np.zeros((6, 4, 1), np.uint8), 'uint8, (6, 4, 1)'),
    (np.zeros((0, 4, 3), np.uint8), 'empty array of uint8, (0, 4, 3)'), (np.uint8(3), 'uint8'), ('a.jpg', 'str'),
    (None, 'NoneType'), (Unreadable('a.jpg: no such file'), 'Unreadable')])
def test_what_is_no_picture_is_refused_by_name(image: object, found: str) -> None:
    stand = Stand('skirt')
    with pytest.raises(InputError) as caught:
        GarmentPredictor({'skirt': stand}, (), []).predict([picture(5), image], ['skirt'] * 2)
    assert 'picture 2 of 2' in str(caught.value) and found in str(caught.value) and 'uint8' in str(caught.value)
    assert not stand.batches


@pytest.mark.parametrize('tags', [[], ['skirt'], ['skirt'] * 3, 'skirt'])
def test_every_picture_wants_a_tag(tags: Sequence[str]) -> None:
    stand = Stand('skirt')
    with pytest.raises(InputError, match=r'\b2 pictures'):
        GarmentPredictor({'skirt': stand}, (), []).predict([picture(5), picture(6)], tags)
    assert not stand.batches


def test_many_pictures_are_predicted_a_few_at_a_time() -> None:
    stand = Stand('skirt')
    predictions = GarmentPredictor({'skirt': stand}, TYPES, [type_predictor]).predict(
        [picture(n) for n in range(45)], ['skirt', AUTO] * 22 + ['skirt'])
    assert [prediction.points_xy[0, 0] for prediction in predictions] == list(range(45))
    assert sum(stand.batches) == 45 and max(stand.batches) == TOGETHER


def write_graph(path: Path) -> Path:
    """A graph that responds to blue with waistband_left at half height, and to green with hemline_right at full height.
    It predicts a skirt from blue."""
    joint, types = GARMENTS.of('all'), list(GARMENTS)
    kernel = np.zeros((8, 8, 3, joint.num_heatmaps + joint.num_fields), np.float32)
    for colour, name, height in ((0, 'waistband_left', 0.5), (1, 'hemline_right', 1)):
        kernel[:, :, colour, joint.keypoints.index(name)] = height / 255 / 64
    tells = np.zeros((3, len(types)), np.float32)
    tells[0, types.index('skirt')] = 0.1
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name=INPUT_NAME)
        tf.nn.conv2d(image, kernel, strides=[1, 8, 8, 1], padding='SAME', name=OUTPUT_NAME)
        tf.nn.softmax(tf.matmul(tf.reduce_mean(image, axis=(1, 2)), tells), name=TYPES_NAME)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_a_frozen_graph_finds_a_garment_from_several_threads(tmp_path: Path) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:40, 8:32, 0] = 255  # the middle of its three cells: 27.5 down and 19.5 across
    image[32:56, 32:56, 1] = 255
    config = InferenceConfig(PredictionOptions(64, flip=False, decode='plain'), (1.0,), (((64, 64),),))
    with load_predictor([ModelFile.open(write_graph(tmp_path / 'graph.pb'))], 'all', config, 1) as predictor:
        assert predictor.types == tuple(GARMENTS)
        with ThreadPoolExecutor(4) as workers:
            predictions = list(workers.map(lambda _: predictor.predict([image], [AUTO])[0], range(8)))
    first = predictions[0]
    assert first.type == 'skirt' and first.type_probabilities['skirt'] == pytest.approx(
        math.exp(first_logit(image)) / (math.exp(first_logit(image)) + 4), abs=1e-3)
    np.testing.assert_allclose(first.scores[[0, 3]], [0.5, 1], atol=1e-6)
    assert first.found.tolist() == [True, False, False, True]
    for other in predictions[1:]:
        np.testing.assert_array_equal(other.points_xy, first.points_xy)
    over = first.responses_over(['waistband_left'])
    assert over.shape == (64, 64) and over[27, 19] == pytest.approx(0.5, abs=1e-6) and over[44, 44] == 0
    assert first.responses_over()[44, 44] == pytest.approx(1)


def test_a_calibration_holds_for_its_preset_and_for_one_network(tmp_path: Path) -> None:
    graph, joint = write_graph(tmp_path / 'graph.pb'), GARMENTS.of('all')
    calibration = Calibration(9, {'fast': ScoreCurve(0, 1, 0)}, TypeCalibration(2., 0.3))
    model = ModelFile(graph, Contract('all', joint.keypoints, 'testing', (64, 64), 8, 1, '', types=joint.types,
                                      calibration=calibration), '')
    config = InferenceConfig(PredictionOptions(64, flip=False), (1.0,), (((64, 64),),), preset='fast')
    image = np.full((64, 64, 3), 20, np.uint8)
    plain, kinds = math.exp(2) / (math.exp(2) + 4), []
    for models, used in (([model], config), ([model], replace(config, preset='accurate')),
                         ([model] * 2, replace(config, resolutions_hw=config.resolutions_hw * 2))):
        with load_predictor(models, 'all', used, 1) as predictor:
            prediction, = predictor.predict([image], [AUTO])
        kinds.append(prediction.score_kind)
        cooler = math.sqrt(plain) / (math.sqrt(plain) + 4 * math.sqrt((1 - plain) / 4))
        assert prediction.type_probabilities['skirt'] == pytest.approx(cooler, abs=1e-6)
        assert prediction.type_sure, 'from 0.3 on'
    assert kinds == ['probability', 'height', 'height']


def test_every_graph_wants_its_resolutions(tmp_path: Path) -> None:
    graph = write_graph(tmp_path / 'graph.pb')
    config = InferenceConfig(PredictionOptions(64), (1.0,), (((64, 64),),))
    with pytest.raises(InputError, match=r'resolutions\b.*\b1 .*\b2 '):
        with load_predictor([ModelFile.open(graph), ModelFile.open(graph)], 'all', config, 1):
            pass


def first_logit(image: np.ndarray) -> float:
    """Returns the graph's logit of a skirt: a tenth of the mean of blue."""
    return image[:, :, 0].mean() / 10
