"""train.py as a user runs it: one folder, one run; which command may go on in it; and data that cannot be learnt."""
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np
import pytest

from fashionai.annotations import Annotations, read_annotations, write_annotations
from fashionai.cli import initial_weights, synthesize, train
from fashionai.files import locked
from fashionai.garments.table import GARMENTS
from fashionai.training import run_record
from fashionai.training.cluster import Cluster

Finish = Callable[..., str]
NAME = 'testing_batch-2_lr-1e-3_gpus-1_64x64_skirt'
OLD_NAME = 'testing_batch:2_lr:1e-3_gpus:1_64x64_skirt'


@pytest.fixture(scope='module', autouse=True)
def _one_commit() -> Iterator[None]:
    """Someone may commit while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_record, '_commit', lambda: 'abc123')
        yield


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory, finish: Finish) -> Path:
    """Generated garments, other ones of the same names, and a run of two steps on the first."""
    folder = tmp_path_factory.mktemp('train')
    for name, seed in (('data', 3), ('other', 4)):
        finish(synthesize.main, '--output', folder / name, '--train', 10, '--val', 5, '--test', 5, '--size', 96,
               '--seed', seed, '--workers', 1)
    finish(train.main, *training(folder))
    return folder


@pytest.fixture
def run(place: Path, tmp_path: Path) -> Path:
    """A copy of the folder `trained` with that run."""
    shutil.copytree(str(place / 'trained'), str(tmp_path / 'trained'))
    return tmp_path / 'trained'


def training(place: Path, trained: str = 'trained', data: str = 'data', steps: int = 2) -> List[Any]:
    return ['--model', 'testing', '--tag', 'skirt', '--datapath', place / data, '--imgpath', place / data,
            '--batchsize', 2, '--gpus', 1, '--input-width', 64, '--input-height', 64, '--lr', '1e-3', '--workers', 0,
            '--max-steps', steps, '--validate-every', 100, '--modelpath', place / trained, '--logpath', place / 'logs']


def files_of(folder: Path) -> Dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_a_run_notes_what_decides_its_weights_under_a_name_for_every_system(place: Path) -> None:
    assert [path.name for path in (place / 'trained/skirt').iterdir()] == [NAME]
    assert [path.name for path in (place / 'logs').iterdir()] == [NAME]
    noted = json.loads((place / 'trained/skirt' / NAME / 'run.json').read_text())
    assert (noted['model'], noted['tag'], noted['input_hw']) == ('testing', 'skirt', [64, 64])
    decides = noted['decides']
    assert (decides['--seed'], decides['--batchsize'], decides['--precision']) == (1, 2, 'float32')
    (rows,), (images,) = decides['--datapath'], decides['--imgpath']
    assert (rows['place'], rows['size']) == (str(place / 'data/train/train.csv'), '2 rows')
    assert (images['place'], images['size']) == (str(place / 'data/train'), '2 images')
    assert {'--garments', 'initial weights', 'validation rows', 'TensorFlow', 'NumPy', 'project'} < set(decides)


@pytest.mark.parametrize('changed, named', [
    (['--datapath', 'other', '--imgpath', 'other'], ['--datapath', '--imgpath', 'validation rows']),
    (['--seed', 2], ['--seed']), (['--decay-steps', 5], ['--decay-steps']), (['--warmup-steps', 5], ['--warmup-steps']),
    (['--precision', 'mixed'], ['--precision']), (['--checkpoint', 'trained/skirt'], ['initial weights']),
    (['--pretrain_path', 'absent.npz'], ['initial weights']), (['--max-steps', 1], ['steps'])])
def test_another_command_is_refused_and_leaves_the_run_as_it_is(place: Path, run: Path, finish: Finish, changed: list,
                                                               named: List[str]) -> None:
    before = files_of(run)
    changed = [place / value if value in ('other', 'trained/skirt') else value for value in changed]
    output = finish(train.main, *training(place), '--modelpath', run, *changed, code=1)
    message = output.splitlines()[-1]
    assert message.startswith('error: ') and '--run-name' in message and '--resume' in message
    assert [name for name in named if f'{name}: ' not in message] == []
    assert message.count(': the run') == len(named)
    assert files_of(run) == before


def test_the_same_command_from_a_moved_folder_goes_on_with_more_steps(place: Path, run: Path, finish: Finish) -> None:
    shutil.copytree(str(place / 'data'), str(run.parent / 'moved'))
    more = [*training(run.parent, data='moved', steps=3), '--save-every', 7, '--keep', 1]
    output = finish(train.main, *more)
    assert 'step 2 ' in output and 'step 3/3' in output
    noted = json.loads((run / 'skirt' / NAME / 'run.json').read_text())
    assert noted['changes'] == []


def test_initial_weights_may_lie_where_the_original_has_them(tmp_path: Path) -> None:
    options = train.parse([*map(str, training(tmp_path)), '--pretrain_basepath', str(tmp_path)])
    usual, original = tmp_path / 'vgg19.npy', tmp_path / 'numpy/vgg19.npy'
    assert initial_weights.starting_weights(options, usual.name) == usual, 'the place that a message names'
    original.parent.mkdir()
    for path in (original, usual):
        path.write_text('')
        assert initial_weights.starting_weights(options, usual.name) == path


@pytest.mark.parametrize('flags', [[], ['--pretrain_path', '']])
def test_a_fresh_head_needs_a_backbone(tmp_path: Path, flags: List[str]) -> None:
    options = train.parse([*map(str, training(tmp_path)), *flags, '--fresh-head'])
    with pytest.raises(ValueError, match='--fresh-head.*--pretrain_path or --checkpoint'):
        initial_weights.starting_weights(options, '')


def test_a_fresh_head_is_not_one_that_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='--fresh-head.*--refine frozen'):
        train.parse([*map(str, training(tmp_path)), '--checkpoint', 'run', '--refine', 'frozen', '--fresh-head'])


def test_resume_goes_on_all_the_same_and_is_noted(place: Path, run: Path, finish: Finish) -> None:
    output = finish(train.main, *training(place, steps=3), '--modelpath', run, '--seed', 2, '--resume')
    assert 'step 2 ' in output and '--seed' in output
    noted = json.loads((run / 'skirt' / NAME / 'run.json').read_text())
    assert noted['changes'] == [{'step': 2, 'differences': {'--seed': [1, 2]}}]
    assert noted['decides']['--seed'] == 2
    assert '--seed: ' in finish(train.main, *training(place, steps=3), '--modelpath', run, code=1)


def test_a_run_under_another_name_begins_anew(place: Path, run: Path, finish: Finish) -> None:
    before = files_of(run)
    output = finish(train.main, *training(place), '--modelpath', run, '--logpath', run.parent / 'logs', '--seed', 2,
                    '--run-name', 'seed.2')
    assert 'step 2/2' in output and 'step 2 ' not in output
    assert {name: content for name, content in files_of(run).items() if 'seed.2' not in name} == before
    assert (run / 'skirt/seed.2/model-2.index').exists() and (run.parent / 'logs/skirt/seed.2').is_dir()


def test_a_folder_of_runs_to_start_from_may_hold_the_run_itself(place: Path, run: Path, finish: Finish) -> None:
    """Its newest run is another one then; the same command goes on all the same."""
    before = json.loads((run / 'skirt' / NAME / 'run.json').read_text())
    from_first = [*training(place), '--modelpath', run, '--run-name', 'second', '--checkpoint', run / 'skirt']
    assert 'variables filled' in finish(train.main, *from_first)
    noted = (run / 'skirt/second/run.json').read_text()
    assert json.loads(noted)['decides']['initial weights'] != before['decides']['initial weights']
    assert 'step 2 ' in finish(train.main, *from_first)
    again = json.loads((run / 'skirt/second/run.json').read_text())
    assert again['decides'] == json.loads(noted)['decides'] and again['changes'] == []


@pytest.mark.parametrize('name', ['', '.', '..', 'a/b', 'a:b', 'a,b', 'a b', '-a', 'graph', 'best', '../up', 'a\\b'])
def test_a_name_that_is_none(place: Path, finish: Finish, name: str) -> None:
    assert '--run-name' in finish(train.main, *training(place), f'--run-name={name}', code=2)


def test_a_run_that_an_earlier_version_named_goes_on(place: Path, run: Path, finish: Finish) -> None:
    folder = run / 'skirt' / OLD_NAME
    (run / 'skirt' / NAME).rename(folder)
    noted = json.loads((folder / 'run.json').read_text())
    del noted['decides']
    (folder / 'run.json').write_text(json.dumps(noted))
    output = finish(train.main, *training(place, steps=3), '--modelpath', run, '--logpath', run.parent / 'logs')
    assert 'step 2 ' in output and 'run.json' in output
    assert (folder / 'model-3.index').exists() and not (run / 'skirt' / NAME).exists()
    assert '--seed' in finish(train.main, *training(place, steps=3), '--modelpath', run, '--seed', 2, code=1)


def test_two_trainers_in_one_folder(place: Path, run: Path, finish: Finish) -> None:
    before = files_of(run)
    with locked(run / 'skirt' / NAME, 'train.py'):
        output = finish(train.main, *training(place, steps=3), '--modelpath', run, code=1)
    assert NAME in output.splitlines()[-1] and 'process' in output
    assert files_of(run) == before


@pytest.mark.parametrize('flags, named', [
    (['--lr', 'cosine:5e-4'], 'lr-cosine-5e-4'), (['--lr', '1e-3,3e-4'], 'lr-1e-3+3e-4'),
    (['--sampling', __file__], 'sampling-test_train'), (['--garments', 'my own: set.json'], 'garments-my-own--set')])
def test_names_have_letters_that_every_system_takes(tmp_path: Path, flags: List[str], named: str) -> None:
    from fashionai.dataflow.data_options import DataOptions
    options = train.parse(['--model', 'testing', '--modelpath', str(tmp_path), '--logpath', str(tmp_path), *flags])
    run_folder, log_folder = train.run_folders(options, train.run_name(options, DataOptions.of(vars(options))))
    assert run_folder.name == log_folder.name and named in run_folder.name
    assert not set(run_folder.name) & set('<>:"/\\|?*, ')


def labels(visible: int, folder: str = 'train', ids: tuple = ('a.jpg', 'b.jpg')) -> Annotations:
    """Skirts whose keypoints all have one visibility."""
    keypoints = np.full((len(ids), 24, 3), -1, np.int32)
    skirt = GARMENTS['skirt'].csv_indices
    keypoints[:, skirt] = [[number * 10, number * 10, visible] for number in range(len(skirt))]
    return Annotations(ids, ('skirt',) * len(ids), keypoints, f'{folder}.csv')


@pytest.mark.parametrize('visible, hidden_count, fine', [(1, False, True), (0, True, True), (0, False, False),
                                                          (-1, True, False)])
def test_rows_without_a_point_to_learn_are_refused(visible: int, hidden_count: bool, fine: bool) -> None:
    skirt = GARMENTS['skirt']
    if fine:
        train.check_labels(labels(visible), None, skirt, hidden_count)
    else:
        with pytest.raises(ValueError, match=r'train\.csv.*\b2\b'):
            train.check_labels(labels(visible), None, skirt, hidden_count)


@pytest.mark.parametrize('visible', [0, -1])
def test_validation_rows_without_a_point_to_measure_are_refused(visible: int) -> None:
    with pytest.raises(ValueError, match=r'val\.csv.*\b2\b.*--validate-every 0'):
        train.check_labels(labels(1), labels(visible, 'val', ('c.jpg', 'd.jpg')), GARMENTS['skirt'], False)


def test_validation_images_that_are_trained_on_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    train.check_labels(labels(1), labels(1, 'val', ('c.jpg', 'd.jpg')), GARMENTS['skirt'], False)
    assert not caplog.text
    train.check_labels(labels(1, ids=('Images/../a.jpg', 'b.jpg')), labels(1, 'val', ('a.jpg', 'd.jpg', 'e.jpg')),
                       GARMENTS['skirt'], False)
    assert '1 of 3 validation images' in caplog.text


def test_absent_labels_end_as_one_line(place: Path, tmp_path: Path, finish: Finish) -> None:
    shutil.copytree(str(place / 'data'), str(tmp_path / 'data'))
    table = tmp_path / 'data/train/val.csv'
    truth = read_annotations(table)
    write_annotations(table, replace(truth, keypoints=np.full_like(truth.keypoints, -1)))
    output = finish(train.main, *training(tmp_path), code=1)
    assert str(table) in output and 'Traceback' not in output and not (tmp_path / 'trained').exists()


@pytest.mark.parametrize('addresses, rank, found', [('tcp://x:1', 0, 'tcp://x:1'), ('tcp://x:1', 1, 'tcp://x:1'),
                                                    ('tcp://x:1,tcp://x:2', 1, 'tcp://x:2')])
def test_ranks_take_remote_batches_at_their_addresses(addresses: str, rank: int, found: str) -> None:
    cluster = Cluster(('a:1', 'b:1'), rank)
    assert train.remote_address(addresses, cluster) == found
    with pytest.raises(ValueError, match='3 addresses for 2'):
        train.remote_address('x,y,z', cluster)


@pytest.mark.parametrize('hosts', ['local:3', 'a:1,b:1,c:1'])
def test_a_batch_that_does_not_divide_over_the_hosts_is_refused(place: Path, finish: Finish, hosts: str) -> None:
    assert '3 hosts' in finish(train.main, *training(place), '--hosts', hosts, code=1)


def test_hosts_are_named_once(place: Path, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TF_CONFIG', '{}')
    output = finish(train.main, *training(place), '--hosts', 'local:2', code=1)
    assert 'TF_CONFIG' in output and '--hosts' in output


def test_a_bad_tf_config_is_one_line(place: Path, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('TF_CONFIG', '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "ps", "index": 0}}')
    output = finish(train.main, *training(place), code=1)
    assert output.startswith('error: TF_CONFIG') and len(output.splitlines()) == 1
