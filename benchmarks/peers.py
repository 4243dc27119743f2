"""Other engines for the same frozen graph, if they are installed. The project does not need them."""
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Mapping

import numpy as np

from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME, Forward

Open = Callable[[Path, int], Forward]
"""A function (a `.pb`, threads; 0: one for each core) -> the network. Raises ImportError if it is not installed."""


def onnx_runtime(graph: Path, threads: int) -> Forward:
    """Opens a graph in ONNX Runtime. tf2onnx converts it; input and output keep the channels last."""
    import onnxruntime
    import tensorflow.compat.v1 as tf
    from tf2onnx.convert import from_graph_def
    definition = tf.GraphDef()
    definition.ParseFromString(graph.read_bytes())
    model, _ = from_graph_def(definition, input_names=[f'{INPUT_NAME}:0'], output_names=[f'{OUTPUT_NAME}:0'], opset=13)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=['CPUExecutionProvider'])
    return lambda images: session.run(None, {f'{INPUT_NAME}:0': images})[0]


def openvino(graph: Path, threads: int) -> Forward:
    """Opens a graph in OpenVINO, which reads frozen graphs itself."""
    import openvino
    core = openvino.Core()
    settings = {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_PRECISION_HINT': 'f32'}
    if threads:
        settings['INFERENCE_NUM_THREADS'] = str(threads)
    request = core.compile_model(core.read_model(str(graph)), 'CPU', settings).create_infer_request()

    def forward(images: np.ndarray) -> np.ndarray:
        return np.array(request.infer({0: images})[0])
    return forward


PEERS: Mapping[str, Open] = MappingProxyType({'ONNX Runtime': onnx_runtime, 'OpenVINO': openvino})

PACKAGES: Mapping[str, str] = MappingProxyType({'ONNX Runtime': 'onnxruntime tf2onnx', 'OpenVINO': 'openvino'})
"""The packages of each engine."""
