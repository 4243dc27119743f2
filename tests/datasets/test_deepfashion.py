"""Reads the landmarks of DeepFashion and of DeepFashion2 in their own file formats."""
import json

import numpy as np
import pytest

from fashionai.datasets.deepfashion import read_deepfashion
from fashionai.datasets.deepfashion2 import read_deepfashion2
from fashionai.datasets.keypoint_mapping import DEEPFASHION2, FLD_KEYPOINTS, FLD_LANDMARKS
from fashionai.datasets.notes import new_notes
from fashionai.datasets.sources import open_sources
from fashionai.errors import InputError
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, mirror_name

COLUMNS = 'image_name  clothes_type  variation_type  ' + '  '.join(
    f'landmark_visibility_{i} landmark_location_x_{i} landmark_location_y_{i}' for i in range(1, 9))
LANDMARKS = f"""4
{COLUMNS}
img/img_1.jpg  1  1  0 010 020  1 030 020  0 005 050  2 000 000  0 012 080  0 028 081
img/img_2.jpg  2  1  0 010 020  0 030 020  0 005 050  0 035 050
img/img_3.jpg  3  4  0 010 020  0 030 020  0 005 050  0 035 050  0 011 060  1 029 060  0 009 090  0 031 091
img/set/img_4.jpg  1  1  2 000 000  2 000 000  0 005 050  2 000 000  2 000 000  2 000 000
"""
PARTITION = '4\nimage_name  evaluation_status\nimg/img_1.jpg  train\nimg/img_2.jpg val\nimg/img_3.jpg test\n'


def named(keypoints):
    return {name: tuple(point) for name, point in zip(CSV_KEYPOINTS, keypoints.tolist()) if point[2] != -1}


@pytest.fixture
def deepfashion(made, tmp_path):
    folder = made.folder(tmp_path / 'fld', {'Anno/list_landmarks.txt': LANDMARKS,
                                            'Eval/list_eval_partition.txt': PARTITION, 'Img/img.zip': b''})
    made.zip(folder / 'Img/img.zip', {'img/img_1.jpg': made.picture(), 'img/img_3.jpg': made.picture()})
    return open_sources([folder])


def test_landmarks_of_upper_and_full_body_clothes(deepfashion):
    notes = new_notes()
    blouse, dress = read_deepfashion(deepfashion, 'blouse', None, notes).samples
    assert (blouse.image_id, blouse.category, blouse.part) == ('Images/blouse/img_1.jpg', 'blouse', 'train')
    assert blouse.picture == (1, 'img/img_1.jpg')
    assert named(blouse.keypoints) == {'neckline_left': (10, 20, 1), 'neckline_right': (30, 20, 0),
                                       'top_hem_left': (12, 80, 1), 'top_hem_right': (28, 81, 1)}
    assert (dress.image_id, dress.part) == ('Images/dress/img_3.jpg', 'test')
    assert named(dress.keypoints) == {
        'neckline_left': (10, 20, 1), 'neckline_right': (30, 20, 1), 'waistline_left': (11, 60, 1),
        'waistline_right': (29, 60, 0), 'hemline_left': (9, 90, 1), 'hemline_right': (31, 91, 1)}
    assert [names for what, names in notes.items() if '--lower' in what] == [['img/img_2.jpg']]
    assert notes['garments without a labelled keypoint, left out'] == ['Images/blouse/set_img_4.jpg']


@pytest.mark.parametrize('lower, hems', [('skirt', ('hemline_left', 'hemline_right')),
                                         ('trousers', ('bottom_left_out', 'bottom_right_out'))])
def test_the_user_says_what_other_clothes_are(deepfashion, lower, hems):
    coat, bottom, _ = read_deepfashion(deepfashion, 'outwear', lower, new_notes()).samples
    assert coat.image_id == 'Images/outwear/img_1.jpg' and bottom.category == lower and bottom.picture is None
    assert named(bottom.keypoints) == {'waistband_left': (10, 20, 1), 'waistband_right': (30, 20, 1),
                                       hems[0]: (5, 50, 1), hems[1]: (35, 50, 1)}


