"""Reads and writes the CSV files."""
from pathlib import Path
from typing import Sequence

import numpy as np
import pytest

from fashionai.annotations import (
    Annotations,
    SubmissionWriter,
    format_row,
    header,
    image_path,
    read_annotations,
    read_test_list,
    write_annotations,
)
from fashionai.errors import InputError

ABSENT = '-1_-1_-1'
TOP = 'image_id,image_category,neckline_left,neckline_right,center_front,shoulder_left,shoulder_right,armpit_left,' \
      'armpit_right,waistline_left,waistline_right,cuff_left_in,cuff_left_out,cuff_right_in,cuff_right_out,' \
      'top_hem_left,top_hem_right,waistband_left,waistband_right,hemline_left,hemline_right,crotch,bottom_left_in,' \
      'bottom_left_out,bottom_right_in,bottom_right_out'


def row(image_id: str, category: str = 'skirt', **cells: str) -> str:
    """Returns a line; all cells are absent except those in `cells`."""
    return ','.join([image_id, category] + [cells.get(name, ABSENT) for name in TOP.split(',')[2:]])


def save(folder: Path, lines: Sequence[str], name: str = 'train.csv') -> Path:
    path = folder / name
    path.write_bytes('\n'.join([*lines, '']).encode())
    return path


def points(seed: int, count: int) -> np.ndarray:
    return np.random.RandomState(seed).randint(-1, 2, (count, 24, 3))


def test_values_land_where_the_columns_say(tmp_path: Path) -> None:
    table = read_annotations(save(tmp_path, [
        TOP, row('a.jpg', waistband_left='120_85_1', bottom_right_out='0_512_0'),
        row('b.jpg', 'dress', neckline_left='-1_-1_1')]))
    assert table.image_ids == ('a.jpg', 'b.jpg')
    assert table.categories == ('skirt', 'dress')
    assert table.source == str(tmp_path / 'train.csv')
    assert table.keypoints.dtype == np.int32 and table.keypoints.shape == (2, 24, 3)
    expected = np.full((2, 24, 3), -1)
    expected[0, 15], expected[0, 23], expected[1, 0] = (120, 85, 1), (0, 512, 0), (-1, -1, 1)
    np.testing.assert_array_equal(table.keypoints, expected)


def test_header_is_the_official_one() -> None:
    assert ','.join(header()) == TOP


@pytest.mark.parametrize('content', [
    '\ufeff' + TOP + '\r\n' + row('a.jpg') + '\r\n' + row('b.jpg') + '\r\n',
    TOP + '\n' + row('a.jpg') + '\n\n' + row('b.jpg'),
    '\n'.join('"' + line.replace(',', '","') + '"' for line in (TOP, row('a.jpg'), row('b.jpg'))),
], ids=['BOM and CRLF', 'empty line, no last line end', 'quoted'])
def test_spellings_of_the_same_table(tmp_path: Path, content: str) -> None:
    path = tmp_path / 'train.csv'
    path.write_bytes(content.encode())
    table = read_annotations(path)
    assert table.image_ids == ('a.jpg', 'b.jpg')
    assert (table.keypoints == -1).all()


@pytest.mark.parametrize('cell', [
    '', '1_2', '1_2_2', '1_2_-2', '1.5_2_1', '1_2_1_1', 'nan_1_1', ' 1_2_1', '1234567_1_1', '\u0663_1_1'])
def test_a_malformed_cell_is_named(tmp_path: Path, cell: str) -> None:
    path = save(tmp_path, [TOP, row('a.jpg'), row('b.jpg', crotch=cell)])
    with pytest.raises(InputError) as error:
        read_annotations(path)
    assert f'{path}, row 3, column crotch: {cell!r}' in str(error.value)


@pytest.mark.parametrize('cell', ['900000_1_1', '1_900000_0', '-70000_1_1', '65536_0_1'])
def test_a_coordinate_that_no_picture_has_is_named(tmp_path: Path, cell: str) -> None:
    path = save(tmp_path, [TOP, row('a.jpg', crotch='65535_-65535_1'), '', row('b.jpg', crotch=cell)])
    with pytest.raises(InputError) as error:
        read_annotations(path)
    assert f'{path}, row 4, column crotch' in str(error.value) and cell.split('_')[0] in str(error.value)


