"""experiments.py as it is called, with the smallest network, on generated garments."""
import subprocess
import sys
from pathlib import Path
from typing import List

import evaluate
import freeze
import pytest
import run
import train

from fashionai.experiments.recipes import filled, recipes
from fashionai.experiments.settings import SETTINGS, Budget
from fashionai.experiments.table import read_rows
from fashionai.inference.windows import parse_scales
from fashionai.networks.head_options import HeadOptions
from fashionai.synthetic.dataset import write_dataset
from fashionai.training.loss_options import LossOptions

ROOT = Path(__file__).resolve().parents[1]


def called(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / 'code/experiments.py'), '--datapath', str(folder / 'data'), '--work',
               str(folder / 'work'), '--output', str(folder / 'rows.csv'), '--model', 'testing', '--size', '64',
               '--steps', '2', '--batchsize', '2', *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp('experiments')
    write_dataset(place / 'data', (5, 5, 0), seed=4, size=128, workers=1)
    return place


def test_a_setting_becomes_a_row_and_rows_a_report(folder: Path) -> None:
    """The setting looks in another way at the network of the baseline, which is trained for it."""
    done = called(folder, '--only', 'no-flip', '--seeds', '5')
    assert done.returncode == 0, done.stdout
    (key, row), = read_rows(folder / 'rows.csv').items()
    assert key == ('no-flip', 5) and row.parameters == 10_476 and 0 < row.gflops < row.gflops_368
    assert row.ne_visible > 0 and row.ne_leaderboard > 0 and row.images_per_second and row.tensorflow[0] in '12'
    assert row.command == ('python code/experiments.py --datapath SAMPLE --work tmp/again --output '
                           'tmp/again.csv --only no-flip --seeds 5 --model testing --steps 2 '
                           '--batchsize 2 --size 64')
    assert 'rows.csv has every row' in called(folder, '--only', 'no-flip', '--seeds', '5').stdout
    assert called(folder, '--report').returncode == 0
    assert '| no-flip | `--no-flip` on baseline |' in (folder / 'rows.md').read_text()
    assert (folder / 'rows.png').stat().st_size > 1000
    other = called(folder, '--only', 'baseline', '--steps', '3')
    assert other.returncode == 1 and 'has rows of another budget' in other.stdout and 'Traceback' not in other.stdout


def test_list(tmp_path: Path) -> None:
    assert called(tmp_path, '--list', '--only', 'focal').stdout.split() == ['losses', 'focal', '--loss', 'focal']


@pytest.mark.parametrize('name', SETTINGS)
def test_the_entry_points_know_the_flags_of_a_setting(name: str, tmp_path: Path) -> None:
    file = tmp_path / 'product'
    file.write_text('')
    parsers = {f'code/{module.__name__}.py': module.parse for module in (train, freeze, run, evaluate)}
    for recipe in recipes(SETTINGS[name], 1, Budget(), 'data').values():
        program, *flags = (filled(text, 1, str(tmp_path), lambda *key: file) for text in recipe.command)
        assert (ROOT / program).is_file()
        options = vars(parsers[program](flags)) if program in parsers else {}
        if 'stages' in options:
            HeadOptions.of(options), LossOptions.of(options)
        if 'scales' in options:
            parse_scales(options['scales'])


@pytest.mark.parametrize('flags, message', [
    (['--datapath', 'nowhere'], 'error: nowhere does not exist'), ([], 'data does not exist'),
    (['--only', 'focus'], 'error: --only focus: wanted settings or groups'),
    (['--report'], 'rows.csv has no row of a setting'), (['--seeds', 'one'], "'one': wanted a whole number")])
def test_bad_input_ends_as_one_line(tmp_path: Path, flags: List[str], message: str) -> None:
    done = called(tmp_path, *flags)
    assert done.returncode in (1, 2) and message in done.stdout.splitlines()[-1]


def test_data_without_tables(tmp_path: Path) -> None:
    (tmp_path / 'data').mkdir()
    done = called(tmp_path)
    assert done.returncode == 1 and 'data/train/train.csv does not exist' in done.stdout
