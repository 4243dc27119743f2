"""Calls prepare.py: it reads archives and writes the folders of train.py and run.py."""
import json
import os

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations, read_test_list
from fashionai.cli import prepare
from fashionai.datasets import sources, tree_writer
from fashionai.datasets.formats import WRITABLE
from fashionai.datasets.pictures import picture_fault
from fashionai.errors import InputError
from fashionai.files import locked

IDS = [f'Images/skirt/{i:032x}.jpg' for i in range(12)]


@pytest.fixture
def source(made, tmp_path):
    """Ten labelled skirts and a test list of two, as an archive and as a folder."""
    rows = [made.row(name, 'skirt', hemline_left=f'{i}_2_1', hemline_right='30_2_1') for i, name in enumerate(IDS[:10])]
    files = {'train/Annotations/train.csv': made.table(*rows),
             'test_b/test.csv': made.table(*(f'{name},skirt' for name in IDS[10:]), top=made.start)}
    files.update({f'train/{name}': made.picture(i) for i, name in enumerate(IDS[:10])})
    files.update({f'test_b/{name}': made.picture(99) for name in IDS[10:]})
    return made.tar(tmp_path / 'set.tar', files), made.folder(tmp_path / 'set', files)


@pytest.mark.parametrize('kind, link', [(0, False), (1, False), (1, True)])
def test_the_tree_is_that_of_training_and_testing(finish, source, tmp_path, kind, link):
    out = tmp_path / 'data'
    told = finish(prepare.main, 'fashionai', source[kind], '--output', out, '--val', 3, *(['--link'] if link else []))
    train, val = (read_annotations(out / 'train' / f'{name}.csv') for name in ('train', 'val'))
    assert len(train) == 7 and len(val) == 3 and set(train.image_ids + val.image_ids) == set(IDS[:10])
    for row, name in enumerate(train.image_ids):
        assert train.keypoints[row, 17].tolist() == [IDS.index(name), 2, 1]
        assert (out / 'train' / name).read_bytes() == (source[1] / 'train' / name).read_bytes()
        assert os.path.samefile(str(out / 'train' / name), str(source[1] / 'train' / name)) == link
    assert read_test_list(out / 'test_b/test.csv').image_ids == tuple(IDS[10:])
    assert (out / 'test_b' / IDS[10]).is_file() and not list(out.rglob('*.tmp'))
    assert '"left" is on the left of the image in 100.0 % of 10 pairs' in told
    counts = json.loads((out / 'prepared.json').read_text())['images']
    assert counts == {'train/train.csv': {'skirt': 7}, 'train/val.csv': {'skirt': 3}, 'test_b/test.csv': {'skirt': 2}}


