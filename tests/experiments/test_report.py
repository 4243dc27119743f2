"""Makes the table and the plot from rows and their errors of each image."""
from pathlib import Path
from typing import Dict, List, Tuple

import cv2
import numpy as np
import pytest

from fashionai.experiments.image_errors import ImageErrors
from fashionai.experiments.plot import apart, draw
from fashionai.experiments.report import BEGIN, END, Result, markdown, results, write_table
from fashionai.experiments.settings import Setting
from fashionai.experiments.table import Row

TABLE = {setting.name: setting for setting in (
    Setting('baseline', 'baseline', seeds=(1, 2, 3)), Setting('light', 'networks', ('--model', 'light')),
    Setting('heavy', 'networks', ('--model', 'heavy'), against='light', slower=14),
    Setting('focal', 'losses', ('--loss', 'focal')), Setting('strange', 'losses'),
    Setting('two', 'ensemble', uses=('baseline/1', 'baseline/3')),
    Setting('mixed', 'ensemble', uses=('baseline/1', 'light')),
    Setting('supplied', 'supplied', network='supplied', against='supplied'),
    Setting('no-flip', 'output', run=('--no-flip',), network='supplied', against='supplied'),
    Setting('absent', 'output'))}

ERRORS: Dict[Tuple[str, int], List[float]] = {
    ('baseline', 1): [16, 24], ('baseline', 2): [22, 26], ('baseline', 3): [24, 26], ('light', 1): [31, 29],
    ('heavy', 1): [20, 33], ('focal', 1): [10, 20], ('strange', 1): [22, 25], ('two', 1): [18, 22],
    ('mixed', 1): [15, 22], ('supplied', 0): [8, 12], ('no-flip', 0): [9, 12.5]}
"""The NE in percent of two images with equally many points, by row. So the interval of a difference is that of the two
images: each is drawn twice in a quarter of the draws."""


def row(setting: str, seed: int, visible: float) -> Row:
    return Row(setting, TABLE[setting].group, TABLE[setting].flags, TABLE[setting].network, seed, 3_725_949, 4.812,
               0.5 if setting != 'heavy' else 34, 20.3, visible, visible + 2, '2.21.0',
               f'python code/experiments.py --only {setting} --seeds {seed}' + ' --steps 9' * (seed > 0))


def found(*left_out: Tuple[str, int]) -> Dict[str, Result]:
    errors = {key: two for key, two in ERRORS.items() if key not in left_out}
    images = ImageErrors(('1.jpg', '2.jpg'), np.array([4, 4]),
                         {key: 4 * np.array(two) / 100 for key, two in errors.items()})
    return results([row(*key, sum(two) / 2) for key, two in errors.items()], images, TABLE)


def lines_of(text: str) -> List[List[str]]:
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines()]


def test_differences_and_their_intervals() -> None:
    estimates = {name: one.difference for name, one in found().items()}
    assert list(estimates) == [name for name in TABLE if name != 'absent']
    assert {name: (one.value, one.low, one.high) for name, one in estimates.items() if one} == {
        'light': pytest.approx((7, 29 - 76 / 3, 31 - 62 / 3)), 'heavy': pytest.approx((-3.5, -11, 4)),
        'focal': pytest.approx((-8, 10 - 62 / 3, 20 - 76 / 3)),
        'strange': pytest.approx((0.5, 25 - 76 / 3, 22 - 62 / 3)),
        'two': pytest.approx((-2.5, -3, -2)),  # from the networks of seeds 1 and 3
        'mixed': pytest.approx((-1.5, -2, -1)),  # from the network of seed 1
        'no-flip': pytest.approx((0.75, 0.5, 1))}


def test_what_a_difference_says() -> None:
    """The seeds of the baseline differ by 5 points, which counts where a training is between two settings."""
    assert {name: one.verdict for name, one in found().items()} == {
        'baseline': '', 'light': 'worse', 'heavy': 'not told apart', 'focal': 'better', 'strange': 'not told apart',
        'two': 'better', 'mixed': 'not told apart', 'supplied': '', 'no-flip': 'worse'}


def test_without_seeds_of_the_baseline_trainings_are_not_told_apart() -> None:
    few = found(('baseline', 2), ('baseline', 3), ('two', 1))
    assert few['focal'].difference and few['focal'].difference.high < 0
    assert few['focal'].verdict == 'not told apart' and few['no-flip'].verdict == 'worse'


def test_table() -> None:
    lines = lines_of(markdown(found()))
    assert ['baseline', '', '3.73', '4.8', '0.50', '20.3', '23.00 (20.00 to 25.00)', '', '', '',
            '25.00 (22.00 to 27.00)'] in lines
    assert ['heavy', '`--model heavy` (1/14 of the steps)', '3.73', '4.8', '34.00', '20.3', '26.50',
            '-3.50 (-11.00 to +4.00)', 'light', 'not told apart', '28.50'] in lines
    names = [line[0] for line in lines]
    assert [name for name in names if name in TABLE] == [
        'baseline', 'heavy', 'light', 'focal', 'strange', 'mixed', 'two', 'supplied', 'no-flip']
    assert '`--no-flip` on supplied' in [line[1] for line in lines if len(line) > 1]
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


@pytest.mark.parametrize('shown, panels', [
    (list(ERRORS), 3), ([('baseline', 1)], 1), ([('supplied', 0), ('no-flip', 0)], 1)])
def test_picture(tmp_path: Path, shown: List[Tuple[str, int]], panels: int) -> None:
    """One panel each for networks, other trainings, and ways to use the supplied network; only those with rows."""
    path = tmp_path / 'plot.png'
    draw(found(*(key for key in ERRORS if key not in shown)), path)
    image = cv2.imread(str(path))
    assert image.shape[1] == 715 * panels and image.std() > 10


def test_labels_are_moved_apart_only_where_they_overlap() -> None:
    assert apart([0, 5, 0.5, 0], [1, 1.5, 2, 9], width=1, height=3) == [1, 1.5, 4, 9]


@pytest.mark.usefixtures('no_matplotlib')
def test_without_matplotlib(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='python -m pip install matplotlib'):
        draw(found(), tmp_path / 'plot.png')
