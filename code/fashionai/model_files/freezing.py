"""From a checkpoint to one `.pb`: all that does not depend on the image becomes a constant, batch norm included."""
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
"""The part of the largest output by which frozen and live output may differ: rounding stays far below it, that of
weights in half precision too."""


def freeze(checkpoint: Checkpoint, model: str, tag: str, output_pb: Path, half: bool = False,
           garments: Optional[Garments] = None) -> float:
    """Write the network of a checkpoint as a frozen graph and, beside it, its contract.

    The graph takes any number of images of any size that is a multiple of 8. Before anything is written, its
    output is compared with the session's on random images; the largest absolute difference is returned.

    With `half`, weights are stored in half precision, which makes the file half as large; the network computes in
    single precision all the same. Of a network that was averaged over the steps of its training, the average is frozen.

    `tag` is of the table that the checkpoint's run was trained with, or of `garments`, which must not differ from it.

    Raises InputError where the checkpoint is not of this network and tag, or the two outputs differ.
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
    """The graph from image to outputs, with every tensor on the way in that does not depend on the image a constant.

    So variables, and what is computed from them alone, such as weights times batch norm's scale, become plain numbers.
    With `half`, weights are constants of half precision and a cast to single, which TensorFlow does once, as it loads
    the graph. Nodes keep their names. Attributes at their defaults are left out, so that an older TensorFlow, which may
    not know them, reads the graph too.
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
    """The same graph with its weights in half precision, as `fold_constants` writes it with `half`."""
    half = tf.GraphDef()
    half.versions.CopyFrom(definition.versions)
    for node in definition.node:
        if node.op == 'Const':
            half.node.extend(_constant(node.name, tf.make_ndarray(node.attr['value'].tensor), True))
        else:
            half.node.add().CopyFrom(node)
    return half


def is_half(definition: tf.GraphDef) -> bool:
    """Whether a graph has weights in half precision."""
    return any(node.attr['dtype'].type == tf.float16.as_datatype_enum for node in definition.node if node.op == 'Const')


def fits_half(value: np.ndarray) -> bool:
    """Whether an array is stored in half precision where that is wanted: float32 of two axes or more, which weights
    are, unless there are numbers among them that half precision does not reach."""
    return value.ndim > 1 and value.dtype == np.float32 and np.abs(value).max() < np.finfo(np.float16).max


def _constant(name: str, value: np.ndarray, half: bool) -> List[tf.NodeDef]:
    """The nodes of a constant. With `half`, those that `fits_half` finds lose their last digits."""
    if half and fits_half(value):
        kinds = {'SrcT': tf.AttrValue(type=tf.float16.as_datatype_enum),
                 'DstT': tf.AttrValue(type=tf.float32.as_datatype_enum)}
        cast = tf.NodeDef(name=name, op='Cast', input=[f'{name}/half'], attr=kinds)
        return _constant(f'{name}/half', value.astype(np.float16), False) + [cast]
    proto = tf.make_tensor_proto(value)
    return [tf.NodeDef(name=name, op='Const', attr={
        'dtype': tf.AttrValue(type=proto.dtype), 'value': tf.AttrValue(tensor=proto)})]


def _dependants(operation: tf.Operation) -> Set[tf.Operation]:
    """The operation and every one that its output reaches."""
    found, queue = {operation}, [operation]
    while queue:
        for tensor in queue.pop().outputs:
            queue.extend(consumer for consumer in tensor.consumers() if consumer not in found)
            found.update(tensor.consumers())
    return found


def _check_garment(garment: Garment, checkpoint: Checkpoint) -> None:
    """Raises InputError where the run of a checkpoint knew another garment of that name, or none."""
    trained = garments_of(checkpoint.run)
    known = garment.name in (*trained, JOINT)
    difference = trained.of(garment.name).difference(garment) if known else ''
    if checkpoint.run and (difference or not known):
        raise InputError(f'{checkpoint.prefix} was trained with another table of garments ({trained}), which has '
                         f'{f"other {difference} for" if known else "no"} {garment.name}: wanted that table')


def _restore(session: tf.Session, checkpoint: Checkpoint, model: str, tag: str) -> None:
    try:
        stored = tf.train.load_checkpoint(checkpoint.prefix).get_variable_to_shape_map()
        variables = {best_name(variable.op.name, stored): variable for variable in tf.model_variables()}
        tf.train.Saver(variables).restore(session, checkpoint.prefix)
    except (tf.errors.OpError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if 'not found in' in line or 'shape' in line), error)
        raise InputError(f'{checkpoint.prefix} is no checkpoint of {model} for {tag}: {reason}') from None


def _difference(live: Sequence[np.ndarray], frozen: Sequence[np.ndarray], tolerance: float,
                prefix: str) -> float:
    """The largest between the outputs of a session and those of the frozen graph. Raises InputError where it is more
    than that part of an output's largest value."""
    differences = [np.abs(one - other).max() for one, other in zip(live, frozen)]
    for difference, output in zip(differences, live):
        if not difference <= tolerance * np.abs(output).max():
            raise InputError(f'the frozen graph of {prefix} differs from the session by {difference:.3g}, where '
                             f'outputs reach {np.abs(output).max():.3g}: not written')
    return float(max(differences))


def _run_frozen(frozen: bytes, names: List[str], batch: np.ndarray) -> List[np.ndarray]:
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(frozen)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name='')
        return session.run(names, {f'{INPUT_NAME}:0': batch})
