"""What determines the weights of a run: almost all flags, data and weights by content, and versions."""
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from fashionai import __version__
from fashionai.annotations import Annotations
from fashionai.cli import train
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garments
from fashionai.training import run_record
from fashionai.training.cluster import Cluster
from fashionai.training.loop import TrainingSettings
from fashionai.training.run_record import content, continued, data_that_decide, differences, flags_that_decide

FLAGS = ['--model', 'testing', '--tag', 'skirt', '--gpus', '2', '--batchsize', '4', '--lr', '1e-3', '--max-steps', '10']


def rows(folder: Path, ids: Tuple[str, ...] = ('a.jpg', 'b.jpg', 'c.jpg'), bytes_: int = 100) -> Annotations:
    """Labelled rows with dummy files instead of pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image_id in enumerate(ids):
        (folder / image_id).write_bytes(bytes([number]) * bytes_)
    keypoints = np.arange(len(ids) * 72, dtype=np.int32).reshape(-1, 24, 3) % 3 - 1
    return Annotations(ids, ('skirt',) * len(ids), keypoints, str(folder / 'train.csv'))


def names(one: Dict[str, Any], other: Dict[str, Any]) -> List[str]:
    return [found.name for found in differences({'decides': json.loads(json.dumps(one))}, {'decides': other})]


def decided(*flags: str, steps: int = 10) -> Dict[str, Any]:
    return flags_that_decide(vars(train.parse([*FLAGS, *flags])), steps)


@pytest.mark.parametrize('flags', [
    ('--seed', '2'), ('--lr', '1e-4'), ('--lr', '1e-3,1e-3'), ('--decay-steps', '7'), ('--warmup-steps', '0'),
    ('--average-decay', '0.9'), ('--precision', 'mixed'), ('--batchsize', '8'), ('--gpus', '1'), ('--rotation', '3'),
    ('--input-width', '64'), ('--input-height', '64'), ('--photometric',), ('--occluded', 'counted'), ('--rows', '5'),
    ('--sampling', 'uniform'), ('--loss', 'focal'), ('--keypoint-weights', 'frequency'), ('--hard-keypoints', '2'),
    ('--type-weight', '2'), ('--stages', '3'), ('--stride', '4'), ('--refine', 'joint'), ('--factorised',),
    ('--model', 'vgg'), ('--remote-data', 'tcp://0.0.0.0:5')])
def test_flags_that_decide(flags: Tuple[str, ...]) -> None:
    assert names(decided(), decided(*flags)) == [flags[0]]


@pytest.mark.parametrize('flags', [
    ('--workers', '7'), ('--keep', '3'), ('--save-every', '5'), ('--validate-every', '5'), ('--modelpath', 'elsewhere'),
    ('--logpath', 'elsewhere'), ('--run-name', 'mine'), ('--resume',), ('--xla',), ('--hosts', 'a:1,b:1'),
    ('--stall-seconds', '5'), ('--restarts', '2'), ('--launched',), ('--max-epoch', '3'),
    ('--max-steps', '20'), ('--datapath', 'moved'), ('--imgpath', 'moved'), ('--pretrain_basepath', 'moved')])
def test_flags_that_do_not(flags: Tuple[str, ...]) -> None:
    """Data and weights are compared by content, not by path."""
    assert names(decided(), decided(*flags, steps=20)) == []


def test_no_flag_is_forgotten() -> None:
    """A new flag determines the weights, unless it is in the list of flags that do not."""
    parsed = set(vars(train.parse(FLAGS)))
    assert run_record.FREE | run_record.BY_CONTENT <= parsed
    deciding = parsed - run_record.FREE - run_record.BY_CONTENT
    assert {f'--{name.replace("_", "-")}' for name in deciding} == set(decided())


def test_the_length_decides_where_the_rate_depends_on_it() -> None:
    falling = ('--lr', 'cosine:1e-3')
    assert names(decided(*falling, steps=10), decided(*falling, steps=20)) == ['--max-steps']
    assert names(decided(*falling), decided(*falling, '--decay-steps', '7')) == [], 'a cosine has no decay steps'


@pytest.mark.parametrize('flag', ['--sampling', '--keypoint-weights'])
def test_a_file_counts_by_its_content(tmp_path: Path, flag: str) -> None:
    for name, text in (('one', 'errors'), ('same', 'errors'), ('other', 'other errors')):
        (tmp_path / name).write_text(text)
    one, same, other = (decided(flag, str(tmp_path / name)) for name in ('one', 'same', 'other'))
    assert names(one, same) == [] and names(one, other) == [flag] == names(one, decided())


def test_data_are_compared_wherever_they_lie(tmp_path: Path) -> None:
    def of(*folders: str, **how: Any) -> Dict[str, Any]:
        return data_that_decide([(rows(tmp_path / name, **how), tmp_path / name) for name in folders], True, None)

    assert names(of('here'), of('there')) == []
    assert names(of('here'), of('there', bytes_=101)) == ['--imgpath'], 'other pictures under the same names'
    assert names(of('here'), of('there', ids=('a.jpg', 'c.jpg', 'b.jpg'))) == ['--datapath'], 'another order'
    assert names(of('here'), of('here', 'there')) == ['--datapath', '--imgpath']
    for row, column, value in ((0, 0, 5), (2, 23, 7)):
        labels = rows(tmp_path / 'here')
        labels.keypoints[row, column, 0] = value
        assert names(of('here'), data_that_decide([(labels, tmp_path / 'here')], True, None)) == ['--datapath']
    other_type = replace(rows(tmp_path / 'here'), categories=('skirt', 'skirt', 'dress'))
    assert names(of('here'), data_that_decide([(other_type, tmp_path / 'here')], True, None)) == ['--datapath']
    (tmp_path / 'there/b.jpg').write_bytes(bytes([9]) * 100)
    same_size = data_that_decide([(rows(tmp_path / 'here'), tmp_path / 'there')], True, None)
    assert names(of('here'), same_size) == ['--imgpath']


def test_validation_rows_decide_what_is_the_best(tmp_path: Path) -> None:
    training = [(rows(tmp_path / 'data'), tmp_path / 'data')]
    one, other, none = (data_that_decide(training, False, rows(tmp_path / 'val', ids) if ids else None)
                        for ids in (('a.jpg',), ('b.jpg',), None))
    assert names(one, other) == ['validation rows'] and names(one, none) == [] == names(none, one)


def test_weights_that_are_gone_are_compared_by_name() -> None:
    there, gone, other = (content('vgg19.npy', 'ab' * 32), content('vgg19.npy', ''), content('hed', ''))
    assert names({'initial weights': there}, {'initial weights': gone}) == []
    assert names({'initial weights': there}, {'initial weights': other}) == ['initial weights']


def test_the_versions_are_noted_and_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    one = run_record.program_that_decides()
    assert one['project'] == __version__ and {'TensorFlow', 'NumPy', 'OpenCV'} < set(one)
    monkeypatch.setattr(run_record.tf, '__version__', '9.9')
    assert names(one, run_record.program_that_decides()) == ['TensorFlow']


def test_the_towers_of_all_hosts_count(settings: TrainingSettings) -> None:
    """Two hosts with two towers train as one with four; batch norm would be another with two."""
    flags = vars(train.parse([*FLAGS, '--batchsize', '8']))
    two_hosts = replace(settings, batch_size=8, cluster=Cluster(('a:1', 'b:1')))
    found = run_record.of_command(flags, two_hosts, [], None, content('', ''))
    alone = run_record.of_command({**flags, 'gpus': 4}, replace(settings, batch_size=8, towers=4), [], None,
                                  content('', ''))
    assert found['decides']['--gpus'] == 4 and differences(found, alone) == []
    assert [one.name for one in differences(found, run_record.of_command(
        flags, replace(settings, batch_size=8), [], None, content('', '')))] == ['--gpus']


def test_ranks_agree_on_data_flags_steps_and_code(settings: TrainingSettings, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_record.agreement(record(settings), 10)
    assert run_record.disagreement(first, json.loads(json.dumps(first))) == ''
    for other, named in ((run_record.agreement(record(settings, '--seed', '2'), 10), '--seed: '),
                         (run_record.agreement(record(settings), 11), '--max-steps: ')):
        assert run_record.disagreement(first, other).startswith(named)
    (tmp_path / 'module.py').write_text('one = 1')
    monkeypatch.setattr(run_record, '_CODE', tmp_path)
    assert run_record.disagreement(first, run_record.agreement(record(settings), 10)).startswith('code: ')


def test_without_git_no_commit_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', '')
    assert 'commit' not in run_record.program_that_decides()


@pytest.fixture
def settings(tmp_path: Path) -> TrainingSettings:
    return TrainingSettings('testing', GARMENTS['skirt'], (64, 64), 4, 2, '1e-3', 100, 0, 10, 5, 0, 5, 2, tmp_path,
                            tmp_path, 1)


def record(settings: TrainingSettings, *flags: str) -> Dict[str, Any]:
    return {**settings.description, 'decides': decided(*flags)}


def save(settings: TrainingSettings, content: Dict[str, Any]) -> None:
    (settings.run_folder / 'run.json').write_text(json.dumps(content))


def test_the_same_command_goes_on(settings: TrainingSettings) -> None:
    save(settings, record(settings))
    again = continued(settings, 10, record(settings), False)
    assert again == {**record(settings), 'changes': []}


def test_differences_are_named_with_both_values_and_the_ways_out(settings: TrainingSettings) -> None:
    save(settings, record(settings, '--seed', '11'))
    with pytest.raises(InputError) as refused:
        continued(settings, 5, record(settings, '--seed', '12', '--rotation', '33'), False)
    message = str(refused.value)
    assert all(part in message for part in ('--seed', '11', '12', '--rotation', '15', '33', '--run-name', '--resume'))
    assert '\n' not in message and '--batchsize' not in message


def test_going_on_all_the_same_is_noted_once(settings: TrainingSettings) -> None:
    save(settings, {**record(settings), 'decides': {**decided(), 'a flag of old': 3}})
    resumed = continued(settings, 5, record(settings, '--seed', '12'), True)
    assert resumed['changes'] == [{'step': 5, 'differences': {'--seed': [1, 12]}}]
    assert resumed['decides'] == {**decided('--seed', '12'), 'a flag of old': 3}
    save(settings, resumed)
    assert continued(settings, 8, record(settings, '--seed', '12'), False) == resumed
    with pytest.raises(InputError, match='--seed'):
        continued(settings, 8, record(settings), False)


@pytest.mark.parametrize('flags', [('--model', 'vgg'), ('--stages', '1'), ('--refine', 'joint')])
def test_another_network_is_never_gone_on_with(settings: TrainingSettings, flags: Tuple[str, ...]) -> None:
    save(settings, record(settings))
    with pytest.raises(InputError) as refused:
        continued(settings, 5, record(settings, *flags), True)
    assert flags[0] in str(refused.value) and '--run-name' in str(refused.value)
    assert '--resume' not in str(refused.value)


def test_a_longer_run_goes_on_and_a_shorter_one_is_over(settings: TrainingSettings) -> None:
    save(settings, record(settings))
    continued(replace(settings, max_steps=20), 10, record(settings), False)
    continued(replace(settings, max_steps=7), 5, record(settings), False)
    with pytest.raises(InputError, match='10 done.* 7'):
        continued(replace(settings, max_steps=7), 10, record(settings), False)


def test_a_run_of_an_earlier_version_goes_on(settings: TrainingSettings, caplog: pytest.LogCaptureFixture) -> None:
    save(settings, settings.description)
    going_on = continued(settings, 5, record(settings), False)
    assert 'run.json' in caplog.text
    assert going_on['decides'] == decided() and [change['step'] for change in going_on['changes']] == [5]
    save(settings, {**settings.description, 'loss': {'loss': 'focal'}})
    with pytest.raises(InputError, match='focal'):
        continued(settings, 5, record(settings), False)
    (settings.run_folder / 'run.json').unlink()
    assert continued(settings, 5, record(settings), False)['decides'] == decided()


def test_lengths_decide_no_weight() -> None:
    longer = Garments(tuple(replace(garment, lengths=(('a', (' > '.join(garment.keypoints[:2]),)),))
                            for garment in GARMENTS.values()))
    assert run_record.garments_content(longer, 'my.json') == run_record.garments_content(GARMENTS, 'my.json')
    fewer = Garments(tuple(GARMENTS.values())[:2])
    assert run_record.garments_content(fewer, 'my.json') != run_record.garments_content(GARMENTS, 'my.json')