@pytest.mark.parametrize('row, message', [
    ('img/a.jpg 4 1 0 1 1', "row 3, column clothes_type: '4'"), ('img/a.jpg 1 1 0 1 1', 'row 3: landmark 2'),
    ('img/a.jpg 1 1 ' + '0 1 9999999 ' * 6, 'row 3: neckline_left: x 1, y 9999999'),
    ('img/a.jpg 1 1 7 1 1', 'row 3: landmark 1'), ('img/a.jpg', 'row 3: 1 .*clothes_type')])
def test_malformed_landmarks_are_named(made, tmp_path, row, message):
    folder = made.folder(tmp_path / 'fld', {'list_landmarks.txt': f'1\n{COLUMNS}\n{row}\n'})
    with pytest.raises(InputError, match=f'fld: list_landmarks.txt, {message}'):
        read_deepfashion(open_sources([folder]), 'blouse', None, new_notes())
    made.folder(folder, {'list_landmarks.txt': 'img/a.jpg 1'})
    with pytest.raises(InputError, match='list_landmarks.txt.*row 1.*image_name.*row 2'):
        read_deepfashion(open_sources([folder]), 'blouse', None, new_notes())


def item(category, *missing, x=lambda number: 10 * number):
    """Returns a garment whose landmark n is at (10 n, n), visible if n is even and occluded if n is odd."""
    numbers = range(1, DEEPFASHION2[category].landmarks + 1)
    return {'category_id': category, 'landmarks': [value for n in numbers for value in (
        (0, 0, 0) if n in missing else (x(n), n, 2 - n % 2))]}


def test_garments_of_deepfashion2(made, tmp_path):
    annotation = {'source': 'user', 'pair_id': 1, 'item1': item(1, 4), 'item2': item(8), 'item3': item(9),
                  'item4': item(9)}
    folder = made.folder(tmp_path / 'df2', {
        'train/annos/000001.json': json.dumps(annotation), 'train/image/000001.jpg': made.picture(),
        'validation/annos/000001.json': json.dumps({'item1': item(12)}), 'validation/image/000001.jpg': made.picture()})
    notes = new_notes()
    top, trousers, dress = read_deepfashion2(open_sources([folder]), notes).samples
    assert (top.image_id, top.part, top.picture) == (
        'Images/blouse/train_000001.jpg', 'train', (0, 'train/image/000001.jpg'))
    assert (dress.image_id, dress.part, dress.picture) == (
        'Images/dress/validation_000001.jpg', 'val', (0, 'validation/image/000001.jpg'))
    assert named(top.keypoints) == {
        'neckline_left': (20, 2, 1), 'neckline_right': (60, 6, 1), 'shoulder_left': (70, 7, 0),
        'shoulder_right': (250, 25, 0), 'armpit_left': (120, 12, 1), 'armpit_right': (200, 20, 1),
        'cuff_left_out': (90, 9, 0), 'cuff_left_in': (100, 10, 1), 'cuff_right_in': (220, 22, 1),
        'cuff_right_out': (230, 23, 0), 'top_hem_left': (150, 15, 0), 'top_hem_right': (170, 17, 0)}
    assert named(trousers.keypoints)['crotch'] == (90, 9, 0)
    assert named(dress.keypoints)['hemline_right'] == (140, 14, 1) and len(named(dress.keypoints)) == 11
    assert notes['pictures with several garments of one type, left out'] == ['Images/skirt/train_000001.jpg']


@pytest.mark.parametrize('item, said', [
    ({'category_id': 1, 'landmarks': [1, 2]}, 'landmarks [1, 2]'), ({'category_id': 9, 'landmarks': None}, 'None'),
    ({'category_id': 9, 'landmarks': ['x', 1, 2] + [0] * 21}, "waistband_left: x 'x'"),
    ({'category_id': 9, 'landmarks': [float('nan'), 1, 2] + [0] * 21}, 'waistband_left: x nan'),
    ({'category_id': 9, 'landmarks': [1e9, 1, 2] + [0] * 21}, 'waistband_left: x 1000000000.0'),
    ({'category_id': 9, 'landmarks': [1, 1, 1.7] + [0] * 21}, 'visibility 1.7'),
    ({'category_id': 9, 'landmarks': [1, 1, [2]] + [0] * 21}, 'visibility [2]'),
    ({'category_id': 14, 'landmarks': []}, 'category_id 14'), ({'category_id': [9]}, 'category_id [9]'),
    ({'category_id': '9'}, "category_id '9'"), ({}, 'category_id None'), (7, 'category_id None')])