def test_missing_and_faulty_pictures_are_left_out_and_named(finish, made, source, tmp_path):
    (source[1] / 'train' / IDS[0]).unlink()
    noise = cv2.imencode('.jpg', np.random.RandomState(0).randint(0, 255, (60, 40, 3)).astype(np.uint8))[1].tobytes()
    (source[1] / 'train' / IDS[1]).write_bytes(noise[:len(noise) * 3 // 4])
    (source[1] / 'train' / IDS[2]).write_bytes(b'no picture')
    (source[1] / 'train' / IDS[9]).write_bytes(made.picture(width=8))
    told = finish(prepare.main, 'fashionai', source[1], '--output', tmp_path / 'data', '--val', 0)
    assert f'1 images without a picture in the sources, left out: {IDS[0]}' in told
    assert f'2 faulty pictures, left out: set: train/{IDS[1]} (cut off' in told
    assert f', set: train/{IDS[2]} (not a picture' in told
    assert f'1 images with labels outside of their picture, kept: {IDS[9]}' in told
    assert set(read_annotations(tmp_path / 'data/train/train.csv').image_ids) == set(IDS[3:10])
    notes = json.loads((tmp_path / 'data/prepared.json').read_text())['notes']
    assert notes['images without a picture in the sources, left out'] == [IDS[0]]


def test_a_test_list_stays_whole_for_submissions(finish, source, tmp_path):
    (source[1] / 'test_b' / IDS[10]).write_bytes(b'no picture')
    told = finish(prepare.main, 'fashionai', source[1], '--output', tmp_path / 'data', '--val', 0)
    assert f'1 images of test lists that have no good picture, kept for submissions: {IDS[10]}' in told
    assert read_test_list(tmp_path / 'data/test_b/test.csv').image_ids == tuple(IDS[10:])
    assert not (tmp_path / 'data/test_b' / IDS[10]).exists()
    (source[1] / 'test_b' / IDS[11]).unlink()
    told = finish(prepare.main, 'fashionai', source[1], '--output', tmp_path / 'data', '--val', 0, '--overwrite')
    assert f'1 images without a picture in the sources, left out: {IDS[11]}' in told and 'kept for' not in told


def test_a_list_with_repeated_images_is_refused_and_the_way_out_makes_one_that_is_read(finish, made, tmp_path):
    image = 'Images/skirt/a.jpg'
    lines = [made.row(image, 'skirt', hemline_left=cell) for cell in ('5_6_1', '9_9_1')]
    folder = made.folder(tmp_path / 'set', {'train.csv': made.table(*lines), image: made.picture()})
    with pytest.raises(InputError, match='row 3: .*a.jpg.* row 2.*prepare.py fashionai'):
        read_annotations(folder / 'train.csv')
    finish(prepare.main, 'fashionai', folder, '--output', tmp_path / 'data', '--val', 0)
    rows = read_annotations(tmp_path / 'data/train/train.csv')
    assert rows.image_ids == (image,) and rows.keypoints[0, 17].tolist() == [5, 6, 1]


def test_a_look_writes_nothing(finish, source, tmp_path):
    told = finish(prepare.main, 'fashionai', source[0], '--output', tmp_path / 'data', '--val', 0.2, '--check')
    assert 'nothing is written' in told and not (tmp_path / 'data').exists()


def test_an_interrupted_run_goes_on_and_a_finished_one_is_not_overwritten(finish, made, source, tmp_path):
    out = tmp_path / 'data'
    made.folder(out / 'train', {IDS[0]: b'mine', IDS[1] + '.tmp': b'half'})
    told = finish(prepare.main, 'fashionai', source[0], '--output', out, '--val', 3)
    assert (out / 'train' / IDS[0]).read_bytes() == b'mine'
    assert f'1 pictures that were there already, with other content: kept: {out / "train" / IDS[0]}' in told
    assert not list(out.rglob('*.tmp'))
    before = (out / 'train/train.csv').read_bytes()
    told = finish(prepare.main, 'fashionai', source[0], '--output', out, '--val', 4, code=1)
    assert f'{out / "test_b/test.csv"} ' in told and '--overwrite' in told
    assert (out / 'train/train.csv').read_bytes() == before
    for _ in range(2):
        finish(prepare.main, 'fashionai', source[1], '--output', out, '--val', 4, '--overwrite', '--link')
    assert len(read_annotations(out / 'train/val.csv')) == 4 and not list(out.rglob('*.tmp'))
    assert (out / 'train' / IDS[0]).read_bytes() == made.picture(0)


def test_after_an_interruption_the_same_command_makes_the_same_tree(finish, source, tmp_path, monkeypatch):
    looked = []

    def broken_off(data, name):
        looked.append(data)
        if len(looked) == 6:
            raise KeyboardInterrupt
        return picture_fault(data, name)

    arguments = ['fashionai', source[0], '--val', 3, '--output']
    with monkeypatch.context() as patch:
        patch.setattr(tree_writer, 'picture_fault', broken_off)
        finish(prepare.main, *arguments, tmp_path / 'data', code=130)
    assert len(list((tmp_path / 'data').rglob('*.jpg'))) == 5 and not list((tmp_path / 'data').rglob('*.csv'))
    for folder in ('data', 'at_once'):
        finish(prepare.main, *arguments, tmp_path / folder)
    trees = [{path.relative_to(root): path.read_bytes() for path in root.rglob('*') if path.is_file()}
             for root in (tmp_path / 'data', tmp_path / 'at_once')]
    assert trees[0] == trees[1] and len(trees[0]) == 12 + 3 + 1


@pytest.mark.parametrize('arguments, message', [
    (['fashionai', 'nothing.tar'], 'nothing.tar'), (['fashionai', 'empty'], 'empty'),
    (['fashionai', 'set.tar', '--val', '1.5'], '1.5'), (['fashionai', 'set.tar', '--val', '10'], '--val 10'),
    (['fashionai', 'set', '--output', 'set/data'], 'set/data'),
    (['deepfashion', 'set'], 'list_landmarks.txt'), (['deepfashion2', 'set'], 'annos/'), (['coco', 'set'], 'JSON')])
def test_refusals(finish, source, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    output = [] if '--output' in arguments else ['--output', 'data']
    assert message in finish(prepare.main, *arguments, *output, code=2 if '1.5' in arguments else 1)


def test_to_coco_and_back(finish, source, tmp_path):
    finish(prepare.main, 'fashionai', source[0], '--output', tmp_path / 'data', '--val', 0)
    labels, skirts = tmp_path / 'data/train/train.csv', tmp_path / 'coco/skirts.json'
    finish(prepare.main, 'to-coco', '--csv', labels, '--output', skirts)
    finish(prepare.main, 'coco', skirts, source[1], '--output', tmp_path / 'again', '--val', 0)
    first, second = (read_annotations(tmp_path / name / 'train/train.csv') for name in ('data', 'again'))
    assert len(second) == 10 and second.image_ids == first.image_ids
    np.testing.assert_array_equal(first.keypoints, second.keypoints)


def test_to_coco_and_back_with_an_own_table(finish, made, tmp_path):
    ends = ['toe', 'heel']
    table = {'types': {'shoe': {'keypoints': ends, 'limbs': [ends], 'normaliser': ends}}}
    rows = [f'Images/shoe/{i}.jpg,shoe,1_{i}_1,9_8_0' for i in range(4)]
    labels = '\n'.join(['image_id,image_category,toe,heel', *rows, ''])
    pictures = {f'Images/shoe/{i}.jpg': made.picture() for i in range(4)}
    root = made.folder(tmp_path / 'shoes', {'my.json': json.dumps(table), 'train.csv': labels, **pictures})
    own, coco = ['--garments', root / 'my.json'], tmp_path / 'shoes.json'
    finish(prepare.main, 'to-coco', '--csv', root / 'train.csv', '--output', coco, *own)
    told = finish(prepare.main, 'coco', coco, root, '--output', tmp_path / 'again', '--val', 1, *own)
    assert 'shoe       all' in told and 'pairs' not in told
    lines = [(tmp_path / f'again/train/{name}.csv').read_text().splitlines() for name in ('train', 'val')]
    assert [lines[0][0], *sorted(lines[0][1:] + lines[1][1:])] == labels.splitlines()
    told = finish(prepare.main, 'coco', coco, root / 'Images', '--check', *own, '--val', 0, code=1)
    assert '4 pictures without a row, left out: Images: shoe/0.jpg; 4 images without a picture' in told
    assert "column 3 of the header is 'toe', wanted 'neckline_left'" in finish(
        prepare.main, 'to-coco', '--csv', root / 'train.csv', '--output', coco, code=1)


@pytest.mark.parametrize('name', [name for name in WRITABLE if name != 'coco'])
def test_to_a_format_and_from_it(finish, source, tmp_path, name):
    finish(prepare.main, 'from', 'fashionai', source[0], '--output', tmp_path / 'data', '--val', 1)
    lists = [tmp_path / f'data/train/{part}.csv' for part in ('train', 'val')]
    finish(prepare.main, 'to', name, '--csv', *lists, '--output', tmp_path / 'theirs')
    finish(prepare.main, 'from', name, tmp_path / 'theirs', tmp_path / 'data', '--output', tmp_path / 'again')
    for path in lists:
        first, second = (read_annotations(place) for place in (path, tmp_path / 'again/train' / path.name))
        assert len(first) == len(second)
        if name != 'deepfashion2':  # whose pictures have numbers
            order = [second.image_ids.index(image_id) for image_id in first.image_ids]
            np.testing.assert_array_equal(first.keypoints, second.keypoints[order])
    told = finish(prepare.main, 'to', name, '--csv', lists[0], '--output', tmp_path / 'theirs', code=1)
    assert str(tmp_path / 'theirs') in told and '--overwrite' in told
    finish(prepare.main, 'to', name, '--csv', lists[0], '--output', tmp_path / 'theirs', '--overwrite')


def test_a_folder_that_is_written_has_everything_inside(finish, made, source, tmp_path):
    labels = source[1] / 'train/train.csv'
    labels.write_text(made.table(made.row('../train/' + IDS[0], 'skirt', hemline_left='1_2_1'),
                                 made.row(str(source[1] / 'train' / IDS[1]), 'skirt', hemline_left='1_2_1')))
    finish(prepare.main, 'to', 'labelme', '--csv', labels, '--output', tmp_path / 'x/out', '--allow-outside')
    assert len(list((tmp_path / 'x/out').rglob('*.jpg'))) == len(list((tmp_path / 'x').rglob('*.jpg'))) == 2
    assert not list(source[1].rglob('*.json'))


def test_several_lists_become_one_coco_file_and_no_image_twice(finish, source, tmp_path):
    finish(prepare.main, 'fashionai', source[0], '--output', tmp_path / 'data', '--val', 1)
    lists = [tmp_path / f'data/train/{part}.csv' for part in ('train', 'val')]
    finish(prepare.main, 'to', 'coco', '--csv', *lists, '--output', tmp_path / 'all.json')
    assert len(json.loads((tmp_path / 'all.json').read_text())['images']) == 10
    told = finish(prepare.main, 'to', 'coco', '--csv', lists[0], lists[0], '--output', tmp_path / 'all.json', code=1)
    assert told.count('Images/') >= 1 and told.strip().splitlines()[-1].startswith('error: ')


def test_an_error_has_a_line_of_its_own(finish, source, tmp_path):
    (tmp_path / 'taken').write_text('')
    arguments = ['fashionai', source[0], '--val', 1, '--output', tmp_path / 'taken']
    assert '\nerror: ' in finish(prepare.main, *arguments, code=1)


def test_what_is_wrong_with_a_picture(made):
    assert picture_fault(made.picture(width=30, height=20), 'a') == ((20, 30), '')
    assert picture_fault(b'', 'a') == (None, 'empty')


ATTRIBUTES = 'Images/skirt_length_labels/1.jpg,skirt_length_labels,nnynn\nImages/skirt_length_labels/2.jpg,x_labels,y\n'


def test_the_contests_attribute_data_are_named_for_what_they_are(finish, made, source, tmp_path):
    folder = made.folder(tmp_path / 'base', {'Annotations/label.csv': ATTRIBUTES,
                                             'Images/skirt_length_labels/1.jpg': made.picture()})
    told = finish(prepare.main, 'fashionai', folder, '--output', tmp_path / 'data', code=1)
    assert 'attribute' in told and 'base: Annotations/label.csv' in told
    told = finish(prepare.main, 'fashionai', folder, source[0], '--output', tmp_path / 'data', '--val', 0)
    assert 'attribute' in told and len(read_annotations(tmp_path / 'data/train/train.csv')) == 10


def test_a_csv_file_of_another_kind_is_named(finish, made, source, tmp_path):
    folder = made.folder(tmp_path / 'more', {'notes.csv': 'a,b\n1,2\n'})
    told = finish(prepare.main, 'fashionai', source[0], folder, '--output', tmp_path / 'data', '--val', 0)
    assert 'more: notes.csv' in told


def test_validation_images_that_are_training_images_are_named(finish, made, tmp_path):
    rows = [made.row(name, 'skirt', hemline_left='1_2_1') for name in IDS[:3]]
    folder = made.folder(tmp_path / 'set', {
        'train.csv': made.table(rows[0], rows[1]), 'val.csv': made.table(rows[1], rows[2]),
        IDS[0]: made.picture(50), IDS[1]: made.picture(60), IDS[2]: made.picture(50)})
    told = finish(prepare.main, 'fashionai', folder, '--output', tmp_path / 'data')
    assert f'1 images that are both in a validation list and in another one: the first row stays: {IDS[1]}' in told
    assert f'training pictures too, under another id: {IDS[2]} ({IDS[0]})' in told


def test_labels_that_cannot_teach_or_be_measured_by_are_named(finish, made, tmp_path):
    rows = [made.row(IDS[0], 'skirt', waistband_left='5_6_1', waistband_right='5_6_1'), made.row(IDS[1], 'skirt'),
            made.row(IDS[2], 'skirt', waistband_left='5_6_1', waistband_right='6_6_1')]
    pictures = {name: made.picture() for name in IDS[:3]}
    folder = made.folder(tmp_path / 'set', {'train.csv': made.table(*rows), **pictures})
    finish(prepare.main, 'fashionai', folder, '--output', tmp_path / 'data', '--val', 0)
    notes = json.loads((tmp_path / 'data/prepared.json').read_text())['notes']
    assert notes['images whose normaliser has no length: their error cannot be measured'] == [IDS[0]]
    assert notes['images without a labelled keypoint, kept'] == [IDS[1]]


def test_a_zip_bomb_is_refused_in_one_line(finish, made, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, 'LARGEST_FILE', 1 << 20)
    for name, make in (('bomb.tar.gz', lambda path, files: made.tar(path, files, 'w:gz')), ('bomb.zip', made.zip)):
        path = make(tmp_path / name, {'train.csv': bytes((1 << 20) + 1)})
        told = finish(prepare.main, 'fashionai', path, '--check', code=1)
        assert f'{path}: train.csv has 1048577 bytes' in told.splitlines()[-1]
    folder = made.folder(tmp_path / 'set', {'labels.json': bytes((1 << 20) + 1)})
    assert 'labels.json has 1048577 bytes' in finish(prepare.main, 'coco', folder, '--check', code=1)


def test_labels_nested_too_deep_are_one_line(finish, made, tmp_path):
    folder = made.folder(tmp_path / 'set', {'labels.json': '[' * 100000 + ']' * 100000})
    told = finish(prepare.main, 'coco', folder, '--check', code=1)
    assert 'set: labels.json' in told and 'deep' in told.splitlines()[-1]


def test_to_coco_reads_ids_with_backslashes_and_none_that_lead_out(finish, made, source, tmp_path):
    labels = source[1] / 'train/train.csv'
    labels.write_text(made.table(made.row(IDS[0].replace('/', '\\'), 'skirt', hemline_left='1_2_1')))
    finish(prepare.main, 'to-coco', '--csv', labels, '--output', tmp_path / 'out.json')
    assert json.loads((tmp_path / 'out.json').read_text())['images'][0]['file_name'] == IDS[0]
    labels.write_text(made.table(made.row('../train/' + IDS[0], 'skirt', hemline_left='1_2_1')))
    told = finish(prepare.main, 'to-coco', '--csv', labels, '--output', tmp_path / 'out.json', code=1)
    assert f'{labels}, row 2' in told
    finish(prepare.main, 'to-coco', '--csv', labels, '--output', tmp_path / 'out.json', '--allow-outside')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes with a name')
def test_pipes_and_links_in_a_circle_are_named_and_not_read(finish, source, tmp_path):
    folder = source[1] / 'train'
    os.mkfifo(str(folder / 'labels.csv'))
    (folder / IDS[0]).unlink()
    os.mkfifo(str(folder / IDS[0]))
    os.symlink('..', str(folder / 'back'))
    os.symlink('itself.csv', str(folder / 'itself.csv'))
    told = finish(prepare.main, 'fashionai', source[1], '--output', tmp_path / 'data', '--val', 0)
    assert f'images without a picture in the sources, left out: {IDS[0]}' in told
    notes = json.loads((tmp_path / 'data/prepared.json').read_text())['notes']['names that are not read']
    assert sorted(notes) == sorted([
        f'set: train/{IDS[0]} (a pipe, not a file)', 'set: train/labels.csv (a pipe, not a file)',
        'set: train/back (a link that leads back to a folder above it)',
        'set: train/itself.csv (a link that leads back to itself)'])
    assert 'a pipe' in finish(prepare.main, 'coco', folder / 'labels.csv', '--output', tmp_path / 'other', code=1)


def test_the_second_prepare_on_an_output_is_refused(finish, source, tmp_path):
    arguments = ['fashionai', source[0], '--val', 3, '--output', tmp_path / 'data']
    with locked(tmp_path / 'data', 'prepare.py'):
        assert f'process {os.getpid()}' in finish(prepare.main, *arguments, code=1)
        finish(prepare.main, *arguments, '--check')
    finish(prepare.main, *arguments)
    assert not list(tmp_path.glob('.*'))
