"""The formats to which frozen graphs are exported, each by the converter that its own project maintains.

In all formats the input and the outputs keep the names that they have in the graph, and images are (N, H, W, 3) float32
BGR 0..255.
"""
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Mapping, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.extras import needed
from fashionai.model_files.contract_inside import CONTRACT_KEY, CONTRACT_MEMBER, EXTRA_FOLDER
from fashionai.model_files.stored_weights import decoded
from fashionai.model_files.weight_formats import FLOAT32, HALF, INT8, fits_half, scaled_integers

_OPSET = 17
"""The opset of ONNX. ONNX Runtime 1.12 (2022) and all later versions support it."""


@dataclass(frozen=True)
class GraphToConvert:
    """A graph that is converted.

    definition: the graph. image, outputs: the names of its operations. weight_format: how its weights are stored.
    input_hw: in pixels, for formats with a fixed size. contract: the JSON text that is written into the model.
    """

    definition: tf.GraphDef
    image: str
    outputs: Tuple[str, ...]
    weight_format: str
    input_hw: Tuple[int, int]
    contract: str


@dataclass(frozen=True)
class Format:
    """A format.

    convert: writes a file or folder, and returns name and version of the converter. fixed: whether the model takes only
    one image at a time, of one size. Otherwise it takes any number of images, of any size that is a multiple of 8.
    """

    convert: Callable[[GraphToConvert, Path], str]
    fixed: bool = False


def to_onnx(source: GraphToConvert, output: Path) -> str:
    """Writes ONNX, by tf2onnx. Weights get their format at the end, because tf2onnx evaluates what decodes them."""
    converter, onnx = needed('tf2onnx'), needed('onnx')
    names = {f'{name}:0': name for name in (source.image, *source.outputs)}
    image, *outputs = names
    model, _ = needed('tf2onnx.convert').from_graph_def(
        decoded(source.definition), input_names=[image], output_names=outputs, opset=_OPSET, tensors_to_rename=names)
    for values, axes in ((model.graph.input, ('batch', 'height', 'width')),
                         (model.graph.output, ('batch', 'rows', 'columns'))):
        for value in values:
            for axis, name in zip(value.type.tensor_type.shape.dim, axes):
                if not axis.HasField('dim_value'):
                    axis.dim_param = name
    _store(model.graph, source.weight_format, onnx)
    model.metadata_props.add(key=CONTRACT_KEY, value=source.contract)
    onnx.save(model, str(output))
    return f'tf2onnx {converter.__version__}, opset {_OPSET}'


def _store(graph: Any, weight_format: str, onnx: Any) -> None:
    """Stores the weights of an ONNX graph in a format, with nodes that decode them, computed at loading.

    These are Cast and Mul. ONNX Runtime would compute DequantizeLinear again for every image.
    """
    decoding = []
    for weights in graph.initializer:
        values, name = onnx.numpy_helper.to_array(weights), weights.name
        parts = scaled_integers(values, _output_axis(values)) if weight_format == INT8 and values.ndim else None
        if weight_format == HALF and fits_half(values):
            weights.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f'{name}/half'))
            decoding.append(onnx.helper.make_node('Cast', [weights.name], [name], to=onnx.TensorProto.FLOAT))
        elif parts is not None:
            weights.CopyFrom(onnx.numpy_helper.from_array(parts.integers, f'{name}/int8'))
            scales = onnx.helper.make_node('Constant', [], [f'{name}/scales'],
                                           value=onnx.numpy_helper.from_array(parts.scales))
            cast = onnx.helper.make_node('Cast', [weights.name], [f'{name}/float'], to=onnx.TensorProto.FLOAT)
            decoding += [scales, cast, onnx.helper.make_node('Mul', [f'{name}/float', f'{name}/scales'], [name])]
    nodes = [*decoding, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _output_axis(weights: np.ndarray) -> int:
    """Returns the axis of the output channels: the first one of a kernel, the last one of a matrix."""
    return 0 if weights.ndim > 2 else weights.ndim - 1


def to_openvino(source: GraphToConvert, output: Path) -> str:
    """Writes OpenVINO, by its own reader, which keeps the precision that the weights have in the graph.

    OpenVINO's `convert_model` does no more for a frozen graph, and it sends usage statistics.
    """
    openvino = needed('openvino')
    graph, names = output.with_suffix('.pb'), {f'{name}:0': name for name in (source.image, *source.outputs)}
    used = tf.graph_util.extract_sub_graph(source.definition, list(source.outputs))
    graph.write_bytes(used.SerializeToString())
    model = openvino.Core().read_model(str(graph))
    graph.unlink()
    found = {name for port in model.outputs for name in port.get_names()}
    model.add_outputs([name for name in names if name not in found and names[name] != source.image])
    for port in [*model.inputs, *model.outputs]:  # their order is not that of the graph
        port.get_tensor().set_names({names[name] for name in port.get_names() if name in names})
    model.set_rt_info(source.contract, [CONTRACT_KEY])
    openvino.save_model(model, str(output), compress_to_fp16=False)
    return f'OpenVINO {openvino.__version__.split("-")[0]}'


def to_tflite(source: GraphToConvert, output: Path) -> str:
    """Writes LiteRT, by TensorFlow's own converter. The size is fixed, because accelerators of phones require that."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        image = tf.placeholder(tf.float32, (1, *source.input_hw, 3), name=source.image)
        tf.import_graph_def(source.definition, {f'{source.image}:0': image}, name='')
        converter = tf.lite.TFLiteConverter.from_session(
            session, [image], [graph.get_tensor_by_name(f'{name}:0') for name in source.outputs])
        if source.weight_format != FLOAT32:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        output.write_bytes(converter.convert())
    with zipfile.ZipFile(str(output), 'a') as archive:  # appended after the model, which does not change
        archive.writestr(CONTRACT_MEMBER, source.contract)
    return f'TensorFlow {tf.__version__}'


def to_savedmodel(source: GraphToConvert, output: Path) -> str:
    """Writes a SavedModel without variables, with one signature: `serving_default`."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(source.definition, name='')
        tensors = {name: tf.saved_model.utils.build_tensor_info(graph.get_tensor_by_name(f'{name}:0'))
                   for name in (source.image, *source.outputs)}
        signature = tf.saved_model.signature_def_utils.build_signature_def(
            {source.image: tensors[source.image]}, {name: tensors[name] for name in source.outputs},
            tf.saved_model.signature_constants.PREDICT_METHOD_NAME)
        builder = tf.saved_model.builder.SavedModelBuilder(str(output))
        builder.add_meta_graph_and_variables(
            session, [tf.saved_model.tag_constants.SERVING], clear_devices=True, strip_default_attrs=True,
            signature_def_map={tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature})
        builder.save()
    (output / EXTRA_FOLDER).mkdir()
    (output / EXTRA_FOLDER / CONTRACT_MEMBER).write_text(source.contract)
    return f'TensorFlow {tf.__version__}'


FORMATS: Mapping[str, Format] = MappingProxyType({
    'onnx': Format(to_onnx),
    'openvino': Format(to_openvino),
    'tflite': Format(to_tflite, fixed=True),
    'savedmodel': Format(to_savedmodel)})
"""The formats by the value of `--to`; contract.EXPORTED has the endings."""
