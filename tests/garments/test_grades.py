"""Sizes: the table in a file, and the size of measured garments, compared with values computed by hand."""
import re
from pathlib import Path
from typing import Dict, Optional, Tuple, Union

import pytest

from fashionai.errors import InputError
from fashionai.garments.grade_files import read_grades, read_sizes
from fashionai.garments.grades import (
    Grade,
    Grader,
    GradeTable,
    MeasuredGarment,
    MeasuredLength,
    check_size,
    known_by,
)
from fashionai.garments.measurements import lengths_of
from fashionai.garments.table import GARMENTS
from fashionai.garments.table_files import read_garments

HEAD = 'type,size,length,expected,tolerance\n'
ROWS = HEAD + 'skirt,S,waist,34,1\nskirt,S,hem,50,2\nskirt,M,waist,38,1\nskirt,M,hem,54,2\n'


def saved(tmp_path: Path, text: str, name: str = 'sizes.csv') -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def skirt(type_doubt: str = '', **lengths: Union[float, None, Tuple[Optional[float], str]]) -> MeasuredGarment:
    made: Dict[str, MeasuredLength] = {
        name: MeasuredLength(*value) if isinstance(value, tuple) else MeasuredLength(value, '' if value else 'missing')
        for name, value in lengths.items()}
    return MeasuredGarment('skirt', type_doubt, made)


@pytest.fixture()
def table(tmp_path: Path) -> GradeTable:
    return read_grades(saved(tmp_path, ROWS), GARMENTS)


def test_a_table_is_read(table: GradeTable) -> None:
    assert table.unit == 'cm' and list(table.sizes) == ['skirt'] and list(table.lengths) == ['waist', 'hem']
    assert table.sizes['skirt']['M'] == {'waist': Grade(38, 1), 'hem': Grade(54, 2)}


@pytest.mark.parametrize('text', [
    'unit,max,min,length,size,type\ncm,51,49,chest,L,blouse\n',
    '\ufefftype;size;length;min;max\r\nblouse;L;chest;49;51,0\r\n\r\n',
    'type, size, length, expected, tolerance, unit\nblouse, L, chest, 50.0, 1, \n'])
def test_ranges_and_files_of_spreadsheets_say_the_same(tmp_path: Path, text: str) -> None:
    table = read_grades(saved(tmp_path, text), GARMENTS)
    assert table.sizes == {'blouse': {'L': {'chest': Grade(50, 1)}}} and table.unit == 'cm'


def test_pixels_are_a_unit(tmp_path: Path) -> None:
    table = read_grades(saved(tmp_path, 'type,size,length,min,max,unit\nskirt,S,hem,1,2,px\n'), GARMENTS)
    assert table.unit == 'px' and table.sizes['skirt']['S']['hem'] == Grade(1.5, 0.5)


@pytest.mark.parametrize('text, said', [
    ('', '0 rows'), (HEAD, '1 rows'), ('type,size,length\nskirt,S,hem\n', 'row 1: .*expected.*tolerance.*min.*max'),
    ('type,size,size,length,min,max\nskirt,S,S,hem,1,2\n', 'row 1: '),
    (HEAD.replace('size', 'Size') + 'skirt,S,hem,1,1\n', 'row 1: '),
    (HEAD.replace('tolerance', 'tolerance,note') + 'skirt,S,hem,1,1,x\n', 'row 1: .*note'),
    (HEAD + 'sock,S,hem,1,1\n', "row 2, column type: 'sock'.*blouse, dress"),
    (HEAD + 'skirt,,hem,1,1\n', 'row 2, column size'),
    (HEAD + 'skirt,S,chest,1,1\n', "row 2, column length: 'chest'.*skirt.*waist, hem"),
    (HEAD + 'skirt,S,hem,wide,1\n', "row 2, column expected: 'wide'"),
    (HEAD + 'skirt,S,hem,nan,1\n', 'row 2, column expected'), (HEAD + 'skirt,S,hem,-1,1\n', 'row 2, column expected'),
    (HEAD + 'skirt,S,hem,1,0\n', 'row 2, column tolerance: 0'), (HEAD + 'skirt,S,hem,1\n', 'row 2: 4 columns.*5'),
    (HEAD + 'skirt,S,hem,1,1\nskirt,S,hem,2,1\n', 'row 3: hem .*S .*skirt'),
    ('type,size,length,min,max\nskirt,S,hem,2,2\n', 'row 2, column max: 2'),
    ('type,size,length,min,max,unit\nskirt,S,hem,1,2,inch\n', "row 2, column unit: 'inch'.*cm or px"),
    ('type,size,length,min,max,unit\nskirt,S,hem,1,2,px\nskirt,M,hem,1,2,cm\n', "row 3, column unit: 'cm'.*px"),
    (HEAD + 'skirt,S,hem,1,1\nskirt,M,hem,2,1\nskirt,M,waist,2,1\n', 'S and M of skirt.*waist')])
