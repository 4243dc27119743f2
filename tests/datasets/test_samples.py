"""Samples: images without repeats, the draw of the validation images, and the side that is left."""
import numpy as np
import pytest

from fashionai.datasets.notes import new_notes
from fashionai.datasets.samples import (
    Sample,
    csv_row,
    image_id,
    image_left_pairs,
    remove_duplicates,
    split_samples,
    usable,
)
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment, Garments


def sample(name, part='', category='skirt', keypoints=None):
    return Sample(name, category, csv_row({'crotch': (1, 2, 1)}) if keypoints is None else keypoints, part, (0, name))


def parts(samples):
    return {item.image_id: item.part for item in samples}


def test_a_row_has_rounded_points_in_their_columns_and_nothing_else():
    row = csv_row({'neckline_left': (3.5, 4.49, 1), 'bottom_right_out': (7, 8, 0), 'crotch': (9, 9, -1)})
    assert row.dtype == np.int32 and row[0].tolist() == [4, 4, 1] and row[23].tolist() == [7, 8, 0]
    assert (row[1:23] == -1).all()


@pytest.mark.parametrize('name, wanted', [
    ('a.jpg', 'Images/skirt/a.jpg'), ('set/a.jpg', 'Images/skirt/set_a.jpg'),
    ('Images/skirt/a.jpg', 'Images/skirt/a.jpg'),
    ('Images/dress/a.jpg', 'Images/skirt/Images_dress_a.jpg'), ('../../etc/a.jpg', 'Images/skirt/etc_a.jpg'),
    ('c:\\x\\a.jpg', 'Images/skirt/c:_x_a.jpg')])
def test_pictures_of_others_go_to_the_folder_of_their_type_and_nowhere_else(name, wanted):
    assert image_id('skirt', name) == wanted


def test_of_images_that_are_labelled_twice_the_first_stays_and_the_difference_is_told():
    first, moved = csv_row({'crotch': (1, 2, 1)}), csv_row({'crotch': (4, 6, 1)})
    hidden = csv_row({'crotch': (1, 2, 0)})
    notes = new_notes()
    kept = remove_duplicates([
        sample('a', keypoints=first), sample('a', 'val', keypoints=moved), sample('a', keypoints=first),
        sample('b', keypoints=first), sample('b', keypoints=hidden), sample('a', 'test_a')], notes)
    assert [(item.image_id, item.part) for item in kept] == [('a', ''), ('b', ''), ('a', 'test_a')]
    assert notes == {'images that are both in a validation list and in another one: the first row stays': ['a'],
                     'images labelled twice, with the same labels': ['a'],
                     'images labelled twice, with other labels: the first stay': [
                         'a (5 pixels at most)', 'b (in visibility alone)']}


def test_as_many_of_each_type_are_drawn_and_others_beside_them_do_not_matter():
    skirts, dresses = [sample(f's{i}') for i in range(40)], [sample(f'd{i}', category='dress') for i in range(20)]
    drawn = split_samples(skirts + dresses, 5, 400, seed=1)
    validation = {item.image_id for item in drawn if item.part == 'val'}
    assert len(drawn) == 60 and sum(name.startswith('s') for name in validation) == 5 and len(validation) == 10
    assert {item.part for item in drawn} == {'train', 'val'}
    again = split_samples(dresses + skirts[::-1], 5, 400, seed=1)
    assert validation == {item.image_id for item in again if item.part == 'val'}
    other = split_samples(skirts + dresses, 5, 400, seed=2)
    assert validation != {item.image_id for item in other if item.part == 'val'}


def test_the_draw_is_the_order_of_sha256():
    # printf 1:a | sha256sum, and so on: 41, 6f, b8 and 24 are the first digits for a, b, c and d
    assert parts(split_samples([sample(name) for name in 'abcd'], 1, 400, seed=1)) == {
        'a': 'train', 'b': 'train', 'c': 'train', 'd': 'val'}
    assert parts(split_samples([sample(name) for name in 'abcd'], 2, 400, seed=1)) == {
        'a': 'val', 'b': 'train', 'c': 'train', 'd': 'val'}


def test_shares_defaults_and_validation_rows_of_the_data_set_itself():
    samples = [sample(f's{i}') for i in range(30)]
    assert sum(item.part == 'val' for item in split_samples(samples, 0.1, 400, seed=1)) == 3
    assert sum(item.part == 'val' for item in split_samples(samples, None, 4, seed=1)) == 4
    assert all(item.part == 'train' for item in split_samples(samples, 0, 4, seed=1))
    own = samples + [sample('v', 'val'), sample('t', 'test_b')]
    given = parts(split_samples(own, None, 4, seed=1))
    assert given['v'] == 'val' and given['t'] == 'test_b' and list(given.values()).count('val') == 1
    assert list(parts(split_samples(own, 6, 4, seed=1)).values()).count('val') == 6
    with pytest.raises(InputError, match='--val 400: .*30 labelled images of skirt'):
        split_samples(samples, None, 400, seed=1)


def test_two_garments_of_a_type_in_a_picture_and_garments_without_labels_are_left_out():
    notes = new_notes()
    samples = [sample('a'), sample('b'), sample('a'), sample('c', keypoints=csv_row({}))]
    assert [item.image_id for item in usable(samples, notes)] == ['b']
    assert notes == {'pictures with several garments of one type, left out': ['a'],
                     'garments without a labelled keypoint, left out': ['c']}


def test_pairs_whose_left_is_the_left_of_the_image():
    rows = [{'armpit_left': (1, 0, 1), 'armpit_right': (5, 0, 0),
             'cuff_left_in': (9, 0, 1), 'cuff_right_in': (2, 0, 1)},
            {'armpit_left': (1, 0, 1), 'cuff_right_in': (5, 0, 0), 'crotch': (2, 2, 1)}]
    assert image_left_pairs([sample('a', keypoints=csv_row(row)) for row in rows], GARMENTS) == (1, 2)
    assert image_left_pairs([], GARMENTS) == (0, 0)


def test_pairs_of_an_own_table_are_those_that_change_places():
    names = ('eye_left', 'eye_right', 'logo_left')
    mask = Garment('mask', names, (names[:2],), names[:2], names, (('logo_left', 'logo_left'),))
    garments = Garments((mask,))
    row = csv_row({'eye_left': (1, 2, 1), 'eye_right': (5, 2, 1), 'logo_left': (9, 9, 1)}, garments)
    assert image_left_pairs([sample('a', keypoints=row)], garments) == (1, 1)
