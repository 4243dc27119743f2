"""Compiler and precision change how a step is computed; they change the results only by rounding."""
from dataclasses import replace

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.training.execution import Execution
from fashionai.training.loop import TrainingSettings, batch_shapes, last_step, train, training_graph
from fashionai.training.scaling import new_scale, unscaled

ONE_FIFTEEN = tf.__version__.startswith('1.')
MIXED = Execution(precision='mixed')
BFLOAT16 = tf.bfloat16.as_datatype_enum


@pytest.fixture
def settings(tmp_path):
    return TrainingSettings(
        model='testing', garment=GARMENTS['skirt'], input_hw=(32, 32), batch_size=2, towers=1, learning_rate='1e-3',
        decay_steps=100, warmup_steps=0, max_steps=2, epoch_steps=3, validate_every=0, save_every=9, keep=2,
        run_folder=tmp_path / 'run', log_folder=tmp_path / 'log', seed=1)


def batch_of(settings):
    rng, shapes = np.random.RandomState(0), batch_shapes(settings)
    return [rng.randint(0, 255, shapes[0]).astype(np.uint8)] + [rng.rand(*shape).astype(np.float32)
                                                                for shape in shapes[1:]]


def two_steps(settings, devices=('/cpu:0',)):
    """Returns loss and norm of two steps, and the nodes that ran, as (operation, type)."""
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        graph = training_graph(settings, tf.train.get_or_create_global_step(), list(devices))
        run, feed = tf.RunMetadata(), dict(zip(graph.batch.tensors, batch_of(settings)))
        with tf.Session(config=settings.execution.session_config(devices)) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            for number, variable in enumerate(tf.trainable_variables()):  # 1.15 seeds by the count of nodes
                shape = variable.shape.as_list()
                variable.load(np.random.RandomState(number).normal(0, 0.1, shape), session)
            values = [session.run([graph.towers.loss, graph.gradient_norm, graph.train], feed,
                                  tf.RunOptions(output_partition_graphs=True), run) for _ in range(2)]
        nodes = [node for part in run.partition_graphs for node in part.node]
    assert [value[2] for value in values] == [1, 2]
    return np.array(values)[:, :2], {(node.op, node.attr['T'].type) for node in nodes}


def test_compiled_steps_are_the_same_steps(settings):
    plain, usual = two_steps(settings)
    assert not any('Collective' in kind for kind, _ in usual), 'one process exchanges nothing'
    compiled, nodes = two_steps(replace(settings, execution=Execution(xla=True)))
    np.testing.assert_allclose(compiled, plain, rtol=1e-3)
    assert any('Xla' in kind for kind, _ in nodes) and not any('Xla' in kind for kind, _ in usual)


def test_mixed_precision_on_a_cpu_rounds_to_bfloat16_or_is_refused(settings):
    mixed = replace(settings, execution=MIXED)
    if ONE_FIFTEEN:
        with pytest.raises(ValueError, match='--precision mixed.*1.15.*CPU'):
            two_steps(mixed)
        return
    plain, usual = two_steps(settings)
    rounded, nodes = two_steps(mixed)
    np.testing.assert_allclose(rounded, plain, rtol=0.03)
    assert BFLOAT16 in {kind for _, kind in nodes} - {kind for _, kind in usual} and (rounded != plain).any()


@pytest.mark.skipif(ONE_FIFTEEN, reason='TensorFlow 1.15 has no mixed precision on CPUs')
def test_on_a_cpu_gradients_of_depthwise_convolutions_stay_in_float32(settings):
    """There is no fast code for them in bfloat16: they would take longer than the rest saves."""
    _, nodes = two_steps(replace(settings, model='mobilenet_small', execution=MIXED))
    rounded = {kind for kind, precision in nodes if precision == BFLOAT16}
    assert any('Conv2DBackpropFilter' in kind for kind in rounded)
    assert not any('Depthwise' in kind and 'Backprop' in kind for kind in rounded)


def test_on_a_gpu_the_loss_is_scaled_and_the_gradient_is_not(settings):
    """A CPU is used instead of the GPU; it computes in float32."""
    plain, _ = two_steps(settings)
    scaled, _ = two_steps(replace(settings, execution=MIXED), devices=('/gpu:0',))
    np.testing.assert_allclose(scaled, plain, rtol=1e-3)


def test_a_run_goes_on_under_other_flags(settings):
    class Batches:
        capacity = fill = 1

        def get(self):
            return batch_of(settings)

    for steps, execution in ((1, Execution()), (2, Execution(xla=True) if ONE_FIFTEEN else MIXED)):
        train(replace(settings, max_steps=steps, execution=execution), Batches(), lambda session: None, None)
        assert last_step(settings.run_folder) == steps


def test_another_precision_is_an_error():
    with pytest.raises(ValueError, match='--precision float16.*float32, mixed'):
        Execution(precision='float16')


def test_the_scale_falls_where_gradients_overflow_and_rises_after_calm_steps():
    infinite = np.array([np.inf, 1], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        given = tf.placeholder(tf.float32, (2,))
        scale = new_scale(4.)
        [(gradient, _)], adjust = unscaled([(given, scale)], scale, patience=2)
        session.run(tf.local_variables_initializer())
        steps = [([8, 4], [2, 1], 4), (infinite, [0, 0], 2), ([8, 4], [4, 2], 2), ([8, 4], [4, 2], 4),
                 (infinite, [0, 0], 2), (infinite, [0, 0], 1), (infinite, infinite, 1)]
        for number, (value, wanted, then) in enumerate(steps):
            got, _ = session.run([gradient, adjust], {given: value})
            np.testing.assert_array_equal(got, wanted, str(number))
            assert session.run(scale) == then, number
