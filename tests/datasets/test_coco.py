"""Reads COCO keypoint files of ours and of others, and writes ours."""
import json

import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.datasets.coco import read_coco
from fashionai.datasets.coco_writing import write_coco
from fashionai.datasets.labelled import labelled_pictures
from fashionai.datasets.names import own_names, read_names, with_swapped_sides
from fashionai.datasets.notes import new_notes
from fashionai.datasets.orientation import STORED
from fashionai.datasets.samples import csv_row
from fashionai.datasets.sources import open_sources
from fashionai.errors import InputError
from fashionai.garments.boxes import box_of
from fashionai.garments.table import GARMENTS, Garment, Garments

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
    names = names or own_names(garments)
    names = with_swapped_sides(names, garments) if swap_sides else names
    return read_coco(open_sources([folder]), names, notes, garments), notes


def write_rows(path, table, image_root):
    pictures = list(labelled_pictures(table, image_root, 'train', STORED))
    write_coco(path, pictures, table.garments, 'keypoints')


def test_categories_and_keypoints_by_a_file_of_names(made, tmp_path):
    folder = made.folder(tmp_path / 'set', {'x/labels.json': json.dumps(THEIRS), 'x/other.json': '[1]',
                                            'x/img/set/one.jpg': made.picture()})
    path = made.folder(tmp_path, {'names.json': json.dumps(NAMES)}) / 'names.json'
    dataset, notes = read(folder, read_names(path, GARMENTS))
    sample, = dataset.samples
    assert (sample.image_id, sample.part, sample.picture) == ('Images/blouse/set_one.jpg', '', (0, 'x/img/set/one.jpg'))
    assert sample.keypoints[:2].tolist() == [[11, 20, 1], [30, 21, 0]] and (sample.keypoints[2:] == -1).all()
    assert notes['annotations of the category shoe, left out'] == ['2']
    assert notes['garments without a labelled keypoint, left out'] == ['Images/blouse/two.jpg']
    swapped = read(folder, read_names(path, GARMENTS), swap_sides=True)[0].samples[0]
    assert swapped.keypoints[:2].tolist() == [[30, 21, 0], [11, 20, 1]]


@pytest.mark.parametrize('table, message', [
    ({'top': {'type': 'hat', 'keypoints': {}}}, "top, type: 'hat'.*blouse"),
    ({'top': {'type': 'skirt', 'keypoints': {'a': 'crotch'}}}, "top, keypoints, a: 'crotch'.*skirt"),
    ({'top': 'skirt'}, 'names.json: .*`type`')])
def test_faults_in_names_are_named(tmp_path, table, message):
    (tmp_path / 'names.json').write_text(json.dumps(table))
    with pytest.raises(InputError, match=message):
        read_names(tmp_path / 'names.json', GARMENTS)


def test_malformed_annotations_are_named(made, tmp_path):
    broken = dict(THEIRS, annotations=[{'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': [1, 2]}])
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(broken)})
    with pytest.raises(InputError, match='set: labels.json, annotation 0: .*2.*3'):
        read(folder, {'top': ('blouse', {})})
    with pytest.raises(InputError, match='JSON'):
        read(made.folder(tmp_path / 'none', {'a.json': '{}'}))


@pytest.mark.parametrize('numbers, fault', [
    (['x', 2, 2], "neckline_left: x 'x', y 2"), ([1, float('nan'), 2], 'y nan'),
    ([1, 1e30, 1], r'y 1e\+30.*65535'), ([1, 65536, 1], 'y 65536')])
def test_coordinates_that_are_none_are_named(made, tmp_path, numbers, fault):
    labels = dict(THEIRS, annotations=[{'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': numbers + [0] * 6}])
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(labels)})
    with pytest.raises(InputError, match='set: labels.json, annotation 0: .*' + fault):
        read(folder, {'top': ('blouse', {'left collar': 'neckline_left'})})


def test_a_broken_file_is_named(made, tmp_path):
    files = {'labels.json': json.dumps(THEIRS)[:200]}
    with pytest.raises(InputError, match='set: labels.json .*char'):
        read(made.folder(tmp_path / 'set', files))


