"""What a full disk leaves behind: nothing that looks whole and is not, and one line that names the file.

A limit on the size of files stands for the disk: what goes beyond it is refused by the system, as on a full one.
"""
import errno
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List

import numpy as np
import pytest

from fashionai.annotations import SubmissionWriter, read_annotations
from fashionai.cli import classify, freeze, synthesize, train
from fashionai.files import naming, write_text
from fashionai.tf_compat import graph_mode

resource = pytest.importorskip('resource')


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file may grow beyond that many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files_in(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory, finish: Callable[..., str]) -> Path:
    place = tmp_path_factory.mktemp('disk') / 'data'
    finish(synthesize.main, '--output', place, '--train', 10, '--val', 5, '--test', 5, '--size', 64, '--workers', 1)
    return place


def training(data: Path, folder: Path, *more: object) -> List[object]:
    return ['--model', 'testing', '--tag', 'all', '--datapath', data, '--imgpath', data, '--input-width', 64,
            '--input-height', 64, '--batchsize', 2, '--gpus', 1, '--workers', 0, '--validate-every', 0, '--type-head',
            'along', '--modelpath', folder / 'runs', '--logpath', folder / 'logs', *more]


@pytest.fixture(scope='module')
def trained(data: Path, finish: Callable[..., str]) -> Path:
    folder = data.with_name('trained')
    finish(train.main, *training(data, folder, '--max-steps', 1))
    finish(freeze.main, '--checkpoint', folder / 'runs', '--output', folder / 'graph.pb')
    return folder


def test_an_error_without_a_name_gets_one(tmp_path: Path) -> None:
    with pytest.raises(OSError) as found, naming(tmp_path / 'a.csv'):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert found.value.errno == errno.ENOSPC and found.value.filename == str(tmp_path / 'a.csv')
    with pytest.raises(FileNotFoundError) as kept, naming(tmp_path / 'a.csv'):
        open(str(tmp_path / 'b.csv'))
    assert kept.value.filename == str(tmp_path / 'b.csv')


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='a device of Linux')
def test_a_device_is_written_and_not_replaced() -> None:
    with pytest.raises(OSError) as found:
        write_text('/dev/full', 'text')
    assert found.value.errno == errno.ENOSPC and found.value.filename == '/dev/full'
    assert stat.S_ISCHR(os.stat('/dev/full').st_mode)


def test_a_submission_keeps_the_rows_it_had_and_goes_on(tmp_path: Path) -> None:
    path, points = tmp_path / 'submission.csv', np.full((24, 3), 1)
    with pytest.raises(OSError) as found, files_of_at_most(100):
        SubmissionWriter(path, True)
    assert found.value.filename == str(path) and files_in(tmp_path) == []

    with pytest.raises(OSError) as found, files_of_at_most(1000), SubmissionWriter(path, True) as writer:
        for number in range(20):
            writer.append(f'{number}.jpg', 'skirt', points)
    assert found.value.filename == str(path)
    with SubmissionWriter(path, True) as writer:
        kept = set(writer.done)
        assert kept and kept == {f'{number}.jpg' for number in range(len(kept))}
        writer.append('last.jpg', 'skirt', points)
    assert read_annotations(path).image_ids[-1] == 'last.jpg'


def test_a_generated_picture_is_whole_or_not_there(tmp_path: Path, finish: Callable[..., str]) -> None:
    with files_of_at_most(500):
        said = finish(synthesize.main, '--output', tmp_path / 'data', '--train', 2, '--val', 0, '--test', 0,
                      '--size', 64, '--workers', 1, code=1)
    assert '.jpg: ' in said.splitlines()[-1] and str(tmp_path / 'data') in said.splitlines()[-1]
    assert files_in(tmp_path) == []


def test_a_list_of_types_is_whole_or_not_there(data: Path, trained: Path, tmp_path: Path,
                                               finish: Callable[..., str]) -> None:
    graph_mode()
    with files_of_at_most(50):
        said = finish(classify.main, '--modelpath', trained / 'graph.pb', '--imagepath', data / 'test', '--output',
                      tmp_path / 'types.csv', code=1)
    assert str(tmp_path / 'types.csv') in said.splitlines()[-1] and files_in(tmp_path) == []


def test_frozen_graphs_and_weights_are_whole_or_not_there(trained: Path, tmp_path: Path,
                                                          finish: Callable[..., str]) -> None:
    frozen = '--checkpoint', trained / 'runs', '--output', tmp_path / 'graph.pb', '--weights', tmp_path / 'weights.npz'
    size = (trained / 'graph.pb').stat().st_size
    with files_of_at_most(size - 1):
        said = finish(freeze.main, *frozen, code=1)
    assert str(tmp_path / 'graph.pb') in said.splitlines()[-1] and files_in(tmp_path) == []
    finish(freeze.main, *frozen, '--half')
    smaller = (tmp_path / 'weights.npz').stat().st_size
    (tmp_path / 'weights.npz').unlink()
    assert smaller < size
    with files_of_at_most(smaller - 1):
        said = finish(freeze.main, *frozen, code=1)
    assert files_in(tmp_path) == ['graph.json', 'graph.pb']


def test_a_checkpoint_is_whole_or_not_there_and_those_before_stay(data: Path, tmp_path: Path,
                                                                  finish: Callable[..., str]) -> None:
    finish(train.main, *training(data, tmp_path, '--max-steps', 1))
    before = {path: path.read_bytes() for path in (tmp_path / 'runs').rglob('model-*')}
    with files_of_at_most(20000):
        said = finish(train.main, *training(data, tmp_path, '--max-steps', 3, '--save-every', 2), code=1)
    assert 'model-2' in said.splitlines()[-1] and os.strerror(errno.EFBIG) in said.splitlines()[-1]
    assert {path: path.read_bytes() for path in (tmp_path / 'runs').rglob('model-*')} == before
    assert 'step 1 ' in finish(train.main, *training(data, tmp_path, '--max-steps', 3))
