"""Makes the table and the plot from rows and their errors of each image."""
from pathlib import Path
from typing import Dict, List, Mapping, Tuple

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
    Setting('longer', 'sampling', ('--checkpoint', '{checkpoint:baseline}')),
    Setting('two', 'ensemble', uses=('baseline/1', 'baseline/3')),
    Setting('mixed', 'ensemble', uses=('baseline/1', 'light')),
    Setting('supplied', 'supplied', network='supplied', against='supplied'),
    Setting('no-flip', 'output', run=('--no-flip',), network='supplied', against='supplied'),
    Setting('absent', 'output'))}

ERRORS: Dict[Tuple[str, int], List[float]] = {
    ('baseline', 1): [8, 12], ('baseline', 2): [11, 13], ('baseline', 3): [12, 13], ('light', 1): [19, 18],
    ('heavy', 1): [10, 16.5], ('focal', 1): [3, 6], ('strange', 1): [11, 30], ('longer', 1): [7, 11],
    ('two', 1): [9, 11], ('mixed', 1): [7.5, 11], ('supplied', 0): [8, 12], ('no-flip', 0): [9, 12.5]}
"""The NE in percent of two images with equally many points, by row. So the interval of a difference is that of the two
images: each is drawn twice in a quarter of the draws."""


def row(setting: str, seed: int, visible: float) -> Row:
    return Row(setting, TABLE[setting].group, TABLE[setting].flags, TABLE[setting].network, seed, 3_725_949, 4.812,
               20.3 if setting != 'heavy' else 34, 0.5, visible, visible + 2, '2.21.0',
               f'python code/experiments.py --only {setting} --seeds {seed}' + ' --steps 9' * (seed > 0))


def found(*left_out: Tuple[str, int], errors: Mapping[Tuple[str, int], List[float]] = ERRORS) -> Dict[str, Result]:
    errors = {key: two for key, two in errors.items() if key not in left_out}
    images = ImageErrors(('1.jpg', '2.jpg'), np.array([4, 4]),
                         {key: 4 * np.array(two) / 100 for key, two in errors.items()})
    return results([row(*key, sum(two) / 2) for key, two in errors.items()], images, TABLE)


def lines_of(text: str) -> List[List[str]]:
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines()]


def test_differences_and_their_intervals() -> None:
    estimates = {name: one.difference for name, one in found().items()}
    assert list(estimates) == [name for name in TABLE if name != 'absent']
    assert {name: (one.value, one.low, one.high) for name, one in estimates.items() if one} == {
        'light': pytest.approx((7, 18 - 38 / 3, 19 - 31 / 3)), 'heavy': pytest.approx((-5.25, -9, -1.5)),
        'focal': pytest.approx((-7, 3 - 31 / 3, 6 - 38 / 3)), 'strange': pytest.approx((9, 11 - 31 / 3, 30 - 38 / 3)),
        'longer': pytest.approx((-1, -1, -1)),  # from the network of seed 1, whose training it continues
        'two': pytest.approx((-1.25, -1.5, -1)),  # from the networks of seeds 1 and 3
        'mixed': pytest.approx((-0.75, -1, -0.5)),  # from the network of seed 1
        'no-flip': pytest.approx((0.75, 0.5, 1))}


def test_an_image_adds_at_most_20_percent_to_the_capped_error() -> None:
    results = found()
    strange, light = results['strange'], results['light']
    assert strange.visible == [20.5] and strange.capped == pytest.approx((15.5,)) and strange.gross == 1
    change = strange.capped_difference
    assert change and (change.value, change.low, change.high) == pytest.approx((4, 11 - 31 / 3, 20 - 38 / 3))
    assert light.capped == pytest.approx((18.5,)) and light.gross == 0 and light.capped_difference == light.difference
    assert results['baseline'].capped == pytest.approx((10, 12, 12.5))