def test_types_of_an_own_table(made, tmp_path):
    limbs = (('inner', 'outer'), ('outer', 'toe'))
    shoe = Garment('shoe', ('toe', 'inner', 'outer'), limbs, ('inner', 'outer'), ('inner', 'outer', 'toe'),
                   (('inner', 'outer'),))
    rows = np.array([[[10, 20, 1], [30, 21, 0], [-1, -1, -1]]], np.int32)
    root = made.folder(tmp_path / 'set', {'Images/shoe/1.jpg': made.picture()})
    write_rows(root / 'out.json', Annotations(('Images/shoe/1.jpg',), ('shoe',), rows, '', Garments((shoe,))), root)
    category, = json.loads((root / 'out.json').read_text())['categories']
    assert category['name'] == 'shoe' and category['keypoints'] == ['toe', 'inner', 'outer']
    dataset, _ = read(root, garments=Garments((shoe,)))
    np.testing.assert_array_equal(dataset.samples[0].keypoints, rows[0])
    assert dataset.garments == Garments((shoe,)) and dataset.samples[0].category == 'shoe'
    swapped = read(root, swap_sides=True, garments=Garments((shoe,)))[0].samples[0]
    np.testing.assert_array_equal(swapped.keypoints, rows[0][[1, 0, 2]])


def with_visibilities(*numbers):
    keypoints = [number for v in numbers for number in (10, 20, v)]
    return dict(THEIRS, annotations=[{'id': 1, 'image_id': 7, 'category_id': 3, 'keypoints': keypoints}])


@pytest.mark.parametrize('numbers, v', [
    ((2, 1, 0), (1, 0)), ((2.0, 1.0, 2), (1, 0)), ((2, 0, 0), (1, -1)), ((1, 0, 1), (1, -1)),
    ((True, False, True), (1, -1)),
    ((1, 0, -1), (1, 0)), ((0, -1, -1), (0, -1)), ((0.93, 0, 0.2), (1, -1)), ((0.93, 0.1, 2.5), (1, 1))])
def test_visibilities_are_read_as_their_tool_means_them(made, tmp_path, numbers, v):
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(with_visibilities(*numbers))})
    names = {'top': ('blouse', {'left collar': 'neckline_left', 'right collar': 'neckline_right'})}
    sample, = read(folder, names)[0].samples
    assert tuple(sample.keypoints[:2, 2]) == v


@pytest.mark.parametrize('number', [3, -2, '2', None, [2], float('inf')])
def test_visibilities_without_a_meaning_are_refused_by_file(made, tmp_path, number):
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(with_visibilities(2, 1, number))})
    with pytest.raises(InputError, match='set: labels.json'):
        read(folder, {'top': ('blouse', {'left collar': 'neckline_left'})})


def test_a_meaning_that_is_given_counts(made, tmp_path):
    sources = open_sources([made.folder(tmp_path / 'set', {'labels.json': json.dumps(with_visibilities(1, 0, 1))})])
    names = {'top': ('blouse', {'left collar': 'neckline_left', 'right collar': 'neckline_right'})}
    dataset = read_coco(sources, names, new_notes(), GARMENTS, visibility='coco')
    assert tuple(dataset.samples[0].keypoints[:2, 2]) == (0, -1) and 'occluded' in dataset.tables[0]
    dataset = read_coco(sources, names, new_notes(), GARMENTS, visibility='fashionai')
    assert tuple(dataset.samples[0].keypoints[:2, 2]) == (1, 0)
    (tmp_path / 'set/labels.json').write_text(json.dumps(with_visibilities(3, 0, 1)))
    with pytest.raises(InputError, match='labels.json, annotation 0: left collar: 3'):
        read_coco(sources, names, new_notes(), GARMENTS, visibility='coco')


@pytest.mark.parametrize('height, size', [
    (60, (60, 40)), (60.0, (60, 40)), (float('nan'), (0, 0)), (float('inf'), (0, 0)), (0, (0, 0)), (-5, (0, 0)),
    ('60', (0, 0)), (None, (0, 0)), ([60], (0, 0))])
