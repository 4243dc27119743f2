"""Loading weights: every kind of file, and the messages for files that do not fit."""
import logging
from pathlib import Path
from typing import Dict

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.model_files.weights import WeightReport, export_weights, load_pretrained, mean_weights, read_weights
from fashionai.networks.layers import conv, conv_bn

RNG = np.random.RandomState(0)
WEIGHTS = RNG.normal(size=(3, 3, 3, 4)).astype(np.float32)
BIASES = RNG.normal(size=4).astype(np.float32)
OTHER = RNG.normal(size=(3, 3, 4, 5)).astype(np.float32)


def small_network() -> None:
    """conv1_1 and, in another scope, conv1_2 with one channel less than in OTHER."""
    net = conv('conv1_1', tf.zeros((1, 8, 8, 3)), 4, 3)
    with tf.variable_scope('Openpose'):
        conv('conv1_2', net, 4, 3)


def loaded(path: Path) -> WeightReport:
    """Loads weights into the small network, and checks that the report is true."""
    small_network()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = values_of(session)
        tf.get_default_graph().finalize()
        report = load_pretrained(path, session)
        after = values_of(session)
    for name in before:
        assert np.array_equal(before[name], after[name]) == (name not in report.filled), name
    np.testing.assert_allclose(after['conv1_1/weights'], WEIGHTS, rtol=1e-3)
    np.testing.assert_allclose(after['conv1_1/biases'], BIASES, rtol=1e-3)
    return report


def values_of(session: tf.Session) -> Dict[str, np.ndarray]:
    return {variable.op.name: session.run(variable) for variable in tf.model_variables()}


def save_pickled(path: Path, content: Dict[str, object]) -> Path:
    np.save(str(path), np.array(content, dtype=object), allow_pickle=True)
    return path


def save_checkpoint(folder: Path, step: int = 7) -> str:
    """Writes a checkpoint of the small network with the values above, and with variables of Adam."""
    with tf.Graph().as_default(), tf.Session() as session:
        small_network()
        loss = tf.add_n([tf.nn.l2_loss(variable) for variable in tf.trainable_variables()])
        tf.train.AdamOptimizer().minimize(loss, global_step=tf.train.get_or_create_global_step())
        session.run(tf.global_variables_initializer())
        variables = {variable.op.name: variable for variable in tf.model_variables()}
        variables['conv1_1/weights'].load(WEIGHTS, session)
        variables['conv1_1/biases'].load(BIASES, session)
        variables['Openpose/conv1_2/biases'].load(np.ones(4), session)
        return tf.train.Saver().save(session, str(folder / 'model'), step)


@pytest.mark.parametrize('as_dicts', [False, True])
def test_npy_of_layers(tmp_path: Path, as_dicts: bool) -> None:
    layers = {'conv1_1': WEIGHTS, 'conv1_2': OTHER, 'fc8': OTHER}
    content = {layer: {'weights': weights, 'biases': BIASES} if as_dicts else [weights, BIASES]
               for layer, weights in layers.items()}
    report = loaded(save_pickled(tmp_path / 'vgg19.npy', content))
    assert report.filled == ('conv1_1/weights', 'conv1_1/biases', 'Openpose/conv1_2/biases')
    assert report.skipped == ('fc8/biases', 'fc8/weights')
    assert report.unmatched == {
        'Openpose/conv1_2/weights': '(3, 3, 4, 4) in the network, (3, 3, 4, 5) in the file'}


def test_openpose_weights_are_brought_to_the_range_of_the_input(tmp_path: Path) -> None:
    report = loaded(save_pickled(tmp_path / 'openpose_coco.npy', {
        'conv1_1': {'weights': WEIGHTS * 256, 'biases': BIASES}, 'conv4_4_CPM': {'weights': OTHER, 'biases': BIASES}}))
    assert report.filled == ('conv1_1/weights', 'conv1_1/biases')


@pytest.mark.parametrize('names', [('block1_conv1_W_1:0', 'block1_conv1_b_1:0'),
                                   ('block1_conv1/kernel:0', 'block1_conv1/bias:0')])
def test_keras_h5(tmp_path: Path, names: tuple) -> None:
    with h5py.File(str(tmp_path / 'vgg19.h5'), 'w') as file:
        group = file.create_group('block1_conv1')
        group[names[0]], group[names[1]] = WEIGHTS, BIASES
        file.create_group('block1_pool')
        file['block5_conv4/kernel:0'] = OTHER
    report = loaded(tmp_path / 'vgg19.h5')
    assert report.filled == ('conv1_1/weights', 'conv1_1/biases')
    assert report.skipped == ('conv5_4/weights',)
    assert report.unmatched == {'Openpose/conv1_2/weights': '', 'Openpose/conv1_2/biases': ''}


