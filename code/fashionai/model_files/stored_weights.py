"""Writes the constants of a TensorFlow graph in a weight format, and reads them again; see weight_formats.py."""
from typing import Dict, List, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.model_files.weight_formats import FLOAT32, HALF, INT8, fits_half, scaled_integers


def output_axis(kernel: Tuple[int, ...]) -> int:
    """Returns the axis of the output channels of a kernel of TensorFlow, by its shape (height, width, inputs, outputs).
    In a depthwise kernel the last axis is 1, and each input is an output channel."""
    return len(kernel) - (2 if kernel[-1] == 1 else 1)


def stored(name: str, value: np.ndarray, weight_format: str) -> List[tf.NodeDef]:
    """Returns the nodes of a constant of that name. Weights are stored in the format; anything else stays as it is."""
    if weight_format == HALF and fits_half(value):
        return [_constant(f'{name}/half', value.astype(np.float16)), _cast(name, f'{name}/half', np.float16)]
    parts = scaled_integers(value, output_axis(value.shape)) if weight_format == INT8 and value.ndim else None
    if parts is None:
        return [_constant(name, value)]
    product = tf.NodeDef(name=name, op='Mul', input=[f'{name}/float', f'{name}/scales'],
                         attr={'T': tf.AttrValue(type=tf.float32.as_datatype_enum)})
    return [_constant(f'{name}/int8', parts.integers), _cast(f'{name}/float', f'{name}/int8', np.int8),
            _constant(f'{name}/scales', parts.scales), product]


def format_of(definition: tf.GraphDef) -> str:
    """Returns the weight format of a graph, by the types of its constants."""
    types = {node.attr['dtype'].type for node in definition.node if node.op == 'Const'}
    return (INT8 if tf.int8.as_datatype_enum in types else HALF if tf.float16.as_datatype_enum in types else FLOAT32)


def in_format(definition: tf.GraphDef, weight_format: str) -> tf.GraphDef:
    """Returns the same graph with its weights in a format. A graph that has it already is returned as it is."""
    if format_of(definition) == weight_format:
        return definition
    graph = tf.GraphDef(versions=definition.versions, library=definition.library)
    for node in decoded(definition).node:
        graph.node.extend(stored(node.name, value_of(node), weight_format) if node.op == 'Const' else [node])
    return graph


def decoded(definition: tf.GraphDef) -> tf.GraphDef:
    """Returns the same graph with its weights in single precision, as the engines compute with them."""
    nodes = {node.name: node for node in definition.node}
    values: Dict[str, np.ndarray] = {}
    parts = set()
    for node in definition.node:
        sources = [nodes.get(name) for name in node.input]
        if node.op == 'Cast' and sources[0] is not None and _is_stored(sources[0]):
            values[node.name] = value_of(sources[0]).astype(np.float32)
            parts.add(sources[0].name)
        elif node.op == 'Mul' and node.input[0] == f'{node.name}/float' and node.input[0] in values:
            values[node.name] = values[node.input[0]] * value_of(nodes[node.input[1]])
            parts.update(node.input)
    graph = tf.GraphDef(versions=definition.versions, library=definition.library)
    for node in definition.node:
        if node.name not in parts:
            graph.node.extend([_constant(node.name, values[node.name]) if node.name in values else node])
    return graph


def value_of(node: tf.NodeDef) -> np.ndarray:
    """Returns the value of a constant."""
    return tf.make_ndarray(node.attr['value'].tensor)


def _is_stored(node: tf.NodeDef) -> bool:
    """Returns whether a node is a constant that has to be decoded."""
    return node.op == 'Const' and node.attr['dtype'].type in (tf.float16.as_datatype_enum, tf.int8.as_datatype_enum)


def _constant(name: str, value: np.ndarray) -> tf.NodeDef:
    proto = tf.make_tensor_proto(value)
    return tf.NodeDef(name=name, op='Const', attr={
        'dtype': tf.AttrValue(type=proto.dtype), 'value': tf.AttrValue(tensor=proto)})


def _cast(name: str, source: str, dtype: type) -> tf.NodeDef:
    """Returns a node that converts a node of `dtype` to single precision."""
    return tf.NodeDef(name=name, op='Cast', input=[source], attr={
        'SrcT': tf.AttrValue(type=tf.as_dtype(dtype).as_datatype_enum),
        'DstT': tf.AttrValue(type=tf.float32.as_datatype_enum)})
