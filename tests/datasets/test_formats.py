"""Every format that is written is read back as it was; what is malformed is named."""
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Sequence

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.datasets.format_options import ReadOptions, WriteOptions
from fashionai.datasets.formats import FORMATS, WRITABLE
from fashionai.datasets.labelled import LabelledGarment, LabelledPicture, check_distinct, labelled_pictures
from fashionai.datasets.notes import Notes, new_notes
from fashionai.datasets.orientation import STORED, UPRIGHT, upright_points
from fashionai.datasets.preparing import Settings, prepare
from fashionai.datasets.samples import ParsedDataset, csv_row
from fashionai.datasets.sources import open_sources
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.images.decoder import TURNS

OWN = Garments((Garment('shoe', ('toe', 'inner', 'outer'), (('inner', 'outer'), ('outer', 'toe')), ('inner', 'outer'),
                        ('inner', 'outer', 'toe'), (('inner', 'outer'),)),
                Garment('no', ('toe', 'heel'), (('toe', 'heel'),), ('toe', 'heel'), ('inner', 'outer', 'toe', 'heel'))))
OWN = Garments(tuple(Garment(item.name, item.keypoints, item.limbs, item.normaliser, ('inner', 'outer', 'toe', 'heel'),
                             item.mirror_pairs) for item in OWN.values()))


def skirt(*points: Sequence[int]) -> np.ndarray:
    return np.array(points, np.float64)


def picture(root: Path, name: str, *garments: LabelledGarment, part: str = 'train', width: int = 40,
            height: int = 60) -> LabelledPicture:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / name), np.full((height, width, 3), len(name), np.uint8))
    return LabelledPicture(name, (height, width), list(garments), part, root / name)


def write(name: str, output: Path, pictures: Sequence[LabelledPicture], garments: Garments = GARMENTS,
          **options: Any) -> Notes:
    notes = new_notes()
    form = FORMATS[name]
    assert form.write is not None
    form.write(output if form.folder else output / 'labels.json', pictures, WriteOptions(garments, **options), notes)
    return notes


def read(name: str, paths: Sequence[Path], notes: Notes, garments: Garments = GARMENTS, **options: Any
         ) -> ParsedDataset:
    form = FORMATS[name]
    assert form.read is not None
    return form.read(open_sources(list(paths)), ReadOptions(garments, **options), notes)


def labels(dataset: ParsedDataset) -> Dict[str, List[List[int]]]:
    return {sample.image_id: sample.keypoints.tolist() for sample in dataset.samples if sample.keypoints is not None}


@pytest.fixture
def table(tmp_path: Path) -> Annotations:
    """Two images, with visible, occluded and absent labels, and their folder `train`."""
    ids = ('Images/skirt/1.jpg', 'Images/trousers/2.jpg')
    for number, image_id in enumerate(ids):
        picture(tmp_path / 'train', image_id, width=50 + number, height=80)
    rows = [csv_row({'waistband_left': (10, 20, 1), 'hemline_left': (8, 70, 0), 'hemline_right': (40, 72, 1)}),
            csv_row({'crotch': (25, 30, 1), 'waistband_left': (5, 6, 0), 'bottom_left_in': (0, 79, 1)})]
    return Annotations(ids, ('skirt', 'trousers'), np.stack(rows), 'train.csv')


@pytest.mark.parametrize('name', WRITABLE)
def test_what_is_written_is_read_back(name: str, table: Annotations, tmp_path: Path) -> None:
    form, root = FORMATS[name], tmp_path / 'train'
    (tmp_path / 'out').mkdir()
    pictures = list(labelled_pictures(table.select([0]), root, 'train', form.frame))
    pictures += labelled_pictures(table.select([1]), root, 'val', form.frame)
    notes = write(name, tmp_path / 'out', pictures)
    assert not any(notes.values())
    dataset = read(name, [tmp_path / 'out', root], notes)
    found = [sample.keypoints for sample in sorted(dataset.samples, key=lambda sample: sample.category)]
    np.testing.assert_array_equal(found, table.keypoints)
    if name != 'deepfashion2':  # whose pictures have numbers
        assert [sample.image_id for sample in dataset.samples] == list(table.image_ids)
    if name != 'coco':  # which has no lists
        assert {sample.category: sample.part for sample in dataset.samples} == {'skirt': 'train', 'trousers': 'val'}
    settings = Settings(tmp_path / 'data', val=0)
    assert 'train.csv' in prepare(dataset, open_sources([tmp_path / 'out', root]), settings, new_notes())
    assert len(list((tmp_path / 'data').rglob('*.jpg'))) == 2


