"""Folders and archives give the same names and bytes, and no path leads out of the destination."""
import os

import pytest

from fashionai.datasets.notes import new_notes
from fashionai.datasets.sources import Pictures, open_sources, scan
from fashionai.errors import InputError

FILES = {'a/Images/skirt/1.jpg': b'one', './a/list.csv': b'text', 'a/._list.csv': b'fork', '__MACOSX/a/x.csv': b'fork'}


def contents(source, wanted=lambda name: True):
    return dict(source.walk(wanted))


@pytest.mark.parametrize('kind', ['folder', 'tar', 'tar.gz', 'zip'])
def test_names_and_bytes_are_the_same_from_everything(made, tmp_path, kind):
    make = {'folder': made.folder, 'tar': made.tar, 'tar.gz': made.tar, 'zip': made.zip}[kind]
    source, = open_sources([make(tmp_path / f'set.{kind}', FILES, *(['w:gz'] if kind == 'tar.gz' else []))])
    assert contents(source) == {'a/Images/skirt/1.jpg': b'one', 'a/list.csv': b'text'}
    assert contents(source, lambda name: name.endswith('.csv')) == {'a/Images/skirt/1.jpg': None, 'a/list.csv': b'text'}
    assert (source.path('a/list.csv') is not None) == (kind == 'folder')


def test_archives_in_a_folder_are_sources_too_and_those_in_archives_are_named(made, tmp_path):
    inner = made.zip(tmp_path / 'inner.zip', {'x.csv': b''}).read_bytes()
    folder = made.folder(tmp_path / 'set', {'list.csv': b'text', 'Img/outer.zip': b''})
    made.zip(folder / 'Img/outer.zip', {'deep/inner.zip': inner})
    sources, notes = open_sources([folder]), new_notes()
    assert [source.label for source in sources] == ['set', 'outer.zip']
    assert {name for _, name, _ in scan(sources, lambda name: False, notes)} == {
        'list.csv', 'Img/outer.zip', 'deep/inner.zip'}
    assert list(notes.values()) == [['outer.zip: deep/inner.zip']]


def test_a_single_file_is_a_source_of_itself_alone(made, tmp_path):
    made.folder(tmp_path, {'answer.csv': b'text', 'other.csv': b'other'})
    assert contents(open_sources([tmp_path / 'answer.csv'])[0]) == {'answer.csv': b'text'}


def test_damaged_and_encrypted_archives_are_named(made, tmp_path):
    whole = made.tar(tmp_path / 'cut.tar.gz', {'a.jpg': bytes(range(256)) * 99}, 'w:gz')
    whole.write_bytes(whole.read_bytes()[:-60])
    with pytest.raises(InputError, match='cut.tar.gz: '):
        contents(open_sources([whole])[0])
    squeezed = made.tar(tmp_path / 'torn.tar.xz', {f'{i}.jpg': os.urandom(9999) for i in range(9)}, 'w:xz')
    data = bytearray(squeezed.read_bytes())
    data[50000:50099] = bytes(99)
    squeezed.write_bytes(bytes(data))
    with pytest.raises(InputError, match='torn.tar.xz: '):
        contents(open_sources([squeezed])[0])
    squeezed.unlink()
    locked = made.zip(tmp_path / 'locked.zip', {'a.jpg': b'one'})
    data = bytearray(locked.read_bytes())
    for signature, flags in ((b'PK\x03\x04', 6), (b'PK\x01\x02', 8)):  # the flag of an encrypted file
        data[data.index(signature) + flags] |= 1
    locked.write_bytes(bytes(data))
    with pytest.raises(InputError, match='locked.zip: encrypted'):
        contents(open_sources([locked])[0])
    locked.write_bytes(bytes(data[:40]))
    with pytest.raises(InputError, match='locked.zip: '):
        open_sources([tmp_path])


def test_links_to_folders_are_followed_once(made, tmp_path):
    made.folder(tmp_path, {'pictures/1.jpg': b'one', 'set/list.csv': b'text'})
    (tmp_path / 'set/Images').symlink_to(tmp_path / 'pictures')
    (tmp_path / 'pictures/back').symlink_to(tmp_path / 'set')
    assert contents(open_sources([tmp_path / 'set'])[0]) == {'list.csv': b'text', 'Images/1.jpg': b'one'}


def test_a_picture_is_found_by_the_end_of_its_name_the_nearest_first():
    pictures = Pictures()
    for number, name in ((0, 'train/image/1.jpg'), (0, 'val/image/1.jpg'), (1, 'val/image/1.jpg'),
                         (1, 'val/big_image/2.jpg')):
        pictures.add(number, name)
    assert pictures.find('image/1.jpg', 0, 'train/annos/1.json') == (0, 'train/image/1.jpg')
    assert pictures.find('image/1.jpg', 0, 'val/annos/1.json') == (0, 'val/image/1.jpg')
    assert pictures.find('image/1.jpg', 1, 'train/annos/1.json') == (1, 'val/image/1.jpg')
    assert pictures.find('image/2.jpg', 1, 'val/annos/2.json') is None, 'a folder is matched whole'


@pytest.mark.parametrize('kind, mode', [('tar', 'w'), ('tar.gz', 'w:gz'), ('tar.bz2', 'w:bz2'), ('tar.xz', 'w:xz')])
def test_an_archive_that_is_cut_off_anywhere_is_named(made, tmp_path, kind, mode):
    path = made.tar(tmp_path / f'cut.{kind}', {f'{i}.jpg': os.urandom(3000) for i in range(3)}, mode)
    whole = path.read_bytes()
    for length in (0, 1, 9, 12, 19, 100, 600, 4000, 9000):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=f'cut.{kind}: '):
            contents(open_sources([path])[0])
