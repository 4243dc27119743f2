"""Freezes a checkpoint as one `.pb`: all values that do not depend on the image become constants, batch norm too."""
from pathlib import Path
from typing import List, Optional, Sequence, Set

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.files import write_bytes
from fashionai.garments.table import JOINT, Garment, Garments
from fashionai.model_files.checkpoints import Checkpoint, best_name, garments_of, loss_of
from fashionai.model_files.contract import Contract, contract_path, file_sum, replacing_model
from fashionai.networks.catalog import build, input_placeholder, mean_of_last_two, network_spec
from fashionai.networks.head_options import BACKBONE_STRIDE, HeadOptions
from fashionai.networks.tensor_names import INPUT_NAME

TOLERANCE, HALF_TOLERANCE = 1e-3, 3e-2
"""The largest allowed difference between the outputs of the frozen graph and of the session, relative to the largest
output: for single precision, and for weights in half precision. Rounding errors are much smaller."""


def freeze(checkpoint: Checkpoint, model: str, tag: str, output_pb: Path, half: bool = False,
           garments: Optional[Garments] = None) -> float:
    """Writes the network of a checkpoint as a frozen graph and, beside it, its contract.

    The graph takes any number of images of any size that is a multiple of 8. Before anything is written, its output
    is compared with the output of the session on random images. Returns the largest absolute difference.

    With `half`, weights are stored in half precision, which halves the size of the file; the network still computes in
    single precision. If the checkpoint has averages over the training steps, the averages are frozen.

    `tag` is a type of the garment table of the checkpoint's run, or of `garments`, which must agree with that table.

    Raises InputError if the checkpoint belongs to another network or tag, or if the two outputs differ.
    """
    garments = garments or garments_of(checkpoint.run)
    garment, options, loss = garments.of(tag), HeadOptions.of(checkpoint.run.get('head', {})), loss_of(checkpoint.run)
    _check_garment(garment, checkpoint)
    spec = network_spec(model, options)
    with tf.Graph().as_default(), tf.Session() as session:
        image = input_placeholder()
        network = build(model, image, garment, False, options, loss)
        mean = mean_of_last_two(network, options, loss)
        outputs = [network.output] + ([] if mean is None else [mean])
        outputs += [network.types.probabilities] if network.types else []
        _restore(session, checkpoint, model, tag)
        frozen = fold_constants(session, image, outputs, half).SerializeToString()
        batch = np.random.RandomState(0).uniform(0, 255, (2, 8 * BACKBONE_STRIDE, 6 * BACKBONE_STRIDE, 3))
        live = session.run(outputs, {image: batch})
    difference = _difference(live, _run_frozen(frozen, [tensor.name for tensor in outputs], batch),
                             HALF_TOLERANCE if half else TOLERANCE, checkpoint.prefix)
    with replacing_model(output_pb) as draft:
        write_bytes(draft, frozen)
        Contract(tag, garment.keypoints, model, tuple(checkpoint.run.get('input_hw', (368, 368))), spec.stride,
                 checkpoint.step, file_sum(draft), checkpoint.validation_ne,
                 options.changes, garment.types if network.types else (), garments).save(contract_path(draft))
    return difference


def fold_constants(session: tf.Session, image: tf.Tensor, outputs: Sequence[tf.Tensor],
                   half: bool = False) -> tf.GraphDef:
    """Returns the graph from image to outputs. Inputs of its nodes that do not depend on the image become constants.

    So variables, and values that depend only on variables, such as weights times the scale of batch norm, become
    constants. With `half`, weights are constants in half precision followed by a cast to single precision, which
    TensorFlow computes only once, when it loads the graph. Nodes keep their names. Attributes with their default values
    are left out, so that older versions of TensorFlow, which may not know them, can read the graph.
    """
    live = _dependants(image.op)
    edges = [tensor for operation in live for tensor in operation.inputs if tensor.op not in live]
    assert all(tensor.value_index == 0 for tensor in edges), 'a constant has one output'
    values = session.run({tensor.op.name: tensor for tensor in edges})
    full, folded = session.graph.as_graph_def(), tf.GraphDef()
    folded.versions.CopyFrom(full.versions)
    for node in full.node:
        if node.name in values:
            folded.node.extend(_constant(node.name, values[node.name], half))
        else:
            folded.node.add().CopyFrom(node)
    folded = tf.graph_util.extract_sub_graph(folded, [output.op.name for output in outputs])
    return tf.train.export_meta_graph(graph_def=folded, collection_list=[], strip_default_attrs=True).graph_def


