"""What a network costs: its parameters, and the operations of a pass, counted in its graph and not measured."""
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.garments.table import Garment
from fashionai.model_files.contract import Contract, contract_path
from fashionai.networks.catalog import build
from fashionai.networks.head_options import UNCHANGED, HeadOptions


@dataclass(frozen=True)
class Cost:
    """`parameters` are numbers that training or batch norm's averages set; `flop` are floating-point operations of
    one image: a multiplication and an addition are two."""

    parameters: int
    flop: int


def _convolution(operation: tf.Operation) -> int:
    """Every output is a sum over the kernel (height, width, inputs, outputs)."""
    return 2 * _elements(operation.outputs[0].shape) * _elements(operation.inputs[1].shape[:3])


def _depthwise(operation: tf.Operation) -> int:
    """Every output is a sum over one channel's kernel, of (height, width, inputs, outputs an input)."""
    return 2 * _elements(operation.outputs[0].shape) * _elements(operation.inputs[1].shape[:2])


def _transposed(operation: tf.Operation) -> int:
    """Every input goes into the outputs under the kernel, (height, width, outputs, inputs)."""
    return 2 * _elements(operation.inputs[2].shape) * _elements(operation.inputs[1].shape[:3])


def _product(operation: tf.Operation) -> int:
    """Every output is a sum over the columns of the first matrix."""
    columns = operation.inputs[0].shape[0 if operation.get_attr('transpose_a') else 1]
    return 2 * _elements(operation.outputs[0].shape) * int(columns)


_FLOP: Mapping[str, Callable[[tf.Operation], int]] = MappingProxyType({
    'Conv2D': _convolution, 'DepthwiseConv2dNative': _depthwise, 'Conv2DBackpropInput': _transposed,
    'MatMul': _product})
"""Operations worth counting; what goes through the numbers once (bias, activation, pooling) is left out."""


def network_cost(model: str, garment: Garment, input_hw: Tuple[int, int], options: HeadOptions = UNCHANGED) -> Cost:
    """The cost of a network of the catalogue on one image of a size in pixels."""
    with tf.Graph().as_default() as graph:
        build(model, tf.placeholder(tf.float32, (1,) + input_hw + (3,)), garment, False, options)
        parameters = sum(_elements(variable.shape) for variable in tf.model_variables())
        return Cost(parameters, operations(graph))


def operations(graph: tf.Graph) -> int:
    """Floating-point operations of a graph whose shapes are all known: two for a multiplication and an addition."""
    return sum(_FLOP[operation.type](operation) for operation in graph.get_operations() if operation.type in _FLOP)


def graph_cost(graph: Path, input_hw: Tuple[int, int]) -> Cost:
    """The cost of the network that a frozen graph was made of, as the contract beside it names it."""
    contract = Contract.load(contract_path(graph))
    garment = contract.garments.of(contract.tag)
    return network_cost(contract.model, garment, input_hw, HeadOptions.of(contract.head))


def _elements(shape: tf.TensorShape) -> int:
    return int(np.prod(shape.as_list(), dtype=np.int64))
