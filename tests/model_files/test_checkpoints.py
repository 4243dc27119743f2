"""Finding a checkpoint: by its path, in a folder, or among the runs of a garment type. Damaged ones are skipped."""
import functools
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.model_files.checkpoints import find_checkpoint, last_checkpoint

DATA = 'data-00000-of-00001'


@functools.lru_cache(None)
def written() -> Dict[str, bytes]:
    """Returns the files of a small checkpoint by their endings."""
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable('weights', initializer=np.arange(64, dtype=np.float32))
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, f'{folder}/model', 1, write_meta_graph=False)
        return {ending: Path(folder, f'model-1.{ending}').read_bytes() for ending in ('index', DATA)}


def touch(folder: Path, number: int, when: int = 0, **description: Any) -> None:
    """Writes a small checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending, content in written().items():
        path = folder / f'model-{number}.{ending}'
        path.write_bytes(content)
        os.utime(str(path), (1e9 + when, 1e9 + when))
    if description:
        (folder / ('best.json' if folder.name == 'best' else 'run.json')).write_text(json.dumps(description))


@pytest.mark.parametrize('name', ['model-900', 'model-900.index'])
def test_by_path(tmp_path: Path, name: str) -> None:
    touch(tmp_path, 900, model='testing', tag='dress')
    found = find_checkpoint(tmp_path / name)
    assert (found.prefix, found.step) == (str(tmp_path / 'model-900'), 900)
    assert found.run == {'model': 'testing', 'tag': 'dress'}
    assert found.validation_ne is None


def test_a_folder_means_its_highest_step(tmp_path: Path) -> None:
    for step, when in ((900, 3), (1100, 2), (1000, 1)):
        touch(tmp_path, step, when)
    touch(tmp_path / 'best', 2000, 9)
    assert find_checkpoint(tmp_path).prefix == str(tmp_path / 'model-1100')
    assert find_checkpoint(tmp_path).run == {}


def test_runs_mean_the_best_of_the_newest(tmp_path: Path) -> None:
    touch(tmp_path / 'dress' / 'old', 5000, 1, tag='dress')
    touch(tmp_path / 'dress' / 'old' / 'best', 4000, 2, step=4000, validation_ne=3.)
    touch(tmp_path / 'dress' / 'new', 3000, 5, tag='dress', input_hw=[192, 160])
    touch(tmp_path / 'dress' / 'new' / 'best', 2000, 3, step=2000, validation_ne=4.5)
    for folder in (tmp_path, tmp_path / 'dress'):
        found = find_checkpoint(folder)
        assert found.prefix == str(tmp_path / 'dress' / 'new' / 'best' / 'model-2000')
        assert (found.step, found.validation_ne) == (2000, 4.5)
        assert found.run == {'tag': 'dress', 'input_hw': [192, 160]}


def test_the_last_where_none_was_best(tmp_path: Path) -> None:
    touch(tmp_path / 'run', 20, 1)
    touch(tmp_path / 'run', 100, 2)
    assert find_checkpoint(tmp_path).step == 100


def test_an_error_measured_at_another_step_is_not_reported(tmp_path: Path) -> None:
    """A training can be killed after it wrote a best checkpoint and before it wrote its description."""
    touch(tmp_path / 'run' / 'best', 2000, step=1000, validation_ne=4.5)
    assert find_checkpoint(tmp_path).validation_ne is None


@pytest.mark.parametrize('name', ['.', 'absent', 'model-12'])
def test_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match='model-<step>.index'):
        find_checkpoint(tmp_path / name)


def test_a_damaged_description(tmp_path: Path) -> None:
    touch(tmp_path, 12)
    (tmp_path / 'run.json').write_text('{"model":')
    with pytest.raises(ValueError, match='run.json'):
        find_checkpoint(tmp_path)


@pytest.mark.parametrize('key, value', [
    ('model', 5), ('model', ['vgg']), ('tag', None), ('head', 5), ('loss', 'l2'), ('garments', []), ('input_hw', 64),
    ('input_hw', [64]), ('input_hw', [64, 'x']), ('input_hw', [64, -1]), ('input_hw', [True, True]),
    ('updates', [[1]])])
def test_a_description_with_values_of_another_kind(tmp_path: Path, key: str, value: object) -> None:
    touch(tmp_path, 12)
    (tmp_path / 'run.json').write_text(json.dumps({'model': 'vgg', 'input_hw': [64, 64], key: value}))
    with pytest.raises(InputError, match=f'run.json.*{key}'):
        find_checkpoint(tmp_path)


def cut(path: Path, part: float) -> None:
    path.write_bytes(path.read_bytes()[:int(path.stat().st_size * part)])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(bytes(content))


DAMAGES: Dict[str, Callable[[Path], None]] = {
    'values cut off': lambda prefix: cut(prefix.with_suffix(f'.{DATA}'), 0.5),
    'no value': lambda prefix: cut(prefix.with_suffix(f'.{DATA}'), 0),
    'a value changed': lambda prefix: flip(prefix.with_suffix(f'.{DATA}')),
    'values gone': lambda prefix: prefix.with_suffix(f'.{DATA}').unlink(),
    'index cut off': lambda prefix: cut(prefix.with_suffix('.index'), 0.5),
    'index empty': lambda prefix: cut(prefix.with_suffix('.index'), 0),
    'index changed': lambda prefix: flip(prefix.with_suffix('.index')),
    'index not written yet': lambda prefix: prefix.with_suffix('.index').unlink()}


@pytest.mark.parametrize('damage', DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path: Path, damage: str,
                                                       caplog: pytest.LogCaptureFixture) -> None:
    for step in (20, 100, 30):
        touch(tmp_path, step)
    DAMAGES[damage](tmp_path / 'model-100')
    for find in (last_checkpoint, find_checkpoint):
        caplog.clear()
        found = find(tmp_path)
        assert found is not None and (found.step, found.prefix) == (30, str(tmp_path / 'model-30'))
        assert str(tmp_path / 'model-100') in caplog.text and 'model-20' not in caplog.text
    with pytest.raises(InputError, match='model-100'):
        find_checkpoint(tmp_path / 'model-100')


@pytest.mark.parametrize('damage', DAMAGES)
def test_a_folder_of_damaged_checkpoints_is_refused(tmp_path: Path, damage: str) -> None:
    touch(tmp_path, 7)
    DAMAGES[damage](tmp_path / 'model-7')
    for find in (last_checkpoint, find_checkpoint):
        with pytest.raises(InputError, match=str(tmp_path)):
            find(tmp_path)


@pytest.mark.parametrize('index', [None, '', 'model_checkpoint_path: "model-5"', '\0damaged'])
def test_tensorflows_own_index_does_not_matter(tmp_path: Path, index: str) -> None:
    touch(tmp_path, 5)
    touch(tmp_path, 10)
    if index is not None:
        (tmp_path / 'checkpoint').write_text(index)
    found = last_checkpoint(tmp_path)
    assert found is not None and found.step == 10


def test_a_folder_in_which_nothing_was_written_whole_yet_may_begin(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path / 'absent') is None
    for name in ('run.json', f'model-5.{DATA}.tempstate123', 'model-5.index.tempstate123', 'checkpoint'):
        (tmp_path / name).write_text('{}')
    assert last_checkpoint(tmp_path) is None


def test_a_damaged_best_one_gives_way_to_the_last(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path / 'run', 30, tag='dress')
    touch(tmp_path / 'run/best', 20, 5, step=20, validation_ne=3.)
    cut(tmp_path / f'run/best/model-20.{DATA}', 0.5)
    found = find_checkpoint(tmp_path)
    assert (found.step, found.validation_ne, found.run) == (30, None, {'tag': 'dress'})
    assert 'best/model-20' in caplog.text