def test_a_mistake_is_told_by_file_row_and_column(tmp_path: Path, text: str, said: str) -> None:
    path = saved(tmp_path, text)
    with pytest.raises(InputError, match=f'^{re.escape(str(path))}.*{said}'):
        read_grades(path, GARMENTS)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'sizes.csv'
    path.write_bytes(bytes(range(255, 0, -1)))
    with pytest.raises(InputError, match='sizes.csv'):
        read_grades(path, GARMENTS)


def test_the_size_with_the_smallest_misfit_is_chosen(table: GradeTable) -> None:
    """In tolerances, the skirt is 2.5 and 0.5 from S, and -1.5 and -1.5 from M."""
    check = check_size(table, skirt(waist=36.5, hem=51.0))
    assert check.misfits['S'] == pytest.approx(((2.5 ** 2 + 0.5 ** 2) / 2) ** 0.5)
    assert check.misfits['M'] == pytest.approx(1.5)
    assert check.size == 'M' and not check.given and check.reason == '' and check.passes is False
    assert (check.difference('waist'), check.within('waist')) == (-1.5, False)
    assert (check.difference('hem'), check.within('hem')) == (-3.0, False)


def test_the_ends_of_a_tolerance_belong_to_it(table: GradeTable) -> None:
    check = check_size(table, skirt(waist=33.0, hem=52.0))
    assert check.size == 'S' and check.passes is True
    assert check_size(table, skirt(waist=32.99, hem=52.0)).passes is False
    assert Grade(50.1, 0.3).allows(50.4) and Grade(50.1, 0.3).allows(49.8) and not Grade(50.1, 0.3).allows(50.41)


def test_a_doubtful_length_does_not_choose_and_does_not_fail(table: GradeTable) -> None:
    """By its hem alone the skirt is M; with the doubtful waist it would be S."""
    check = check_size(table, skirt(waist=(20.0, 'a low score'), hem=54.0))
    assert check.size == 'M' and check.misfits == {'S': 2, 'M': 0}
    assert check.within('waist') is False and check.within('hem') is True and check.passes is None
    check = check_size(table, skirt(waist=(20.0, 'a low score'), hem=57.0))
    assert check.size == 'M' and check.passes is False, 'a length without a doubt is outside'


def test_what_cannot_be_decided_is_said(table: GradeTable) -> None:
    for garment, reason in (
            (skirt(waist=None, hem=None), '^0 of 2 '), (skirt(waist=(38.0, 'x'), hem=(54.0, 'y')), '^0 of 2 '),
            (skirt(), '^0 of 2 '), (skirt(waist=36.0, hem=52.0), 'S and M'),
            (skirt(waist=36.04, hem=52.0), 'M and S'),
            (skirt('its probability is 0.40', waist=38.0, hem=54.0), '0.40'),
            (MeasuredGarment('dress', '', {'waist': MeasuredLength(38)}), 'dress')):
        check = check_size(table, garment)
        assert check.size is None and check.passes is None and re.search(reason, check.reason), garment
        assert all(check.within(name) is None and check.difference(name) is None for name in check.lengths)