@pytest.mark.parametrize('name', [name for name in WRITABLE if name != 'deepfashion2'])
def test_types_of_an_own_table(name: str, tmp_path: Path) -> None:
    made = [picture(tmp_path / 'train', 'Images/shoe/a.jpg',
                    LabelledGarment('shoe', skirt((5, 6, 1), (7.25, 8, 0), (-1, -1, -1)))),
            picture(tmp_path / 'train', 'Images/no/b.jpg', LabelledGarment('no', skirt((5, 6, 1), (30, 50, 1))))]
    (tmp_path / 'out').mkdir()
    write(name, tmp_path / 'out', made, OWN)
    found = labels(read(name, [tmp_path / 'out', tmp_path / 'train'], new_notes(), OWN))
    absent = [-1, -1, -1]
    assert found == {'Images/shoe/a.jpg': [[7, 8, 0], absent, [5, 6, 1], absent],
                     'Images/no/b.jpg': [absent, absent, [5, 6, 1], [30, 50, 1]]}


def test_deepfashion2_has_its_own_types_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='shoe'):
        write('deepfashion2', tmp_path, [], OWN)


@pytest.mark.parametrize('name', WRITABLE)
def test_garments_of_one_picture_are_rows_by_type_and_two_of_one_type_are_left_out(name: str, tmp_path: Path) -> None:
    first = LabelledGarment('skirt', skirt((5, 6, 1), (30, 6, 1), (4, 50, 1), (35, 50, 1)))
    second = LabelledGarment('trousers', np.array([[x, 10 + x, 1] for x in range(7)], np.float64))
    other = LabelledGarment('skirt', first.keypoints + [1, 1, 0])
    (tmp_path / 'out').mkdir()
    write(name, tmp_path / 'out', [picture(tmp_path / 'in', 'both.jpg', first, second),
                                   picture(tmp_path / 'in', 'twice.jpg', first, other)])
    notes = new_notes()
    dataset = read(name, [tmp_path / 'out', tmp_path / 'in'], notes)
    assert sorted(sample.category for sample in dataset.samples) == ['skirt', 'trousers']
    assert len({sample.picture for sample in dataset.samples}) == 1
    assert len(notes['pictures with several garments of one type, left out']) == 1


@pytest.mark.parametrize('name', [name for name in WRITABLE if FORMATS[name].frame == UPRIGHT])
def test_labels_of_a_picture_that_is_stored_turned_are_those_of_the_upright_one(
        name: str, table: Annotations, tmp_path: Path, exif: Any) -> None:
    path = tmp_path / 'train/Images/skirt/1.jpg'
    path.write_bytes(exif(path.read_bytes(), 6))
    (tmp_path / 'out').mkdir()
    write(name, tmp_path / 'out', list(labelled_pictures(table.select([0]), tmp_path / 'train', 'train', UPRIGHT)))
    sample, = read(name, [tmp_path / 'out', tmp_path / 'train'], new_notes()).samples
    assert sample.keypoints is not None
    assert sample.keypoints[15].tolist() == [80 - 1 - 20, 10, 1]
    assert sample.labelled_hw == (50, 80)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_points_turn_as_pixels_do(orientation: int) -> None:
    stored = np.zeros((5, 7), np.uint8)
    stored[1, 2] = 1
    (row, column), = np.argwhere(TURNS[orientation](stored))
    assert upright_points(np.array([[2., 1.]]), (5, 7), orientation).tolist() == [[column, row]]


@pytest.fixture
def exif() -> Any:
    """Gives a JPEG an EXIF orientation."""
    def with_orientation(jpeg: bytes, orientation: int) -> bytes:
        tiff = b'II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0' + bytes([orientation, 0, 0, 0]) + b'\0\0\0\0'
        return jpeg[:2] + b'\xff\xe1' + (len(tiff) + 8).to_bytes(2, 'big') + b'Exif\0\0' + tiff + jpeg[2:]
    return with_orientation


