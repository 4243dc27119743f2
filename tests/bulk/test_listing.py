"""Lists of pictures: folders, lists, Parquet files and tars; their ids, their sums, and parts of them."""
import io
import json
import pickle
import tarfile
from pathlib import Path
from typing import List

import pytest

from fashionai.bulk.listing import Columns, Listing, Reader, checked_sum, list_pictures
from fashionai.bulk.places import Places
from fashionai.errors import InputError

pa = pytest.importorskip('pyarrow')
pq = pytest.importorskip('pyarrow.parquet')


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(Places(), str(tmp_path))


def ids(listing: Listing, reader: Reader) -> List[str]:
    return list(listing.ids(reader))


def write_tar(path: Path, names: List[str]) -> None:
    """Writes a shard: a picture and a text for each name."""
    with tarfile.open(str(path), 'w') as tar:
        for name in names:
            for ending, content in (('.jpg', f'picture {name}'), ('.json', json.dumps({'name': name}))):
                member = tarfile.TarInfo(name + ending)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))


def test_a_folder_has_its_pictures_by_their_paths_in_it(tmp_path: Path, reader: Reader) -> None:
    for name in ('b.jpg', 'a b/1.PNG', 'a b/notes.json', '.hidden.jpg', 'video.mp4'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'')
    listing = list_pictures([str(tmp_path)], Columns(), reader)
    assert ids(listing, reader) == ['a b/1.PNG', 'b.jpg']
    assert [row['path'] for row in listing.rows(reader)] == [str(tmp_path / 'a b/1.PNG'), str(tmp_path / 'b.jpg')]


def test_a_list_has_paths_from_the_working_directory_and_urls(tmp_path: Path, reader: Reader,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'list.txt').write_text('shop/1.jpg\n\nhttps://shop.example/2.jpg?x=1\n')
    listing = list_pictures(['list.txt'], Columns(), reader)
    assert list(listing.rows(reader)) == [{'id': 'shop/1.jpg', 'path': str(tmp_path / 'shop/1.jpg')},
                                          {'id': 'https://shop.example/2.jpg?x=1',
                                           'path': 'https://shop.example/2.jpg?x=1'}]


def test_tars_have_the_pictures_of_their_members(tmp_path: Path, reader: Reader) -> None:
    write_tar(tmp_path / '0.tar', ['x', 'y'])
    write_tar(tmp_path / '1.tar', ['x'])
    listing = list_pictures([str(tmp_path)], Columns(), reader)
    assert [(row['id'], row['bytes']) for row in listing.rows(reader)] == [
        ('0.tar/x.jpg', b'picture x'), ('0.tar/y.jpg', b'picture y'), ('1.tar/x.jpg', b'picture x')]
    assert [row['bytes'] for row in listing.slice(1, 3).rows(reader)] == [b'picture y', b'picture x']


@pytest.mark.parametrize('kind', ['bytes', 'struct', 'path'])
def test_parquet_has_bytes_or_paths(tmp_path: Path, reader: Reader, kind: str) -> None:
    values = {'bytes': [b'%d' % n for n in range(7)], 'path': [f'{n}.jpg' for n in range(7)],
              'struct': [{'bytes': b'%d' % n, 'path': None} for n in range(7)]}[kind]
    name = 'image' if kind == 'struct' else kind
    pq.write_table(pa.table({'id': list(range(10, 17)), name: values}), str(tmp_path / 'x.parquet'), row_group_size=3)
    listing = list_pictures([str(tmp_path / 'x.parquet')], Columns(), reader)
    rows = list(listing.slice(2, 6).rows(reader))
    assert [row['id'] for row in rows] == ['12', '13', '14', '15']
    if kind == 'path':
        assert [row['path'] for row in rows] == [str(tmp_path / f'{n}.jpg') for n in range(2, 6)]
    else:
        assert [row['bytes'] for row in rows] == [b'%d' % n for n in range(2, 6)]