def test_what_a_difference_says() -> None:
    """The capped errors of the three seeds have a standard deviation of 1.323 points, which counts if a training is
    between two settings: 4.303 times as much, and times the root of 1/1 + 1/3 or of 1/1 + 1/1."""
    results = found()
    assert {name: one.verdict for name, one in results.items()} == {
        'baseline': '', 'light': 'worse', 'heavy': 'undecided', 'focal': 'better', 'strange': 'undecided',
        'longer': 'undecided', 'two': 'better', 'mixed': 'undecided', 'supplied': '', 'no-flip': 'worse'}
    limits = {name: results[name].seed_limit for name in ('focal', 'heavy', 'longer', 'two', 'no-flip')}
    assert limits == pytest.approx({'focal': 6.57, 'heavy': 8.05, 'longer': 8.05, 'two': 0, 'no-flip': 0}, abs=0.01)


def test_more_seeds_of_a_setting_lower_its_limit() -> None:
    again = {**ERRORS, ('focal', 2): [3, 7], ('focal', 3): [4, 6]}
    assert found(errors=again)['focal'].seed_limit == pytest.approx(6.57 * (2 / 3) ** 0.5 / (4 / 3) ** 0.5, abs=0.01)


def test_the_limit_comes_from_the_setting_at_the_end_of_all_comparisons_if_it_has_seeds(
        monkeypatch: pytest.MonkeyPatch) -> None:
    for name, against, seeds in (('short', 'short', (1, 2)), ('short-focal', 'short', (1,)),
                                 ('short-again', 'short-focal', (1,)), ('b0', 'b0', (1,)), ('b2', 'b0', (1,))):
        monkeypatch.setitem(TABLE, name, Setting(name, 'more', against=against, seeds=seeds))
    more = {('short', 1): [6., 6.], ('short', 2): [7., 7.], ('short-focal', 1): [5., 5.], ('short-again', 1): [5., 6.],
            ('b0', 1): [9., 9.], ('b2', 1): [8., 8.]}
    results = found(errors={**ERRORS, **more})
    assert results['focal'].seed_limit == pytest.approx(6.57, abs=0.01)
    assert results['b2'].seed_limit == pytest.approx(8.05, abs=0.01), 'by the baseline, since b0 has one seed'
    assert results['short-focal'].seed_limit == pytest.approx(12.71 * 0.5 ** 0.5 * 1.5 ** 0.5)
    assert results['short-again'].seed_limit == pytest.approx(12.71 * 0.5 ** 0.5 * 2 ** 0.5)


def test_without_seeds_of_the_baseline_trainings_are_undecided() -> None:
    few = found(('baseline', 2), ('baseline', 3), ('two', 1))
    assert few['focal'].difference and few['focal'].difference.high < 0
    assert few['focal'].verdict == 'undecided' and few['no-flip'].verdict == 'worse'


def test_table() -> None:
    lines = lines_of(markdown(found()))
    assert ['baseline', '', '3.73', '20.30', '11.50 (10.00 to 12.50)', '', '11.50 (10.00 to 12.50)', '', '0', '', '',
            '13.50 (12.00 to 14.50)'] in lines
    assert ['heavy', '`--model heavy` (1/14 of the steps)', '3.73', '34.00', '13.25', '-5.25 (-9.00 to -1.50)', '13.25',
            '-5.25 (-9.00 to -1.50)', '0', 'light/1', 'undecided', '15.25'] in lines
    assert ['strange', '', '20.50', '+9.00 (+0.67 to +17.33)', '15.50', '+4.00 (+0.67 to +7.33)', '1',
            'baseline/1, 2, 3', 'undecided', '22.50'] in lines, 'no costs, as all of the group have the same'
    names = [line[0] for line in lines]
    assert [name for name in names if name in TABLE] == [
        'baseline', 'heavy', 'light', 'focal', 'strange', 'longer', 'mixed', 'two', 'supplied', 'no-flip']
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
