"""A visibility head: fitted to planted features, added to a frozen graph that otherwise computes what it did."""
from typing import List

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.freezing import fold_constants
from fashionai.model_files.visibility import FeatureReader, features_name, fitted_head, with_head
from fashionai.networks.catalog import build, input_placeholder
from fashionai.networks.head_options import HeadOptions
from fashionai.networks.tensor_names import OUTPUT_NAME, VISIBILITY_NAME
from fashionai.networks.visibility_head import attended, visibility

SKIRT = GARMENTS['skirt']
IMAGES = np.random.RandomState(0).uniform(0, 255, (2, 48, 64, 3)).astype(np.float32)


def frozen(stages: int = 2) -> tf.GraphDef:
    """Returns the `testing` network with random weights, frozen."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        image = input_placeholder()
        network = build('testing', image, SKIRT, False, HeadOptions(stages=stages))
        session.run(tf.global_variables_initializer())
        return fold_constants(session, image, [network.output])


def run(definition: tf.GraphDef, *names: str) -> List[np.ndarray]:
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(definition, name='')
        return session.run([graph.get_tensor_by_name(f'{name}:0') for name in names], {'image:0': IMAGES})


def test_a_keypoint_looks_where_its_map_is_high() -> None:
    features = np.zeros((1, 6, 5, 2), np.float32)
    features[0, 2, 3] = 5, 7
    maps = np.zeros((1, 6, 5, 3), np.float32)
    maps[0, 2, 3, 0], maps[0, 1, 1, 1] = 3, -9  # heights count from 0 to 1
    with tf.Graph().as_default(), tf.Session() as session:
        found = session.run(attended(tf.constant(features), tf.constant(maps), 2))
    share = np.exp(6) / (np.exp(6) + 29)
    np.testing.assert_allclose(found, [[[5 * share, 7 * share], [5 / 30, 7 / 30]]], rtol=1e-5)


def test_the_probabilities_are_those_of_both_questions() -> None:
    random = np.random.RandomState(1)
    features, maps = random.randn(2, 4, 5, 6).astype(np.float32), random.rand(2, 4, 5, 3).astype(np.float32)
    weights, constants = random.randn(3, 6, 2), random.randn(3, 2)
    with tf.Graph().as_default(), tf.Session() as session:
        told = visibility(tf.constant(features), tf.constant(maps), weights, constants, 'told')
        seen, found = session.run([attended(tf.constant(features), tf.constant(maps), 3), told])
    absent, occluded = np.moveaxis(1 / (1 + np.exp(-(np.einsum('nkc,kcq->nkq', seen, weights) + constants))), 2, 0)
    np.testing.assert_allclose(found, np.stack([absent, (1 - absent) * occluded, (1 - absent) * (1 - occluded)], 2),
                               rtol=1e-4, atol=1e-6)


def test_a_head_in_the_graph_changes_nothing_else() -> None:
    definition = frozen()
    reader = FeatureReader(definition, 'image', 4, 'graph.pb')
    features = reader.read(IMAGES)
    reader.close()
    weights, constants = np.random.RandomState(2).randn(4, features.shape[2], 2), np.zeros((4, 2))
    graph = with_head(definition, weights, constants, 'graph.pb')
    told, maps = run(graph, VISIBILITY_NAME, OUTPUT_NAME)
    np.testing.assert_array_equal(maps, run(definition, OUTPUT_NAME)[0])
    absent = 1 / (1 + np.exp(-np.einsum('nkc,kc->nk', features, weights[..., 0])))
    np.testing.assert_allclose(told[..., 0], absent, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(told.sum(axis=2), 1, atol=1e-6)
    again = with_head(graph, weights, constants + 20, 'graph.pb')
    assert len(again.node) == len(graph.node), 'a head is replaced by the next'
    assert run(again, VISIBILITY_NAME)[0][..., 0].min() > 0.9


def test_attributes_that_older_versions_do_not_know_are_left_out() -> None:
    """Importing a graph adds them to it."""
    definition = frozen()
    run(definition, OUTPUT_NAME)
    whole = with_head(definition, np.zeros((4, 16, 2)), np.zeros((4, 2)), 'graph.pb')
    run(whole, VISIBILITY_NAME)
    added = with_head(definition, np.zeros((4, 16, 2)), np.zeros((4, 2)), 'graph.pb')
    assert not any('explicit_paddings' in node.attr for node in added.node)
    assert sum(node.op == 'Conv2D' for node in added.node) == sum(node.op == 'Conv2D' for node in definition.node)


def test_a_network_of_one_stage_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r'graph\.pb.*stages'):
        features_name(frozen(stages=1), 'graph.pb')


def test_a_head_is_fitted_to_each_question_of_each_keypoint() -> None:
    random = np.random.RandomState(3)
    features = random.randn(3000, 2, 3).astype(np.float32) * 4 + 2
    labels = np.full((3000, 2), -2)
    labels[:, 0] = np.where(features[:, 0, 0] > 4, -1, np.where(features[:, 0, 1] > 2, 0, 1))
    weights, constants = fitted_head(features, labels)
    logits = np.einsum('nkc,kcq->nkq', features, weights) + constants
    assert ((logits[:, 0, 0] > 0) == (labels[:, 0] == -1)).mean() > 0.94
    there = labels[:, 0] >= 0
    assert ((logits[there, 0, 1] > 0) == (labels[there, 0] == 0)).mean() > 0.94
    assert not weights[1].any() and not constants[1].any(), 'no picture has the second keypoint'
