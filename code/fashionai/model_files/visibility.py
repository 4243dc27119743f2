"""Fits a visibility head to a frozen graph, and adds it to the graph.

The rest of the graph does not change, so the head needs no training of the network: the features of the labelled
pictures are computed once, and the head is a logistic regression on them.

Letters: N pictures, K keypoints of the graph, C channels of its features.
"""
from typing import Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.calibration.logistic import fitted
from fashionai.errors import InputError
from fashionai.model_files.graph_file import without_defaults
from fashionai.networks.tensor_names import OUTPUT_NAME, VISIBILITY_NAME
from fashionai.networks.visibility_head import attended, visibility

_PENALTY = 60.
"""The penalty on the squared weights of standardised features. On 250 photographs that the supplied network had not
seen, 50 to 150 were about the same."""

_FIRST_STAGES = 'Openpose/concat_stage2'
"""The operation that joins the maps of the first stage and the features, its last input, for the second stage."""


class FeatureReader:
    """Computes what a visibility head reads, with a graph that stays open until `close`.

    Raises InputError, naming the place of the graph, if it has no second stage.
    """

    def __init__(self, definition: tf.GraphDef, image_name: str, keypoints: int, place: str) -> None:
        features = features_name(definition, place)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name='')
            self._image = graph.get_tensor_by_name(f'{image_name}:0')
            maps = graph.get_tensor_by_name(f'{OUTPUT_NAME}:0')
            self._output = attended(graph.get_tensor_by_name(features), maps, keypoints)
            self._session = tf.Session(graph=graph)

    def read(self, images: np.ndarray) -> np.ndarray:
        """Returns (N, K, C) of images (N, h, w, 3) float32 BGR."""
        return self._session.run(self._output, {self._image: images})

    def close(self) -> None:
        """Free the graph."""
        self._session.close()


def features_name(definition: tf.GraphDef, place: str) -> str:
    """Returns the name of the tensor with the features before the stages. Raises InputError if the graph, which is that
    of `place`, has no second stage."""
    nodes = {node.name: node for node in definition.node}
    if _FIRST_STAGES not in nodes:
        raise InputError(f'{place} has no {_FIRST_STAGES}: a visibility head needs a network of two stages or more')
    name = [one for one in nodes[_FIRST_STAGES].input if nodes[one.split(':')[0]].op != 'Const'][-1]
    return name if ':' in name else f'{name}:0'


def fitted_head(features: np.ndarray, labels: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the weights (K, C, 2) and constants (K, 2) of a head; see networks/visibility_head.py.

    Args:
        features: (N, K, C).
        labels: (N, K) int, -1 absent, 0 occluded, 1 visible; any other number for a keypoint that a picture's type does
            not have.
    """
    keypoints, channels = features.shape[1:]
    weights, constants = np.zeros((keypoints, channels, 2)), np.zeros((keypoints, 2))
    for keypoint in range(keypoints):
        for place, (members, outcomes) in enumerate(_questions(labels[:, keypoint])):
            weights[keypoint, :, place], constants[keypoint, place] = _regression(
                features[members, keypoint].astype(np.float64), outcomes)
    return weights, constants


def with_head(definition: tf.GraphDef, weights: np.ndarray, constants: np.ndarray, place: str) -> tf.GraphDef:
    """Returns the graph with a visibility head: its output is VISIBILITY_NAME. A head that it has is replaced.

    Raises InputError if the graph, which is that of `place`, has no second stage.
    """
    kept = [node for node in definition.node if not node.name.startswith(VISIBILITY_NAME)]
    inputs = {'features': features_name(definition, place), 'maps': f'{OUTPUT_NAME}:0'}
    with tf.Graph().as_default() as graph, tf.name_scope(f'{VISIBILITY_NAME}_head/'):
        features, maps = [tf.placeholder(tf.float32, (None, None, None, channels), name=name)
                          for name, channels in (('features', weights.shape[1]), ('maps', None))]
        output = visibility(features, maps, weights, constants, 'output')
    sources = {features.op.name: inputs['features'], maps.op.name: inputs['maps']}
    added = graph.as_graph_def()
    whole = tf.GraphDef()
    whole.CopyFrom(definition)
    del whole.node[:]
    whole.node.extend(kept)
    for node in added.node:
        if node.name not in sources:
            for number, name in enumerate(node.input):
                node.input[number] = sources.get(name.split(':')[0], name)
            whole.node.add().CopyFrom(node)
    whole.node.add(name=VISIBILITY_NAME, op='Identity', input=[output.op.name],
                   attr={'T': tf.AttrValue(type=tf.float32.as_datatype_enum)})
    return without_defaults(whole)


def _questions(labels: np.ndarray) -> Sequence[Tuple[np.ndarray, np.ndarray]]:
    """Returns for each question the pictures (N,) bool that answer it, and the answers of those: whether the point is
    absent; and if it is not, whether it is occluded."""
    labelled, there = (labels >= -1) & (labels <= 1), (labels == 0) | (labels == 1)
    return (labelled, labels[labelled] == -1), (there, labels[there] == 0)


def _regression(features: np.ndarray, outcomes: np.ndarray) -> Tuple[np.ndarray, float]:
    """Returns the weights (C,) and the constant of features (n, C). If all outcomes are alike, or there is none, the
    weights are 0."""
    if not len(outcomes):
        return np.zeros(features.shape[1]), 0.
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    constant, *weights = fitted((features - mean) / spread, outcomes, _PENALTY)
    scaled = np.array(weights) / spread
    return scaled, float(constant - scaled @ mean)
