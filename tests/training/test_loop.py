"""The session loop: which checkpoints it keeps, what stops it, and what it logs."""
import json
import os
import re
import signal
from dataclasses import replace

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.annotations import Annotations
from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.errors import InputError
from fashionai.files import write_json
from fashionai.garments.table import GARMENTS
from fashionai.model_files.checkpoints import checkpoint_steps, find_checkpoint
from fashionai.model_files.freezing import freeze
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.weights import load_first_network, read_weights
from fashionai.networks.head_options import HeadOptions
from fashionai.training.loop import TrainingSettings, batch_shapes, last_step, train
from fashionai.training.loss_watch import DivergedError
from fashionai.training.options import LossOptions, UpdateOptions
from fashionai.training.run_record import data_that_decide
from fashionai.training.saving import BestCheckpoint


class Batches:
    """A queue of random batches. All targets of batch number `broken` are `value`."""

    capacity, fill = 8, 8

    def __init__(self, shapes, broken=None, value=np.nan):
        self._shapes, self._broken, self._value, self._given = shapes, broken, value, 0

    def get(self):
        self._given += 1
        rng = np.random.RandomState(self._given)
        batch = [rng.randint(0, 255, self._shapes[0]).astype(np.uint8)]
        batch += [rng.rand(*shape).astype(np.float32) for shape in self._shapes[1:]]
        if self._given == self._broken:
            batch[1][:] = self._value
        return batch


@pytest.fixture
def settings(tmp_path):
    return TrainingSettings(
        model='testing', garment=GARMENTS['skirt'], input_hw=(32, 48), batch_size=4, towers=2, learning_rate='1e-3',
        decay_steps=100, warmup_steps=0, max_steps=6, epoch_steps=3, validate_every=2, save_every=2,
        keep=2, run_folder=tmp_path / 'run', log_folder=tmp_path / 'log', seed=1, log_every=2)


class Ending(Batches):
    """Batches with an end: before batch number 4, `action` is called."""

    def __init__(self, shapes, action):
        super().__init__(shapes)
        self._action = action

    def get(self):
        if self._given == 3:
            self._action()
        return super().get()


def steps_kept(folder):
    return sorted(int(path.stem.split('-')[1]) for path in folder.glob('model-*.index'))


def run(settings, broken=None, validate=None, load=lambda session: None):
    train(settings, Batches(batch_shapes(settings), broken), load, validate)


def test_the_last_checkpoints_and_the_best_are_kept(settings):
    errors = iter([30., 10., 20.])
    run(settings, validate=lambda forward: next(errors))
    kept = sorted(path.name for path in settings.run_folder.glob('model-*.index'))
    assert kept == ['model-4.index', 'model-6.index']
    assert json.loads((settings.run_folder / 'best' / 'best.json').read_text()) == {'step': 4, 'validation_ne': 10.0}
    assert list((settings.run_folder / 'best').glob('model-4.index'))


def test_training_goes_on_from_the_last_checkpoint(settings):
    run(settings)
    loads = []
    run(replace(settings, max_steps=9), load=loads.append)
    assert last_step(settings.run_folder) == 9
    assert not loads, 'initial weights are for a training that starts anew'


def test_a_loss_that_is_not_finite_stops_before_it_is_saved(settings):
    with pytest.raises(DivergedError, match='lower --lr'):
        run(settings, broken=4)
    assert last_step(settings.run_folder) == 2
    values = read_weights(settings.run_folder)
    assert all(np.isfinite(value).all() for value in values.values())


def test_a_loss_that_explodes_leaves_the_checkpoints_from_before(settings):
    """The checkpoint of step 4 has the weights whose loss explodes in step 5; the one before it is there even with
    --keep 1."""
    settings = replace(settings, save_every=1, keep=1, validate_every=2)
    with pytest.raises(DivergedError, match='lower --lr'):
        train(settings, Batches(batch_shapes(settings), 5, 1e4), lambda session: None, lambda forward: 10.)
    assert steps_kept(settings.run_folder) == [3] and last_step(settings.run_folder) == 3
    assert steps_kept(settings.run_folder / 'best') == [2]
    assert all(np.isfinite(value).all() for value in read_weights(settings.run_folder).values())


def test_nothing_is_saved_or_removed_while_the_loss_is_raised(settings):
    """Targets of 5 make the loss 25 times as large. Step 4 is therefore not saved when it is due; step 5 is saved."""
    settings = replace(settings, keep=1, max_steps=5)
    seen = []

    class Watched(Batches):
        def get(self):
            seen.append(steps_kept(settings.run_folder))
            return super().get()

    train(settings, Watched(batch_shapes(settings), 4, 5.), lambda session: None, None)
    assert seen[2:] == [[2], [2], [2]] and steps_kept(settings.run_folder) == [5]