def test_labels_outside_are_moved_to_the_border_for_yolo(tmp_path: Path) -> None:
    made = picture(tmp_path / 'in', 'a.jpg', LabelledGarment('skirt', skirt((-5, 6, 1), (45, 6, 1), (4, 50, 1),
                                                                            (35, 70, 1))))
    notes = write('yolo', tmp_path / 'out', [made])
    assert notes['pictures with labels outside, which are moved to the border'] == ['a.jpg']
    numbers = [float(cell) for cell in (tmp_path / 'out/labels/train/a.txt').read_text().split()]
    assert min(numbers) == 0 and max(numbers[1:5]) <= 1 and numbers[5 + 3 * 15:8 + 3 * 15] == [0, .1, 2]
    sample, = read('yolo', [tmp_path / 'out'], new_notes()).samples
    assert sample.keypoints is not None and sample.keypoints[15:19].tolist() == [
        [0, 6, 1], [40, 6, 1], [4, 50, 1], [35, 60, 1]]


def test_a_box_that_a_person_drew_is_kept(tmp_path: Path) -> None:
    garment = LabelledGarment('skirt', skirt((5, 6, 1), (30, 6, 1), (4, 50, 1), (35, 50, 1)), (2, 3, 36, 50))
    write('coco', tmp_path, [picture(tmp_path / 'in', 'a.jpg', garment)])
    annotation, = json.loads((tmp_path / 'labels.json').read_text())['annotations']
    assert annotation['bbox'] == [2, 3, 36, 50] and annotation['area'] == 1800


def test_predictions_are_proposals_in_tools_that_tell_them_apart(tmp_path: Path) -> None:
    garment = LabelledGarment('skirt', skirt((5, 6, 1), (30, 6, 1), (4, 50, 1), (35, 50, 1)), scores=np.full(4, .5))
    made = [picture(tmp_path / 'in', 'a.jpg', garment)]
    write('labelstudio', tmp_path / 'ls', made, description='net', predicted=True)
    task, = json.loads((tmp_path / 'ls/tasks.json').read_text())
    assert task['predictions'][0]['score'] == .5 and 'annotations' not in task
    write('cvat', tmp_path / 'cvat', made, predicted=True)
    assert 'source="auto"' in (tmp_path / 'cvat/train.xml').read_text()


def test_two_pictures_that_would_share_a_label_file_are_refused(tmp_path: Path) -> None:
    pictures = [LabelledPicture(name, (6, 4), []) for name in ('a.jpg', 'a.png')]
    check_distinct(pictures)
    for name in ('yolo', 'labelme'):
        with pytest.raises(InputError, match=r'a\.png'):
            write(name, tmp_path, pictures)


YAML = 'names: [top]\nkpt_shape: [3, 3]\ntrain: ../train/images\nval: ../valid/images\n'
NAMES = {'top': ('blouse', {'0': 'neckline_left', '1': 'neckline_right'})}


def test_yolo_of_others(made: SimpleNamespace, tmp_path: Path) -> None:
    """As Roboflow exports it: no names of keypoints, lists as folders of their own."""
    folder = made.folder(tmp_path / 'set', {
        'data.yaml': YAML, 'README.txt': 'words', 'train/images/a.jpg': made.picture(),
        'train/labels/a.txt': '0 .5 .5 .5 .5 .25 .5 2 .75 .5 1 0 0 0\n\n', 'valid/images/b.jpg': made.picture(),
        'valid/labels/b.txt': '0 .5 .5 .5 .5 .25 .5 2 .75 .5 2 0 0 0\n', 'valid/labels/c.txt': ''})
    notes = new_notes()
    first, second = sorted(read('yolo', [folder], notes, names=NAMES).samples, key=lambda sample: sample.image_id)
    assert (first.image_id, first.part, second.image_id, second.part) == (
        'Images/blouse/a.jpg', 'train', 'Images/blouse/b.jpg', 'val')
    assert first.keypoints is not None and first.keypoints[:2].tolist() == [[10, 30, 1], [30, 30, 0]]
    assert notes['label files without a picture in the sources, left out'] == ['set: valid/labels/c.txt']
    swapped = read('yolo', [folder], new_notes(), names=NAMES, swap_sides=True).samples[0]
    assert swapped.keypoints is not None and swapped.keypoints[:2].tolist() == [[30, 30, 0], [10, 30, 1]]


def test_yolo_without_visibilities(made: SimpleNamespace, tmp_path: Path) -> None:
    folder = made.folder(tmp_path / 'set', {
        'data.yaml': YAML.replace('[3, 3]', '[3, 2]'), 'train/images/a.jpg': made.picture(),
        'train/labels/a.txt': '0 .5 .5 .5 .5 .25 .5 0 0 0 0\n'})
    sample, = read('yolo', [folder], new_notes(), names=NAMES).samples
    assert sample.keypoints is not None and sample.keypoints[:2].tolist() == [[10, 30, 1], [-1, -1, -1]]


