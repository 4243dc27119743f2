"""Opens networks: frozen graphs with TensorFlow, exported models with the engine of their format.

An engine is imported when a network is opened, so a model for ONNX Runtime, OpenVINO or LiteRT needs no TensorFlow.
"""
import os
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from textwrap import shorten
from types import MappingProxyType
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.engines.network import Network, check_names
from fashionai.errors import InputError
from fashionai.extras import install_command
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.model_files.contract import EXPORTED, FORMAT_NAMES, contract_path, file_sum
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.weight_formats import INT8
from fashionai.networks.tensor_names import TYPES_NAME, VISIBILITY_NAME

_TELEMETRY_OFF = 'ORT_DISABLE_TELEMETRY'
"""Newer versions of ONNX Runtime report to their maker which models they open, unless this environment variable is set.
A value that the user has set stays."""

_ON_GPU = 'CUDAExecutionProvider'
"""What computes on a GPU in ONNX Runtime."""

_GPU_DRIVER = Path('/proc/driver/nvidia/version')
"""This file exists if a GPU may be used."""

EXACT = 1e-4
"""The difference of heat maps, as a share of their largest value, up to which a model is as exact as another."""


class _Exported(Network):
    """An exported model. It needs a contract. `trusted` makes no difference if the engine has no operation that does
    more than compute."""

    def __init__(self, model: ModelFile, wanted: Garment, maps: str, garments: Garments, trusted: bool) -> None:
        super().__init__(model, wanted, maps, garments)
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

    def __init__(self, model: ModelFile, wanted: Garment, threads: int, maps: str, garments: Garments,
                 trusted: bool) -> None:
        super().__init__(model, wanted, maps, garments, trusted)
        runtime = onnx_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')  # decoding needs the cores meanwhile
        options.log_severity_level = 3  # errors
        providers = [name for name in (_ON_GPU, 'CPUExecutionProvider')
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

    def __init__(self, model: ModelFile, wanted: Garment, threads: int, maps: str, garments: Garments,
                 trusted: bool) -> None:
        super().__init__(model, wanted, maps, garments, trusted)
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

    def __init__(self, model: ModelFile, wanted: Garment, threads: int, maps: str, garments: Garments,
                 trusted: bool) -> None:
        super().__init__(model, wanted, maps, garments, trusted)
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


def _frozen(model: ModelFile, wanted: Garment, threads: int, maps: str, garments: Garments, trusted: bool) -> Network:
    from fashionai.engines.frozen_graph import FrozenGraph  # only here: loading TensorFlow takes seconds
    return FrozenGraph(model, wanted, threads, maps, garments, trusted)


def _openvino(model: ModelFile, wanted: Garment, threads: int, maps: str, garments: Garments, trusted: bool) -> Network:
    if computes_with_integers(model):
        raise InputError(f'{model.path} computes with integers, and OpenVINO computes wrong heat maps of such a model: '
                         'open it with --engine onnxruntime, or export the graph with code/export.py --to openvino')
    return OpenvinoNetwork(model, wanted, threads, maps, garments, trusted)


Open = Callable[[ModelFile, Garment, int, str, Garments, bool], Network]
"""(file, wanted type, threads, name of OUTPUTS, table of the type, whether the file is trusted) -> the network."""


@dataclass(frozen=True)
class Engine:
    """An engine. `endings` are those of the files it opens; the files that are made for it come first."""

    endings: Tuple[str, ...]
    open: Open


ENGINES: Mapping[str, Engine] = MappingProxyType({
    'tensorflow': Engine(('.pb', EXPORTED['savedmodel']), _frozen),
    'onnxruntime': Engine((EXPORTED['onnx'],), OnnxNetwork),
    'openvino': Engine((EXPORTED['openvino'], EXPORTED['onnx']), _openvino),
    'litert': Engine((EXPORTED['tflite'],), LiteNetwork)})
"""Engines by the name that `--engine` takes. If two open a file, the first is the usual one."""


def engine_of(path: Path, engine: Optional[str] = None) -> str:
    """Returns the name of the engine that opens a file: the one asked for, or the usual one for its ending.

    TensorFlow opens files with any other ending. Raises InputError if the engine does not open such files.
    """
    able = [name for name, each in ENGINES.items() if path.suffix in each.endings] or ['tensorflow']
    if engine is not None and engine not in able:
        raise InputError(f'{engine} does not open {path.name}: wanted {" or ".join(ENGINES[engine].endings)}, which '
                         'code/export.py makes of a frozen graph')
    return engine or able[0]


def needs_tensorflow(model: ModelFile, engine: Optional[str] = None) -> bool:
    """Returns whether opening the model loads TensorFlow. If so, `graph_mode` has to be called before."""
    name = engine_of(model.path, engine)
    return name == 'tensorflow' or (name == 'litert' and not _has_litert())


def open_network(model: ModelFile, garment: Garment, threads: int = 0, maps: str = 'last',
                 engine: Optional[str] = None, garments: Garments = GARMENTS, trusted: bool = False) -> Network:
    """Returns the network of a file; its `with` block closes it. If it needs TensorFlow, `graph_mode` was called.

    A `trusted` graph may have any operation; see model_files/graph_file.py.

    Raises InputError if the file does not serve the garment type, or the engine does not open it or is not installed;
    then it names the command that installs the engine.
    """
    return ENGINES[engine_of(model.path, engine)].open(model, garment, threads, maps, garments, trusted)


def default_engine() -> str:
    """Returns the engine of the supplied network: ONNX Runtime if it is installed, else TensorFlow."""
    return 'tensorflow' if find_spec('onnxruntime') is None else 'onnxruntime'


def open_model(graph: Path, engine: Optional[str] = None) -> ModelFile:
    """Returns the file that an engine opens for a graph: the graph itself, or the model that was exported beside it
    under the same name. Without an engine it is the graph itself.

    Raises InputError if there is no such model, or if it was exported from another graph; it names the command that
    exports it.
    """
    if engine is None or graph.suffix in ENGINES[engine].endings:
        return ModelFile.open(graph)
    paths = [graph.with_suffix(ending) for ending in ENGINES[engine].endings]
    for path in paths:
        if path.exists():
            model = ModelFile.open(path)
            _check_origin(model, graph)
            return model
    raise InputError(f'--engine {engine} needs {" or ".join(path.name for path in paths)} beside {graph}, or a model '
                     f'by --modelpath: make it with {_export_command(graph, paths)}')


def as_exact(model: ModelFile) -> bool:
    """Returns whether the heat maps of an exported model are those of its graph, but for the rounding: when it was
    exported, no value differed by more than EXACT of the largest."""
    export = model.contract.export if model.contract else {}
    parity = export.get('parity') or {}
    return bool(parity) and parity['maps'] <= EXACT * parity['maps_reach']


def computes_with_integers(model: ModelFile) -> bool:
    """Returns whether an exported model was made with `--compute int8`."""
    return model.contract is not None and model.contract.export.get('compute') == INT8


def _check_origin(model: ModelFile, graph: Path) -> None:
    """Raises InputError if the contract of the model says that it was exported from another graph."""
    export = model.contract.export if model.contract else {}
    if export and export.get('of_graph_sha256') != file_sum(graph):
        raise InputError(f'{model.path} was exported from another graph than {graph} is now: export it again with '
                         f'{_export_command(graph, [model.path])}')


def _export_command(graph: Path, models: Sequence[Path]) -> str:
    """Returns the command that exports the first of the models that can be exported."""
    wanted = next(FORMAT_NAMES[model.suffix] for model in models if model.suffix in FORMAT_NAMES)
    return f'code/export.py --modelpath {graph} --to {wanted}'


def needed(module: str) -> Any:
    """Returns a module of EXTRAS. Raises InputError, with the command that installs it, if it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(f'this needs {module}, which cannot be imported ({error}). To install it: '
                         f'{install_command(module)}') from None


def has_tensorflow() -> bool:
    """Returns whether TensorFlow is installed."""
    return find_spec('tensorflow') is not None


def leaves_gpu_unused() -> bool:
    """Returns whether the machine has a GPU that TensorFlow, which is installed, may use, and that ONNX Runtime does
    not use."""
    return (_GPU_DRIVER.exists() and has_tensorflow() and
            os.environ.get('CUDA_VISIBLE_DEVICES') not in ('', '-1') and
            _ON_GPU not in onnx_runtime().get_available_providers())


def onnx_runtime() -> Any:
    """Returns the module of ONNX Runtime, told not to report. Raises InputError if it is not installed."""
    os.environ.setdefault(_TELEMETRY_OFF, '1')  # read when it is imported
    return needed('onnxruntime')


def _has_litert() -> bool:
    return find_spec('ai_edge_litert') is not None


def _interpreter(path: Path, threads: int) -> Any:
    """Returns an interpreter of LiteRT, or of TensorFlow; that of 1.15 takes no number of threads."""
    if _has_litert():
        make = import_module('ai_edge_litert.interpreter').Interpreter
    else:
        make = import_module('tensorflow').lite.Interpreter
    settings = {'num_threads': threads or os.cpu_count()} if 'num_threads' in signature(make).parameters else {}
    return make(str(path), **settings)


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f'{path} cannot be loaded: {in_a_line(error)}')


def in_a_line(error: Exception) -> str:
    """Returns the message of an error of another library, in one short line."""
    return shorten(str(error), 300) or type(error).__name__
