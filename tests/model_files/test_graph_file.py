"""A graph is read as data. If it does more than compute, it is refused, and the error names the operation."""
from pathlib import Path
from typing import Callable, List

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment
from fashionai.model_files.freezing import fold_constants
from fashionai.model_files.graph_file import _OWN, ALLOWED, read_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.catalog import NETWORKS, build, input_placeholder, mean_of_last_two
from fashionai.networks.head_options import HeadOptions

SKIRT = GARMENTS.of('skirt')
HEADS = {'vgg': [HeadOptions(stages=2, factorised=True)],
         'testing': [HeadOptions(stride=2), HeadOptions(stride=4, upsampling='bilinear', pyramid='on'),
                     HeadOptions(refine='joint'), HeadOptions(refine='frozen')],
         'efficientnet_lite0': [HeadOptions(pyramid='off', type_head='apart')]}
"""Changed heads by the network that they are tested with. Every network also has its own head, with a type head."""


def network_operations(model: str, head: HeadOptions, garment: Garment, loss: str) -> List[str]:
    """Returns the operations that depend on the image; freezing keeps them."""
    with tf.Graph().as_default():
        image = input_placeholder()
        mean_of_last_two(build(model, image, garment, False, head, loss), head, loss)
        live, queue = {image.op}, [image.op]
        while queue:
            reached = {consumer for tensor in queue.pop().outputs for consumer in tensor.consumers()} - live
            live |= reached
            queue.extend(reached)
        return [operation.type for operation in live]


def test_every_network_of_the_catalog_is_allowed() -> None:
    found = {'Const', 'Cast'}  # weights, and those in half precision
    for model in NETWORKS:
        for head in [HeadOptions(stages=2, type_head='along'), *HEADS.get(model, [])]:
            found.update(network_operations(model, head, GARMENTS.joint, 'focal' if model == 'testing' else 'l2'))
    assert found <= _OWN, f'not in the list: {sorted(found - _OWN)}'
    assert _OWN - found <= {'Add', 'AddV2'}, f'of no network: {sorted(_OWN - found)}'


def test_every_operation_in_the_list_is_one_that_keeps_nothing() -> None:
    """As TensorFlow itself describes them. Exceptions are calls, since a function may, and functions are looked
    through; and checks, which end the pass."""
    from tensorflow.python.framework import op_def_registry
    definitions = (op_def_registry.get(name) if hasattr(op_def_registry, 'get')
                   else op_def_registry.get_registered_ops().get(name) for name in sorted(ALLOWED))
    stateful = {definition.name for definition in definitions if definition is not None and definition.is_stateful}
    assert stateful <= {'StatefulPartitionedCall', 'Assert'}


def frozen(path: Path, change: Callable[[tf.Tensor], tf.Tensor], as_folder: bool = False) -> Path:
    """Writes a graph for skirts with a changed output, as a `.pb` or a SavedModel."""
    with tf.Graph().as_default() as graph:
        image = input_placeholder()
        cells = tf.nn.avg_pool(image, ksize=8, strides=8, padding='SAME')
        kernel = tf.ones((1, 1, 3, SKIRT.num_heatmaps + SKIRT.num_fields))
        tf.nn.conv2d(change(cells), kernel, strides=1, padding='SAME', name='Openpose/concat_stage7')
        if not as_folder:
            path.write_bytes(graph.as_graph_def().SerializeToString())
            return path
        with tf.Session() as session:
            builder = tf.saved_model.builder.SavedModelBuilder(str(path))
            builder.add_meta_graph_and_variables(session, [tf.saved_model.tag_constants.SERVING])
            builder.save()
    return path


