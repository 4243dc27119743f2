"""Finding a checkpoint: by its path, in a folder, among the runs of a garment type."""
import json
import os
from pathlib import Path
from typing import Any

import pytest

from fashionai.errors import InputError
from fashionai.networks.checkpoints import find_checkpoint


def touch(folder: Path, number: int, when: int = 0, **description: Any) -> None:
    """An empty checkpoint, which is enough to be found."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ('index', 'data-00000-of-00001'):
        path = folder / f'model-{number}.{ending}'
        path.write_bytes(b'')
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
    """Between a best checkpoint and its description a training can be killed."""
    touch(tmp_path / 'run' / 'best', 2000, step=1000, validation_ne=4.5)
    assert find_checkpoint(tmp_path).validation_ne is None


@pytest.mark.parametrize('name', ['.', 'absent', 'model-12'])
def test_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match='no checkpoint at .*model-<step>.index'):
        find_checkpoint(tmp_path / name)


def test_a_damaged_description(tmp_path: Path) -> None:
    touch(tmp_path, 12)
    (tmp_path / 'run.json').write_text('{"model":')
    with pytest.raises(ValueError, match='run.json is not JSON'):
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