def halved(definition: tf.GraphDef) -> tf.GraphDef:
    """Returns the same graph with its weights in half precision, as `fold_constants` makes it with `half`."""
    half = tf.GraphDef()
    half.versions.CopyFrom(definition.versions)
    for node in definition.node:
        if node.op == 'Const':
            half.node.extend(_constant(node.name, tf.make_ndarray(node.attr['value'].tensor), True))
        else:
            half.node.add().CopyFrom(node)
    return half


def is_half(definition: tf.GraphDef) -> bool:
    """Returns whether a graph has weights in half precision."""
    return any(node.attr['dtype'].type == tf.float16.as_datatype_enum for node in definition.node if node.op == 'Const')


def fits_half(value: np.ndarray) -> bool:
    """Returns whether an array can be stored in half precision.

    This is so for float32 arrays with two or more axes, as weights have, if all values are in the range of half
    precision.
    """
    return value.ndim > 1 and value.dtype == np.float32 and np.abs(value).max() < np.finfo(np.float16).max


def _constant(name: str, value: np.ndarray, half: bool) -> List[tf.NodeDef]:
    """Returns the nodes of a constant. With `half`, values that `fits_half` are rounded to half precision."""
    if half and fits_half(value):
        kinds = {'SrcT': tf.AttrValue(type=tf.float16.as_datatype_enum),
                 'DstT': tf.AttrValue(type=tf.float32.as_datatype_enum)}
        cast = tf.NodeDef(name=name, op='Cast', input=[f'{name}/half'], attr=kinds)
        return _constant(f'{name}/half', value.astype(np.float16), False) + [cast]
    proto = tf.make_tensor_proto(value)
    return [tf.NodeDef(name=name, op='Const', attr={
        'dtype': tf.AttrValue(type=proto.dtype), 'value': tf.AttrValue(tensor=proto)})]


def _dependants(operation: tf.Operation) -> Set[tf.Operation]:
    """Returns the operation and all operations that depend on its output."""
    found, queue = {operation}, [operation]
    while queue:
        for tensor in queue.pop().outputs:
            queue.extend(consumer for consumer in tensor.consumers() if consumer not in found)
            found.update(tensor.consumers())
    return found


def _check_garment(garment: Garment, checkpoint: Checkpoint) -> None:
    """Raises InputError if the run of a checkpoint had another garment of that name, or none."""
    trained = garments_of(checkpoint.run)
    known = garment.name in (*trained, JOINT)
    difference = trained.of(garment.name).difference(garment) if known else ''
    if checkpoint.run and (difference or not known):
        raise InputError(f'{checkpoint.prefix} was trained with another table of garments ({trained}), which has '
                         f'{f"other {difference} for" if known else "no"} {garment.name}: give that table')


def _restore(session: tf.Session, checkpoint: Checkpoint, model: str, tag: str) -> None:
    try:
        stored = tf.train.load_checkpoint(checkpoint.prefix).get_variable_to_shape_map()
        variables = {best_name(variable.op.name, stored): variable for variable in tf.model_variables()}
        tf.train.Saver(variables).restore(session, checkpoint.prefix)
    except (tf.errors.OpError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if 'not found in' in line or 'shape' in line), error)
        raise InputError(f'{checkpoint.prefix} is not a checkpoint of {model} for {tag}: {reason}') from None


def _difference(live: Sequence[np.ndarray], frozen: Sequence[np.ndarray], tolerance: float,
                prefix: str) -> float:
    """Returns the largest difference between the outputs of a session and of the frozen graph. Raises InputError if one
    is more than `tolerance` times the largest value of its output."""
    differences = [np.abs(one - other).max() for one, other in zip(live, frozen)]
    for difference, output in zip(differences, live):
        if not difference <= tolerance * np.abs(output).max():
            raise InputError(f'the frozen graph of {prefix} was not written, because its output differs from that of '
                             f'the session by {difference:.3g}; the largest output is {np.abs(output).max():.3g}')
    return float(max(differences))


def _run_frozen(frozen: bytes, names: List[str], batch: np.ndarray) -> List[np.ndarray]:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(frozen)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name='')
        return session.run(names, {f'{INPUT_NAME}:0': batch})