def test_sigterm_saves_a_checkpoint(settings):
    def terminate():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # as timeout does: to the process, and to its group

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        train(settings, Ending(batch_shapes(settings), terminate), lambda session: None, None)
    assert end.value.code == 143
    assert last_step(settings.run_folder) == 3
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize('error', [KeyboardInterrupt(), InputError('a bad image'), RuntimeError('a worker failed')])
def test_what_ends_the_batches_saves_a_checkpoint(settings, error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        train(settings, Ending(batch_shapes(settings), fail), lambda session: None, None)
    assert last_step(settings.run_folder) == 3


def test_a_validation_that_was_interrupted_is_made_good(settings):
    """Step 4 has the lowest error, but the training is stopped before it is validated."""
    errors = iter([30., KeyboardInterrupt()])

    def validate(forward):
        error = next(errors)
        if isinstance(error, KeyboardInterrupt):
            raise error
        return error

    with pytest.raises(KeyboardInterrupt):
        run(settings, validate=validate)
    again = iter([10., 20.])
    run(settings, validate=lambda forward: next(again))
    assert json.loads((settings.run_folder / 'best' / 'best.json').read_text()) == {'step': 4, 'validation_ne': 10.0}


def test_validation_sees_the_network_as_it_will_be_frozen(settings):
    shapes = []

    def validate(forward):
        images = np.random.RandomState(0).uniform(0, 255, (1, 32, 48, 3)).astype(np.float32)
        maps, types = forward(images)
        np.testing.assert_allclose(forward(np.repeat(images, 3, axis=0))[0][0], maps[0], atol=1e-5)
        assert types is None
        shapes.append(maps.shape)
        return 1.0

    run(settings, validate=validate)
    assert shapes == [(1, 4, 6, 15)] * 3


@pytest.mark.parametrize('head, stride', [
    (HeadOptions(stages=1, stride=4), 4), (HeadOptions(pyramid='on', stride=2, upsampling='bilinear'), 2)])
def test_targets_follow_the_stride_of_the_head(settings, head, stride):
    settings = replace(settings, head=head, max_steps=2)
    assert batch_shapes(settings)[1] == (4, 32 // stride, 48 // stride, 5)
    shapes = []
    run(settings, validate=lambda forward: shapes.append(forward(np.zeros((1, 32, 48, 3)))[0].shape) or 1.0)
    assert shapes == [(1, 32 // stride, 48 // stride, 15)]


@pytest.mark.parametrize('refine', ['joint', 'frozen'])
def test_a_refine_net_is_trained_with_the_first_network_or_alone(settings, tmp_path, refine):
    run(settings)
    head = HeadOptions(refine=refine)
    refining = replace(settings, head=head, run_folder=tmp_path / refine, max_steps=3)
    assert batch_shapes(refining)[1] == (4, 8, 12, 5)
    start = {}

    def load(session):
        load_first_network(head, 'l2', settings.run_folder, session)
        start.update(zip((variable.op.name for variable in tf.model_variables()), session.run(tf.model_variables())))

    shapes = []
    run(refining, load=load, validate=lambda forward: shapes.append(forward(np.zeros((1, 32, 48, 3)))[0].shape) or 1.0)
    assert shapes[0] == (1, 8, 12, 15)
    values = read_weights(refining.run_folder)
    assert set(values) == set(start)
    changed = {name for name, value in values.items() if (value != start[name]).any()}
    assert changed == {name for name in values if refine == 'joint' or '/refine_' in name}
    slots = [name for name, _ in tf.train.list_variables(str(refining.run_folder)) if name.endswith('/Adam')]
    assert slots and all(refine == 'joint' or '/refine_' in name for name in slots)


def test_a_refine_net_wants_the_loss_of_the_first_network(settings):
    run(settings)
    with tf.Session() as session, pytest.raises(ValueError, match='--loss l2'):
        load_first_network(HeadOptions(refine='frozen'), 'focal', settings.run_folder, session)


def test_an_input_that_does_not_divide_into_cells_of_the_backbone(settings):
    with pytest.raises(ValueError, match=r'\b68x64\b.*\b8\b'):
        run(replace(settings, input_hw=(64, 68), head=HeadOptions(refine='joint')))


def test_the_best_is_remembered_over_an_interruption(tmp_path):
    for error, kept in ((20., 20.), (30., 20.), (15., 15.), (float('nan'), 15.)):
        with tf.Graph().as_default(), tf.Session() as session:
            session.run(tf.get_variable('weights', (2,)).initializer)
            BestCheckpoint(tmp_path).offer(session, int(error) if error == error else 99, error)
        assert json.loads((tmp_path / 'best' / 'best.json').read_text())['validation_ne'] == kept


def test_the_best_begins_anew_with_other_validation_rows(tmp_path):
    """Errors of other rows cannot be compared. A record of an earlier version does not say which rows it had."""
    rows = [Annotations(('1.jpg',), ('skirt',), np.full((1, 24, 3), x), 'val.csv') for x in (1, 2)]
    one, other = (data_that_decide([], False, each) for each in rows)
    moved = data_that_decide([], False, replace(rows[1], source='elsewhere/val.csv'))
    write_json(tmp_path / 'best' / 'best.json', {'step': 9, 'validation_ne': 30.})
    for step, (decides, error, kept) in enumerate(((one, 40., 9), (one, 20., 1), (one, 25., 1), (other, 50., 3),
                                                   (moved, 60., 3), (other, 45., 5))):
        write_json(tmp_path / 'run.json', {'decides': decides})
        with tf.Graph().as_default(), tf.Session() as session:
            session.run(tf.get_variable('weights', (2,)).initializer)
            BestCheckpoint(tmp_path).offer(session, step, error)
        assert json.loads((tmp_path / 'best' / 'best.json').read_text())['step'] == kept
        assert checkpoint_steps(tmp_path / 'best') == ([kept] if kept != 9 else [])


def test_tensorboard_gets_every_stage_rate_and_pictures(settings):
    run(settings, validate=lambda forward: 12.5)
    tags = {value.tag: value for path in settings.log_folder.glob('events*')
            for event in tf.train.summary_iterator(str(path)) for value in event.summary.value}
    assert {'loss', 'learning_rate', 'validation_ne', 'stage1/L1_fields', 'stage2/L2_heatmaps'} <= set(tags)
    assert any(value.HasField('image') for value in tags.values())


@pytest.mark.parametrize('loss', [LossOptions(), LossOptions('focal', hard_keypoints=3)])
def test_adam_lowers_the_loss_and_the_averages_move(settings, loss):
    class OneBatch(Batches):
        def get(self):
            self._given = 0
            return super().get()

    settings = replace(settings, max_steps=60, learning_rate='3e-3', loss=loss)
    train(settings, OneBatch(batch_shapes(settings)), lambda s: None, None)
    losses = [value.simple_value for path in settings.log_folder.glob('events*')
              for event in tf.train.summary_iterator(str(path)) for value in event.summary.value if value.tag == 'loss']
    assert losses[-1] < 0.8 * losses[0]
    names = [name for name, _ in tf.train.list_variables(tf.train.latest_checkpoint(str(settings.run_folder)))]
    assert any(name.endswith('/Adam_1') for name in names)
    values = read_weights(settings.run_folder)
    means = [value for name, value in values.items() if name.endswith('moving_mean')]
    assert means and all(np.abs(mean).max() > 0 for mean in means), 'batch norm at test time uses these'


def test_a_moved_run_goes_on(settings, tmp_path):
    run(settings)
    moved = tmp_path / 'moved'
    settings.run_folder.rename(moved)
    loads = []
    run(replace(settings, run_folder=moved, max_steps=8), load=loads.append)
    assert not loads and last_step(moved) == 8
    assert sorted(path.name for path in moved.glob('model-*.index')) == ['model-6.index', 'model-8.index']


def test_a_run_with_a_damaged_checkpoint_goes_on_from_the_one_before(settings, caplog):
    """The steps after it are repeated with the same batches, so the weights are those of an undamaged run."""
    run(settings)
    before, wanted = (read_weights(settings.run_folder / f'model-{step}') for step in (4, 6))
    for path in settings.run_folder.glob('model-6.data*'):
        path.write_bytes(path.read_bytes()[:100])
    (settings.run_folder / 'checkpoint').unlink()
    batches = Batches(batch_shapes(settings))
    batches._given, loads = 4, []
    with caplog.at_level('INFO'):
        train(settings, batches, loads.append, None)
    assert not loads and 'model-6' in caplog.text and 'step 4 ' in caplog.text
    found = read_weights(settings.run_folder / 'model-6')
    off, moved = (sum(np.abs(values[name] - wanted[name]).sum() for name in wanted) for values in (found, before))
    assert off < moved / 20, 'but for the order of sums'
    assert sorted(path.name for path in settings.run_folder.glob('model-*.index')) == ['model-4.index', 'model-6.index']


def test_a_folder_of_damaged_checkpoints_is_not_begun_anew(settings):
    run(settings)
    before = (settings.run_folder / 'run.json').read_text()
    for path in settings.run_folder.glob('model-*.index'):
        path.unlink()
    with pytest.raises(InputError, match=str(settings.run_folder)):
        run(settings)
    assert (settings.run_folder / 'run.json').read_text() == before
    assert len(list(settings.run_folder.glob('model-*.data*'))) == 2


def test_a_checkpoint_without_the_optimizer_says_what_it_is_good_for(settings):
    """For example a checkpoint that another program made."""
    run(settings)
    prefix = str(settings.run_folder / 'model-6')
    values = {name: tf.train.load_variable(prefix, name) for name, _ in tf.train.list_variables(prefix)}
    with tf.Graph().as_default(), tf.Session() as session:
        for name, value in values.items():
            if not re.search('Adam|_power', name):
                tf.get_variable(name, initializer=value)
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(settings.run_folder / 'model'), 7, write_meta_graph=False)
    before = (settings.run_folder / 'run.json').read_text()
    with pytest.raises(InputError, match='model-7.*--checkpoint'):
        run(replace(settings, max_steps=9, seed=5))
    assert (settings.run_folder / 'run.json').read_text() == before
    with pytest.raises(InputError, match='model-7.*--run-name'):
        run(replace(settings, max_steps=9, garment=GARMENTS['dress']))


def test_an_average_of_the_weights_is_kept_validated_and_frozen_over_an_interruption(settings, tmp_path):
    """Two trainings on the same batches, one of them in two parts. The averages come from all checkpoints."""
    seen = []
    images = np.random.RandomState(3).uniform(0, 255, (1, 32, 48, 3)).astype(np.float32)
    settings = replace(settings, updates=UpdateOptions(0.5), save_every=1, keep=9, validate_every=6)
    start = {}

    def load(session):
        session.run([variable.initializer for variable in tf.model_variables()])
        start.update(zip((variable.op.name for variable in tf.model_variables()), session.run(tf.model_variables())))

    run(replace(settings, max_steps=4, validate_every=9), load=load)
    run(settings, validate=lambda forward: seen.append(forward(images)[0]) or 1.0)
    wanted = dict(start)
    for step in range(1, 7):
        reader = tf.train.load_checkpoint(str(settings.run_folder / f'model-{step}'))
        kept = min(0.5, (1 + step) / (10 + step))
        for name in wanted:
            wanted[name] = kept * wanted[name] + (1 - kept) * reader.get_tensor(name)
    found = read_weights(settings.run_folder)
    assert set(found) == set(wanted)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-4, atol=1e-6, err_msg=name)
        assert name.endswith('gamma') or np.abs(found[name] - reader.get_tensor(name)).max() > 0
    freeze(find_checkpoint(settings.run_folder), 'testing', 'skirt', tmp_path / 'graph.pb')
    with FrozenGraph(ModelFile.open(tmp_path / 'graph.pb'), settings.garment, GARMENTS) as graph:
        np.testing.assert_allclose(graph.forward(images), seen[-1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('decay', [-0.1, 1.0, float('nan')])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match=f'--average-decay {decay}'):
        UpdateOptions(decay)


def test_the_type_head_learns_with_the_rest(settings, caplog):
    """Grey images with one brightness per type, in two towers and with averages, as in the recipe."""
    class Greys(Batches):
        def get(self):
            batch = super().get()
            numbers = np.arange(4) % 2 * 4
            batch[0] = np.broadcast_to(40 + 40 * numbers[:, None, None, None], self._shapes[0]).astype(np.uint8)
            batch[5] = np.eye(5, dtype=np.float32)[numbers]
            return batch

    told = []

    def validate(forward):
        images = np.stack([np.full((32, 48, 3), value, np.float32) for value in (40, 200)])
        told.append(forward(images)[1].argmax(axis=1).tolist())
        return 1.0

    settings = replace(settings, garment=GARMENTS.of('all'), head=HeadOptions(type_head='along'), max_steps=60,
                       loss=LossOptions(type_weight=100.), learning_rate='1e-2', validate_every=60,
                       save_every=60, updates=UpdateOptions(0.9))
    with caplog.at_level('INFO'):
        train(settings, Greys(batch_shapes(settings)), lambda session: None, validate)
    assert told == [[0, 4]]
    assert re.search(r'step 60/60 .* loss [0-9.e+]+ \(type [0-9.e-]+\)  lr', caplog.text)
    assert 'Openpose/type_head/weights' in read_weights(settings.run_folder)


def test_a_weight_without_a_type_head_is_refused(settings):
    with pytest.raises(ValueError, match='--type-weight 2.0.*--type-head'):
        replace(settings, loss=LossOptions(type_weight=2.))
