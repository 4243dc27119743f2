"""What we write is read by the programs that the formats belong to, or by others that read them.

Only pycocotools is among the requirements of the tests; the others are large. A test is skipped if its program is not
there; docs/data.md says with which versions all of them were run.
"""
import json
from pathlib import Path
from typing import Dict, List, Tuple

import cv2
import numpy as np
import pytest

from fashionai.datasets.format_options import WriteOptions
from fashionai.datasets.formats import FORMATS
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture
from fashionai.datasets.notes import new_notes
from fashionai.garments.table import GARMENTS

SKIRT = np.array([(10, 20, 1), (60, 22, 1), (5.25, 90, 0), (-1, -1, -1)])
TROUSERS = np.array([(12, 30, 1), (58, 30, 1), (35, 50, 0), (-1, -1, -1), (20, 95, 1), (45, 95, 1), (55, 95, 1)])
SIZE_HW = (120, 80)


@pytest.fixture
def pictures(tmp_path: Path) -> List[LabelledPicture]:
    """A picture with two garments for training, and one with a skirt for validation."""
    made = []
    for name, part, garments in (('Images/both/a.jpg', 'train', [LabelledGarment('skirt', SKIRT),
                                                                 LabelledGarment('trousers', TROUSERS)]),
                                 ('Images/skirt/b.jpg', 'val', [LabelledGarment('skirt', SKIRT + [1, 1, 0])])):
        path = tmp_path / 'in' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((*SIZE_HW, 3), 90, np.uint8))
        made.append(LabelledPicture(name, SIZE_HW, garments, part, path))
    return made


def written(name: str, pictures: List[LabelledPicture], output: Path) -> Path:
    form = FORMATS[name]
    assert form.write is not None
    form.write(output, pictures, WriteOptions(GARMENTS), new_notes())
    return output


def named(tag: str, keypoints: np.ndarray) -> Dict[str, Tuple[float, ...]]:
    """x, y and v of the keypoints that are not absent, by name."""
    return {name: tuple(point) for name, point in zip(GARMENTS[tag].keypoints, keypoints.tolist()) if point[2] >= 0}


def test_pycocotools_reads_coco(pictures: List[LabelledPicture], tmp_path: Path) -> None:
    coco = pytest.importorskip('pycocotools.coco')
    truth = coco.COCO(str(written('coco', pictures, tmp_path / 'labels.json')))
    assert [image['file_name'] for image in truth.loadImgs(truth.getImgIds())] == [item.name for item in pictures]
    skirts = truth.loadAnns(truth.getAnnIds(catIds=truth.getCatIds(catNms=['skirt'])))
    assert skirts[0]['keypoints'] == [10, 20, 2, 60, 22, 2, 5.25, 90, 1, 0, 0, 0] and len(skirts) == 2
    evaluation = pytest.importorskip('pycocotools.cocoeval').COCOeval(truth, truth, 'keypoints')
    evaluation.params.catIds, evaluation.params.kpt_oks_sigmas = truth.getCatIds(catNms=['skirt']), np.full(4, .05)
    for annotation in truth.dataset['annotations']:
        annotation['score'] = 1
    evaluation.evaluate()
    evaluation.accumulate()
    assert evaluation.eval['precision'][0, :, 0, 0, 0].min() == pytest.approx(1)


def test_ultralytics_reads_yolo(pictures: List[LabelledPicture], tmp_path: Path) -> None:
    dataset = pytest.importorskip('ultralytics.data.dataset')
    from ultralytics.data.utils import check_det_dataset
    data = check_det_dataset(str(written('yolo', pictures, tmp_path / 'yolo') / 'data.yaml'), autodownload=False)
    assert data['names'] == dict(enumerate(GARMENTS)) and data['kpt_shape'] == [24, 3]
    assert [list(GARMENTS.csv_keypoints)[index] for index in data['flip_idx']] == list(GARMENTS.joint.flipped_keypoints)
    found = dataset.YOLODataset(img_path=data['train'], data=data, task='pose').get_labels()
    assert len(found) == 1 and found[0]['cls'].ravel().tolist() == [3, 4]
    keypoints = found[0]['keypoints'] * [SIZE_HW[1], SIZE_HW[0], 1]
    for row, (tag, labels) in enumerate((('skirt', SKIRT), ('trousers', TROUSERS))):
        wanted = np.where(labels[:, 2:] < 0, 0, labels + [0, 0, 1])
        np.testing.assert_allclose(keypoints[row, GARMENTS[tag].csv_indices], wanted, atol=1e-4)
    assert len(dataset.YOLODataset(img_path=data['val'], data=data, task='pose')) == 1


