"""Makes rows from jobs. Small programs replace the entry points and record how they were called."""
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any, List

import pytest

from fashionai.experiments.campaign import check_budget, command, run_all
from fashionai.experiments.recipes import trainings
from fashionai.experiments.runner import StepFailed, Workshop
from fashionai.experiments.settings import Budget, Setting
from fashionai.experiments.table import read_rows

PROGRAM = """
import json, os, sys, time
from pathlib import Path
here, arguments = Path(__file__).resolve().parents[1], sys.argv[1:]
with open(str(here / 'calls.txt'), 'a') as file:
    file.write(json.dumps([Path(__file__).name] + arguments) + chr(10))
print('step 1/3  12.0 images/s', 'step 2/3  30.5 images/s', 'step 3/3  20.0 images/s', sep=chr(10))
if '--broken' in arguments:
    sys.exit('this flag is broken')
product = Path(arguments[-1])
if '--slow' in arguments:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        product.with_name('saved').write_text('')
        sys.exit(130)
product.write_text(json.dumps({'visible': {'ne': 10.5}, 'leaderboard': {'ne': 12.25}}))
"""

AGAIN = 'python code/experiments.py --datapath SAMPLE --work tmp/again --output tmp/again.csv'

TABLE = {setting.name: setting for setting in (
    Setting('plain', 'first', seeds=(1, 2)), Setting('broken', 'first', ('--broken',)),
    Setting('other', 'second', run=('--no-flip',), uses=('plain',)),
    Setting('again', 'second', ('--checkpoint', '{checkpoint:plain}', '--sampling', '{errors:plain/2}')),
    Setting('after', 'second', uses=('broken',)), Setting('both', 'third', uses=('plain/1', 'plain/2')),
    Setting('part', '', ('--tag', 'skirt'), parts=4),
    Setting('merged', 'third', run=('{submission:part}',), uses=('part',), script='submit/merge.py'),
    Setting('wrong', 'third', ('--sampling', '{errors:nothing}')), Setting('slow', 'third', ('--slow',)))}


