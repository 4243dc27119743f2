"""Exported models, each in the engine of its format: ONNX Runtime, OpenVINO, LiteRT.

An engine is imported when a model is opened, so a model for one of them needs no TensorFlow.
"""
import os
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, List, Mapping, Sequence

import numpy as np

from fashionai.engines.network import Network, check_names
from fashionai.errors import InputError, in_a_line
from fashionai.extras import needed
from fashionai.garments.table import Garment, Garments
from fashionai.model_files.contract import contract_path
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import TYPES_NAME, VISIBILITY_NAME

ON_GPU = 'CUDAExecutionProvider'
"""What computes on a GPU in ONNX Runtime."""

_TELEMETRY_OFF = 'ORT_DISABLE_TELEMETRY'
"""Newer versions of ONNX Runtime report to their maker which models they open, unless this environment variable is set.
A value that the user has set stays."""


class _Exported(Network):
    """An exported model. It needs a contract. `trusted` makes no difference if the engine has no operation that does
    more than compute."""

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, maps: str, trusted: bool) -> None:
        super().__init__(model, wanted, garments, maps)
        self._trusted = trusted
        if self._contract is None:
            raise InputError(f'{model.path} has no contract, neither inside it nor in {contract_path(model.path).name} '
                             'beside it: export the graph again with code/export.py')

    def _check(self, channels: Mapping[str, Any]) -> None:
        """Raises InputError if the outputs, by name, lack a wanted one or have a wrong number of channels."""
        check_names(self._path, [self._maps, *([TYPES_NAME] if self.types else []),
                                 *([VISIBILITY_NAME] if self.tells_visibility else [])], channels)
        self._check_output(channels[self._maps])


class OnnxNetwork(_Exported):
    """An `.onnx` file in ONNX Runtime; on a GPU if `onnxruntime-gpu` is installed and finds one."""

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, threads: int, maps: str,
                 trusted: bool) -> None:
        super().__init__(model, wanted, garments, maps, trusted)
        runtime = onnx_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')  # decoding needs the cores meanwhile
        options.log_severity_level = 3  # errors
        providers = [name for name in (ON_GPU, 'CPUExecutionProvider')
                     if name in runtime.get_available_providers()]
        try:
            self._session = runtime.InferenceSession(str(model.path), options, providers=providers)
        except Exception as error:  # of classes that ONNX Runtime does not derive from one of its own
            raise _unreadable(model.path, error) from None
        self._check({output.name: output.shape[-1] for output in self._session.get_outputs()})

    def _run(self, outputs: Sequence[str], images: np.ndarray) -> List[np.ndarray]:
        try:
            return self._session.run(list(outputs), {self._input: images})
        except Exception as error:
            raise self._unsuited(images, in_a_line(error)) from None


class OpenvinoNetwork(_Exported):
    """An OpenVINO model, `.xml` and `.bin`, or an `.onnx` file, on the CPU in single precision."""

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, threads: int, maps: str,
                 trusted: bool) -> None:
        super().__init__(model, wanted, garments, maps, trusted)
        core = needed('openvino').Core()
        settings = {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_PRECISION_HINT': 'f32'}
        if threads:
            settings['INFERENCE_NUM_THREADS'] = str(threads)
        try:
            compiled = core.compile_model(core.read_model(str(model.path)), 'CPU', settings)
        except RuntimeError as error:
            raise _unreadable(model.path, error) from None
        shapes = {name: output.partial_shape for output in compiled.outputs for name in output.get_names()}
        self._check({name: shape[len(shape) - 1].get_length() for name, shape in shapes.items()})
        self._request = compiled.create_infer_request()

    def _run(self, outputs: Sequence[str], images: np.ndarray) -> List[np.ndarray]:
        try:
            self._request.infer({self._input: images})
        except RuntimeError as error:
            raise self._unsuited(images, in_a_line(error)) from None
        return [self._request.get_tensor(name).data.copy() for name in outputs]

    def _close(self) -> None:
        del self._request


class LiteNetwork(_Exported):
    """A `.tflite` file in LiteRT, or in the interpreter of TensorFlow; it takes one image at a time, of one size."""

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, threads: int, maps: str,
                 trusted: bool) -> None:
        super().__init__(model, wanted, garments, maps, trusted)
        try:
            self._interpreter = _interpreter(model.path, threads)
            self._check_operations()
            self._interpreter.allocate_tensors()
        except InputError:
            raise
        except (ValueError, RuntimeError) as error:
            raise _unreadable(model.path, error) from None
        image, = self._interpreter.get_input_details()
        self._place, self._input_hw = image['index'], tuple(image['shape'][1:3])
        self.trained_hw = self._input_hw  # it takes no other
        details = {output['name']: output for output in self._interpreter.get_output_details()}
        self._check({name: output['shape'][-1] for name, output in details.items()})
        self._places = {name: output['index'] for name, output in details.items()}

    def _check_operations(self) -> None:
        """Raises InputError for operations of TensorFlow itself: some interpreters have them, and they may do more than
        compute. Interpreters of TensorFlow 1.15 have none of them, and do not list the operations of a model."""
        listed: Sequence[Mapping[str, Any]] = getattr(self._interpreter, '_get_ops_details', list)()
        of_tensorflow = [each['op_name'] for each in listed if 'Flex' in each['op_name']]
        if of_tensorflow and not self._trusted:
            raise InputError(f'{self._path} has the operation {of_tensorflow[0]} of TensorFlow, which networks of this '
                             'kind do not need and which may do more than compute: it is not opened. --trust-graph '
                             'opens it all the same: give that only if you trust who made the file')

    def _run(self, outputs: Sequence[str], images: np.ndarray) -> List[np.ndarray]:
        height, width = self._input_hw
        if images.shape[1:3] != self._input_hw:
            raise self._unsuited(images, f'it takes {width}x{height} alone: run it with --resolution {width}x{height} '
                                         '--windows exact, or export it with another --size')
        found: List[List[np.ndarray]] = []
        for image in images:
            self._interpreter.set_tensor(self._place, image[np.newaxis])
            self._interpreter.invoke()
            found.append([self._interpreter.get_tensor(self._places[name]) for name in outputs])
        return [np.concatenate(parts) for parts in zip(*found)]


def onnx_runtime() -> Any:
    """Returns the module of ONNX Runtime, told not to report. Raises InputError if it is not installed."""
    os.environ.setdefault(_TELEMETRY_OFF, '1')  # read when it is imported
    return needed('onnxruntime')


def has_litert() -> bool:
    """Returns whether LiteRT is installed."""
    return find_spec('ai_edge_litert') is not None


def _interpreter(path: Path, threads: int) -> Any:
    """Returns an interpreter of LiteRT, or of TensorFlow; that of 1.15 takes no number of threads."""
    if has_litert():
        make = import_module('ai_edge_litert.interpreter').Interpreter
    else:
        make = import_module('tensorflow').lite.Interpreter
    settings = {'num_threads': threads or os.cpu_count()} if 'num_threads' in signature(make).parameters else {}
    return make(str(path), **settings)


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f'{path} cannot be loaded: {in_a_line(error)}')
