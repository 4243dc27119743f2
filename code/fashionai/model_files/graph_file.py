"""Opens the file of a graph safely: it is read as data, and every operation must be in a list before it is imported.

A TensorFlow graph is a program. Most operations only compute on their inputs, but some read and write files, open
connections or call Python. Networks of this kind need none of those, so you can try a graph from a stranger without
giving it access to the machine. This covers the intended function of operations. It does not protect against errors in
TensorFlow's own code, which a malicious file may use.
"""
import os
from pathlib import Path
from typing import FrozenSet, Iterator, Tuple, Union

import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from fashionai.errors import InputError
from fashionai.model_files.contract_inside import CONTRACT_NODE

_OWN = frozenset((
    'Add AddN AddV2 AvgPool BiasAdd Cast ConcatV2 Const Conv2D Conv2DBackpropInput DepthwiseConv2dNative FloorDiv '
    'Identity MaxPool Mean Mul Pack Pad Placeholder Relu Relu6 ResizeBilinear Shape Sigmoid Softmax Split Squeeze '
    'StopGradient StridedSlice Sub').split())
"""The operations of the frozen networks of the catalogue. A test builds all of them."""

_USUAL = frozenset((
    # layers and activations
    'AvgPoolV2 BatchNormWithGlobalNormalization Conv1D Elu Einsum FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 '
    'BatchMatMul BatchMatMulV2 LeakyRelu LogSoftmax LRN MatMul MaxPoolV2 ResizeArea ResizeBicubic '
    'ResizeNearestNeighbor Selu Softplus Softsign Tanh '
    # arithmetic and comparison
    'Abs All Any ArgMax ArgMin Ceil ClipByValue Cos DivNoNan Equal Erf Exp Floor FloorMod Greater GreaterEqual Inv '
    'Less LessEqual Log Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Neg NotEqual Pow Prod RealDiv Reciprocal '
    'Round Rsqrt Select SelectV2 Sign Sin Sqrt Square SquaredDifference Sum Max Min TopK TopKV2 TruncateDiv '
    # shapes
    'BatchToSpaceND BroadcastArgs BroadcastTo Concat DepthToSpace ExpandDims Fill Gather GatherNd GatherV2 IdentityN '
    'MirrorPad OnesLike PadV2 PlaceholderWithDefault PreventGradient Range Rank Reshape Reverse ReverseV2 ShapeN Size '
    'Slice SpaceToBatchND SpaceToDepth SplitV Tile Transpose Unpack Where ZerosLike '
    # weights of fewer bits
    'Dequantize FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel '
    'QuantizeAndDequantize QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeV2 '
    # operations that converters leave in a graph: checks of shapes, switches between training and use, and calls of
    # functions, whose operations are checked too
    'Assert Merge NoOp PartitionedCall StatefulPartitionedCall Switch').split())
"""The operations of other convolutional networks. Each one only computes on its inputs."""

ALLOWED: FrozenSet[str] = _OWN | _USUAL
"""The operations that a graph may have."""


def read_graph(path: Union[str, Path], trusted: bool = False) -> tf.GraphDef:
    """Reads the graph of a `.pb`, or of the folder of a SavedModel; this project writes SavedModels without variables.
    The contract inside a `.pb` is left out: it belongs to the file, not to the graph.

    The operations of a `trusted` file are not checked.

    Raises InputError, naming the file, if it has another content; or, naming the operation, if one is not ALLOWED.
    """
    file = Path(path)
    saved = SavedModel() if file.is_dir() else None
    file = file / 'saved_model.pb' if file.is_dir() else file
    if saved is not None and not file.exists():
        raise InputError(f'{path} is a folder without {file.name}: give a frozen graph or a SavedModel')
    definition = tf.GraphDef()
    try:
        (definition if saved is None else saved).ParseFromString(file.read_bytes())
    except DecodeError:
        raise InputError(f'{file} is not a frozen graph: its {os.path.getsize(str(file))} bytes cannot be read as one '
                         '(perhaps the file is truncated)') from None
    definition = saved.meta_graphs[0].graph_def if saved and saved.meta_graphs else definition
    if not trusted:
        _check_operations(definition, path)
    for number in reversed(range(len(definition.node))):
        if definition.node[number].name == CONTRACT_NODE:
            del definition.node[number]
    return definition


def without_defaults(definition: tf.GraphDef) -> tf.GraphDef:
    """Returns the graph without the attributes that have their default values.

    Older versions of TensorFlow may not know these attributes, and then refuse the graph. TensorFlow adds them to a
    graph that is imported, in place.
    """
    return tf.train.export_meta_graph(graph_def=definition, collection_list=[], strip_default_attrs=True).graph_def


def _check_operations(definition: tf.GraphDef, path: Union[str, Path]) -> None:
    """Raises InputError for an operation that is neither ALLOWED nor a function of the graph itself."""
    own_functions = {function.signature.name for function in definition.library.function}
    for operation, place in _operations(definition):
        if operation not in ALLOWED and operation not in own_functions:
            raise InputError(f'{path} has the operation {operation} ({place}), which networks of this kind do not '
                             'need and which may do more than compute, so it was not opened. If you trust the source '
                             'of the file, give --trust-graph')


def _operations(definition: tf.GraphDef) -> Iterator[Tuple[str, str]]:
    """Yields all operations of a graph, also in its functions, and the position of each."""
    for node in definition.node:
        yield node.op, f'node {node.name}'
    for function in definition.library.function:
        for node in function.node_def:
            yield node.op, f'node {node.name} of function {function.signature.name}'