def after(operation: Callable[[], object]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Runs the operation and does not change the output."""
    def change(cells: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([operation()]):
            return tf.identity(cells)
    return change


def lookup() -> tf.Operation:
    initializer = tf.lookup.KeyValueTensorInitializer(['a'], [1])
    return tf.lookup.StaticHashTable(initializer, -1).lookup(tf.constant('a')).op


def save(path: str) -> tf.Operation:
    return tf.raw_ops.SaveV2(prefix=path, tensor_names=['a'], shape_and_slices=[''], tensors=[tf.constant(1.)])


def within_a_function(path: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """The operation is in the library, two calls away."""
    from tensorflow.python.framework import function

    @function.Defun(tf.float32)
    def inner(cells: tf.Tensor) -> tf.Tensor:
        with tf.control_dependencies([tf.io.write_file(path, 'x')]):
            return tf.identity(cells)

    @function.Defun(tf.float32)
    def outer(cells: tf.Tensor) -> tf.Tensor:
        return inner(cells)

    return outer


CASES = {'WriteFile': lambda path: after(lambda: tf.io.write_file(path, 'x')),
         'ReadFile': lambda path: after(lambda: tf.io.read_file(path).op),
         'MatchingFiles': lambda path: after(lambda: tf.io.matching_files(path).op),
         'PyFunc': lambda path: after(lambda: tf.py_func(lambda: open(path, 'w').close(), [], []) or tf.no_op()),
         'HashTableV2': lambda path: after(lookup), 'SaveV2': lambda path: after(lambda: save(path)),
         'StringFormat': lambda path: after(lambda: tf.print('x', output_stream=f'file://{path}')),
         r'WriteFile \(node .* of function': within_a_function}


@pytest.mark.parametrize('as_folder', [False, True])
@pytest.mark.parametrize('operation', CASES)
def test_what_does_more_than_compute_is_refused(tmp_path: Path, operation: str, as_folder: bool) -> None:
    reached = tmp_path / 'reached'
    path = frozen(tmp_path / ('graph.savedmodel' if as_folder else 'graph.pb'), CASES[operation](str(reached)),
                  as_folder)
    with pytest.raises(InputError, match=rf'{path.name}.*\b{operation}\b.*--trust-graph'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)
    assert not reached.exists()
    assert len(read_graph(path, trusted=True).node) > 3


def test_a_trusted_graph_is_opened_all_the_same(tmp_path: Path) -> None:
    for number, change in enumerate((CASES['WriteFile'], within_a_function)):
        reached = tmp_path / f'reached{number}'
        model = ModelFile.open(frozen(tmp_path / 'graph.pb', change(str(reached))))
        with FrozenGraph(model, SKIRT, GARMENTS, trusted=True) as graph:
            graph.forward(np.zeros((1, 8, 8, 3), np.float32))
        assert reached.exists()


def test_functions_that_only_compute_are_welcome(tmp_path: Path) -> None:
    from tensorflow.python.framework import function

    @function.Defun(tf.float32)
    def doubled(cells: tf.Tensor) -> tf.Tensor:
        return 2 * cells

    with FrozenGraph(ModelFile.open(frozen(tmp_path / 'graph.pb', doubled)), SKIRT, GARMENTS) as graph:
        assert graph.garment == SKIRT


def test_graphs_that_other_projects_freeze_are_welcome(tmp_path: Path) -> None:
    """A graph with batch norm as one operation, a switch for dropout, resized maps, and weights behind an Identity."""
    def change(cells: tf.Tensor) -> tf.Tensor:
        ones = tf.ones(cells.shape[-1])
        normed = tf.nn.fused_batch_norm(cells, ones, ones, ones, ones, is_training=False)[0]
        resized = tf.image.resize_bilinear(normed, tf.shape(cells)[1:3], align_corners=True)
        training = tf.placeholder_with_default(False, ())
        return tf.cond(training, lambda: resized, lambda: tf.nn.leaky_relu(tf.identity(resized)))

    with FrozenGraph(ModelFile.open(frozen(tmp_path / 'graph.pb', change)), SKIRT, GARMENTS) as graph:
        assert graph.garment == SKIRT


def test_the_supplied_network_is_allowed() -> None:
    folder = Path(__file__).resolve().parents[2] / 'models/trained/supplied/graph'
    assert len(read_graph(folder / 'frozen_graph.pb').node) > 100


def test_half_precision_stays_in_the_list(tmp_path: Path) -> None:
    with tf.Session() as session:
        image = input_placeholder()
        output = build('testing', image, SKIRT, False).output
        session.run(tf.global_variables_initializer())
        folded = fold_constants(session, image, [output], 'half')
    assert {node.op for node in folded.node} <= _OWN
