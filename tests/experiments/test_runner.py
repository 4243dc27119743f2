"""Makes rows from jobs. Small programs replace the entry points and record how they were called."""
import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any, List

import pytest

from fashionai.annotations import read_annotations
from fashionai.experiments.campaign import check_budget, command, jobs_of, run_all
from fashionai.experiments.image_errors import images_path, read_images
from fashionai.experiments.recipes import trainings
from fashionai.experiments.runner import StepFailed, Workshop
from fashionai.experiments.settings import SETTINGS, Budget, Setting
from fashionai.experiments.table import Row, Table, read_rows
from fashionai.garments.table import CSV_KEYPOINTS

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
saved = product.with_name('saved')
if '--slow' in arguments and not saved.exists():
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        saved.write_text('')
        sys.exit(130)
product.write_text((here / 'submission.csv').read_text() if product.suffix == '.csv' else 'made')
"""

NORMALISER = 100
"""The pixels between the ends of a waistband."""

AGAIN = 'python code/experiments.py --datapath SAMPLE --work tmp/again --output tmp/again.csv'

TABLE = {setting.name: setting for setting in (
    Setting('plain', 'first', seeds=(1, 2)), Setting('broken', 'first', ('--broken',)),
    Setting('other', 'second', run=('--no-flip',), uses=('plain',)),
    Setting('again', 'second', ('--checkpoint', '{checkpoint:plain}', '--sampling', '{errors:plain/2}')),
    Setting('after', 'second', uses=('broken',)), Setting('both', 'third', uses=('plain/1', 'plain/2')),
    Setting('part', '', ('--tag', 'skirt'), parts=4),
    Setting('merged', 'third', run=('{submission:part}',), uses=('part',), script='submit/merge.py'),
    Setting('heavy', 'third', slower=14), Setting('small', 'third', batch=4), Setting('large', 'third', batch=32),
    Setting('look', 'fourth', run=('--decode', 'plain'), network='supplied', seeds=(0,)),
    Setting('swift', 'fourth', preset='fast', network='fast', seeds=(0,)),
    Setting('wrong', 'third', ('--sampling', '{errors:nothing}')), Setting('slow', 'third', ('--slow',)))}


def skirts(*shifts: int) -> str:
    """Returns a file of skirts whose points are shifted to the right by these pixels; one end of the hem, which is
    occluded, by 7 more."""
    lines = [','.join(('image_id', 'image_category', *CSV_KEYPOINTS))]
    for number, shift in enumerate(shifts):
        points = {'waistband_left': f'{100 + shift}_50_1', 'waistband_right': f'{100 + NORMALISER + shift}_50_1',
                  'hemline_left': f'{90 + shift}_300_1', 'hemline_right': f'{210 + shift + 7 * (shift > 0)}_300_0'}
        lines.append(','.join((f'{number}.jpg', 'skirt', *(points.get(name, '-1_-1_-1') for name in CSV_KEYPOINTS))))
    return '\n'.join(lines) + '\n'


class Place:
    """A project whose entry points are replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output, self.data = folder, folder / 'rows.csv', str(folder / 'data')
        (folder / 'data/train').mkdir(parents=True)
        (folder / 'data/train/val.csv').write_text(skirts(0, 0))
        (folder / 'submission.csv').write_text(skirts(10, 11))
        for name in ('code/train.py', 'code/freeze.py', 'code/run.py', 'code/evaluate.py', 'submit/merge.py'):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(PROGRAM)

    def workshop(self, budget: Budget = Budget(), *execution: str) -> Workshop:  # noqa: B008
        return Workshop(TABLE, budget, Path(self.data), self.folder / 'work', self.folder, execution)

    def run(self, *jobs: Any, budget: Budget = Budget()) -> List[str]:  # noqa: B008
        truth = read_annotations(Path(self.data) / 'train/val.csv')
        return run_all([(TABLE[name], seed) for name, seed in jobs], self.workshop(budget), budget,
                       Table.open(self.output, truth), truth, lambda graph: (1000, 36.8, 9.6), '2.0')

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


def test_a_job_goes_through_three_programs_to_a_row(place: Place) -> None:
    assert place.run(('plain', 2), budget=Budget(steps=8, size=96)) == []
    assert [call[0] for call in place.calls()] == ['train.py', 'freeze.py', 'run.py']
    train, freeze, run = place.calls()
    folder = place.folder / 'work' / 'plain' / '2'
    assert [value_of(train, flag) for flag in ('--seed', '--max-steps', '--input-width', '--datapath')] == [
        '2', '8', '96', place.data]
    assert value_of(freeze, '--modelpath') == value_of(train, '--modelpath') == str(folder / 'trained')
    assert value_of(run, '--modelpath') == value_of(freeze, '--output') == str(folder / 'frozen_graph.pb')
    assert value_of(run, '--csv') == place.data + '/train/val.csv'
    row = read_rows(place.output)['plain', 2]
    assert (row.group, row.network, row.parameters, row.gflops_368, row.gflops) == ('first', '', 1000, 36.8, 9.6)
    assert (row.images_per_second, row.ne_visible, row.ne_leaderboard, row.tensorflow) == (20, 10.5, 12.25, '2.0')
    images = read_images(images_path(place.output))
    assert (images.names, images.points.tolist()) == (('3938d9535f', '4c468b3b16'), [3, 3])
    assert images.sums['plain', 2].tolist() == [0.3, 0.33], 'three visible points, 10 and 11 pixels off'
    assert row.command == AGAIN + ' --only plain --seeds 2 --steps 8 --size 96'


