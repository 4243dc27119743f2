"""COCO keypoint files: ours and others' read, ours written."""
import json

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.datasets.coco import own_names, read_coco, read_names
from fashionai.datasets.coco_writing import write_coco
from fashionai.datasets.entries import csv_row
from fashionai.datasets.notes import new_notes
from fashionai.datasets.sources import open_sources
from fashionai.garments import GARMENTS, Garment, Garments

THEIRS = {
    'images': [{'id': 7, 'file_name': 'set/one.jpg'}, {'id': 8, 'file_name': 'two.jpg'}],
    'categories': [{'id': 3, 'name': 'top', 'keypoints': ['left collar', 'right collar', 'zip']},
                   {'id': 4, 'name': 'shoe'}],
    'annotations': [
        {'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': [10.5, 20.2, 2, 30, 21, 1, 5, 5, 2]},
        {'id': 2, 'image_id': 8, 'category_id': 4}, {'id': 5, 'image_id': 8, 'category_id': 3, 'keypoints': [0] * 9}]}
NAMES = {'top': {'type': 'blouse', 'keypoints': {'left collar': 'neckline_left', 'right collar': 'neckline_right'}}}


def read(folder, names=None, swap_sides=False, garments=GARMENTS):
    notes = new_notes()
    return read_coco(open_sources([folder]), names or own_names(garments), swap_sides, notes, garments), notes


def test_categories_and_keypoints_by_a_file_of_names(made, tmp_path):
    folder = made.folder(tmp_path / 'set', {'x/labels.json': json.dumps(THEIRS), 'x/other.json': '[1]',
                                            'x/img/set/one.jpg': made.picture()})
    path = made.folder(tmp_path, {'names.json': json.dumps(NAMES)}) / 'names.json'
    reading, notes = read(folder, read_names(path, GARMENTS))
    entry, = reading.entries
    assert (entry.image_id, entry.part, entry.picture) == ('Images/blouse/set_one.jpg', '', (0, 'x/img/set/one.jpg'))
    assert entry.keypoints[:2].tolist() == [[11, 20, 1], [30, 21, 0]] and (entry.keypoints[2:] == -1).all()
    assert notes['annotations of the category shoe, left out'] == ['2']
    assert notes['garments without a labelled keypoint, left out'] == ['Images/blouse/two.jpg']
    swapped = read(folder, read_names(path, GARMENTS), swap_sides=True)[0].entries[0]
    assert swapped.keypoints[:2].tolist() == [[30, 21, 0], [11, 20, 1]]


@pytest.mark.parametrize('table, message', [
    ({'top': {'type': 'hat', 'keypoints': {}}}, "top, type: 'hat', wanted one of blouse"),
    ({'top': {'type': 'skirt', 'keypoints': {'a': 'crotch'}}}, "top, keypoints, a: 'crotch' is no keypoint of skirt"),
    ({'top': 'skirt'}, 'wanted JSON of categories')])
def test_faults_in_names_are_named(tmp_path, table, message):
    (tmp_path / 'names.json').write_text(json.dumps(table))
    with pytest.raises(ValueError, match=message):
        read_names(tmp_path / 'names.json', GARMENTS)


def test_malformed_annotations_are_named(made, tmp_path):
    broken = dict(THEIRS, annotations=[{'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': [1, 2]}])
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(broken)})
    with pytest.raises(ValueError, match='set: labels.json, annotation 0: .*2 numbers for 3 keypoints'):
        read(folder, {'top': ('blouse', {})})
    with pytest.raises(ValueError, match='no JSON file with images'):
        read(made.folder(tmp_path / 'none', {'a.json': '{}'}))


@pytest.mark.parametrize('numbers, fault', [
    (['x', 2, 2], "neckline_left: x 'x', y 2, wanted pixels"), ([1, float('nan'), 2], 'y nan, wanted pixels'),
    ([1, 1e30, 1], r'y 1e\+30, wanted pixels, numbers below 1000000')])