def test_checkpoint_without_the_optimiser(tmp_path: Path) -> None:
    save_checkpoint(tmp_path)
    report = loaded(tmp_path)
    assert len(report.filled) == 4
    assert not report.skipped and not report.unmatched


@pytest.mark.parametrize('ending', ['', '.index'])
def test_checkpoint_by_its_prefix(tmp_path: Path, ending: str) -> None:
    assert set(read_weights(save_checkpoint(tmp_path) + ending)) == {
        'conv1_1/weights', 'conv1_1/biases', 'Openpose/conv1_2/weights', 'Openpose/conv1_2/biases'}


def test_exported_weights_load_again(tmp_path: Path) -> None:
    export_weights(read_weights(save_checkpoint(tmp_path)), tmp_path / 'small.npz')
    with np.load(str(tmp_path / 'small.npz')) as file:
        assert {name: file[name].dtype for name in file.files} == {
            'conv1_1/weights': np.float16, 'conv1_1/biases': np.float32,
            'Openpose/conv1_2/weights': np.float16, 'Openpose/conv1_2/biases': np.float32}
    assert len(loaded(tmp_path / 'small.npz').filled) == 4


def test_the_mean_of_trainings_of_one_network_alone(tmp_path: Path) -> None:
    for number, values in enumerate([(1., 2.), (4., 8.)]):
        np.savez(str(tmp_path / f'{number}.npz'), **{'a/weights': np.array(values, np.float16), 'a/biases': np.ones(1)})
    mean = mean_weights([tmp_path / '0.npz', tmp_path / '1.npz', tmp_path / '1.npz'])
    assert mean['a/weights'].tolist() == [3, 6] and mean['a/biases'].tolist() == [1]
    assert mean['a/weights'].dtype == np.float32
    np.savez(str(tmp_path / 'other.npz'), **{'a/weights': np.ones(3), 'a/biases': np.ones(1)})
    with pytest.raises(InputError, match='other.npz.*a/weights'):
        mean_weights([tmp_path / '0.npz', tmp_path / 'other.npz'])


def test_batch_norm_statistics_are_weights_too(tmp_path: Path) -> None:
    conv_bn('Conv2d_0', tf.zeros((1, 8, 8, 3)), 4, 3, is_training=False)
    np.savez(str(tmp_path / 'some.npz'), **{'Conv2d_0/BatchNorm/moving_variance': np.full(4, 3, np.float16)})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert load_pretrained(tmp_path / 'some.npz', session).filled == ('Conv2d_0/BatchNorm/moving_variance',)
        assert values_of(session)['Conv2d_0/BatchNorm/moving_variance'].tolist() == [3, 3, 3, 3]


def test_a_fresh_head_takes_the_variables_of_the_backbone_alone(tmp_path: Path) -> None:
    small_network()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        before = values_of(session)
        np.savez(str(tmp_path / 'all.npz'), **{name: value + 1 for name, value in before.items()})
        load_pretrained(tmp_path / 'all.npz', session, fresh_head=True)
        changed = [name for name, value in values_of(session).items() if not np.array_equal(value, before[name])]
    assert sorted(changed) == ['conv1_1/biases', 'conv1_1/weights']


@pytest.mark.parametrize('name', ['vgg19.npy', 'vgg19.h5', 'own.npz', 'model-12', '.'])
def test_a_missing_file_is_an_error_that_says_where_to_get_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match='models/README.md') as error:
        read_weights(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert ('checkpoint' in str(error.value)) == (name in ('model-12', '.')), 'a weight file is no checkpoint'


@pytest.mark.parametrize('name', ['vgg19.npy', 'vgg19.h5', 'own.npz'])
def test_a_damaged_file_is_an_error_that_says_how_to_check_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'<html>404</html>')
    with pytest.raises(ValueError, match=f'{name}.*models/README.md'):
        read_weights(tmp_path / name)


def test_a_file_that_fills_nothing_is_an_error(tmp_path: Path) -> None:
    small_network()
    path = save_pickled(tmp_path / 'other.npy', {'fc8': [OTHER, BIASES]})
    with tf.Session() as session, pytest.raises(ValueError, match=r'\b4 variables'):
        load_pretrained(path, session)


def test_the_log_is_short_and_shows_both_shapes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    layers = {f'other{number}': [OTHER, BIASES] for number in range(50)}
    path = save_pickled(tmp_path / 'vgg19.npy', {'conv1_1': [WEIGHTS, BIASES], 'conv1_2': [OTHER, BIASES], **layers})
    with caplog.at_level(logging.INFO, 'fashionai'):
        loaded(path)
    assert '3 variables filled (conv1_1, Openpose/conv1_2)' in caplog.text
    assert 'and 44 more layers' in caplog.text and len(caplog.text) < 1000
    assert 'Openpose/conv1_2/weights: (3, 3, 4, 4) in the network, (3, 3, 4, 5) in the file' in caplog.text