def test_rows_know_their_number_in_the_file(tmp_path: Path) -> None:
    table = read_annotations(save(tmp_path, [TOP, row('a.jpg'), '', row('b.jpg', 'dress'), row('c.jpg')]))
    assert table.row_numbers == (2, 4, 5) and table.of_type('skirt').row_numbers == (2, 5)
    assert f'{tmp_path / "train.csv"}, row 5' in table.of_type('skirt').place(1)
    listed = read_test_list(tmp_path / 'train.csv')
    assert listed.of_type('dress').row_numbers == (4,)
    assert 'x.csv' in Annotations(('a',), ('skirt',), points(0, 1), 'x.csv').place(0)


@pytest.mark.parametrize('image_id, outside', [
    ('Images/skirt/a.jpg', False), ('a..b/c..jpg', False), ('Images/../a.jpg', False), ('./a.jpg', False),
    ('../a.jpg', True), ('Images/../../a.jpg', True), ('/etc/a.jpg', True), ('..', True), ('C:/a.jpg', True),
    ('Images\\a.jpg', False), ('..\\a.jpg', True), ('\\\\host\\a.jpg', True), ('a/b/../../../c.jpg', True)])
def test_ids_that_lead_out_of_their_folder_are_refused_by_row(tmp_path: Path, image_id: str, outside: bool) -> None:
    table = read_test_list(save(tmp_path, ['image_id,image_category', 'ok.jpg,skirt', f'{image_id},skirt']))
    table.check_inside(allow_outside=True)
    if not outside:
        table.check_inside(allow_outside=False)
        return
    with pytest.raises(InputError) as error:
        table.check_inside(allow_outside=False)
    assert f'{tmp_path / "train.csv"}, row 3' in str(error.value) and '--allow-outside' in str(error.value)


def test_an_id_with_backslashes_is_a_path_unless_a_file_has_that_name(tmp_path: Path) -> None:
    assert image_path(tmp_path, 'Images\\skirt\\a.jpg') == tmp_path / 'Images/skirt/a.jpg'
    assert image_path(tmp_path, 'Images/skirt/a.jpg') == tmp_path / 'Images/skirt/a.jpg'
    (tmp_path / 'a\\b.jpg').write_bytes(b'')
    assert image_path(tmp_path, 'a\\b.jpg') == tmp_path / 'a\\b.jpg'


def test_an_id_with_a_nul_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='row 2'):
        read_test_list(save(tmp_path, ['image_id,image_category', 'a\0.jpg,skirt']))


@pytest.mark.parametrize('lines, named', [
    ([], ['empty']), ([TOP], ['no rows']),
    ([row('a.jpg')], ['row 1', 'column 1', "'a.jpg'", "'image_id'"]),
    ([TOP.replace('crotch', 'knee'), row('a.jpg')], ['row 1', 'column 22', "'knee'", "'crotch'"]),
    (['image_id,image_category', 'a.jpg,skirt'], ['row 1', 'column 3', "'neckline_left'"]),
    ([TOP + ',extra', row('a.jpg')], ['row 1', '27', '26']),
    ([TOP, row('a.jpg'), row('b.jpg') + ',' + ABSENT], ['row 3', '27', '26']),
    ([TOP, row('a.jpg')[:-9]], ['row 2', '25', '26']),
    ([TOP, row('a.jpg', 'hat')], ['row 2', 'column image_category', "'hat'", 'blouse, ']),
    ([TOP, row('')], ['row 2', 'column image_id']),
    ([TOP, row('a.jpg'), row('b.jpg'), row('a.jpg')], ['row 4', 'a.jpg', 'row 2']),
])
def test_faults_name_file_and_row(tmp_path: Path, lines: Sequence[str], named: Sequence[str]) -> None:
    path = tmp_path / 'train.csv'
    path.write_text(''.join(line + '\n' for line in lines))
    with pytest.raises(InputError) as error:
        read_annotations(path)
    assert str(error.value).startswith(str(path)) and all(value in str(error.value) for value in named)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / 'train.csv'
    path.write_bytes(b'\xff\xd8\xff\xe0' * 50)
    with pytest.raises(InputError, match='train.csv: .*UTF-8'):
        read_annotations(path)
    with pytest.raises(OSError):
        read_annotations(tmp_path / 'nothing.csv')


def test_more_rows_than_are_converted_at_a_time(tmp_path: Path) -> None:
    keypoints = points(0, 4097)
    table = Annotations(tuple(f'{i}.jpg' for i in range(4097)), ('dress',) * 4097, keypoints, '')
    write_annotations(tmp_path / 'a.csv', table)
    again = read_annotations(tmp_path / 'a.csv')
    assert again.image_ids == table.image_ids
    np.testing.assert_array_equal(again.keypoints, keypoints)
    assert [path.name for path in tmp_path.iterdir()] == ['a.csv']


