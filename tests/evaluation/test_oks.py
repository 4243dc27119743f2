"""OKS, AP and end-point errors: by hand, and against pycocotools where it is installed."""
import json
import math
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.datasets.coco_predictions import read_coco_predictions
from fashionai.datasets.coco_writing import coco_annotation, coco_categories
from fashionai.datasets.labelled import LabelledGarment
from fashionai.datasets.samples import csv_row
from fashionai.errors import InputError
from fashionai.evaluation.oks import (
    DEFAULT_SIGMA,
    SIGMAS,
    average_precision,
    coco_scores,
    read_sigmas,
    sigmas_of,
    similarities,
)
from fashionai.garments.boxes import box_of
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, Garment, Garments


def table(*rows: np.ndarray, tags: Any = None) -> Annotations:
    return Annotations(tuple(f'Images/{number}.jpg' for number in range(len(rows))),
                       tuple(tags or ['skirt'] * len(rows)), np.stack(rows), 'truth.csv')


def test_oks_by_hand() -> None:
    labels = {'waistband_left': (10, 20, 1), 'waistband_right': (50, 20, 1), 'hemline_left': (10, 120, 0)}
    truth = table(csv_row(labels))
    predicted = truth.keypoints + np.array([3, 4, 0])
    area, wanted = 40 * 100, []
    for sigma in (.0279, .0279, .0602):
        wanted.append(math.exp(-25 / (2 * area * (2 * sigma) ** 2)))
    assert similarities(truth, predicted, sigmas_of(GARMENTS, {})) == pytest.approx(np.mean(wanted))


def test_every_keypoint_has_a_sigma_and_mirror_images_the_same() -> None:
    assert set(SIGMAS) == set(CSV_KEYPOINTS)
    sigmas = sigmas_of(GARMENTS, {})
    np.testing.assert_array_equal(sigmas, sigmas[GARMENTS.joint.mirror_indices])
    assert DEFAULT_SIGMA == pytest.approx(np.median(list(SIGMAS.values())), abs=1e-4)
    own = Garments((Garment('shoe', ('toe', 'heel'), (('toe', 'heel'),), ('toe', 'heel'), ('toe', 'heel')),))
    assert sigmas_of(own, {'heel': .1}).tolist() == [DEFAULT_SIGMA, .1]


@pytest.mark.parametrize('content, fault', [
    ('[1]', 'sigmas'), ('{"toe": 0.1}', 'toe'), ('{"crotch": 0}', 'crotch'), ('{"crotch": true_}', 'JSON'),
    ('{"crotch": "a"}', 'crotch')])
def test_malformed_sigmas_are_named(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / 'sigmas.json').write_text(content)
    with pytest.raises(InputError, match=f'sigmas.json.*{fault}'):
        read_sigmas(tmp_path / 'sigmas.json', GARMENTS)


def test_precision_by_hand() -> None:
    """Four garments by falling score: found, missed, found, missed, at every threshold."""
    precision, recall = average_precision(np.array([1, 0, 1, 0]), np.array([4, 3, 2, 1]))
    wanted = (26 * 1 + 25 * 2 / 3) / 101  # recalls up to 0.25 have precision 1, up to 0.5 two thirds, beyond it 0
    assert precision == pytest.approx([wanted] * 10) and recall.tolist() == [.5] * 10


def test_the_order_of_equal_scores_does_not_matter() -> None:
    generator = np.random.RandomState(3)
    values, scores = generator.uniform(.4, 1, 50), np.repeat([1., 2.], 25)
    order = np.concatenate([generator.permutation(25), 25 + generator.permutation(25)])
    for first, second in zip(average_precision(values, scores), average_precision(values[order], scores)):
        np.testing.assert_array_equal(first, second)


def random_truth(count: int, seed: int) -> Annotations:
    """Skirts and trousers with some labels absent, each with three labels at least."""
    random = np.random.RandomState(seed)
    rows, tags = [], []
    for number in range(count):
        tag = ('skirt', 'trousers')[number % 2]
        names = GARMENTS[tag].keypoints
        points = {name: (*random.randint(0, 300, 2).tolist(), int(random.choice([-1, 0, 1, 1]) if place > 2 else 1))
                  for place, name in enumerate(names)}
        rows.append(csv_row(points))
        tags.append(tag)
    return table(*rows, tags=tags)