def test_sizes_that_are_none_say_nothing(made, tmp_path, height, size):
    image = {'id': 7, 'file_name': 'one.jpg', 'width': 40, 'height': height}
    labels = dict(THEIRS, images=[image, THEIRS['images'][1]])
    folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(labels)})
    sample, = read(folder, {'top': ('blouse', {'left collar': 'neckline_left'})})[0].samples
    assert sample.labelled_hw == size


@pytest.fixture
def ours(made, tmp_path):
    """Two labelled images and their folder."""
    ids = ('Images/skirt/1.jpg', 'Images/trousers/2.jpg')
    made.folder(tmp_path / 'train', {ids[0]: made.picture(width=50, height=80), ids[1]: made.picture()})
    rows = [csv_row({'waistband_left': (10, 20, 1), 'hemline_left': (8, 70, 0), 'hemline_right': (40, 72, 1)}),
            csv_row({'crotch': (5, 6, 1)})]
    return Annotations(ids, ('skirt', 'trousers'), np.stack(rows), 'train.csv'), tmp_path / 'train'


def test_our_labels_in_coco_form(ours, tmp_path):
    write_rows(tmp_path / 'out.json', *ours)
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
    write_rows(root / 'out.json', table, root)
    samples = read(root)[0].samples
    assert [sample.category for sample in samples] == ['skirt', 'trousers']
    np.testing.assert_array_equal([sample.keypoints for sample in samples], table.keypoints)
    (root / table.image_ids[0]).unlink()
    with pytest.raises(InputError, match='1.jpg'):
        write_rows(root / 'out.json', table, root)


def test_labels_of_which_none_is_visible_stay_so(ours, tmp_path):
    table, root = ours
    hidden = Annotations(table.image_ids, table.categories, table.keypoints.clip(-1, [99, 99, 0]), 'train.csv')
    write_rows(root / 'out.json', hidden, root)
    np.testing.assert_array_equal([sample.keypoints for sample in read(root)[0].samples], hidden.keypoints)


def test_our_own_files_say_that_labels_are_in_stored_pixels(ours):
    table, root = ours
    write_rows(root / 'out.json', table, root)
    assert {sample.labelled_hw for sample in read(root)[0].samples} == {None}


@pytest.mark.parametrize('points, box', [
    ([(10, 20), (40, 72)], [10, 20, 30, 52]),
    ([(10, 20), (40, 20)], [10, 5, 30, 30]),       # a line: the box around it is as high as it is wide
    ([(10, 20), (40, 22)], [10, 6, 30, 30]),
    ([(10, 20), (40, 23)], [10, 20, 30, 3]),       # a tenth is enough
    ([(10, 4), (40, 4)], [10, 0, 30, 30]),         # moved into the picture
    ([(10, 98), (40, 98)], [10, 70, 30, 30]),
    ([(20, 5), (20, 95)], [0, 5, 50, 90]),         # cut to the picture
    ([(25, 50)], [14, 19, 22, 62]),                # the share of a usual garment of 50 x 100: 0.44 and 0.62
    ([(0, 0), (0, 0)], [0, 0, 22, 62]),
    ([(-10, 50)], [-10, 19, 32, 62]),              # the point itself is in it, even outside of the picture
    ([], [0, 0, 50, 100])])
def test_every_box_has_an_extent(points, box):
    assert box_of(np.array(points).reshape(-1, 2), (100, 50)) == tuple(box)


def test_a_labelled_point_can_be_matched(ours, tmp_path):
    """The OKS of COCO's evaluation, exp(-d^2 / (2 area (2 sigma)^2)), is above 0 for a point that is 2 pixels off."""
    table, root = ours
    write_rows(root / 'out.json', table, root)
    trousers = json.loads((root / 'out.json').read_text())['annotations'][1]
    assert trousers['num_keypoints'] == 1 and trousers['area'] == pytest.approx(17.6 * 37.2)
    assert np.exp(-2 ** 2 / (2 * trousers['area'] * (2 * 0.05) ** 2)) > 0.5