def test_rows_by_type_and_by_number() -> None:
    table = Annotations(('a', 'b', 'c'), ('skirt', 'dress', 'skirt'), points(0, 3), 'x.csv')
    skirts = table.of_type('skirt')
    assert skirts.image_ids == ('a', 'c') and skirts.categories == ('skirt', 'skirt') and skirts.source == 'x.csv'
    np.testing.assert_array_equal(skirts.keypoints, table.keypoints[[0, 2]])
    assert len(table.of_type('all')) == 3
    assert len(table.of_type('trousers')) == 0 and table.of_type('trousers').keypoints.shape == (0, 24, 3)
    assert table.select([2, 0]).image_ids == ('c', 'a')
    with pytest.raises(ValueError, match='hat'):
        table.of_type('hat')


def test_test_list(tmp_path: Path) -> None:
    short = read_test_list(save(tmp_path, ['image_id,image_category', 'a.jpg,skirt', 'b.jpg,dress']))
    long = read_test_list(save(tmp_path, [TOP, row('a.jpg', crotch='?'), row('b.jpg', 'dress')]))
    for table in (short, long):
        assert (table.image_ids, table.categories) == (('a.jpg', 'b.jpg'), ('skirt', 'dress'))
        assert len(table) == 2 and table.of_type('dress').image_ids == ('b.jpg',)


@pytest.mark.parametrize('lines, message', [
    (['image_id', 'a.jpg'], "column 2 .*'image_category'"),
    (['image_id,image_category', 'a.jpg'], 'row 2: 1 .*2'),
    (['image_id,image_category', 'a.jpg,hat'], "row 2, column image_category: 'hat'"),
    (['image_id,image_category', 'a.jpg,skirt', 'a.jpg,skirt'], 'row 3: .*a.jpg .*row 2'),
    (['image_id,image_category'], 'no rows'),
])
def test_faults_of_a_test_list(tmp_path: Path, lines: Sequence[str], message: str) -> None:
    with pytest.raises(InputError, match=f'train.csv.*{message}'):
        read_test_list(save(tmp_path, lines))


def test_format_of_a_row() -> None:
    keypoints = np.full((24, 3), -1)
    keypoints[19] = 256, 511, 1
    assert ','.join(format_row('a.jpg', 'trousers', keypoints)) == row('a.jpg', 'trousers', crotch='256_511_1')
    with pytest.raises(ValueError):
        format_row('a.jpg', 'trousers', keypoints + 0.5)


def test_submission_is_on_disk_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'submit_skirt.csv'
    keypoints = points(1, 2)
    with SubmissionWriter(path, resume=False) as writer:
        assert writer.done == set()
        writer.append('a.jpg', 'skirt', keypoints[0])
        assert read_annotations(path).image_ids == ('a.jpg',)
        writer.append('b.jpg', 'skirt', keypoints[1])
        assert writer.done == {'a.jpg', 'b.jpg'}
    np.testing.assert_array_equal(read_annotations(path).keypoints, keypoints)


@pytest.mark.parametrize('cut', range(0, 700, 23))
def test_resuming_after_a_cut_anywhere_gives_the_whole_file(tmp_path: Path, cut: int) -> None:
    path, keypoints = tmp_path / 'submit_skirt.csv', points(2, 3)

    def write(resume: bool) -> None:
        with SubmissionWriter(path, resume) as writer:
            for i, name in enumerate(['a.jpg', 'b.jpg', 'c.jpg']):
                if name not in writer.done:
                    writer.append(name, 'skirt', keypoints[i])

    write(resume=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    write(resume=True)
    assert path.read_bytes() == whole


def test_starting_anew_and_resuming_something_else(tmp_path: Path) -> None:
    path = save(tmp_path, [TOP, row('a.jpg')])
    with SubmissionWriter(path, resume=False):
        assert path.read_text() == TOP + '\n'
    with SubmissionWriter(path, resume=True) as writer:
        assert writer.done == set()
    save(tmp_path, ['notes', 'of mine'])
    with pytest.raises(InputError, match="'notes'.*'image_id'"):
        SubmissionWriter(path, resume=True)
    assert path.read_text() == 'notes\nof mine\n'