def test_figures_are_those_of_pycocotools() -> None:
    coco, cocoeval = pytest.importorskip('pycocotools.coco'), pytest.importorskip('pycocotools.cocoeval')
    truth, random = random_truth(60, 1), np.random.RandomState(2)
    spread = random.choice([2, 8, 20], (60, 1, 1))
    predicted = truth.keypoints[..., :2] + random.normal(0, 1, (60, 24, 2)) * spread
    scores = random.permutation(60) / 60
    ours = coco_scores(truth, predicted, scores, sigmas_of(GARMENTS, {}))
    images, annotations, results = [], [], []
    categories = coco_categories(GARMENTS)
    numbers = {category['name']: category['id'] for category in categories}
    for row, tag in enumerate(truth.categories):
        indices = GARMENTS[tag].csv_indices
        garment = LabelledGarment(tag, truth.keypoints[row, indices].astype(float))
        box = box_of(garment.labelled, (np.inf, np.inf))
        images.append({'id': row + 1, 'file_name': truth.image_ids[row], 'width': 300, 'height': 300})
        annotations.append({**coco_annotation(garment, (300, 300)), 'id': row + 1, 'image_id': row + 1, 'bbox': box,
                            'area': box[2] * box[3], 'category_id': numbers[tag]})
        keypoints = np.column_stack([predicted[row, indices], np.ones(len(indices))]).ravel().tolist()
        results.append({'image_id': row + 1, 'category_id': numbers[tag], 'keypoints': keypoints,
                        'score': float(scores[row])})
    theirs = coco.COCO()
    theirs.dataset = {'images': images, 'annotations': annotations, 'categories': categories, 'info': {}}
    theirs.createIndex()
    figures = {}
    for tag in ('skirt', 'trousers'):
        evaluation = cocoeval.COCOeval(theirs, theirs.loadRes(results), 'keypoints')
        evaluation.params.catIds = [numbers[tag]]
        evaluation.params.kpt_oks_sigmas = np.array([SIGMAS[name] for name in GARMENTS[tag].keypoints])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        figures[tag] = evaluation.stats
        found = ours.types[tag]
        assert [found.ap, found.ap50, found.ap75, found.ar] == pytest.approx(
            [evaluation.stats[index] for index in (0, 1, 2, 5)], abs=1e-9)
    assert ours.overall.ap == pytest.approx((figures['skirt'][0] + figures['trousers'][0]) / 2)
    assert .05 < ours.overall.ap < .95 and ours.scored


def test_garments_without_an_extent_are_left_out_and_end_points_are_in_pixels() -> None:
    truth = table(csv_row({'waistband_left': (10, 20, 1), 'waistband_right': (50, 20, 0)}),
                  csv_row({'waistband_left': (10, 20, 1)}), csv_row({}))
    found = coco_scores(truth, truth.keypoints + np.array([3, 4, 0]), None, sigmas_of(GARMENTS, {}))
    assert (found.overall.garments, found.left_out, found.scored) == (1, 2, False)
    assert (found.overall.end_point, found.overall.end_point_visible) == (5, 5)
    with pytest.raises(InputError, match=r'truth\.csv'):
        coco_scores(truth.select([1, 2]), truth.keypoints[1:], None, sigmas_of(GARMENTS, {}))


def predictions(tmp_path: Path, *annotations: Any, names: Any = ('/shop/Images/0.jpg', 'other/x.jpg')) -> Path:
    content = {'images': [{'id': number, 'file_name': name} for number, name in enumerate(names)],
               'categories': coco_categories(GARMENTS), 'annotations': annotations}
    (tmp_path / 'p.json').write_text(json.dumps(content))
    return tmp_path / 'p.json'


def skirt(image: int = 0, score: Optional[float] = .5, **more: Any) -> Any:
    return {'image_id': image, 'category_id': 4, 'keypoints': [1.4, 2, 2, 3, 4.6, 1, 5, 6, 2, 0, 0, 0], 'score': score,
            **more}


def test_predictions_are_read_by_the_end_of_their_path(tmp_path: Path) -> None:
    truth = table(csv_row({'waistband_left': (1, 2, 1)}))
    submission, scores = read_coco_predictions(predictions(tmp_path, skirt(), skirt(1)), truth)
    assert submission.image_ids == ('Images/0.jpg',) and submission.categories == ('skirt',)
    assert submission.keypoints[0, 15:19].tolist() == [[1, 2, 1], [3, 5, 1], [5, 6, 1], [-1, -1, -1]]
    assert scores is not None and scores.tolist() == [.5]
    assert read_coco_predictions(predictions(tmp_path, skirt(score=None)), truth)[1] is None


@pytest.mark.parametrize('annotations, fault', [
    ([skirt(), skirt()], 'annotation 1: a second'), ([skirt(7)], 'annotation 0'), ([skirt(keypoints=[1])], '1 numbers'),
    ([skirt(category_id=9)], 'annotation 0'), ([3], 'annotation 0'), ([skirt(1)], r'Images/0\.jpg'),
    ([skirt(keypoints=['a'] * 12)], 'waistband_left')])
def test_malformed_predictions_are_named(tmp_path: Path, annotations: Any, fault: str) -> None:
    with pytest.raises(InputError, match=rf'p\.json.*{fault}'):
        read_coco_predictions(predictions(tmp_path, *annotations), table(csv_row({'waistband_left': (1, 2, 1)})))