@pytest.mark.parametrize('files, fault', [
    ({'data.yaml': YAML, 'train/labels/a.txt': '0 .5 .5'}, 'train/labels/a.txt, line 1: 3 numbers, wanted 14'),
    ({'data.yaml': YAML, 'train/labels/a.txt': '\n1' + ' 0' * 13}, 'train/labels/a.txt, line 2: class 1'),
    ({'data.yaml': YAML, 'train/labels/a.txt': 'nan' + ' 0' * 13}, 'line 1: class nan'),
    ({'data.yaml': YAML, 'train/labels/a.txt': '0 x'}, 'train/labels/a.txt, line 1'),
    ({'data.yaml': YAML, 'train/labels/a.txt': '0' + ' inf' * 13}, 'line 1'),
    ({'data.yaml': YAML, 'train/labels/a.txt': '0' + ' 0' * 4 + ' 0 0 5' * 3}, 'visibilit'),
    ({'data.yaml': YAML.replace('[3, 3]', '[3, 4]'), 'train/labels/a.txt': ''}, 'data.yaml, kpt_shape'),
    ({'data.yaml': YAML + 'kpt_names: {0: [a]}', 'train/labels/a.txt': ''}, 'data.yaml, kpt_names, 0'),
    ({'data.yaml': YAML.replace('[top]', '{a: b}'), 'train/labels/a.txt': ''}, 'data.yaml, names'),
    ({'data.yaml': YAML + 'test: list.txt', 'train/labels/a.txt': ''}, 'data.yaml, test'),
    ({'data.yaml': '[', 'train/labels/a.txt': ''}, 'data.yaml is not YAML'),
    ({'train/labels/a.txt': '0'}, 'data.yaml'),
    ({'data.yaml': YAML, 'train/labels/a.txt': b'\xff\xfe'}, 'train/labels/a.txt')])
def test_malformed_yolo_is_named(made: SimpleNamespace, tmp_path: Path, files: Dict[str, Any], fault: str) -> None:
    folder = made.folder(tmp_path / 'set', {'train/images/a.jpg': made.picture(), **files})
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        read('yolo', [folder], new_notes(), names=NAMES)
    assert '\n' not in str(raised.value)


def shape(label: Any, kind: str, points: Any, **more: Any) -> Dict[str, Any]:
    return {'label': label, 'shape_type': kind, 'points': points, **more}


def labelme(*shapes: Any, **more: Any) -> str:
    return json.dumps({'version': '5.5.0', 'shapes': shapes, 'imagePath': 'a.jpg', 'imageWidth': 40, 'imageHeight': 60,
                       **more})


def test_labelme_of_others(made: SimpleNamespace, tmp_path: Path) -> None:
    """Without rectangles, the points of a group must fit one type; other shapes are noted."""
    crotch = shape('crotch', 'point', [[5.5, 6]], group_id=None, flags={'occluded': True})
    folder = made.folder(tmp_path / 'set', {
        'x/a.jpg': made.picture(), 'x/a.json': labelme(crotch, shape('dog', 'polygon', [[1, 2], [3, 4], [5, 6]])),
        'y/a.jpg': made.picture(1), 'y/a.json': labelme(shape('armpit_left', 'point', [[5, 6]])), 'z.json': '{}'})
    notes = new_notes()
    sample, = read('labelme', [folder], notes).samples
    assert (sample.image_id, sample.category, sample.picture) == ('Images/trousers/x_a.jpg', 'trousers', (0, 'x/a.jpg'))
    assert sample.keypoints is not None and sample.keypoints[19].tolist() == [6, 6, 0]
    assert notes['shapes with the label dog, left out'] == ['set: x/a.json, shape 1']
    assert len([key for key in notes if 'type is not known' in key]) == 1, 'an armpit may be of three types'


