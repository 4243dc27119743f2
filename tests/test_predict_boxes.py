"""predict.py with boxes: several garments of a picture in every form, in one drawing, and after an interruption.

The stand-in for the network finds the brightest pixel of what it sees, so its answer shows which part that was.
"""
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import cv2
import numpy as np
import pytest

from fashionai.cli import predict
from fashionai.cli.inference_flags import ChosenNetworks
from fashionai.engines.network import Description
from fashionai.garments.table import GARMENTS, Garment
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.inference.predictor import KeypointPrediction

SPOTS = {(20, 30): 250, (70, 30): 200, (45, 80): 150}
"""x and y of the bright pixels of each picture, with their values."""


class Spot:
    """A stand-in for the networks of a type: points are beside the brightest pixel."""

    def __init__(self, garment: Garment) -> None:
        self._count = len(garment.keypoints)

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns the points, each one pixel below the point before."""
        found = []
        for image in images:
            y, x = np.unravel_index(image[..., 0].argmax(), image.shape[:2])
            points = np.array([[x, y + number] for number in range(self._count)], float)
            found.append(KeypointPrediction(points, np.full(self._count, 0.7), np.ones(self._count, bool),
                                            np.full((self._count, 8, 8), 0.6, np.float32)))
        return found


def describe(images: Sequence[np.ndarray]) -> Description:
    """Says dress of small parts, and blouse of whole pictures."""
    return Description(np.array([[float(name == ('dress' if image.shape[1] < 60 else 'blouse')) for name in GARMENTS]
                                 for image in images]), None)


@contextmanager
def opened(*_: Any) -> Iterator[GarmentPredictor]:
    yield GarmentPredictor({name: Spot(garment) for name, garment in GARMENTS.items()}, list(GARMENTS), [describe])


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with pictures a, b and c, which have three, one and two garments."""
    image = np.zeros((120, 100, 3), np.uint8)
    for (x, y), value in SPOTS.items():
        image[y, x] = value
    (tmp_path / 'shop').mkdir()
    for name in 'abc':
        cv2.imwrite(str(tmp_path / f'shop/{name}.png'), image)
    (tmp_path / 'graph.pb').write_bytes(b'a stand-in')
    (tmp_path / 'boxes.csv').write_text('image_id,x,y,w,h,type\nc.png,60,20,20,20,skirt\na.png,10,20,20,20,\n'
                                        'a.png,60,20,20,20,skirt\na.png,35,70,20,20,\nb.png,10,20,20,20,dress\n'
                                        'c.png,35,70,20,20,skirt\n')
    monkeypatch.setattr(ChosenNetworks, 'load_predictor', opened)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture()
def call(shop: Path, finish: Callable[..., str]) -> Callable[..., str]:
    """Calls predict.py; returns everything it printed."""
    return lambda *arguments, code=0: finish(predict.main, *arguments, '--modelpath=graph.pb', '--inputsize=64',
                                             '--resolution=64', code=code)


def records(path: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


GARMENTS_FOUND = [('a.png', 1, 'dress', (20, 30)), ('a.png', 2, 'skirt', (70, 30)), ('a.png', 3, 'dress', (45, 80)),
                  ('b.png', 1, 'dress', (20, 30)), ('c.png', 1, 'skirt', (70, 30)), ('c.png', 2, 'skirt', (45, 80))]


@pytest.mark.parametrize('batch', [1, 2, 8])
def test_each_box_is_a_line_of_json(call: Callable[..., str], batch: int) -> None:
    call('shop', '--boxes=boxes.csv', '--output=o.json', f'--batch={batch}')
    lines = records('o.json')
    firsts = [next(iter(line['keypoints'].values())) for line in lines]
    assert [(Path(line['path']).name, line['garment'], line['type'], (point['x'], point['y']))
            for line, point in zip(lines, firsts)] == GARMENTS_FOUND
    assert lines[2]['box'] == [35, 70, 20, 20] and lines[2]['size'] == {'width': 100, 'height': 120}
    assert lines[0]['type_probabilities']['dress'] == 1 and lines[1]['type_probabilities'] == {}


def test_coco_has_several_annotations_of_an_image(call: Callable[..., str]) -> None:
    call('shop', '--boxes=boxes.csv', '--output=o.coco', '--format=coco')
    content = json.loads(Path('o.coco').read_text())
    assert [image['id'] for image in content['images']] == [1, 2, 3]
    rows = content['annotations']
    assert [(row['id'], row['image_id']) for row in rows] == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 3)]
    assert rows[1]['bbox'] == [60, 20, 20, 20] and rows[1]['area'] == 400 and rows[1]['keypoints'][:3] == [70, 30, 2]
    call('shop', '--boxes=o.coco', '--output=p.coco', '--format=coco')
    assert json.loads(Path('p.coco').read_text())['annotations'] == rows, 'a data set is a file of boxes too'
    call('shop', '--boxes=boxes.csv', '--output=o.list', '--format=coco-results')
    assert [(row['image_id'], row['category_id']) for row in json.loads(Path('o.list').read_text())] == [
        (1, 2), (1, 4), (1, 2), (2, 2), (3, 4), (3, 4)]


def test_csv_has_one_garment_of_each_picture(call: Callable[..., str]) -> None:
    printed = call('shop', '--boxes=boxes.csv', '--output=o.csv', '--format=csv', code=1)
    assert 'a.png' in printed and '3 boxes' in printed and not Path('o.csv').exists()
    Path('one.csv').write_text('image_id,x,y,w,h\nb.png,60,20,20,20\n')
    call('shop/b.png', '--boxes=one.csv', '--output=o.csv', '--format=csv')
    assert '70_30_1' in Path('o.csv').read_text()