def test_an_item_with_odd_values_is_named_and_left_out_and_the_others_stay(made, tmp_path, item, said):
    good = {'category_id': 9, 'landmarks': [5, 6, 2.0] + [0] * 21}
    folder = made.folder(tmp_path / 'df2', {'annos/000001.json': json.dumps({'item1': item, 'item2': good})})
    notes = new_notes()
    sample, = read_deepfashion2(open_sources([folder]), notes).samples
    assert named(sample.keypoints) == {'waistband_left': (5, 6, 1)}
    left_out, = notes['garments with odd values, left out']
    assert left_out.startswith('df2: annos/000001.json, item1 ') and said in left_out


@pytest.mark.parametrize('text', ['no JSON', '[1]', '{"item1": ' + '[' * 99999, '\xff', '{"item1": 1, "item1": 2}'])
def test_a_file_that_is_no_annotation_is_named_and_left_out(made, tmp_path, text):
    good = {'item1': {'category_id': 9, 'landmarks': [5, 6, 2] + [0] * 21}}
    folder = made.folder(tmp_path / 'df2', {'annos/000001.json': text.encode('latin-1'),
                                            'annos/000002.json': json.dumps(good)})
    notes = new_notes()
    assert len(read_deepfashion2(open_sources([folder]), notes).samples) == 1
    assert 'annos/000001.json' in notes['annotations that are not JSON objects, left out'][0]


# The landmarks of each category that change places when a picture is mirrored lie symmetrically in its order: 2 and 6,
# 3 and 5 around the neck, then the first of the rest and the last, and so on; the waistband is 1 to 3.
@pytest.mark.parametrize('number', DEEPFASHION2)
def test_left_and_right_are_mirror_images_in_the_order_of_landmarks(number):
    category = DEEPFASHION2[number]
    first = 4 if category.garment in ('skirt', 'trousers') else 7
    last = category.landmarks if number not in (3, 4) else category.landmarks - 6  # the last of outwear: front edges
    around = 4 if first == 4 else 8
    for name, landmark in category.numbers.items():
        assert name in GARMENTS[category.garment].keypoints and 1 <= landmark <= last
        mirrored = category.numbers.get(mirror_name(name))
        if mirrored and mirrored != landmark:
            assert landmark + mirrored == (around if landmark < first else first + last), name
        else:
            assert name in ('center_front', 'crotch') or number == 3


def test_real_landmarks_lie_as_the_table_says():
    """Some landmarks of the first garment of DeepFashion2's training set, a short sleeve top; see docs/data.md."""
    landmarks = {2: (45, 91), 6: (257, 35), 9: (47, 447), 10: (151, 401), 12: (129, 328), 20: (348, 138),
                 22: (372, 197), 23: (433, 137)}
    at = {name: np.array(landmarks[number]) for name, number in DEEPFASHION2[1].numbers.items() if number in landmarks}
    for left, right in (('neckline_left', 'neckline_right'), ('armpit_left', 'armpit_right'),
                        ('cuff_left_out', 'cuff_right_out')):
        assert at[left][0] < at[right][0]
    for side in ('left', 'right'):  # the inner end of a cuff is nearer to the armpit
        distances = [np.hypot(*(at[f'cuff_{side}_{end}'] - at[f'armpit_{side}'])) for end in ('in', 'out')]
        assert distances[0] < distances[1]


def test_every_counterpart_is_a_keypoint_of_its_type():
    known = {name for names in FLD_LANDMARKS.values() for name in names}
    for tag, flipped_keypoints in FLD_KEYPOINTS.items():
        assert set(flipped_keypoints) <= known and set(flipped_keypoints.values()) <= set(GARMENTS[tag].keypoints)
        assert all(theirs.split()[0] in ours.split('_') for theirs, ours in flipped_keypoints.items())
