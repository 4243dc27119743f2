"""The files of predictions: JSON lines, submission rows, COCO results."""
import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Optional, Sequence

import numpy as np
import pytest

from fashionai.annotations import read_annotations
from fashionai.garments.measurements import fixed_scale, no_scale
from fashionai.garments.table import GARMENTS
from fashionai.images.sources import MediaFile, Picture
from fashionai.inference.batch_inference import Outcome
from fashionai.inference.garment_predictor import GarmentPrediction
from fashionai.results.formats import FORMATS
from fashionai.results.prediction_json import prediction_json

SKIRT = GARMENTS['skirt']
CORNERS = np.array([[10.126, 5], [40, 5], [2, 85], [48.4, 85.6]])


def prediction(found: Sequence[bool] = (True, True, True, True)) -> GarmentPrediction:
    scores = np.where(found, [0.25, 0.5, 0.75, 1], 0)
    return GarmentPrediction(SKIRT, {'skirt': 0.75004, 'dress': 0.24996}, False, CORNERS, scores, np.array(found),
                             (90, 50), np.zeros((4, 8, 8), np.float32))


def seen(result: Outcome) -> Outcome:
    """The outcome, calibrated, by a network that takes the first point for absent and the second for occluded."""
    states = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0, 0, 1], [0.2, 0.3, 0.5]])
    return replace(result, prediction=replace(result.prediction, peaks=np.full(4, 0.5), visibility=states))


def outcome(number: int = 1, frame: Optional[int] = None) -> Outcome:
    picture = Picture(MediaFile('shop/ä.png', 'ä.png'), frame)
    return Outcome(number, picture, np.zeros((90, 50, 3), np.uint8), prediction(), .5)


def written(form: str, *results: Outcome, mark_visibility: bool = False) -> str:
    file = io.StringIO()
    with FORMATS[form](file, 'net-123', None, GARMENTS, mark_visibility=mark_visibility) as writer:
        for result in results:
            writer.write(result)
    return file.getvalue()


def test_json_has_everything_by_name() -> None:
    lines = written('json', outcome(), outcome(2, frame=7)).splitlines()
    first, second = map(json.loads, lines)
    assert first['path'] == second['path'] == 'shop/ä.png' and 'frame' not in first and second['frame'] == 7
    assert first['type'] == 'skirt' and first['type_sure'] is False and first['size'] == {'width': 50, 'height': 90}
    assert first['type_probabilities'] == {'skirt': 0.75, 'dress': 0.25}
    assert first['keypoints']['waistband_left'] == {
        'x': 10.13, 'y': 5.0, 'score': 0.25, 'peak': 0.25, 'found': True, 'visibility': None}
    assert tuple(first['keypoints']) == SKIRT.keypoints
    assert first['model'] == 'net-123' and first['seconds'] == 0.5 and first['time'].endswith('Z')
    assert 'measurements' not in first and first['score_kind'] == 'height'


def test_json_says_what_is_visible_and_what_a_score_is() -> None:
    row = json.loads(written('json', seen(outcome())))
    assert row['score_kind'] == 'probability'
    assert [point['visibility'] for point in row['keypoints'].values()] == ['absent', 'occluded', 'visible', 'visible']
    assert [point['score'] for point in row['keypoints'].values()] == [0.25, 0.5, 0.75, 1]
    assert {point['peak'] for point in row['keypoints'].values()} == {0.5}


def test_the_third_number_says_what_is_visible_if_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / 'out.csv'
    path.write_text(written('csv', seen(outcome()), mark_visibility=True), encoding='utf-8')
    points = read_annotations(path).keypoints[0, SKIRT.csv_indices].tolist()
    assert points == [[-1, -1, -1], [40, 5, 0], [2, 85, 1], [48, 86, 1]]
    path.write_text(written('csv', seen(outcome())), encoding='utf-8')
    assert read_annotations(path).keypoints[0, SKIRT.csv_indices, 2].tolist() == [1, 1, 1, 1], 'as the original does'
    result, = json.loads(written('coco-results', seen(outcome()), mark_visibility=True))
    assert result['keypoints'] == [0, 0, 0, 40, 5, 1, 2, 85, 2, 48.4, 85.6, 2] and result['score'] == 0.625
    annotation, = json.loads(written('coco', seen(outcome()), mark_visibility=True))['annotations']
    assert annotation['keypoints'][2::3] == [0, 1, 2, 2] and annotation['num_keypoints'] == 3