@pytest.mark.parametrize('content, fault', [
    (labelme('x'), 'a.json, shape 0'), (labelme(shape('crotch', 'point', [])), 'a.json, shape 0'),
    (labelme(shape('crotch', 'point', [['a', 1]])), 'a.json, shape 0'),
    (labelme(shape('crotch', 'point', [[1, 2]], flags=3)), 'a.json, shape 0'),
    (labelme(shape('crotch', 'point', [[1, 2]], group_id=[])), 'a.json, shape 0'),
    (labelme(*[shape('crotch', 'point', [[1, 2]])] * 2), 'a.json, shape 1: a second crotch'),
    (labelme(*[shape('skirt', 'rectangle', [[1, 2], [3, 4]])] * 2), 'a.json, shape 1: a second garment'),
    (labelme(shape('crotch', 'point', [[1, 1e9]])), 'crotch: x 1'),
    (labelme(imagePath=None), 'a.json: imagePath'), ('{', 'a.json is not JSON'),
    ('{"shapes": ' + '[' * 100000, 'a.json cannot be used'), ('{}', 'shapes')])
def test_malformed_labelme_is_named(made: SimpleNamespace, tmp_path: Path, content: str, fault: str) -> None:
    folder = made.folder(tmp_path / 'set', {'a.jpg': made.picture(), 'a.json': content})
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        read('labelme', [folder], new_notes())
    assert '\n' not in str(raised.value)


def cvat(inner: str, image: str = 'name="a.jpg" width="40" height="60"') -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><image id="0" {image}>{inner}</image></annotations>'


def skeleton(points: str, label: str = 'trousers') -> str:
    return f'<skeleton label="{label}" source="manual">{points}</skeleton>'


CROTCH = '<points label="crotch" outside="0" occluded="1" points="5.25,6.00"/>'


def test_cvat_of_others(made: SimpleNamespace, tmp_path: Path) -> None:
    inner = (skeleton(CROTCH + '<points label="bottom_left_in" outside="1" occluded="0" points="9,9"/>')
             + '<box label="dog" xtl="1" ytl="1" xbr="2" ybr="2"/>' + skeleton('', 'dog'))
    image = 'name="a.jpg" subset="Validation" width="40" height="60"'
    folder = made.folder(tmp_path / 'set', {'annotations.xml': cvat(inner, image), 'images/a.jpg': made.picture(),
                                            'other.xml': '<a/>'})
    notes = new_notes()
    sample, = read('cvat', [folder], notes).samples
    assert (sample.image_id, sample.part, sample.labelled_hw) == ('Images/trousers/a.jpg', 'val', (60, 40))
    assert sample.keypoints is not None
    assert sample.keypoints[19].tolist() == [5, 6, 0] and sample.keypoints[20].tolist() == [-1, -1, -1]
    assert len(notes['shapes that are no skeletons, left out']) == 1
    assert len(notes['skeletons with the label dog, left out']) == 1


@pytest.mark.parametrize('content, fault', [
    (cvat(skeleton(CROTCH * 2)), 'annotations.xml, image 0, a.jpg, shape 0, trousers: crotch twice'),
    (cvat(skeleton(CROTCH.replace('5.25,6.00', '5'))), "crotch: points '5'"),
    (cvat(skeleton(CROTCH.replace('5.25', 'nan'))), 'crotch: points'),
    (cvat(skeleton(CROTCH.replace('5.25', '1e9'))), 'crotch: x 1'),
    (cvat(skeleton(CROTCH), 'width="1" height="1"'), 'annotations.xml, image 0: no name'),
    (cvat(skeleton(CROTCH), 'name="a.jpg" width="x" height="1"'), 'annotations.xml, image 0: width'),
    (cvat('<skeleton'), 'annotations.xml is not XML'),
    ('<!DOCTYPE a [<!ENTITY b "c">]>' + cvat(''), 'annotations.xml cannot be used'),
    (cvat('').encode('utf-16'), 'annotations.xml is not XML'), ('<a/>', 'annotations')])
def test_malformed_cvat_is_named(made: SimpleNamespace, tmp_path: Path, content: Any, fault: str) -> None:
    folder = made.folder(tmp_path / 'set', {'a.jpg': made.picture(), 'annotations.xml': content})
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        read('cvat', [folder], new_notes())
    assert '\n' not in str(raised.value)


def region(kind: str, label: Any, **more: Any) -> Dict[str, Any]:
    value = {'x': 50, 'y': 25, 'width': 10, 'height': 10, kind: [label]}
    return {'id': label, 'type': kind, 'value': value, 'original_width': 40, 'original_height': 60, **more}


def task(*results: Any, image: Any = 'https://host/data/upload/3/1a2b3c4d-a.jpg', **more: Any) -> Dict[str, Any]:
    return {'id': 12, 'data': {'image': image}, 'annotations': [{'result': list(results), **more}]}


