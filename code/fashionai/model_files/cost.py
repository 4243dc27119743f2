"""The cost of a network: its parameters and the operations for one image, counted in its graph, not measured."""
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.model_files.contract import contract_of
from fashionai.networks.catalog import build
from fashionai.networks.head_options import UNCHANGED, HeadOptions


@dataclass(frozen=True)
class Cost:
    """The cost of a network.

    parameters: the number of values that training sets, with the moving averages of batch norm. flop: the number of
    floating-point operations for one image; a multiplication and an addition count as two.
    """

    parameters: int
    flop: int


def _convolution(operation: tf.Operation) -> int:
    """Each output is a sum over the kernel (height, width, inputs, outputs)."""
    return 2 * _elements(operation.outputs[0].shape) * _elements(operation.inputs[1].shape[:3])


def _depthwise(operation: tf.Operation) -> int:
    """Each output is a sum over the kernel of one channel; the kernel is (height, width, inputs, outputs per input)."""
    return 2 * _elements(operation.outputs[0].shape) * _elements(operation.inputs[1].shape[:2])


def _transposed(operation: tf.Operation) -> int:
    """Each input is added to all outputs under the kernel (height, width, outputs, inputs)."""
    return 2 * _elements(operation.inputs[2].shape) * _elements(operation.inputs[1].shape[:3])


def _product(operation: tf.Operation) -> int:
    """Each output is a sum over the columns of the first matrix."""
    columns = operation.inputs[0].shape[0 if operation.get_attr('transpose_a') else 1]
    return 2 * _elements(operation.outputs[0].shape) * int(columns)


_FLOP: Mapping[str, Callable[[tf.Operation], int]] = MappingProxyType({
    'Conv2D': _convolution, 'DepthwiseConv2dNative': _depthwise, 'Conv2DBackpropInput': _transposed,
    'MatMul': _product})
"""The operations that are counted. Operations that use each value once (bias, activation, pooling) are left out."""


def network_cost(model: str, garment: Garment, input_hw: Tuple[int, int], options: HeadOptions = UNCHANGED) -> Cost:
    """Returns the cost of a network of the catalogue for one image; `input_hw` is in pixels."""
    with tf.Graph().as_default() as graph:
        build(model, tf.placeholder(tf.float32, (1,) + input_hw + (3,)), garment, False, options)
        parameters = sum(_elements(variable.shape) for variable in tf.model_variables())
        return Cost(parameters, operations(graph))


def operations(graph: tf.Graph) -> int:
    """Returns the floating-point operations of a graph with known shapes; a multiplication and an addition are two."""
    return sum(_FLOP[operation.type](operation) for operation in graph.get_operations() if operation.type in _FLOP)


def graph_cost(graph: Path, input_hw: Tuple[int, int]) -> Cost:
    """Returns the cost of a frozen graph: that of the networks that its contract names, usually one. They all have the
    head of the contract. Raises InputError if it has no contract."""
    contract = contract_of(graph)
    if contract is None:
        raise InputError(f'{graph} has no contract, which would name its network')
    garment, head = contract.garments.of(contract.tag), HeadOptions.of(contract.head)
    costs = [network_cost(model, garment, input_hw, head) for model in contract.models]
    return Cost(sum(cost.parameters for cost in costs), sum(cost.flop for cost in costs))


def _elements(shape: tf.TensorShape) -> int:
    return int(np.prod(shape.as_list(), dtype=np.int64))