def test_coordinates_that_are_none_are_named(made, tmp_path, numbers, fault):
    labels = dict(THEIRS, annotations=[{'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': numbers + [0] * 6}])
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(labels)})
    with pytest.raises(ValueError, match='set: labels.json, annotation 0: .*' + fault):
        read(folder, {'top': ('blouse', {'left collar': 'neckline_left'})})


def test_a_broken_file_is_named(made, tmp_path):
    files = {'labels.json': json.dumps(THEIRS)[:200]}
    with pytest.raises(ValueError, match='1 files that are not JSON, passed over: set: labels.json .*char'):
        read(made.folder(tmp_path / 'set', files))


def test_types_of_an_own_table(made, tmp_path):
    limbs = (('inner', 'outer'), ('outer', 'toe'))
    shoe = Garment('shoe', ('toe', 'inner', 'outer'), limbs, ('inner', 'outer'), ('inner', 'outer', 'toe'),
                   (('inner', 'outer'),))
    rows = np.array([[[10, 20, 1], [30, 21, 0], [-1, -1, -1]]], np.int32)
    root = made.folder(tmp_path / 'set', {'Images/shoe/1.jpg': made.picture()})
    write_coco(root / 'out.json', Annotations(('Images/shoe/1.jpg',), ('shoe',), rows, '', Garments((shoe,))), root)
    category, = json.loads((root / 'out.json').read_text())['categories']
    assert category['name'] == 'shoe' and category['keypoints'] == ['toe', 'inner', 'outer']
    reading, _ = read(root, garments=Garments((shoe,)))
    np.testing.assert_array_equal(reading.entries[0].keypoints, rows[0])
    assert reading.garments == Garments((shoe,)) and reading.entries[0].category == 'shoe'
    swapped = read(root, swap_sides=True, garments=Garments((shoe,)))[0].entries[0]
    np.testing.assert_array_equal(swapped.keypoints, rows[0][[1, 0, 2]])


@pytest.fixture
def ours(made, tmp_path):
    """Two labelled images and their folder."""
    ids = ('Images/skirt/1.jpg', 'Images/trousers/2.jpg')
    made.folder(tmp_path / 'train', {ids[0]: made.picture(width=50, height=80), ids[1]: made.picture()})
    rows = [csv_row({'waistband_left': (10, 20, 1), 'hemline_left': (8, 70, 0), 'hemline_right': (40, 72, 1)}),
            csv_row({'crotch': (5, 6, 1)})]
    return Annotations(ids, ('skirt', 'trousers'), np.stack(rows), 'train.csv'), tmp_path / 'train'


def test_our_labels_in_coco_form(ours, tmp_path):
    write_coco(tmp_path / 'out.json', *ours)
    content = json.loads((tmp_path / 'out.json').read_text())
    assert content['images'] == [{'id': 1, 'file_name': 'Images/skirt/1.jpg', 'width': 50, 'height': 80},
                                 {'id': 2, 'file_name': 'Images/trousers/2.jpg', 'width': 40, 'height': 60}]
    skirt = content['categories'][3]
    assert skirt['name'] == 'skirt' and len(content['categories']) == 5
    assert skirt['keypoints'] == ['waistband_left', 'waistband_right', 'hemline_left', 'hemline_right']
    assert skirt['skeleton'] == [[1, 2], [1, 3], [2, 4], [3, 4], [1, 4]]
    assert content['annotations'][0] == {
        'id': 1, 'image_id': 1, 'category_id': 4, 'iscrowd': 0, 'num_keypoints': 3, 'bbox': [8, 20, 32, 52],
        'area': 1664, 'keypoints': [10, 20, 2, 0, 0, 0, 8, 70, 1, 40, 72, 2]}


def test_what_we_write_is_read_back(ours, tmp_path):
    table, root = ours
    write_coco(root / 'out.json', table, root)
    entries = read(root)[0].entries
    assert [entry.category for entry in entries] == ['skirt', 'trousers']
    np.testing.assert_array_equal([entry.keypoints for entry in entries], table.keypoints)
    (root / table.image_ids[0]).unlink()
    with pytest.raises(ValueError, match='1.jpg: no such file'):
        write_coco(root / 'out.json', table, root)
