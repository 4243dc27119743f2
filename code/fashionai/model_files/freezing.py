"""Freezes a checkpoint as one `.pb`: all values that do not depend on the image become constants, batch norm too.

A graph that is frozen already can be written again, with its weights in another format; several become one.
"""
from dataclasses import replace
from pathlib import Path
from typing import List, Optional, Sequence, Set, Tuple, Union

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garments.table import JOINT, Garment, Garments
from fashionai.model_files.checkpoints import Checkpoint, garments_of, loss_of
from fashionai.model_files.contract import Contract, replacing_model, write_model
from fashionai.model_files.graph_file import without_defaults
from fashionai.model_files.joining import joined, joined_contract
from fashionai.model_files.model_file import USUAL_HW, ModelFile
from fashionai.model_files.stored_weights import in_format, stored
from fashionai.model_files.weight_files import Values
from fashionai.model_files.weight_formats import FLOAT32, TOLERANCES
from fashionai.model_files.weights import read_weights
from fashionai.networks.catalog import build, input_placeholder, mean_of_last_two, network_spec
from fashionai.networks.head_options import BACKBONE_STRIDE, HeadOptions, check_suits
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUTS, TYPES_NAME


def freeze(checkpoint: Checkpoint, model: str, tag: str, output_pb: Path, weight_format: str = FLOAT32,
           garments: Optional[Garments] = None, weights: Optional[Values] = None) -> float:
    """Writes the network of a checkpoint as a frozen graph, with its contract inside and beside it.

    The graph takes any number of images of any size that is a multiple of 8. Before anything is written, its output
    is compared with the output of the session on random images. Returns the largest absolute difference.

    `weight_format` is a name of weight_formats.TOLERANCES. If the checkpoint has averages over the training steps, the
    averages are frozen. `weights` are frozen in place of those of the checkpoint, which then only describes them.

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
        _set(session, weights or read_weights(checkpoint.prefix), checkpoint, f'{model} for {tag}')
        frozen = fold_constants(session, image, outputs, weight_format)
        live = session.run(outputs, {image: _random_images()})
    difference = _difference(live, _run_frozen(frozen, [tensor.name for tensor in outputs]), TOLERANCES[weight_format],
                             checkpoint.prefix)
    with replacing_model(output_pb) as draft:
        write_model(draft, frozen.SerializeToString(), Contract(
            tag, garment.keypoints, model, tuple(checkpoint.run.get('input_hw', USUAL_HW)), spec.stride,
            checkpoint.step, '', None if weights else checkpoint.validation_ne, options.changes,
            garment.types if network.types else (), garments))
    return difference


def store_again(models: Sequence[ModelFile], output_pb: Path, weight_format: str,
                input_hw: Optional[Tuple[int, int]] = None, trusted: bool = False) -> float:
    """Writes a frozen graph again with its weights in another format, and with its contract inside and beside it.
    Several graphs are joined to one; see joining.py.

    With `input_hw`, the contract names this size (height, width) in pixels in place of the size that the network was
    trained at; if it is another one, a calibration does not stay, since peaks have other heights. Returns the largest
    absolute difference between the outputs of the two graphs. If the graph is `trusted`, it may have any operation.

    Raises InputError if a file is not a graph with a contract, if networks do not fit together, if the size does not
    suit the network, or if the outputs differ too much.
    """
    contract = joined_contract(models)
    if input_hw and input_hw != contract.input_hw:
        check_suits(input_hw, contract.input_hw, str(models[0].path))
        contract = replace(contract, input_hw=input_hw, calibration=None, validation_ne=None)
    before = joined(models, trusted)
    after = without_defaults(in_format(before, weight_format))
    names = [f'{node.name}:0' for node in before.node if node.name in (*OUTPUTS.values(), TYPES_NAME)]
    difference = _difference(_run_frozen(before, names), _run_frozen(after, names), TOLERANCES[weight_format],
                             models[0].path)
    with replacing_model(output_pb) as draft:
        write_model(draft, after.SerializeToString(), contract)
    return difference


def fold_constants(session: tf.Session, image: tf.Tensor, outputs: Sequence[tf.Tensor],
                   weight_format: str = FLOAT32) -> tf.GraphDef:
    """Returns the graph from image to outputs. Inputs of its nodes that do not depend on the image become constants.

    So variables, and values that depend only on variables, such as weights times the scale of batch norm, become
    constants. Nodes keep their names. Attributes with their default values are left out.
    """
    live = _dependants(image.op)
    edges = [tensor for operation in live for tensor in operation.inputs if tensor.op not in live]
    assert all(tensor.value_index == 0 for tensor in edges), 'a constant has one output'
    values = session.run({tensor.op.name: tensor for tensor in edges})
    full, folded = session.graph.as_graph_def(), tf.GraphDef()
    folded.versions.CopyFrom(full.versions)
    for node in full.node:
        if node.name in values:
            folded.node.extend(stored(node.name, values[node.name], weight_format))
        else:
            folded.node.add().CopyFrom(node)
    folded = tf.graph_util.extract_sub_graph(folded, [output.op.name for output in outputs])
    return without_defaults(folded)


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


def _set(session: tf.Session, weights: Values, checkpoint: Checkpoint, network: str) -> None:
    """Sets the variables of the network. Raises InputError if the weights are those of another network."""
    for variable in tf.model_variables():
        name, shape = variable.op.name, tuple(variable.shape.as_list())
        found = weights[name].shape if name in weights else None
        if found != shape:
            what = f'{name} has the shape {found}, wanted {shape}' if found else f'{name} was not found'
            raise InputError(f'{checkpoint.prefix} is not a checkpoint of {network}: {what}')
        variable.load(weights[name], session)


def _difference(live: Sequence[np.ndarray], frozen: Sequence[np.ndarray], tolerance: float,
                source: Union[str, Path]) -> float:
    """Returns the largest difference between the outputs of the source and of the frozen graph. Raises InputError if
    one is more than `tolerance` times the largest value of its output."""
    differences = [np.abs(one - other).max() for one, other in zip(live, frozen)]
    for difference, output in zip(differences, live):
        if not difference <= tolerance * np.abs(output).max():
            raise InputError(f'the frozen graph of {source} was not written, because its output differs from that of '
                             f'the source by {difference:.3g}; the largest output is {np.abs(output).max():.3g}')
    return float(max(differences))


def _run_frozen(frozen: tf.GraphDef, names: List[str]) -> List[np.ndarray]:
    copy = tf.GraphDef()
    copy.CopyFrom(frozen)  # the import adds attributes with their default values
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(copy, name='')
        return session.run(names, {f'{INPUT_NAME}:0': _random_images()})


def _random_images() -> np.ndarray:
    """Returns the images (2, 64, 48, 3) on which outputs are compared."""
    return np.random.RandomState(0).uniform(0, 255, (2, 8 * BACKBONE_STRIDE, 6 * BACKBONE_STRIDE, 3))
