"""From a checkpoint to one `.pb`: all that does not depend on the image becomes a constant, batch norm included."""
import os
from pathlib import Path
from typing import List, Sequence, Set

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.garments import GARMENTS, garment_of
from fashionai.networks.catalog import build, input_placeholder, mean_of_last_two, network_spec
from fashionai.networks.checkpoints import Checkpoint, best_name, loss_of
from fashionai.networks.contract import INPUT_NAME, Contract, contract_path, file_sum
from fashionai.networks.head_options import TRUNK_STRIDE, HeadOptions

TOLERANCE = 1e-3
"""The part of the largest output by which frozen and live output may differ: rounding stays far below it."""


def freeze(checkpoint: Checkpoint, model: str, tag: str, output_pb: Path) -> float:
    """Write the network of a checkpoint as a frozen graph and, beside it, its contract.

    The graph takes any number of images of any size that is a multiple of 8. Before anything is written, its
    output is compared with the session's on random images; the largest absolute difference is returned.

    Of a network that was averaged over the steps of its training, the average is frozen.

    Raises ValueError where the checkpoint is not of this network and tag, or the two outputs differ.
    """
    garment, options, loss = garment_of(tag), HeadOptions.of(checkpoint.run.get('head', {})), loss_of(checkpoint.run)
    spec = network_spec(model, options)
    with tf.Graph().as_default(), tf.Session() as session:
        image = input_placeholder()
        network = build(model, image, garment, False, options, loss)
        mean = mean_of_last_two(network, options, loss)
        outputs = [network.output] + ([] if mean is None else [mean])
        outputs += [network.types.probabilities] if network.types else []
        _restore(session, checkpoint, model, tag)
        frozen = fold_constants(session, image, outputs).SerializeToString()
        batch = np.random.RandomState(0).uniform(0, 255, (2, 8 * TRUNK_STRIDE, 6 * TRUNK_STRIDE, 3))
        live = session.run(outputs, {image: batch})
    difference = _difference(live, _run_frozen(frozen, [tensor.name for tensor in outputs], batch), checkpoint.prefix)
    draft = output_pb.with_name(output_pb.name + '.new')
    draft.write_bytes(frozen)
    os.replace(str(draft), str(output_pb))
    Contract(tag, garment.keypoints, model, tuple(checkpoint.run.get('input_hw', (368, 368))), spec.stride,
             checkpoint.step, file_sum(output_pb), checkpoint.validation_ne,
             options.changes, tuple(GARMENTS) if network.types else ()).save(contract_path(output_pb))
    return difference


def fold_constants(session: tf.Session, image: tf.Tensor, outputs: Sequence[tf.Tensor]) -> tf.GraphDef:
    """The graph from image to outputs, with every tensor on the way in that does not depend on the image a constant.

    So variables, and what is computed from them alone, such as weights times batch norm's scale, become plain numbers.
    Nodes keep their names. Attributes at their defaults are left out, so that an older TensorFlow, which may not know
    them, reads the graph too.
    """
    live = _dependants(image.op)
    edges = [tensor for operation in live for tensor in operation.inputs if tensor.op not in live]
    assert all(tensor.value_index == 0 for tensor in edges), 'a constant has one output'
    values = session.run({tensor.op.name: tensor for tensor in edges})
    full, folded = session.graph.as_graph_def(), tf.GraphDef()
    folded.versions.CopyFrom(full.versions)
    for node in full.node:
        if node.name in values:
            value = tf.make_tensor_proto(values[node.name])
            folded.node.add(name=node.name, op='Const', attr={
                'dtype': tf.AttrValue(type=value.dtype), 'value': tf.AttrValue(tensor=value)})
        else:
            folded.node.add().CopyFrom(node)
    folded = tf.graph_util.extract_sub_graph(folded, [output.op.name for output in outputs])
    return tf.train.export_meta_graph(graph_def=folded, collection_list=[], strip_default_attrs=True).graph_def


def _dependants(operation: tf.Operation) -> Set[tf.Operation]:
    """The operation and every one that its output reaches."""
    found, queue = {operation}, [operation]
    while queue:
        for tensor in queue.pop().outputs:
            queue.extend(consumer for consumer in tensor.consumers() if consumer not in found)
            found.update(tensor.consumers())
    return found


def _restore(session: tf.Session, checkpoint: Checkpoint, model: str, tag: str) -> None:
    try:
        stored = tf.train.load_checkpoint(checkpoint.prefix).get_variable_to_shape_map()
        variables = {best_name(variable.op.name, stored): variable for variable in tf.model_variables()}
        tf.train.Saver(variables).restore(session, checkpoint.prefix)
    except (tf.errors.OpError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if 'not found in' in line or 'shape' in line), error)
        raise ValueError(f'{checkpoint.prefix} is no checkpoint of {model} for {tag}: {reason}') from None


def _difference(live: Sequence[np.ndarray], frozen: Sequence[np.ndarray], prefix: str) -> float:
    """The largest between the outputs of a session and those of the frozen graph. Raises ValueError where it is one."""
    differences = [np.abs(one - other).max() for one, other in zip(live, frozen)]
    for difference, output in zip(differences, live):
        if not difference <= TOLERANCE * np.abs(output).max():
            raise ValueError(f'the frozen graph of {prefix} differs from the session by {difference:.3g}, where '
                             f'outputs reach {np.abs(output).max():.3g}: not written')
    return float(max(differences))


def _run_frozen(frozen: bytes, names: List[str], batch: np.ndarray) -> List[np.ndarray]:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(frozen)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name='')
        return session.run(names, {f'{INPUT_NAME}:0': batch})