def test_labelstudio_of_others(made: SimpleNamespace, tmp_path: Path) -> None:
    """An uploaded picture; keypoints without a parent belong to the only rectangle; cancelled annotations are none."""
    cancelled = task(region('rectanglelabels', 'skirt'), was_cancelled=True)
    tasks = [task(region('rectanglelabels', 'trousers'), region('keypointlabels', 'crotch'),
                  region('brushlabels', 'dog'), region('rectanglelabels', 'dog', id='d')), cancelled]
    folder = made.folder(tmp_path / 'set', {'export.json': json.dumps(tasks[:1]), 'a.jpg': made.picture()})
    notes = new_notes()
    assert not read('labelstudio', [folder], notes).samples, 'two rectangles: whose is it?'
    assert notes['keypoints that belong to no rectangle, left out']
    del tasks[0]['annotations'][0]['result'][2:]
    (folder / 'export.json').write_text(json.dumps(tasks))
    sample, = read('labelstudio', [folder], new_notes()).samples
    assert (sample.image_id, sample.picture, sample.labelled_hw) == ('Images/trousers/a.jpg', (0, 'a.jpg'), (60, 40))
    assert sample.keypoints is not None and sample.keypoints[19].tolist() == [20, 15, 1]


POINT, BOX = region('keypointlabels', 'crotch'), region('rectanglelabels', 'trousers')


@pytest.mark.parametrize('tasks, fault', [
    ([task(BOX, POINT, POINT)], 'export.json, task 12: crotch twice'),
    ([task(BOX, {**POINT, 'original_width': None})], 'export.json, task 12, result 1: original_width'),
    ([task(BOX, {**POINT, 'value': {'keypointlabels': ['crotch'], 'x': 'a', 'y': 1}})], 'task 12, result 1: x, y'),
    ([task(BOX, {**POINT, 'value': {'keypointlabels': []}})], 'task 12, result 1: keypointlabels'),
    ([task(BOX, {**POINT, 'value': None})], 'task 12, result 1'),
    ([task(BOX, {**POINT, 'image_rotation': 90})], 'task 12, result 1: image_rotation'),
    ([task(BOX, POINT, image=3)], 'export.json, task 12, data'),
    ([{**task(BOX), 'annotations': 5}], 'export.json, task 12, annotations'),
    ([task(BOX, {**POINT, 'value': {'keypointlabels': ['crotch'], 'x': 1e9, 'y': 1}})], 'task 12: crotch: x'),
    ({}, 'tasks')])
def test_malformed_labelstudio_is_named(made: SimpleNamespace, tmp_path: Path, tasks: Any, fault: str) -> None:
    folder = made.folder(tmp_path / 'set', {'a.jpg': made.picture(), 'export.json': json.dumps(tasks)})
    with pytest.raises(InputError, match=re.escape(fault)) as raised:
        read('labelstudio', [folder], new_notes())
    assert '\n' not in str(raised.value)


def test_deepfashion2_names_what_it_cannot_hold(tmp_path: Path) -> None:
    keypoints = np.array([[x, 10 + x, 1] for x in range(14)], np.float64)
    notes = write('deepfashion2', tmp_path / 'out', [
        picture(tmp_path / 'in', 'a.jpg', LabelledGarment('outwear', keypoints)),
        picture(tmp_path / 'in', 'b.jpg', LabelledGarment('dress', np.array(
            [[x, 10 + x, -1 if 9 <= x < 13 else 1] for x in range(15)], np.float64)), part='val')])
    assert notes['garments with keypoints that have no landmark there'] == ['a.jpg (waistline_left, waistline_right)']
    assert json.loads((tmp_path / 'out/validation/annos/000002.json').read_text())['item1']['category_id'] == 12, (
        'a dress without cuffs is a vest dress')
    assert (tmp_path / 'out/names.csv').read_text().splitlines()[1] == 'train/image/000001.jpg,a.jpg'
    png = picture(tmp_path / 'in', 'c.png', LabelledGarment('outwear', keypoints))
    with pytest.raises(InputError, match=r'c\.png'):
        write('deepfashion2', tmp_path / 'other', [png])


def test_a_picture_that_is_missing_is_named(table: Annotations, tmp_path: Path) -> None:
    (tmp_path / 'train' / table.image_ids[0]).unlink()
    with pytest.raises(InputError, match=r'1\.jpg'):
        list(labelled_pictures(table, tmp_path / 'train', 'train', STORED))
