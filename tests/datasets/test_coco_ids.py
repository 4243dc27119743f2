"""Ids of a COCO ground truth: pictures are found by the end of their paths, types by name."""
import json

import pytest

from fashionai.datasets.coco_ids import read_coco_ids
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS

SKIRT = ['waistband_left', 'waistband_right', 'hemline_left', 'hemline_right']
TRUTH = {'images': [{'id': 70, 'file_name': 'a.png'}, {'id': 5, 'file_name': './new/a.png'},
                    {'id': 6, 'file_name': 'set\\b.png'}],
         'categories': [{'id': 9, 'name': 'skirt', 'keypoints': SKIRT}, {'id': 2, 'name': 'hat'}]}


def saved(folder, content):
    (folder / 'truth.json').write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / 'truth.json'


def test_a_picture_has_the_id_of_the_longest_name_that_its_path_ends_with(tmp_path, monkeypatch):
    ids = read_coco_ids(saved(tmp_path, TRUTH), GARMENTS)
    assert ids.image_id('/x/a.png') == 70 and ids.image_id('/x/new/a.png') == 5 and ids.image_id('set/b.png') == 6
    (tmp_path / 'new').mkdir()
    monkeypatch.chdir(tmp_path / 'new')
    assert ids.image_id('a.png') == 5, 'the folder counts although the path does not name it'
    for path in ('/x/b.png', '/x/ba.png', '/x/new/c.png', '/x/a.png/c'):
        with pytest.raises(InputError, match=path):
            ids.image_id(path)
    ids.check(['/x/a.png', '/x/new/a.png'])
    with pytest.raises(InputError, match='/y/a.png .*/x/a.png .*70'):
        ids.check(['/x/a.png', '/y/a.png'])


def test_types_have_the_ids_of_the_categories_of_their_names_and_others_new_ones(tmp_path):
    ids = read_coco_ids(saved(tmp_path, TRUTH), GARMENTS)
    assert ids.categories == {'skirt': 9, 'blouse': 10, 'dress': 11, 'outwear': 12, 'trousers': 13}


@pytest.mark.parametrize('change, said', [
    ({'images': []}, 'images'), ({'images': {}}, 'images'), ({'categories': None}, 'categories'),
    ({'images': [{'id': 1}]}, 'image 0: file_name None'), ({'images': [{'file_name': 'a'}]}, 'image 0: id None'),
    ({'images': [3]}, 'image 0'),
    ({'images': [{'id': 1, 'file_name': 'a'}, {'id': 2, 'file_name': './a'}]}, "image 1: .*'a'"),
    ({'categories': [{'id': 1, 'name': 'skirt', 'keypoints': SKIRT[::-1]}]}, 'category skirt: keypoints'),
    ({'categories': [{'id': 1, 'name': 'hat'}, {'id': 2, 'name': 'hat'}]}, 'category 1'),
    ({'categories': [{'id': [1], 'name': 'hat'}]}, 'category 0: id')])
def test_faults_name_the_file_and_the_place(tmp_path, change, said):
    with pytest.raises(InputError, match=f'truth.json.*{said}'):
        read_coco_ids(saved(tmp_path, {**TRUTH, **change}), GARMENTS)


@pytest.mark.parametrize('text', ['[1]', '3', '{"images"', ''])
def test_what_is_no_coco_file_is_named(tmp_path, text):
    with pytest.raises(InputError, match='truth.json'):
        read_coco_ids(saved(tmp_path, text), GARMENTS)
