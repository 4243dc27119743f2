"""The type head: what it computes, how it is trained, and how it is frozen."""
from pathlib import Path
from typing import Optional

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.garments.table import GARMENTS
from fashionai.model_files.checkpoints import Checkpoint
from fashionai.model_files.contract import Contract
from fashionai.model_files.freezing import freeze
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.catalog import BuiltNetwork, build, input_placeholder
from fashionai.networks.head_options import HeadOptions
from fashionai.networks.pyramid import Features
from fashionai.networks.type_head import GarmentTypes, garment_types
from fashionai.training.losses import Batch, network_losses, stage_losses, total_loss
from fashionai.training.options import LossOptions

ALL = GARMENTS.of('all')
IMAGES = np.random.RandomState(0).uniform(0, 255, (3, 32, 48, 3)).astype(np.float32)


@pytest.mark.parametrize('deepest', [None, np.random.RandomState(4).randn(3, 2, 3, 7)])
def test_it_is_one_layer_an_average_and_a_classifier(deepest: Optional[np.ndarray]) -> None:
    stride8 = np.random.RandomState(1).randn(3, 4, 6, 7)
    types = garment_types(Features(tf.constant(stride8, tf.float32), tf.zeros((3, 8, 12, 2)),
                                   None if deepest is None else tf.constant(deepest, tf.float32)),
                          5, 'along', False, 'garment_type')
    variables = {variable.op.name: variable for variable in tf.model_variables()}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        variables['type_head/biases'].load(np.arange(5.), session)
        variables['type_features/BatchNorm/beta'].load(np.full(256, 0.2), session)
        found, probabilities, layer, kernel = session.run([
            types.logits, types.probabilities, variables['type_features/weights'], variables['type_head/weights']])
    layered = np.maximum((stride8 if deepest is None else deepest) @ layer[0, 0] / np.sqrt(1.001) + 0.2, 0)
    logits = layered.mean(axis=(1, 2)) @ kernel[0, 0] + np.arange(5.)
    np.testing.assert_allclose(found, logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), rtol=1e-4)


@pytest.mark.parametrize('how', ['along', 'apart'])
def test_apart_it_leaves_the_backbone_alone(how: str) -> None:
    types = build('testing', tf.constant(IMAGES), ALL, True, HeadOptions(type_head=how)).types
    gradients = dict(zip((variable.op.name for variable in tf.trainable_variables()),
                         tf.gradients(types.logits[:, 0], tf.trainable_variables())))
    touched = {name.split('/')[0] for name, gradient in gradients.items() if gradient is not None}
    assert touched == ({'conv1', 'conv2', 'conv3', 'Openpose'} if how == 'along' else {'Openpose'})


def test_its_loss_is_the_cross_entropy_an_image() -> None:
    rng = np.random.RandomState(2)
    logits, wanted = rng.randn(4, 5), [3, 0, 0, 2]
    plain = build('testing', tf.zeros((4, 32, 32, 3)), ALL, True)
    network = BuiltNetwork(plain.stages, plain.output, GarmentTypes(tf.constant(logits, tf.float32), None))
    maps = [tf.zeros(tensor.shape) for tensor in (plain.stages[0].heatmaps, plain.stages[0].fields)]
    weights = [tf.ones((4, int(tensor.shape[3]))) for tensor in maps]
    batch = Batch(tf.zeros((4, 32, 32, 3)), *maps, *weights, tf.constant(np.eye(5)[wanted], tf.float32))
    losses = network_losses(network, batch, 8, LossOptions(type_weight=0.5))
    entropy = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(4), wanted]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        types, total, stages = session.run([losses.types, losses.total, total_loss(stage_losses(network, batch, 8))])
    assert types == pytest.approx(0.5 * entropy.sum() / 8, rel=1e-5)
    assert total == pytest.approx(stages + types, rel=1e-5)


def frozen(folder: Path) -> np.ndarray:
    """Freezes a network with random weights and a type head. Returns its probabilities for IMAGES."""
    head = HeadOptions(type_head='along')
    image = input_placeholder()
    network = build('testing', image, ALL, False, head)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        weights = next(v for v in tf.model_variables() if v.op.name == 'Openpose/type_head/weights')
        weights.load(0.1 * np.random.RandomState(3).randn(1, 1, 256, 5), session)
        prefix = tf.train.Saver().save(session, str(folder / 'model'), 5)
        probabilities = session.run(network.types.probabilities, {image: IMAGES})
    freeze(Checkpoint(prefix, 5, {'head': head.changes}), 'testing', 'all', folder / 'graph.pb')
    return probabilities


def test_a_frozen_graph_tells_types_and_maps_in_one_pass(tmp_path: Path) -> None:
    wanted = frozen(tmp_path)
    assert wanted.std(axis=0).max() > 0.001, 'the images differ'
    assert Contract.load(tmp_path / 'graph.json').types == tuple(GARMENTS)
    (tmp_path / 'alone.pb').write_bytes((tmp_path / 'graph.pb').read_bytes())
    for name in ('graph.pb', 'alone.pb'):
        with FrozenGraph(ModelFile.open(tmp_path / name), GARMENTS.of('skirt'), GARMENTS) as graph:
            maps, types = graph.predict_with_types(IMAGES)
            assert graph.types == ('blouse', 'dress', 'outwear', 'skirt', 'trousers')
            np.testing.assert_allclose(types, wanted, rtol=1e-4)
            np.testing.assert_allclose(maps, graph.forward(IMAGES), rtol=1e-6)


def test_it_is_for_the_network_of_all_types() -> None:
    HeadOptions(type_head='along').check_garment(ALL)
    with pytest.raises(ValueError, match='--type-head along.*skirt.*--tag all'):
        HeadOptions(type_head='along').check_garment(GARMENTS.of('skirt'))
    with pytest.raises(ValueError, match='--type-head beside.*along, apart'):
        HeadOptions(type_head='beside')
    with pytest.raises(ValueError, match='--type-weight 0.0'):
        LossOptions(type_weight=0.)