class Place:
    """A project whose entry points are replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / 'rows.csv'
        for name in ('code/train.py', 'code/freeze.py', 'code/run.py', 'code/evaluate.py', 'submit/merge.py'):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(PROGRAM)

    def workshop(self, budget: Budget = Budget()) -> Workshop:  # noqa: B008
        return Workshop(TABLE, budget, Path('/data'), self.folder / 'work', self.folder)

    def run(self, *jobs: Any, budget: Budget = Budget()) -> List[str]:  # noqa: B008
        return run_all([(TABLE[name], seed) for name, seed in jobs], self.workshop(budget), budget,
                       read_rows(self.output), self.output, lambda graph, size: (1000, float(size)), '2.0')

    def calls(self, name: str = '') -> List[List[str]]:
        path = self.folder / 'calls.txt'
        lines = path.read_text().splitlines() if path.exists() else []
        return [call for call in map(json.loads, lines) if not name or call[0] == name]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def value_of(call: List[str], flag: str) -> str:
    """Returns the last value of a flag, which counts."""
    return [after for before, after in zip(call, call[1:]) if before == flag][-1]


def test_a_job_goes_through_the_four_programs_to_a_row(place: Place) -> None:
    assert place.run(('plain', 2), budget=Budget(steps=8, size=96)) == []
    assert [call[0] for call in place.calls()] == ['train.py', 'freeze.py', 'run.py', 'evaluate.py']
    train, freeze, run, evaluate = place.calls()
    folder = place.folder / 'work' / 'plain' / '2'
    assert [value_of(train, flag) for flag in ('--seed', '--max-steps', '--input-width', '--datapath')] == [
        '2', '8', '96', '/data']
    assert value_of(freeze, '--modelpath') == value_of(train, '--modelpath') == str(folder / 'trained')
    assert value_of(run, '--modelpath') == value_of(freeze, '--output') == str(folder / 'frozen_graph.pb')
    assert value_of(run, '--csv') == value_of(evaluate, '--truth') == '/data/train/val.csv'
    row = read_rows(place.output)['plain', 2]
    assert (row.group, row.parameters, row.gflops_368, row.gflops) == ('first', 1000, 368, 96)
    assert (row.images_per_second, row.ne_visible, row.ne_leaderboard, row.tensorflow) == (20, 10.5, 12.25, '2.0')
    assert row.command == AGAIN + ' --only plain --seeds 2 --steps 8 --size 96'


def test_steps_that_are_done_are_not_repeated(place: Place) -> None:
    place.run(('plain', 1))
    place.run(('plain', 1), ('other', 1))
    assert [call[0] for call in place.calls()[4:]] == ['run.py', 'evaluate.py']
    assert value_of(place.calls()[4], '--modelpath') == str(place.folder / 'work/plain/1/frozen_graph.pb')
    assert set(read_rows(place.output)) == {('plain', 1), ('other', 1)}
    place.output.unlink()
    place.run(('plain', 1), ('other', 1))
    assert len(place.calls()) == 6, 'rows are made from what is there'


def test_a_product_that_was_removed_is_made_again_where_it_is_needed(place: Place) -> None:
    place.run(('plain', 1))
    (place.folder / 'work/plain/1/trained').unlink()
    place.output.unlink()
    place.run(('plain', 1))
    assert len(place.calls('train.py')) == 1
    (place.folder / 'work/plain/1/frozen_graph.pb').unlink()
    place.run(('other', 1))
    assert len(place.calls('train.py')) == len(place.calls('freeze.py')) == 2


def test_placeholders_are_paths_of_what_is_made_first(place: Place) -> None:
    assert place.run(('again', 1)) == []
    retrained = place.calls('train.py')[-1]
    assert value_of(retrained, '--checkpoint') == str(place.folder / 'work/plain/1/trained')
    assert value_of(retrained, '--sampling') == str(place.folder / 'work/plain/2/errors.csv')
    measured = next(call for call in place.calls('evaluate.py') if '--errors' in call)
    assert value_of(measured, '--truth') == '/data/train/train.csv', 'errors to train by are not those of validation'
    assert set(read_rows(place.output)) == {('again', 1)}


def test_one_failure_is_shown_and_the_others_go_on(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    assert place.run(('broken', 1), ('after', 1), ('plain', 1)) == ['broken/1', 'after/1']
    assert 'train.py' in caplog.text and 'this flag is broken' in caplog.text
    assert len([call for call in place.calls('train.py') if '--broken' in call]) == 1, 'not tried twice'
    assert set(read_rows(place.output)) == {('plain', 1)}


def test_several_networks(place: Place) -> None:
    assert place.run(('both', 1)) == []
    graphs = [str(place.folder / f'work/plain/{seed}/frozen_graph.pb') for seed in (1, 2)]
    assert value_of(place.calls('run.py')[-1], '--modelpath') == ','.join(graphs)
    row = read_rows(place.output)['both', 1]
    assert (row.parameters, row.gflops, row.images_per_second) == (2000, 256, None)


def test_a_submission_by_another_program(place: Place) -> None:
    assert place.run(('merged', 3), budget=Budget(steps=240, decay_steps=180, warmup_steps=30)) == []
    train = place.calls('train.py')[0]
    assert [value_of(train, flag) for flag in ('--max-steps', '--decay-steps', '--warmup-steps', '--tag')] == [
        '60', '45', '7', 'skirt']
    assert place.calls('merge.py') == [['merge.py', str(place.folder / 'work/part/3/submission.csv'), '--output',
                                        str(place.folder / 'work/merged/3/submission.csv')]]


def test_another_budget_is_refused(place: Place) -> None:
    place.run(('plain', 1))
    longer = Budget(steps=500)
    with pytest.raises(ValueError, match=r'rows\.csv.*--output'):
        check_budget(read_rows(place.output), longer, place.output)
    with pytest.raises(StepFailed, match='flags.*--work'):
        place.workshop(longer).product('graph', 'plain', 1)
    assert command('plain', 1, longer) == AGAIN + ' --only plain --seeds 1 --steps 500'


def test_other_labels_in_the_same_folder_are_refused(place: Place) -> None:
    """New generated data: products of the old data must not be mixed with products of the new data."""
    table = place.folder / 'data/train/train.csv'
    table.parent.mkdir(parents=True)

    def workshop() -> Workshop:
        return Workshop(TABLE, Budget(), place.folder / 'data', place.folder / 'work', place.folder)

    table.write_text('labels')
    made = workshop().product('checkpoint', 'plain', 1)
    assert workshop().product('checkpoint', 'plain', 1) == made
    table.write_text('other labels')
    with pytest.raises(StepFailed, match='work/plain/1.*labels.*--work'):
        workshop().product('checkpoint', 'plain', 1)
    for state in ('started', 'done'):
        note = made.with_name(f'checkpoint.{state}')
        note.write_text(note.read_text().splitlines()[0])
    assert workshop().product('checkpoint', 'plain', 1) == made, 'notes of earlier versions have no labels'


def test_the_trainings_that_a_row_needs(place: Place) -> None:
    def needed(name: str) -> set:
        return set(trainings(TABLE, TABLE[name], 1, Budget(), '/data'))

    assert needed('plain') == needed('other') == {('plain', 1)}
    assert needed('again') == {('again', 1), ('plain', 1), ('plain', 2)}
    assert needed('both') == {('plain', 1), ('plain', 2)} and needed('merged') == {('part', 1)}


def test_a_placeholder_that_means_nothing(place: Place) -> None:
    with pytest.raises(ValueError, match='{errors:nothing}'):
        place.run(('wrong', 1))
    with pytest.raises(ValueError, match='{graph:other}.*submission'):
        place.workshop().product('graph', 'other', 1)


def test_an_interruption_reaches_the_step_under_way(place: Place) -> None:
    def interrupt() -> None:
        while not place.calls():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            place.workshop().product('checkpoint', 'slow', 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (place.folder / 'work/slow/1/saved').exists()
    assert not (place.folder / 'work/slow/1/checkpoint.done').exists()
