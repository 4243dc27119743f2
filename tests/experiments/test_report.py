"""Makes the table and the plot from rows."""
from pathlib import Path
from typing import List

import cv2
import pytest

from fashionai.experiments.plot import apart, draw
from fashionai.experiments.report import BEGIN, END, markdown, results, write_table
from fashionai.experiments.settings import Setting
from fashionai.experiments.table import Row, read_rows, write_rows

TABLE = {setting.name: setting for setting in (
    Setting('baseline', 'baseline', seeds=(1, 2, 3)), Setting('light', 'networks', ('--model', 'light')),
    Setting('heavy', 'networks', ('--model', 'heavy'), against='light'),
    Setting('focal', 'losses', ('--loss', 'focal')),
    Setting('no-flip', 'output', run=('--no-flip',), uses=('baseline',)),
    Setting('two', 'output', uses=('baseline/1', 'baseline/3')), Setting('absent', 'output'))}


def row(setting: str, seed: int, visible: float, gflops: float = 0.5) -> Row:
    return Row(setting, TABLE[setting].group, TABLE[setting].flags, seed, 3_725_949, 4.812, gflops, 20.3, visible,
               visible + 2, '2.21.0', f'python code/experiments.py --only {setting} --seeds {seed} --steps 9')


def rows() -> List[Row]:
    return [row('baseline', 1, 20), row('baseline', 2, 24), row('baseline', 3, 25), row('light', 1, 30),
            row('heavy', 1, 26.5, 34), row('focal', 1, 22.5), row('no-flip', 1, 21), row('two', 1, 19)]


def lines_of(text: str) -> List[List[str]]:
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines()]


def test_rows_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / 'rows.csv'
    assert read_rows(path) == {}
    write_rows(path, rows())
    assert list(read_rows(path).values()) == rows()
    path.write_text(path.read_text().replace('20.3', 'fast', 1))
    with pytest.raises(ValueError, match="rows.csv, row 2.*'fast'"):
        read_rows(path)
    path.write_text('setting,seed\n')
    with pytest.raises(ValueError, match='rows.csv, row 1'):
        read_rows(path)


def test_differences() -> None:
    found = results(rows(), TABLE)
    assert list(found) == ['baseline', 'light', 'heavy', 'focal', 'no-flip', 'two']
    assert {name: result.difference for name, result in found.items()} == {
        'baseline': None, 'light': 7, 'heavy': -3.5, 'focal': -0.5,
        'no-flip': 1,  # the very network of seed 1
        'two': -3.5}  # the networks of seeds 1 and 3


def test_table() -> None:
    lines = lines_of(markdown(results(rows(), TABLE)))
    assert ['baseline', '', '3.73', '4.8', '0.50', '20.3', '23.00 (20.00 to 25.00)', '', '',
            '25.00 (22.00 to 27.00)'] in lines
    assert ['heavy', '`--model heavy`', '3.73', '4.8', '34.00', '20.3', '26.50', '-3.50', 'light', '28.50'] in lines
    names = [line[0] for line in lines]
    assert [name for name in names if name in TABLE] == ['baseline', 'heavy', 'light', 'focal', 'two', 'no-flip']
    assert '`--no-flip` on baseline' in [line[1] for line in lines if len(line) > 1]
    assert '`python code/experiments.py --only SETTING --steps 9`' in names[0]


def test_the_table_stands_between_its_markers(tmp_path: Path) -> None:
    document = tmp_path / 'experiments.md'
    document.write_text(f'before\n{BEGIN}\nold\n{END}\nafter\n')
    for _ in range(2):
        write_table(document, 'new')
        assert document.read_text() == f'before\n{BEGIN}\n\nnew\n\n{END}\nafter\n'
    document.write_text('nothing')
    with pytest.raises(ValueError, match='experiments.md'):
        write_table(document, 'new')


def test_picture(tmp_path: Path) -> None:
    path = tmp_path / 'plot.png'
    draw(results(rows(), TABLE), path)
    image = cv2.imread(str(path))
    assert image.shape[1] == 1430 and image.std() > 10
    draw(results(rows()[:1], TABLE), path)


def test_labels_are_moved_apart_only_where_they_overlap() -> None:
    assert apart([0, 5, 0.5, 0], [1, 1.5, 2, 9], width=1, height=3) == [1, 1.5, 4, 9]


@pytest.mark.usefixtures('no_matplotlib')
def test_without_matplotlib(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='python -m pip install matplotlib'):
        draw(results(rows(), TABLE), tmp_path / 'plot.png')
