"""Calls submit/combine.py as a user does: a script in the folder of merge.py, from any folder."""
import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from fashionai.annotations import header, read_annotations
from fashionai.garments.table import CSV_KEYPOINTS

SUBMIT = Path(__file__).resolve().parents[1] / 'submit'
TOP = ','.join(header())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the scripts and three submissions of two images."""
    for name in ('combine.py', 'merge.py'):
        shutil.copy(str(SUBMIT / name), str(tmp_path))
    for number, (x, y) in enumerate([(10, 100), (13, 101), (40, 105)]):
        save(tmp_path, 'abc'[number], [row('s.jpg', 'skirt', waistband_left=f'{x}_{y}_1', hemline_right='7_8_1'),
                                       row('d.jpg', 'dress', crotch=f'{y}_{x}_1')])
    return tmp_path


def row(image_id: str, category: str, **cells: str) -> str:
    return ','.join([image_id, category] + [cells.get(name, '-1_-1_-1') for name in CSV_KEYPOINTS])


def save(folder: Path, name: str, rows: List[str]) -> None:
    (folder / f'{name}.csv').write_text('\n'.join([TOP] + rows) + '\n')


def run(folder: Path, *arguments: str, cwd: str = '') -> Tuple[int, str, str]:
    """Runs the script in the folder; returns exit code, output and errors. The result is out.csv."""
    done = subprocess.run([sys.executable, str(folder / 'combine.py'), *arguments, '--output', str(folder / 'out.csv')],
                          cwd=cwd or str(folder), capture_output=True, text=True)
    assert 'Traceback' not in done.stderr
    return done.returncode, done.stdout, done.stderr


def combined(folder: Path, image_id: str) -> Dict[str, Tuple[int, ...]]:
    """Returns the keypoints of an image in the result that are not -1_-1_-1."""
    found = read_annotations(folder / 'out.csv')
    cells = found.keypoints[found.image_ids.index(image_id)]
    return {name: tuple(cell) for name, cell in zip(CSV_KEYPOINTS, cells.tolist()) if cell != [-1, -1, -1]}


@pytest.mark.parametrize('options, wanted', [
    ([], (21, 102, 1)), (['--how', 'median'], (13, 101, 1)), (['--weights', '2,1,1'], (18, 102, 1)),
    (['--how', 'median', '--weights', '1,1,3'], (40, 105, 1)), (['--how', 'mean', '--weights', '7,2,1'], (14, 101, 1)),
    (['--how', 'median', '--weights', '1, 1, 2'], (26, 103, 1))])
def test_points_are_combined(folder: Path, options: List[str], wanted: Tuple[int, int, int]) -> None:
    """For example, the median of 10, 13, 40, 40 is 26.5, which is rounded to the even number."""
    code, out, err = run(folder, 'a.csv', 'b.csv', 'c.csv', *options)
    assert (code, err) == (0, '') and out.endswith('3 submissions\n') and 'out.csv: 2 rows' in out
    assert combined(folder, 's.jpg') == {'waistband_left': wanted, 'hemline_right': (7, 8, 1)}
    assert combined(folder, 'd.jpg') == {'crotch': (wanted[1], wanted[0], 1)}


def test_rows_go_by_image_in_the_order_of_the_first_file(folder: Path) -> None:
    lines = (folder / 'b.csv').read_text().splitlines()
    (folder / 'b.csv').write_text('\ufeff' + '\r\n'.join([lines[0], lines[2], lines[1]]), encoding='utf-8')
    assert run(folder, str(folder / 'b.csv'), str(folder / 'a.csv'), cwd='/')[0] == 0
    assert read_annotations(folder / 'out.csv').image_ids == ('d.jpg', 's.jpg')
    assert combined(folder, 's.jpg')['waistband_left'] == (12, 100, 1)


def test_who_says_nothing_of_a_point_has_no_say(folder: Path) -> None:
    save(folder, 'c', [row('s.jpg', 'skirt', hemline_left='300_301_1', waistband_left='10_100_0'),
                       row('d.jpg', 'dress', armpit_left='-1_-1_1')])
    assert run(folder, 'a.csv', 'c.csv', '--weights', '5,1')[0] == 0
    assert combined(folder, 's.jpg') == {
        'waistband_left': (10, 100, 1), 'hemline_right': (7, 8, 1), 'hemline_left': (300, 301, 1)}
    assert combined(folder, 'd.jpg') == {'crotch': (100, 10, 1), 'armpit_left': (-1, -1, 1)}


def test_quoted_cells(folder: Path) -> None:
    text = row('"s,1.jpg"', 'skirt', crotch='"4_6_1"')
    save(folder, 'a', [text])
    save(folder, 'b', [text])
    assert run(folder, 'a.csv', 'b.csv')[0] == 0
    assert combined(folder, 's,1.jpg') == {'crotch': (4, 6, 1)}


@pytest.mark.parametrize('rows, message', [
    ([row('s.jpg', 'skirt')], 'b.csv: 1 of 2 .*a.csv .*d.jpg'),
    ([row('s.jpg', 'skirt'), row('d.jpg', 'dress'), row('e.jpg', 'dress')], 'b.csv, row 4: .*e.jpg .*a.csv'),
    ([row('s.jpg', 'skirt'), row('d.jpg', 'blouse')],
     'b.csv, row 3: .*d.jpg .*blouse, wanted dress .*a.csv, row 3'),
    ([row('s.jpg', 'skirt'), row('s.jpg', 'skirt')], 'b.csv, row 3: .*s.jpg .*b.csv, row 2'),
    ([row('s.jpg', 'skirt', crotch='1_2')], "b.csv, row 2, column crotch: '1_2'"),
    ([row('s.jpg', 'skirt') + ',1_1_1'], 'b.csv, row 2: 27 .*26'),
    ([row('s.jpg', 'hat')], "b.csv, row 2, column image_category: 'hat'.*blouse"), ([], 'b.csv ')])
def test_faults_name_file_and_row_and_leave_the_last_result(folder: Path, rows: List[str], message: str) -> None:
    save(folder, 'b', rows)
    (folder / 'out.csv').write_text('the last result')
    code, _, err = run(folder, 'a.csv', 'b.csv')
    assert code == 1 and err.startswith('error: ') and re.search(message, err)
    assert (folder / 'out.csv').read_text() == 'the last result'


def test_an_unknown_column_and_a_file_that_is_not_there(folder: Path) -> None:
    (folder / 'b.csv').write_text(TOP.replace('crotch', 'knee') + '\n')
    code, _, err = run(folder, 'a.csv', 'b.csv')
    assert code == 1 and re.search("b.csv, row 1: column 22 .*'knee'.*'crotch'", err)
    code, _, err = run(folder, 'a.csv', 'z.csv')
    assert code == 1 and 'z.csv' in err and not (folder / 'out.csv').exists()


@pytest.mark.parametrize('weights', ['1', '1,2,3', '1,0', '1,-1', '0.5,1', 'a,b', '1,'])
def test_weights_that_do_not_suit(folder: Path, weights: str) -> None:
    code, _, err = run(folder, 'a.csv', 'b.csv', f'--weights={weights}')
    assert code == 1 and f'--weights {weights}: ' in err


def test_one_file_alone(folder: Path) -> None:
    code, _, err = run(folder, 'a.csv')
    assert code == 1 and 'a.csv' in err and not (folder / 'out.csv').exists()


def test_it_needs_the_standard_library_and_merge_alone() -> None:
    nodes = list(ast.walk(ast.parse((SUBMIT / 'combine.py').read_text())))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or '.' for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported <= {'argparse', 'csv', 'math', 'merge', 'pathlib', 'statistics', 'sys', 'typing'}


def test_only_points_on_which_all_files_agree_are_kept(folder: Path) -> None:
    """The box of the first skirt's points is 100 pixels wide, so a share of 0.05 is five pixels."""
    skirt = {'waistband_left': '0_0_1', 'waistband_right': '100_0_1', 'hemline_left': '0_50_1'}
    save(folder, 'a', [row('s.jpg', 'skirt', **skirt, hemline_right='90_50_1'), row('t.jpg', 'skirt', **skirt)])
    save(folder, 'b', [row('s.jpg', 'skirt', **{**skirt, 'waistband_left': '6_0_1', 'hemline_left': '30_50_1'}),
                       row('t.jpg', 'skirt', waistband_left='0_0_1', waistband_right='0_90_1', hemline_left='70_7_1')])
    code, out, err = run(folder, 'a.csv', 'b.csv', '--agree', '0.05')
    assert (code, err) == (0, '') and 'out.csv: 1 rows' in out, 'one of three points is less than half'
    assert combined(folder, 's.jpg') == {'waistband_left': (3, 0, 1), 'waistband_right': (100, 0, 1)}
    assert read_annotations(folder / 'out.csv').image_ids == ('s.jpg',)
    for share in ('0', '1.5', 'nan'):
        code, _, err = run(folder, 'a.csv', 'b.csv', '--agree', share)
        assert code == 1 and '--agree' in err
