"""The front door: `import fashionai`, and every block of docs/library.md."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import fashionai
from fashionai.annotations import Annotations, write_annotations
from fashionai.images.crops import MARGIN
from fashionai.images.decoder import read_upright
from fashionai.images.markers import marker_cells

PROJECT = Path(__file__).resolve().parents[1]
PHOTOGRAPHS = PROJECT / 'tests' / 'photographs'
SHIRT = PHOTOGRAPHS / 'shirt.jpg'


@pytest.fixture(scope='module')
def model() -> 'fashionai.GarmentModel':
    return fashionai.load_model(preset='fast', threads=1)


def test_importing_is_cheap() -> None:
    program = ('import sys, fashionai\nfashionai.InputError\n'
               'heavy = {"tensorflow", "cv2", "onnxruntime", "tensorpack"} & set(sys.modules)\nassert not heavy, heavy')
    subprocess.run([sys.executable, '-c', program], check=True, env={'PYTHONPATH': str(PROJECT / 'code')})


def test_every_public_name_is_there() -> None:
    assert all(hasattr(fashionai, name) for name in fashionai.__all__)
    assert set(fashionai.__all__) <= set(dir(fashionai))
    with pytest.raises(AttributeError):
        fashionai.nothing  # noqa: B018


def test_path_bytes_and_array_give_the_same(model: 'fashionai.GarmentModel') -> None:
    first = model.predict(SHIRT)
    assert first.path == str(SHIRT) and first.type in model.types
    for other in (model.predict(str(SHIRT)), model.predict(SHIRT.read_bytes()), model.predict(read_upright(SHIRT))):
        assert other.type == first.type
        assert np.array_equal(other.result.points_xy, first.result.points_xy)
    height, width = first.image.shape[:2]
    assert all(0 <= point.x < width and 0 <= point.y < height for point in first.keypoints.values())


def test_a_marker_in_the_picture_gives_centimetres(model: 'fashionai.GarmentModel') -> None:
    picture = cv2.resize(read_upright(SHIRT), (600, 800))
    assert 'marker 0' in model.predict(picture, scale='marker:5cm').scale_fault
    marker = np.kron(np.pad(marker_cells(0), 1, mode='constant', constant_values=True) * 230, np.ones((15, 15)))
    picture[-130:-10, 10:130] = marker.astype(np.uint8)[..., None]
    garment, = model.predict([picture], tag='blouse', scale='marker:5cm')
    chest = garment.lengths()['chest']
    assert not garment.scale_fault and chest.cm == pytest.approx(5 / 90 * chest.pixels, rel=0.1)
    assert garment.to_dict()['measurements']['chest']['cm'] == pytest.approx(chest.cm, abs=0.01)
    assert garment.lengths(cm_per_pixel=2)['chest'].cm == pytest.approx(2 * chest.pixels), 'what is given counts'
    with pytest.raises(fashionai.InputError, match='a5'):
        model.predict(picture, scale='a5')


def test_a_garment_says_the_same_in_every_form(model: 'fashionai.GarmentModel', tmp_path: Path) -> None:
    garment = model.predict(SHIRT, tag='blouse')
    assert garment.type == 'blouse' and garment.type_sure and not garment.type_probabilities
    point, text = garment.keypoints['armpit_left'], garment.to_dict()
    assert text['keypoints']['armpit_left']['x'] == round(point.x, 2) and text['path'] == str(SHIRT)
    assert text['measurements']['chest']['pixels'] == pytest.approx(garment.lengths()['chest'].pixels, abs=0.01)
    assert garment.lengths(reference='armpit_left,armpit_right=50')['chest'].cm == pytest.approx(50)
    assert garment.lengths(cm_per_pixel=2)['chest'].cm == pytest.approx(2 * garment.lengths()['chest'].pixels)
    garment.draw().save(tmp_path / 'drawn.png')
    drawn = read_upright(tmp_path / 'drawn.png')
    assert drawn.shape == garment.image.shape and (drawn != garment.image).any()


def test_a_list_is_read_a_few_pictures_ahead(model: 'fashionai.GarmentModel') -> None:
    asked = []

    def pictures():  # type: ignore[no-untyped-def]
        for number in range(1000):
            asked.append(number)
            yield np.full((32, 32, 3), number % 256, np.uint8)

    found = model.predict(pictures(), tag='skirt')
    assert [next(found).image[0, 0, 0] for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(asked) < 50
    found.close()  # type: ignore[attr-defined]


def test_a_list_gives_every_garment_before_an_unreadable_picture(model: 'fashionai.GarmentModel') -> None:
    found = model.predict([SHIRT, SHIRT, 'none.jpg', SHIRT], tag='blouse')
    assert [next(found).path for _ in range(2)] == [str(SHIRT)] * 2
    with pytest.raises(fashionai.InputError):
        next(found)


def test_what_cannot_be_read_or_served_is_an_input_error(model: 'fashionai.GarmentModel', tmp_path: Path) -> None:
    (tmp_path / 'text.jpg').write_text('no picture')
    for bad in (tmp_path / 'text.jpg', tmp_path / 'none.jpg', b'no picture'):
        with pytest.raises(fashionai.InputError):
            model.predict(bad)
    with pytest.raises(fashionai.InputError):
        model.predict(SHIRT, tag='sock')
    with pytest.raises(fashionai.InputError):
        fashionai.load_model(tmp_path / 'none.pb')
    with pytest.raises(fashionai.InputError):
        fashionai.load_model(preset='slow')


def test_a_prediction_is_shown_in_one_line(model: 'fashionai.GarmentModel') -> None:
    text = repr(model.predict(SHIRT, tag='blouse'))
    assert str(SHIRT) in text and 'blouse' in text and len(text.splitlines()) == 1 and 'array' not in text


def test_a_box_is_the_crop_predicted_alone_and_moved_by_its_place(model: 'fashionai.GarmentModel') -> None:
    image = read_upright(SHIRT)
    height, width = image.shape[:2]
    box = (width / 5, height / 5, width / 2, height / 2)
    margin = MARGIN * max(box[2:])
    (x, y), (right, bottom) = ((int(side) for side in (box[0] - margin, box[1] - margin)),
                               (int(np.ceil(side)) for side in (0.7 * width + margin, 0.7 * height + margin)))
    part = image[max(0, y):bottom, max(0, x):right]
    alone, boxed = model.predict(np.ascontiguousarray(part), tag='blouse'), model.predict(SHIRT, tag='blouse', box=box)
    np.testing.assert_allclose(boxed.result.points_xy, alone.result.points_xy + (max(0, x), max(0, y)), atol=1e-6)
    assert boxed.box == box and boxed.to_dict()['box'] == list(box) and alone.box is None
    assert boxed.image.shape == image.shape and boxed.to_dict()['size'] == {'width': width, 'height': height}
    assert boxed.draw(heatmaps=True).pixels.shape == image.shape


def test_a_list_of_boxes_gives_a_list(model: 'fashionai.GarmentModel') -> None:
    boxes = [(10, 20, 100, 120), (0, 0, 90, 90)]
    found = model.predict(SHIRT, tag='blouse', box=boxes)
    assert [garment.box for garment in found] == boxes
    one = model.predict(SHIRT, tag='blouse', box=np.array(boxes[1]))
    np.testing.assert_allclose(found[1].result.points_xy, one.result.points_xy, atol=1e-3)
    assert model.predict(SHIRT, tag='blouse', box=[]) == []
    twice = model.predict(SHIRT, tag='blouse', box='auto')
    assert twice.box is not None and next(iter(model.predict([SHIRT], tag='blouse', box='auto'))).box == twice.box


@pytest.mark.parametrize('box', [(0, 0, 0, 9), (1, 2, 3), 'all', (9999, 0, 9, 9), [(1, 2, 3, 'x')], [(1, 2, 3, 4), 5]])
def test_a_bad_box_is_an_input_error(model: 'fashionai.GarmentModel', box: object) -> None:
    with pytest.raises(fashionai.InputError):
        model.predict(SHIRT, box=box)  # type: ignore[call-overload]
    with pytest.raises(fashionai.InputError):
        model.predict([SHIRT], box=(0, 0, 50, 50))  # type: ignore[call-overload]


def test_a_drawing_of_an_unknown_format_is_an_input_error(model: 'fashionai.GarmentModel', tmp_path: Path) -> None:
    drawing = model.predict(SHIRT, tag='blouse').draw()
    for name in ('drawn.xyz', 'drawn'):
        with pytest.raises(fashionai.InputError):
            drawing.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_graph_without_tensorflow_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split('.')[0] == 'tensorflow']:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'tensorflow', None)
    with pytest.raises(fashionai.InputError):
        fashionai.load_model(PROJECT / 'models/trained/supplied/graph/frozen_graph.pb')


def test_every_block_of_the_guide_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(PHOTOGRAPHS), 'shop')
    keypoints = np.tile(np.arange(24, dtype=np.int32)[:, None], (1, 1, 3))
    keypoints[..., 2] = 1
    for name in ('val.csv', 'submit.csv'):
        write_annotations(name, Annotations(('a.jpg',), ('skirt',), keypoints, name))
    blocks = re.findall(r'```python\n(.*?)```', (PROJECT / 'docs/library.md').read_text(encoding='utf-8'), re.DOTALL)
    assert len(blocks) >= 5
    names: dict = {}
    for block in blocks:
        exec(compile(block, 'docs/library.md', 'exec'), names)
    assert Path('drawn.jpg').stat().st_size > 1000
    assert names['scores'].visible.ne == names['scores'].leaderboard.ne == 0


def test_a_name_or_the_preset_chooses_the_network(model: 'fashionai.GarmentModel') -> None:
    names = {}
    for key, options in (('fast', {'path': 'fast'}), ('supplied', {'path': 'supplied', 'preset': 'fast'}),
                         ('default', {})):
        with fashionai.load_model(threads=1, **options) as other:
            names[key] = other.name
    assert names['fast'] == model.name != names['supplied'] == names['default']


def test_a_closed_model_says_so() -> None:
    with fashionai.load_model(preset='fast', threads=1) as model:
        pass
    with pytest.raises(RuntimeError):
        model.predict(SHIRT)
