"""Joining: one graph of several networks, whose outputs are the means of theirs."""
from dataclasses import replace
from pathlib import Path
from typing import Dict, Sequence

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.checkpoints import Checkpoint
from fashionai.model_files.contract import Contract, contract_path
from fashionai.model_files.freezing import freeze, store_again
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.stored_weights import format_of
from fashionai.model_files.visibility import features_name, with_head
from fashionai.networks.catalog import build, input_placeholder
from fashionai.networks.head_options import UNCHANGED, HeadOptions
from fashionai.networks.tensor_names import MEAN_OUTPUT_NAME, OUTPUT_NAME, TYPES_NAME, VISIBILITY, VISIBILITY_NAME

IMAGES = np.random.RandomState(0).uniform(0, 255, (3, 32, 64, 3)).astype(np.float32)


def frozen(folder: Path, network: str, tag: str, head: HeadOptions = UNCHANGED, form: str = 'float32') -> ModelFile:
    """Returns a frozen graph of a network with its initial values."""
    folder.mkdir()
    with tf.Graph().as_default(), tf.Session() as session:
        build(network, input_placeholder(), GARMENTS.of(tag), False, head)
        tf.train.get_or_create_global_step()
        session.run(tf.global_variables_initializer())
        prefix = tf.train.Saver().save(session, str(folder / 'model'), 1200)
    run = {'input_hw': [192, 160], 'head': head.changes}
    freeze(Checkpoint(prefix, 1200, run, None), network, tag, folder / 'graph.pb', form)
    return ModelFile.open(folder / 'graph.pb')


def outputs_of(model: ModelFile, names: Sequence[str]) -> Dict[str, np.ndarray]:
    """Returns the outputs that a graph has, by TensorFlow alone."""
    definition = tf.GraphDef()
    definition.ParseFromString(model.path.read_bytes())
    has = [name for name in names if any(node.name == name for node in definition.node)]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(definition, name='')
        return dict(zip(has, session.run([f'{name}:0' for name in has], {'image:0': IMAGES})))


@pytest.mark.parametrize('form', ['float32', 'int8'])
def test_outputs_are_the_means(tmp_path: Path, form: str) -> None:
    typed = HeadOptions(type_head='along')
    models = [frozen(tmp_path / 'one', 'testing', 'all', typed, 'half'),
              frozen(tmp_path / 'two', 'mobilenet_small', 'all')]
    store_again(models, tmp_path / 'both.pb', form)
    both = ModelFile.open(tmp_path / 'both.pb')
    names = (OUTPUT_NAME, MEAN_OUTPUT_NAME, TYPES_NAME)
    one, two = (outputs_of(model, names) for model in models)
    found = outputs_of(both, names)
    assert set(found) == {name for name in names if name in one and (name in two or name == TYPES_NAME)}
    reach = np.abs(found[OUTPUT_NAME]).max()
    np.testing.assert_allclose(found[OUTPUT_NAME], (one[OUTPUT_NAME] + two[OUTPUT_NAME]) / 2,
                               atol=(1e-5 if form == 'float32' else 0.1) * reach)
    if form == 'float32':
        np.testing.assert_allclose(found[TYPES_NAME], one[TYPES_NAME], atol=1e-5)
    definition = tf.GraphDef()
    definition.ParseFromString(both.path.read_bytes())
    assert format_of(definition) == form
    with FrozenGraph(both, GARMENTS.joint, GARMENTS) as network:  # it has allowed operations, and its own contract
        assert network.forward(IMAGES).shape == found[OUTPUT_NAME].shape and network.types == models[0].contract.types
    contract = both.contract
    assert (contract.model, contract.input_hw, contract.calibration) == ('testing+mobilenet_small', (192, 160), None)


def test_a_visibility_that_one_network_tells_stays(tmp_path: Path) -> None:
    plain, other = (frozen(tmp_path / name, 'mobilenet_small', 'skirt') for name in ('one', 'two'))
    definition = tf.GraphDef()
    definition.ParseFromString(plain.path.read_bytes())
    channels = _channels(definition)
    head = with_head(definition, np.full((4, channels, 2), 0.01), np.array([[0.1, 0.3]] * 4), 'graph')
    plain.path.write_bytes(head.SerializeToString())
    seeing = replace(plain, contract=replace(plain.contract, visibility=VISIBILITY))
    store_again([other, seeing], tmp_path / 'both.pb', 'float32')
    both = ModelFile.open(tmp_path / 'both.pb')
    assert both.contract.visibility == VISIBILITY
    found, wanted = (outputs_of(model, [VISIBILITY_NAME])[VISIBILITY_NAME] for model in (both, seeing))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def _channels(definition: tf.GraphDef) -> int:
    """Returns the channels of the features that a visibility head reads."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name='')
        return graph.get_tensor_by_name(features_name(definition, 'graph')).shape.as_list()[-1]


@pytest.mark.parametrize('change, named', [({'tag': 'dress', 'keypoints': GARMENTS['dress'].keypoints}, 'tag'),
                                           ({'stride': 4}, 'stride'), ({'input_hw': (192, 176)}, '160x192')])
def test_networks_that_do_not_fit_together(tmp_path: Path, change: dict, named: str) -> None:
    one, two = (frozen(tmp_path / name, 'testing', 'skirt') for name in ('one', 'two'))
    replace(two.contract, **change).save(contract_path(two.path))
    with pytest.raises(InputError, match=named) as error:
        store_again([one, ModelFile.open(two.path)], tmp_path / 'both.pb', 'float32')
    assert str(two.path) in str(error.value) and not (tmp_path / 'both.pb').exists()
    assert Contract.load(contract_path(one.path)) == one.contract
