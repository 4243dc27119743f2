"""The cost of networks, compared with TensorFlow's profiler and with values computed by hand."""
from pathlib import Path
from typing import Dict

import pytest
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import Contract, contract_path, write_model
from fashionai.model_files.cost import graph_cost, network_cost, operations
from fashionai.networks.catalog import build
from fashionai.networks.head_options import HeadOptions

COUNTED = ('Conv2D', 'DepthwiseConv2dNative', 'Conv2DBackpropInput', 'MatMul')


def profiled(graph: tf.Graph) -> Dict[str, int]:
    """Returns the counts of TensorFlow's profiler by type of operation."""
    options = tf.profiler.ProfileOptionBuilder(tf.profiler.ProfileOptionBuilder.float_operation())
    node, found = tf.profiler.profile(graph, cmd='op', options=options.with_empty_output().build()), {}
    while node.children:
        node = node.children[0]
        found[node.name] = node.float_ops
    return found


@pytest.mark.parametrize('model, options', [
    ('testing', HeadOptions()), ('efficientnet_lite0', HeadOptions(stride=4))])
def test_the_profiler_counts_the_same(model: str, options: HeadOptions) -> None:
    with tf.Graph().as_default() as graph:
        build(model, tf.placeholder(tf.float32, (1, 64, 96, 3)), GARMENTS.of('skirt'), False, options)
        wanted = profiled(graph)
    assert network_cost(model, GARMENTS.of('skirt'), (64, 96), options).flop == sum(wanted.get(name, 0)
                                                                                   for name in COUNTED)


@pytest.mark.parametrize('turned', [False, True])
def test_a_product_of_matrices(turned: bool) -> None:
    tf.matmul(tf.zeros((5, 3) if turned else (3, 5)), tf.zeros((5, 7)), transpose_a=turned)
    assert operations(tf.get_default_graph()) == 2 * 3 * 5 * 7 == profiled(tf.get_default_graph())['MatMul']


def test_vgg_by_hand() -> None:
    """Backbone and stages from the tables of the papers, at 368x368 with 24 keypoints and 33 limbs."""
    def plain(side: int, kernel: int, inputs: int, outputs: int) -> int:
        return 2 * side * side * kernel * kernel * inputs * outputs

    backbone = [(368, 3, 64), (368, 64, 64), (184, 64, 128), (184, 128, 128), (92, 128, 256)] + 3 * [(92, 256, 256)] + [
        (46, 256, 512), (46, 512, 512), (46, 512, 256), (46, 256, 128)]
    flop = sum(plain(side, 3, inputs, outputs) for side, inputs, outputs in backbone)
    for maps in (66, 25):
        flop += 3 * plain(46, 3, 128, 128) + plain(46, 1, 128, 512) + plain(46, 1, 512, maps)
        flop += 5 * (plain(46, 7, 128 + 91, 128) + 4 * plain(46, 7, 128, 128) + plain(46, 1, 128, 128)
                     + plain(46, 1, 128, maps))
    cost = network_cost('vgg', GARMENTS.of('all'), (368, 368))
    assert (cost.parameters, cost.flop) == (54_483_298, flop)
    assert 250e9 < flop < 300e9


def test_a_frozen_graph_costs_what_its_contract_says(tmp_path: Path) -> None:
    head = HeadOptions(stages=1, pyramid='on')
    graph = tmp_path / 'frozen_graph.pb'
    write_model(graph, b'', Contract('skirt', GARMENTS.of('skirt').keypoints, 'testing', (64, 64), 8, 2, '',
                                     head=head.changes))
    for _ in ('with its contract beside it', 'with the one inside alone'):
        assert graph_cost(graph, (32, 32)) == network_cost('testing', GARMENTS.of('skirt'), (32, 32), head)
        if contract_path(graph).exists():
            contract_path(graph).unlink()
    graph.write_bytes(b'')
    with pytest.raises(InputError, match='frozen_graph.pb'):
        graph_cost(graph, (32, 32))


def test_a_joined_graph_costs_as_much_as_its_networks(tmp_path: Path) -> None:
    garment = GARMENTS.of('skirt')
    write_model(tmp_path / 'frozen_graph.pb', b'', Contract('skirt', garment.keypoints, 'testing+mobilenet_small',
                                                            (64, 64), 8, 2, ''))
    parts = [network_cost(model, garment, (32, 32)) for model in ('testing', 'mobilenet_small')]
    found = graph_cost(tmp_path / 'frozen_graph.pb', (32, 32))
    assert (found.parameters, found.flop) == (parts[0].parameters + parts[1].parameters, parts[0].flop + parts[1].flop)