def test_measurements_are_added_where_there_is_a_scale() -> None:
    measured = prediction_json(prediction((True, True, True, False)), fixed_scale(0.5))
    assert measured['measurements']['waist'] == {'pixels': 29.87, 'cm': 14.94, 'score': 0.25, 'doubtful': None}
    assert measured['measurements']['hem'] == {'pixels': None, 'cm': None, 'score': None, 'doubtful': None}
    assert measured['cm_per_pixel'] == 0.5
    in_pixels = prediction_json(prediction(), no_scale)
    assert in_pixels['measurements']['waist'] == {
        'pixels': 29.87, 'cm': None, 'score': 0.25, 'doubtful': None}


def test_csv_is_a_submission(tmp_path: Path) -> None:
    path = tmp_path / 'out.csv'
    path.write_text(written('csv', outcome(), outcome(2, frame=7)), encoding='utf-8')
    table = read_annotations(path)
    assert table.image_ids == ('shop/ä.png', 'shop/ä.png#7') and table.categories == ('skirt', 'skirt')
    assert table.keypoints[0, SKIRT.csv_indices].tolist() == [[10, 5, 1], [40, 5, 1], [2, 85, 1], [48, 86, 1]]
    assert next(csv.reader(io.StringIO(written('csv'))))[0] == 'image_id', 'nothing found is an empty table'


def test_coco_results_are_one_list_even_where_a_run_is_cut_off() -> None:
    results = json.loads(written('coco-results', outcome(2), outcome(5, frame=7)))
    assert [result['image_id'] for result in results] == [2, 5] and results[0]['category_id'] == 4
    assert results[0]['keypoints'] == [10.13, 5, .25, 40, 5, .5, 2, 85, .75, 48.4, 85.6, 1]
    assert results[0]['score'] == 0.625 and results[1]['file_name'] == 'shop/ä.png, frame 7'
    file = io.StringIO()
    with pytest.raises(KeyboardInterrupt), FORMATS['coco-results'](file, '', None, GARMENTS) as writer:
        writer.write(outcome())
        raise KeyboardInterrupt
    assert len(json.loads(file.getvalue())) == 1 and json.loads(written('coco-results')) == []


def test_a_coco_data_set_has_images_annotations_and_categories() -> None:
    content = json.loads(written('coco', outcome(2), outcome(5, frame=7)))
    assert content['images'] == [{'id': 2, 'file_name': 'shop/ä.png', 'width': 50, 'height': 90},
                                 {'id': 5, 'file_name': 'shop/ä.png, frame 7', 'width': 50, 'height': 90}]
    assert content['categories'][3]['name'] == 'skirt' and content['categories'][3]['skeleton'][0] == [1, 2]
    first, second = content['annotations']
    assert (first['id'], first['image_id'], second['id'], second['image_id']) == (1, 2, 2, 5)
    assert first['keypoints'] == [10.13, 5, 2, 40, 5, 2, 2, 85, 2, 48.4, 85.6, 2] and first['num_keypoints'] == 4
    assert first['bbox'] == [2, 5, 46.4, 80.6] and first['area'] == pytest.approx(46.4 * 80.6, abs=.01)
    assert (first['score'], first['keypoint_scores'], first['category_id']) == (0.625, [.25, .5, .75, 1], 4)
    assert content['info']['frame'] == 'upright'
    assert json.loads(written('coco'))['images'] == [], 'nothing found is an empty data set'