def test_half_of_the_lengths_is_enough_and_less_is_not(tmp_path: Path) -> None:
    rows = ''.join(f'dress,{size},{name},{expected},1\n' for size, expected in (('S', 40), ('M', 50))
                   for name in ('chest', 'waist', 'hem', 'sleeve', 'side'))
    table = read_grades(saved(tmp_path, HEAD + rows), GARMENTS)
    known = {name: MeasuredLength(49.) for name in ('chest', 'waist', 'hem')}
    assert check_size(table, MeasuredGarment('dress', '', known)).size == 'M'
    del known['hem']
    check = check_size(table, MeasuredGarment('dress', '', known))
    assert check.size is None and re.search('2 of 5 .*3$', check.reason)


def test_a_size_that_is_given_is_not_chosen(table: GradeTable) -> None:
    check = check_size(table, skirt(waist=38.0, hem=54.0), 'S')
    assert check.size == 'S' and check.given and check.passes is False and check.difference('waist') == 4
    check = check_size(table, skirt(waist=None, hem=50.0), 'S')
    assert check.size == 'S' and check.passes is None and check.within('hem') is True
    assert check_size(table, skirt(waist=38.0), 'XL').reason and check_size(table, skirt(waist=38.0), 'XL').size is None


def test_pictures_have_sizes_of_their_own(tmp_path: Path, table: GradeTable) -> None:
    sizes = read_sizes(saved(tmp_path, 'size,path\nS,./shop/a.jpg\n,b.jpg\nM,shop\\c.jpg\n', 'asked.csv'))
    assert sizes == {'shop/a.jpg': 'S', 'b.jpg': '', 'shop/c.jpg': 'M'}
    grader = Grader(table, by_picture=sizes)
    garment = skirt(waist=38.0, hem=54.0)
    assert [grader.check(path, garment).size for path in ('/x/shop/a.jpg', 'shop/b.jpg', 'shop/c.jpg')] == [
        'S', 'M', 'M']
    assert [grader.check(path, garment).given for path in ('/x/shop/a.jpg', 'shop/b.jpg')] == [True, False]


@pytest.mark.parametrize('text, said', [
    ('path\na\n', 'row 1'), ('path,size\na.jpg,S\n./a.jpg,M\n', "row 3, column path: 'a.jpg'"),
    ('path,size\n,S\n', 'row 2, column path')])
def test_mistakes_in_the_sizes_of_pictures(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sizes(saved(tmp_path, text))


@pytest.mark.parametrize('reference, lengths', [
    ('waist=38', ['waist']), ('hemline_right, hemline_left=38', ['hem']), ('body_length=60', []),
    ('waistband_left,hemline_left=60', [])])
def test_a_reference_says_nothing_of_the_size(table: GradeTable, reference: str, lengths: list) -> None:
    assert known_by(reference, GARMENTS, table) == lengths


def test_the_guide_shows_files_that_are_read(tmp_path: Path) -> None:
    guide = (Path(__file__).resolve().parents[2] / 'docs' / 'measuring.md').read_text(encoding='utf-8')
    sizes = re.search('```\n(type,size,length.*?)```', guide, re.DOTALL)
    lengths = re.search('```json\n(.*?)```', guide, re.DOTALL)
    assert sizes and lengths
    table = read_grades(saved(tmp_path, sizes.group(1)), GARMENTS)
    assert list(table.sizes['blouse']) == ['S', 'M', 'L'] and table.sizes['blouse']['M']['sleeve'] == Grade(58.5, 1.5)
    garments = read_garments(saved(tmp_path, lengths.group(1), 'lengths.json'))
    assert {'armhole', 'front'} < set(lengths_of(garments['blouse'])) and 'seat' in lengths_of(garments['trousers'])