def test_labelme_reads_labelme(pictures: List[LabelledPicture], tmp_path: Path,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('QT_QPA_PLATFORM', 'offscreen')
    label_file = pytest.importorskip('labelme._label_file')
    path = written('labelme', pictures, tmp_path / 'labelme') / 'train/Images/both/a.json'
    shapes = label_file.LabelFile(str(path)).shapes
    outlines = {shape['group_id']: shape['label'] for shape in shapes if shape['shape_type'] == 'rectangle'}
    assert outlines == {1: 'skirt', 2: 'trousers'}
    for group, (tag, labels) in enumerate((('skirt', SKIRT), ('trousers', TROUSERS)), 1):
        found = {shape['label']: (*shape['points'][0], 0 if shape['flags']['occluded'] else 1) for shape in shapes
                 if shape['shape_type'] == 'point' and shape['group_id'] == group}
        assert found == named(tag, labels)


def test_label_studio_reads_its_tasks(pictures: List[LabelledPicture], tmp_path: Path) -> None:
    interface = pytest.importorskip('label_studio_sdk.label_interface')
    converter = pytest.importorskip('label_studio_sdk.converter')
    folder = written('labelstudio', pictures, tmp_path / 'ls')
    config = (folder / 'config.xml').read_text()
    labelling = interface.LabelInterface(config)
    labelling.validate()
    tasks = json.loads((folder / 'tasks.json').read_text())
    for task in tasks:
        annotation, = task.pop('annotations')
        assert labelling.validate_task(task) and labelling.validate_annotation(annotation)
    converter.Converter(config, str(folder), download_resources=False).convert_to_json_min(
        str(folder / 'tasks.json'), str(tmp_path / 'out'), is_dir=False)
    found = json.loads((tmp_path / 'out/result.json').read_text())
    points: Dict[str, List[Tuple[float, float]]] = {}
    for item in found[0]['keypoint']:
        points.setdefault(item['keypointlabels'][0], []).append(
            (item['x'] * item['original_width'] / 100, item['y'] * item['original_height'] / 100))
    np.testing.assert_allclose(points['hemline_left'], [(5.25, 90)], atol=1e-4)
    np.testing.assert_allclose(points['waistband_left'], [(10, 20), (12, 30)], atol=1e-4)


def test_datumaro_reads_cvat(pictures: List[LabelledPicture], tmp_path: Path) -> None:
    """It reads the points of a skeleton as points on their own; it does not read which are outside (absent)."""
    datumaro = pytest.importorskip('datumaro')
    dataset = datumaro.Dataset.import_from(str(written('cvat', pictures, tmp_path / 'cvat')), 'cvat')
    assert {(item.id, item.subset) for item in dataset} == {('Images/both/a', 'train'), ('Images/skirt/b', 'val')}
    names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label].items]
    points = next(item for item in dataset if 'both' in item.id).annotations
    wanted = [(name, x, y, v == 0) for tag, labels in (('skirt', SKIRT), ('trousers', TROUSERS))
              for name, (x, y, v) in zip(GARMENTS[tag].keypoints, labels.tolist())]
    assert len(points) == len(wanted)
    for point, (name, x, y, occluded) in zip(points, wanted):
        assert names[point.label] == name and point.attributes['occluded'] == occluded
        assert x < 0 or tuple(point.points) == (x, y)
