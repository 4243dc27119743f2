"""predict_many.py from command line to Parquet; what needs workers runs in processes of its own, with its own Ray."""
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from fashionai.bulk.ray_workers import share_of_cpus
from fashionai.cli import predict_many
from fashionai.files import locked

PROJECT = Path(__file__).resolve().parents[1]


def test_it_is_killed_and_loses_nothing() -> None:
    pytest.importorskip('ray')
    done = subprocess.run([sys.executable, str(PROJECT / 'tests/interruptions_many.py'), '--pictures=60', '--bad=6',
                           '--deadly=1', '--kills=2', '--every=10', '--part-rows=8'],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if b'Ray did not start on this machine' in done.stdout:
        pytest.skip('Ray gives itself 15 seconds to start, and this machine is too busy for that')
    assert done.returncode == 0, done.stdout.decode()
    assert b'every id once, rows as predict.py has them' in done.stdout


@pytest.mark.skipif(sys.version_info < (3, 10), reason='there is no Ray for it')
@pytest.mark.parametrize('flags', [
    ('--tag=hat',), ('--cm-per-pixel=1', '--reference=waistband_left,waistband_right=38'), ('--reference=x,y=3',),
    ('--modelpath=none.onnx',)])
def test_wrong_flags_are_refused_before_anything_is_written(tmp_path: Path, finish: Callable[..., str],
                                                            flags: Callable[..., str]) -> None:
    pytest.importorskip('pyarrow')
    (tmp_path / 'list.txt').write_text('x.jpg')
    said = finish(predict_many.main, tmp_path / 'list.txt', '--output', tmp_path / 'out.parquet', *flags, code=1)
    assert said.strip().splitlines()[-1].startswith('error: ') and not (tmp_path / 'out.parquet').exists()


@pytest.mark.parametrize('workers', ['0', '3,2', 'x', '1,2,3'])
def test_a_wrong_number_of_workers_is_refused(tmp_path: Path, finish: Callable[..., str], workers: str) -> None:
    finish(predict_many.main, tmp_path, '--output', tmp_path / 'out', '--workers', workers, code=2)


def test_one_number_of_workers_is_least_and_most() -> None:
    assert predict_many.Workers.parse('4') == predict_many.Workers(4, 4)
    assert predict_many.Workers.parse('2,16') == predict_many.Workers(2, 16)


@pytest.mark.skipif(sys.version_info >= (3, 10), reason='there is a Ray for it')
def test_an_old_python_is_told_what_to_do(tmp_path: Path, finish: Callable[..., str]) -> None:
    said = finish(predict_many.main, tmp_path, '--output', tmp_path / 'out', code=1)
    assert '3.10' in said and len(said.strip().splitlines()) == 1


def test_one_process_writes_an_output(tmp_path: Path, finish: Callable[..., str]) -> None:
    pytest.importorskip('pyarrow')
    (tmp_path / 'list.txt').write_text('x.jpg')
    with locked(tmp_path / 'out.parquet', 'the other'):
        said = finish(predict_many.main, tmp_path / 'list.txt', '--output', tmp_path / 'out.parquet', code=1)
    assert 'the other' in said


@pytest.mark.parametrize('cpus, workers, share', [
    ([2], 2, 1), ([2], 1, 2), ([8], 3, 2), ([16, 16], 3, 8), ([4, 16], 5, 4), ([2], 5, 1), ([], 1, 1)])
def test_workers_share_the_processors_of_their_machines(cpus: list, workers: int, share: int) -> None:
    assert share_of_cpus(cpus, workers) == share
