"""How the file of a graph is opened safely: read as data, every operation looked up in a list, and only then imported.

A TensorFlow graph is a program. Most operations compute on what they are given, but some read and write files, open
connections or call Python. Networks of this kind need none of those, so a graph from elsewhere can be tried without
giving it the machine. This holds for what operations are meant to do. It is no shield against faults in TensorFlow's
own code, which a file made for the purpose may reach.
"""
import os
from pathlib import Path
from typing import FrozenSet, Iterator, Tuple, Union

import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from fashionai.errors import InputError

_OWN = frozenset((
    'Add AddN AddV2 AvgPool BiasAdd Cast ConcatV2 Const Conv2D Conv2DBackpropInput DepthwiseConv2dNative FloorDiv '
    'Identity MaxPool Mean Mul Pack Pad Placeholder Relu Relu6 ResizeBilinear Shape Sigmoid Softmax Split Squeeze '
    'StopGradient StridedSlice Sub').split())
"""What the networks of the catalog consist of once they are frozen; a test builds them all."""

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
    # what converters leave behind: checks of shapes, switches between training and use, and calls of functions, which
    # are looked through too
    'Assert Merge NoOp PartitionedCall StatefulPartitionedCall Switch').split())
"""What other convolutional networks consist of. Each computes on its inputs and does nothing else."""

ALLOWED: FrozenSet[str] = _OWN | _USUAL
"""The operations that a graph may have."""


def read_graph(path: Union[str, Path], trusted: bool = False) -> tf.GraphDef:
    """The graph of a `.pb`, or of the folder of a SavedModel, which this project makes without variables.

    Of a `trusted` file, operations are not looked up.

    Raises InputError, naming the file, where it holds anything else, and naming the operation that is not ALLOWED.
    """
    file = Path(path)
    saved = SavedModel() if file.is_dir() else None
    file = file / 'saved_model.pb' if file.is_dir() else file
    if saved is not None and not file.exists():
        raise InputError(f'{path} is a folder without {file.name}: wanted a frozen graph or a SavedModel')
    definition = tf.GraphDef()
    try:
        (definition if saved is None else saved).ParseFromString(file.read_bytes())
    except DecodeError:
        raise InputError(f'{file} is not a frozen graph: its {os.path.getsize(str(file))} bytes cannot be read as one '
                         '(was the copy cut short?)') from None
    definition = saved.meta_graphs[0].graph_def if saved and saved.meta_graphs else definition
    if not trusted:
        _check_operations(definition, path)
    return definition


def _check_operations(definition: tf.GraphDef, path: Union[str, Path]) -> None:
    """Raise InputError for an operation that is neither ALLOWED nor a function of the graph itself."""
    own_functions = {function.signature.name for function in definition.library.function}
    for operation, place in _operations(definition):
        if operation not in ALLOWED and operation not in own_functions:
            raise InputError(f'{path} has the operation {operation} ({place}), which networks of this kind do not '
                             'need and which may do more than compute: it is not opened. --trust-graph opens it all '
                             'the same: give that only if you trust who made the file')


def _operations(definition: tf.GraphDef) -> Iterator[Tuple[str, str]]:
    """Every operation of a graph, those within its functions too, and where it stands."""
    for node in definition.node:
        yield node.op, f'node {node.name}'
    for function in definition.library.function:
        for node in function.node_def:
            yield node.op, f'node {node.name} of function {function.signature.name}'