def test_steps_that_are_done_are_not_repeated(place: Place) -> None:
    place.run(('plain', 1))
    place.run(('plain', 1), ('other', 1))
    assert [call[0] for call in place.calls()[3:]] == ['run.py']
    assert value_of(place.calls()[3], '--modelpath') == str(place.folder / 'work/plain/1/frozen_graph.pb')
    assert set(read_rows(place.output)) == {('plain', 1), ('other', 1)}
    place.output.unlink()
    place.run(('plain', 1), ('other', 1))
    assert len(place.calls()) == 4, 'rows are made from what is there'


def test_flags_of_the_execution_reach_the_training_alone_and_are_not_noted(place: Place) -> None:
    place.workshop(Budget(), '--precision', 'mixed').product('submission', 'plain', 1)
    assert [call[0] for call in place.calls() if 'mixed' in call] == ['train.py']
    place.workshop().product('submission', 'plain', 1)
    assert [call[0] for call in place.calls()] == ['train.py', 'freeze.py', 'run.py']


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
    assert value_of(measured, '--truth') == place.data + '/train/train.csv', 'not the errors of validation'
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
    assert (row.parameters, row.gflops, row.images_per_second) == (2000, 19.2, None)


def test_a_network_of_the_project_needs_no_training(place: Place) -> None:
    assert place.run(('look', 0), ('swift', 0), budget=Budget(steps=8)) == []
    look, swift = place.calls()
    assert look[0] == swift[0] == 'run.py'
    flags = ('--modelpath', '--decode', '--assembly', '--second-pass', '--scales')
    assert [value_of(look, flag) for flag in flags] == ['supplied', 'plain', 'peaks', 'none', '[1.0]']
    assert [value_of(swift, flag) for flag in ('--modelpath', '--preset')] == ['fast', 'fast']
    assert not {'--assembly', '--scales', '--second-pass'} & set(swift), 'the preset decides'
    row = read_rows(place.output)['look', 0]
    name, start = row.network.split()
    assert name == 'supplied' and len(start) == 8 and row.images_per_second is None
    assert row.command == AGAIN + ' --only look --seeds 0', 'it does not depend on the budget'
    check_budget(read_rows(place.output), Budget(steps=9), place.output)


def test_a_row_of_another_supplied_network_is_refused(place: Place) -> None:
    old = Row('supplied', 'supplied', '', 'supplied 01234567', 0, 1000, 1, 1, None, 8, 9, '2.0',
              command('supplied', 0, Budget()))
    with pytest.raises(ValueError, match=r'rows\.csv.*supplied 01234567.*remove'):
        check_budget({old.key: old}, Budget(), place.output)


def test_jobs_without_a_row(place: Place) -> None:
    place.run(('plain', 1), ('look', 0))
    shutil.rmtree(str(place.folder / 'work'))
    table = Table.read(place.output)
    chosen = [TABLE[name] for name in ('plain', 'look', 'swift')]
    assert [(one.name, seed) for one, seed in jobs_of(chosen, [], table.rows)] == [('plain', 2), ('swift', 0)]
    assert [(one.name, seed) for one, seed in jobs_of(chosen, [1, 7], table.rows)] == [('plain', 7), ('swift', 0)]


def test_a_submission_by_another_program(place: Place) -> None:
    assert place.run(('merged', 3), budget=Budget(steps=240, warmup_steps=30)) == []
    train = place.calls('train.py')[0]
    assert [value_of(train, flag) for flag in ('--max-steps', '--warmup-steps', '--tag')] == ['60', '7', 'skirt']
    assert place.calls('merge.py') == [['merge.py', str(place.folder / 'work/part/3/submission.csv'), '--output',
                                        str(place.folder / 'work/merged/3/submission.csv')]]


@pytest.mark.parametrize('name, batch, steps, warmup', [
    ('plain', '16', '280', '28'), ('small', '4', '1120', '112'), ('large', '32', '140', '14'),
    ('heavy', '16', '20', '2')])
def test_steps_of_other_batches_and_of_slower_networks(place: Place, name: str, batch: str, steps: str,
                                                       warmup: str) -> None:
    """Batches of another size see as many images; slower networks have as much time."""
    assert place.run((name, 1), budget=Budget(steps=280, warmup_steps=28)) == []
    train = place.calls('train.py')[0]
    flags = ('--batchsize', '--max-steps', '--warmup-steps')
    assert [value_of(train, flag) for flag in flags] == [batch, steps, warmup]


def test_several_rates_are_refused() -> None:
    with pytest.raises(ValueError, match='--lr 1e-3,1e-4.*cosine'):
        Budget(lr='1e-3,1e-4')


def test_the_usual_budget() -> None:
    flags = list(Budget().train_flags(SETTINGS['baseline']))
    assert [value_of(flags, flag) for flag in ('--max-steps', '--batchsize', '--input-height', '--lr')] == [
        '3750', '16', '192', 'cosine:1e-3']


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
        return set(trainings(TABLE, TABLE[name], 1, Budget(), place.data))

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
    assert place.workshop().product('checkpoint', 'slow', 1).read_text() == 'made'
    before_it, after_it = place.calls('train.py')
    assert before_it == after_it, 'the same command, which goes on from what was saved'
