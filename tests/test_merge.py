"""Calls submit/merge.py as a user does: a script without the package, in the folder of the files."""
import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from fashionai.annotations import header, read_annotations
from fashionai.garments.table import GARMENTS

SCRIPT = Path(__file__).resolve().parents[1] / 'submit' / 'merge.py'
CELLS = ',-1_-1_-1' * 23 + ',12_345_1'
TOP = ','.join(header())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the script and the submissions of all five types, two rows each."""
    shutil.copy(str(SCRIPT), str(tmp_path))
    for name in GARMENTS:
        save(tmp_path, name, [f'{name}{i}.jpg,{name}{CELLS}' for i in range(2)])
    return tmp_path


def save(folder: Path, name: str, rows: List[str]) -> None:
    (folder / f'submit_{name}.csv').write_text('\n'.join([TOP] + rows) + '\n')


def run(folder: Path, *arguments: str, cwd: str = '') -> Tuple[int, str, str]:
    """Runs the script in the folder; returns exit code, output and errors."""
    done = subprocess.run([sys.executable, str(folder / 'merge.py'), *arguments], cwd=cwd or str(folder),
                          capture_output=True, text=True)
    assert 'Traceback' not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_merges_what_lies_beside_it_from_any_folder(folder: Path) -> None:
    code, out, err = run(folder, cwd='/')
    assert (code, err) == (0, '')
    assert 'submit_skirt.csv: 2 rows\n' in out and out.endswith('submit.csv: 10 rows in all\n')
    merged = read_annotations(folder / 'submit.csv')
    assert sorted(merged.image_ids) == sorted(f'{name}{i}.jpg' for name in GARMENTS for i in range(2))
    assert (merged.keypoints[:, 23] == [12, 345, 1]).all() and (merged.keypoints[:, :23] == -1).all()
    assert not (folder / 'submit.csv.tmp').exists()


def test_rows_take_the_order_of_a_list(folder: Path) -> None:
    order = [f'{name}{i}.jpg' for i in (1, 0) for name in sorted(GARMENTS, reverse=True)]
    (folder / 'test.csv').write_text('image_id,image_category\n' + ''.join(f'{name},{name[:-5]}\n' for name in order))
    assert run(folder, '--list', 'test.csv')[0] == 0
    assert list(read_annotations(folder / 'submit.csv').image_ids) == order


def test_images_of_the_list_without_a_row_are_named(folder: Path) -> None:
    rows = [f'{name}{i}.jpg,{name}' for name in GARMENTS for i in range(2)]
    (folder / 'test.csv').write_text('\n'.join(['image_id,image_category', 'new.jpg,dress'] + rows))
    code, _, err = run(folder, '--list', 'test.csv')
    assert code == 1 and re.search('1 of 11 .*test.csv.*1 dress.*new.jpg', err)
    assert not (folder / 'submit.csv').exists()
    code, _, err = run(folder, '--list', 'test.csv', '--partial')
    assert code == 0 and 'warning: 1 of 11' in err
    assert len(read_annotations(folder / 'submit.csv')) == 10


def test_no_row_is_lost_to_a_list(folder: Path) -> None:
    (folder / 'test.csv').write_text('image_id,image_category\nskirt0.jpg,skirt\n')
    code, _, err = run(folder, '--list', 'test.csv', '--partial')
    assert code == 1 and re.search('9 rows .*test.csv', err)
    assert 'submit_dress.csv, row 2' in err


def test_a_list_that_knows_another_type(folder: Path) -> None:
    (folder / 'test.csv').write_text('image_id,image_category\nskirt0.jpg,dress\n')
    code, _, err = run(folder, '--list', 'test.csv')
    assert code == 1 and re.search('submit_skirt.csv, row 2: image skirt0.jpg .*skirt, wanted dress', err)


def test_a_type_without_file_or_rows(folder: Path) -> None:
    (folder / 'submit_dress.csv').unlink()
    save(folder, 'skirt', [])
    code, _, err = run(folder)
    assert code == 1 and 'submit_dress.csv ' in err and 'submit_skirt.csv ' in err and '--partial' in err
    assert not (folder / 'submit.csv').exists()
    code, out, err = run(folder, '--partial')
    assert code == 0 and 'warning: ' in err and '6 rows in all' in out
    assert len(read_annotations(folder / 'submit.csv')) == 6


def test_files_and_output_by_name(folder: Path) -> None:
    (folder / 'mine.csv').write_text('\ufeff' + '\r\n'.join([TOP, f'a.jpg,dress{CELLS}', f'b.jpg,skirt{CELLS}', '']),
                                     encoding='utf-8')
    code, _, _ = run(folder, 'mine.csv', 'submit_skirt.csv', '--output', 'both.csv')
    assert code == 0
    assert read_annotations(folder / 'both.csv').image_ids == ('a.jpg', 'b.jpg', 'skirt0.jpg', 'skirt1.jpg')
    assert not (folder / 'submit.csv').exists()


@pytest.mark.parametrize('line, message', [
    (f'x.jpg,dress{CELLS}', "row 3, column image_category: 'dress'.*'skirt'"),
    (f'x.jpg,hat{CELLS}', "row 3, column image_category: 'hat'.*blouse"),
    (f'x.jpg,skirt{CELLS},1_1_1', 'row 3: 27 .*26'), (f'x.jpg,skirt{CELLS[:-9]}', 'row 3: 25 .*26'),
    (f'x.jpg,skirt{CELLS[:-9]},1_2_3', "row 3, column bottom_right_out: '1_2_3'"),
    (f'ok.jpg,skirt{CELLS}', 'row 3: .*ok.jpg .*row 2'), (f'blouse1.jpg,skirt{CELLS}', 'submit_blouse.csv, row 3'),
    (f',skirt{CELLS}', 'row 3: '),
    (f'Images\\\\skirt\\\\a.jpg,skirt{CELLS}', 'row 3, column image_id'),
])
def test_faults_name_file_and_row_and_leave_the_last_result(folder: Path, line: str, message: str) -> None:
    save(folder, 'skirt', [f'ok.jpg,skirt{CELLS}', line])
    (folder / 'submit.csv').write_text('the last result')
    code, _, err = run(folder)
    assert code == 1 and err.startswith('error: ') and 'submit_skirt.csv, ' in err and re.search(message, err)
    assert (folder / 'submit.csv').read_text() == 'the last result'


def test_a_wrong_header(folder: Path) -> None:
    (folder / 'submit_skirt.csv').write_text(TOP.replace('crotch', 'knee') + f'\nx.jpg,skirt{CELLS}\n')
    code, _, err = run(folder)
    assert code == 1 and re.search("submit_skirt.csv, row 1: column 22 .*'knee'.*'crotch'", err)


def test_its_own_tables_agree_with_the_package() -> None:
    specification = importlib.util.spec_from_file_location('merge', str(SCRIPT))
    assert specification and specification.loader
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.HEADER == header()
    assert set(module.TYPES) == set(GARMENTS)


def test_it_needs_the_standard_library_alone() -> None:
    nodes = ast.parse(SCRIPT.read_text()).body  # inside load_yaml, also PyYAML
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or '.' for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported <= {'argparse', 'collections', 'csv', 'json', 'os', 'pathlib', 're', 'sys', 'typing'}


TABLE = '{"types": {"sock": {"keypoints": ["cuff", "toe"]}, "flag": {"keypoints": ["mast", "toe"]}}%s}'


@pytest.mark.parametrize('more, columns', [('', 'cuff,toe,mast'), (', "csv_keypoints": ["mast", "cuff", "toe"]',
                                                                  'mast,cuff,toe')])
def test_another_table_of_garments(folder: Path, more: str, columns: str) -> None:
    (folder / 'my.json').write_text(TABLE % more)
    top = f'image_id,image_category,{columns}'
    (folder / 'submit_sock.csv').write_text(f'{top}\na.jpg,sock,1_2_1,3_4_1,-1_-1_-1\n')
    (folder / 'submit_flag.csv').write_text(f'{top}\nb.jpg,flag,5_6_1,3_4_1,-1_-1_-1\n')
    assert run(folder, '--garments', 'my.json')[0] == 0
    assert (folder / 'submit.csv').read_text() == (
        f'{top}\na.jpg,sock,1_2_1,3_4_1,-1_-1_-1\nb.jpg,flag,5_6_1,3_4_1,-1_-1_-1\n')
    (folder / 'submit_flag.csv').write_text(f'{top}\nb.jpg,sock,5_6_1,3_4_1,-1_-1_-1\n')
    assert "'sock', wanted 'flag' as in the name" in run(folder, '--garments', 'my.json')[2]
    assert "'hat', wanted one of sock, flag" in run_one(folder, f'{top}\nb.jpg,hat,5_6_1,3_4_1,-1_-1_-1\n')
    first = columns.split(',')[0]
    assert "column 4 of the header is 'knee', wanted" in run_one(folder, f'image_id,image_category,{first},knee,toe\n')


def run_one(folder: Path, text: str) -> str:
    """Returns the errors about a file with the other garment table."""
    (folder / 'one.csv').write_text(text)
    code, _, err = run(folder, 'one.csv', '--garments', 'my.json')
    assert code == 1
    return err


@pytest.mark.parametrize('name, text', [('my.json', '{"types"'), ('my.json', '[]'), ('my.json', '{"types": {"a": 1}}'),
                                        ('my.yaml', 'types: [a'), ('my.json', '{}'),
                                        ('my.json', '[' * 99999), ('my.yaml', 'types: ' + '[' * 9999),
                                        ('my.yaml', 'a: 2001-99-99')])
def test_what_is_no_table_of_garments(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    code, _, err = run(folder, '--garments', name)
    assert code == 1 and err.startswith(f'error: {name} is not ') and err.count('\n') == 1