def test_all_garments_are_in_one_drawing(call: Callable[..., str]) -> None:
    call('shop', '--boxes=boxes.csv', '--output=o.json', '--draw=drawn')
    assert sorted(path.name for path in Path('drawn').iterdir()) == ['a.jpg', 'b.jpg', 'c.jpg']
    three, one = cv2.imread('drawn/a.jpg').astype(int), cv2.imread('drawn/b.jpg').astype(int)
    third = slice(70, 95), slice(30, 60)
    assert np.abs(three[third] - one[third]).max() > 50, 'the third garment is drawn too'


def rows(path: str) -> Any:
    return [{key: value for key, value in record.items() if key not in ('time', 'seconds')}
            for record in records(path)] if path.endswith('.json') else Path(path).read_bytes()


@pytest.mark.parametrize('form', ['json', 'coco', 'coco-results'])
def test_an_interrupted_picture_is_begun_again(call: Callable[..., str], form: str,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ('shop', '--boxes=boxes.csv', f'--format={form}', '--draw=drawn')
    call(*flags, f'--output=whole.{form}')
    data, lines = Path(f'whole.{form}').read_bytes(), Path(f'whole.{form}').read_bytes().splitlines(True)
    begin = 0 if form == 'json' else 1
    predicted: List[int] = []
    predict_all = GarmentPredictor.predict
    monkeypatch.setattr(GarmentPredictor, 'predict', lambda predictor, images, tags, together: [
        predicted.append(len(images)), *predict_all(predictor, images, tags, together)][1:])
    for kept, left in ((2, 6), (3, 3), (4, 2), (5, 2), (6, 0)):
        for more in (0, 30) if kept < 6 else (0,):
            cut = len(b''.join(lines[:begin + kept])) + more
            Path(f'o.{form}').write_bytes(data[:cut])
            shutil.copy(f'.whole.{form}.json', f'.o.{form}.json')
            shutil.rmtree('drawn')
            predicted.clear()
            call(*flags, f'--output=o.{form}')
            assert rows(f'o.{form}') == rows(f'whole.{form}') and sum(predicted) == left, (kept, more)
            assert Path('drawn/c.jpg').exists() == bool(left)


def test_another_file_of_boxes_is_another_job(call: Callable[..., str]) -> None:
    call('shop', '--boxes=boxes.csv', '--output=o.json')
    before = Path('o.json').read_bytes()
    for other in ([], ['--box=auto'], ['--boxes=more.csv']):
        shutil.copy('boxes.csv', 'more.csv')
        with open('more.csv', 'a') as file:
            file.write('b.png,1,1,50,50,\n')
        assert 'boxes' in call('shop', *other, '--output=o.json', code=1)
    assert Path('o.json').read_bytes() == before


def test_a_box_outside_its_picture_costs_that_picture_alone(call: Callable[..., str]) -> None:
    with open('boxes.csv', 'a') as file:
        file.write('a.png,100,20,20,20,\n')
    for _ in range(2):
        printed = call('shop', '--boxes=boxes.csv', '--output=o.json', code=1)
        assert 'boxes.csv, row 8' in printed and '100 x 120' in printed and '1 of 3' in printed
        assert [Path(line['path']).name for line in records('o.json')] == ['b.png', 'c.png', 'c.png']


def test_boxes_of_a_picture_of_another_size_are_refused(call: Callable[..., str]) -> None:
    Path('o.json').write_text(json.dumps({
        'images': [{'id': 1, 'file_name': 'a.png', 'width': 120, 'height': 100}],
        'annotations': [{'image_id': 1, 'bbox': [1, 2, 30, 40]}], 'categories': []}))
    assert '120 x 100' in call('shop/a.png', '--boxes=o.json', code=1)


def test_a_picture_without_a_garment_has_no_row(call: Callable[..., str]) -> None:
    Path('o.json').write_text(json.dumps({
        'images': [{'id': 1, 'file_name': 'a.png'}, {'id': 2, 'file_name': 'b.png'}],
        'annotations': [{'image_id': 2, 'bbox': [10, 20, 20, 20]}], 'categories': []}))
    printed = call('shop/a.png', 'shop/b.png', '--boxes=o.json', '--output=p.json')
    assert 'a.png' in printed and [Path(line['path']).name for line in records('p.json')] == ['b.png']
    assert 'complete' in call('shop/a.png', 'shop/b.png', '--boxes=o.json', '--output=p.json')


def test_auto_looks_again_at_the_box_of_the_points(call: Callable[..., str]) -> None:
    call('shop/a.png', '--box=auto', '--output=o.json')
    line, = records('o.json')
    count = len(GARMENTS['blouse'].keypoints)
    assert line['type'] == 'blouse' and 'garment' not in line
    assert line['box'][1] <= 30 and line['box'][1] + line['box'][3] >= 30 + count - 1
    assert line['keypoints']['neckline_left']['x'] == 20 and line['keypoints']['neckline_left']['y'] == 30


@pytest.mark.parametrize('flags, fault', [
    (['--boxes=boxes.csv', '--box=auto'], '--box'), (['--boxes=none.csv'], 'none.csv'),
    (['--boxes=boxes.csv', '--tag=dress'], 'row 2'), (['--boxes=graph.pb'], 'graph.pb')])
def test_what_does_not_fit_is_refused(flags: Sequence[str], fault: str, call: Callable[..., str]) -> None:
    assert fault in call('shop', *flags, code=1)
