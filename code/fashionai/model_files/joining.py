"""Joins the frozen graphs of several networks to one graph, whose outputs are the means of theirs.

So a file holds an ensemble: programs use it, calibrate it and export it like any other network. All networks see the
same input.
"""
from dataclasses import replace
from typing import Sequence

import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.model_files.contract import Contract
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.stored_weights import decoded
from fashionai.networks.catalog import input_placeholder
from fashionai.networks.head_options import check_suits
from fashionai.networks.tensor_names import MEAN_OUTPUT_NAME, OUTPUT_NAME, TYPES_NAME, VISIBILITY_NAME

_ALIKE = ('tag', 'garments', 'keypoints', 'stride', 'channel_order', 'value_range', 'mean')
"""The fields of a contract that must be the same in all networks."""


def joined(models: Sequence[ModelFile], trusted: bool = False) -> tf.GraphDef:
    """Returns one graph of frozen graphs; a single one is returned as it is.

    An output that only some of the networks have, the types or the visibility, is the mean of those. The mean of the
    last two stages is there if all have it. Weights are in single precision. `trusted` graphs may have any operation.
    """
    definitions = [read_graph(model.path, trusted) for model in models]
    if len(models) == 1:
        return definitions[0]
    names = [{node.name for node in definition.node} for definition in definitions]
    outputs = [name for name in (OUTPUT_NAME, MEAN_OUTPUT_NAME) if all(name in each for each in names)]
    outputs += [name for name in (TYPES_NAME, VISIBILITY_NAME) if any(name in each for each in names)]
    with tf.Graph().as_default() as graph:
        image = input_placeholder()
        for number, (definition, model) in enumerate(zip(definitions, models), 1):
            tf.import_graph_def(decoded(definition), {f'{_contract(model).input_name}:0': image}, name=_prefix(number))
        for output in outputs:
            parts = [graph.get_tensor_by_name(f'{_prefix(number)}/{output}:0')
                     for number, each in enumerate(names, 1) if output in each]
            tf.multiply(tf.add_n(parts), 1 / len(parts), name=output)
        return tf.graph_util.extract_sub_graph(graph.as_graph_def(), outputs)


def joined_contract(models: Sequence[ModelFile]) -> Contract:
    """Returns the contract of `joined`, without the sum of its file. The input size is that of the first network; the
    step is the highest. A calibration does not stay, since the mean of several networks has other heights.

    Raises InputError, naming the file, if a graph has no contract, or if the networks do not fit together.
    """
    contracts = [_contract(model) for model in models]
    first = contracts[0]
    if len(models) == 1:
        return first
    for model, contract in zip(models[1:], contracts[1:]):
        for key in _ALIKE:
            if getattr(contract, key) != getattr(first, key):
                raise InputError(f'{model.path} cannot be joined with {models[0].path}: {key} is '
                                 f'{getattr(contract, key)} and {getattr(first, key)}')
        check_suits(first.input_hw, contract.input_hw, str(model.path))
    return replace(first, model='+'.join(contract.model for contract in contracts), calibration=None,
                   step=max(contract.step for contract in contracts), validation_ne=None,
                   types=max((contract.types for contract in contracts), key=len),
                   visibility=max((contract.visibility for contract in contracts), key=len))


def _contract(model: ModelFile) -> Contract:
    if model.contract is None:
        raise InputError(f'{model.path} has no contract, neither inside nor beside it')
    return model.contract


def _prefix(number: int) -> str:
    return f'network_{number}'