def test_rows_of_parquet_without_ids_are_numbered(tmp_path: Path, reader: Reader) -> None:
    pq.write_table(pa.table({'bytes': [b'a', None, b'c']}), str(tmp_path / 'x.parquet'), row_group_size=2)
    listing = list_pictures([str(tmp_path)], Columns(), reader)
    assert list(listing.rows(reader)) == [{'id': 'x.parquet#0', 'bytes': b'a'}, {'id': 'x.parquet#1', 'path': None},
                                          {'id': 'x.parquet#2', 'bytes': b'c'}]


def test_columns_that_a_user_names(tmp_path: Path, reader: Reader) -> None:
    pq.write_table(pa.table({'key': ['k'], 'photo': ['p.jpg'], 'bytes': [b'']}), str(tmp_path / 'x.parquet'))
    listing = list_pictures([str(tmp_path)], Columns('key', 'photo'), reader)
    assert list(listing.rows(reader)) == [{'id': 'k', 'path': str(tmp_path / 'p.jpg')}]
    with pytest.raises(InputError, match='foto'):
        list_pictures([str(tmp_path)], Columns('key', 'foto'), reader)


def test_parts_in_any_order_are_the_whole_list_in_another_process_too(tmp_path: Path, reader: Reader) -> None:
    write_tar(tmp_path / 'a.tar', [f'{n:02}' for n in range(11)])
    pq.write_table(pa.table({'id': [f'r{n}' for n in range(20)], 'bytes': [b'%d' % n for n in range(20)]}),
                   str(tmp_path / 'b.parquet'), row_group_size=6)
    listing = list_pictures([str(tmp_path / 'a.tar'), str(tmp_path / 'b.parquet')], Columns(), reader)
    whole = list(listing.rows(reader))
    assert len(whole) == len(listing) == 31
    for start, stop in ((25, 31), (9, 14), (14, 25), (0, 9), (3, 4), (10, 10), (0, 31)):
        part = pickle.loads(pickle.dumps(listing.slice(start, stop)))
        assert list(part.rows(reader)) == whole[start:stop]
        assert [row['id'] for row in part.bare_rows(reader)] == [row['id'] for row in whole[start:stop]]


def test_the_sum_changes_with_ids_their_order_and_the_files_that_have_them(tmp_path: Path, reader: Reader) -> None:
    sums = []
    for name, lines in (('a', 'x.jpg\ny.jpg'), ('b', 'y.jpg\nx.jpg'), ('c', 'x.jpg'), ('d', 'x.jpg\ny.jpg\n')):
        (tmp_path / f'{name}.txt').write_text(lines)
        sums.append(checked_sum(list_pictures([str(tmp_path / f'{name}.txt')], Columns(), reader), reader))
    for names in (['x'], ['x', 'y']):
        write_tar(tmp_path / 'z.tar', names)
        sums.append(checked_sum(list_pictures([str(tmp_path / 'z.tar')], Columns(), reader), reader))
    assert sums[0] == sums[3] and len(set(sums)) == 5


def test_an_id_that_occurs_twice_is_named(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / 'list.txt').write_text('x.jpg\ny.jpg\nx.jpg')
    with pytest.raises(InputError, match=r'x\.jpg'):
        checked_sum(list_pictures([str(tmp_path / 'list.txt')], Columns(), reader), reader)


@pytest.mark.parametrize('name, content', [
    ('x.parquet', b'no parquet'), ('x.tar', b'no tar' * 200), ('x.txt', b'\xff\xfe\xff'), ('x.txt', b'\n'),
    ('x.docx', b''), ('none.parquet', None), ('none.txt', None), ('none', None)])
def test_what_is_no_list_is_named(tmp_path: Path, reader: Reader, name: str, content: bytes) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        list_pictures([str(tmp_path / name)], Columns(), reader)


def test_ids_that_are_null_are_refused_by_row(tmp_path: Path, reader: Reader) -> None:
    pq.write_table(pa.table({'id': ['a', None], 'bytes': [b'', b'']}), str(tmp_path / 'x.parquet'))
    with pytest.raises(InputError, match='row 1'):
        checked_sum(list_pictures([str(tmp_path)], Columns(), reader), reader)
