"""Opens networks: chooses the engine that computes a file, and the file that an engine opens for a graph.

An engine is imported when a network is opened, so finding keypoints without TensorFlow does not load it.
"""
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Sequence, Tuple

from fashionai.engines.exported import ON_GPU, LiteNetwork, OnnxNetwork, OpenvinoNetwork, has_litert, onnx_runtime
from fashionai.engines.network import Network
from fashionai.errors import InputError
from fashionai.garments.table import Garment, Garments
from fashionai.model_files.contract import EXPORTED, FORMAT_NAMES, file_sum
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.weight_formats import INT8

EXACT = 1e-4
"""The difference of heat maps, as a share of their largest value, up to which a model is as exact as another."""

_GPU_DRIVER = Path('/proc/driver/nvidia/version')
"""This file exists if a GPU may be used."""


def _frozen(model: ModelFile, wanted: Garment, garments: Garments, threads: int, maps: str, trusted: bool) -> Network:
    from fashionai.engines.frozen_graph import FrozenGraph  # only here: loading TensorFlow takes seconds
    return FrozenGraph(model, wanted, garments, threads, maps, trusted)


def _openvino(model: ModelFile, wanted: Garment, garments: Garments, threads: int, maps: str, trusted: bool) -> Network:
    if computes_with_integers(model):
        raise InputError(f'{model.path} computes with integers, and OpenVINO computes wrong heat maps of such a model: '
                         'open it with --engine onnxruntime, or export the graph with code/export.py --to openvino')
    return OpenvinoNetwork(model, wanted, garments, threads, maps, trusted)


Open = Callable[[ModelFile, Garment, Garments, int, str, bool], Network]
"""(file, wanted type, table of the type, threads, name of OUTPUTS, whether the file is trusted) -> the network."""


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
    return name == 'tensorflow' or (name == 'litert' and not has_litert())


def open_network(model: ModelFile, garment: Garment, garments: Garments, threads: int = 0, maps: str = 'last',
                 engine: Optional[str] = None, trusted: bool = False) -> Network:
    """Returns the network of a file; its `with` block closes it. If it needs TensorFlow, `graph_mode` was called.

    A `trusted` graph may have any operation; see model_files/graph_file.py.

    Raises InputError if the file does not serve the garment type, or the engine does not open it or is not installed;
    then it names the command that installs the engine.
    """
    return ENGINES[engine_of(model.path, engine)].open(model, garment, garments, threads, maps, trusted)


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


def has_tensorflow() -> bool:
    """Returns whether TensorFlow is installed."""
    return find_spec('tensorflow') is not None


def leaves_gpu_unused() -> bool:
    """Returns whether the machine has a GPU that TensorFlow, which is installed, may use, and that ONNX Runtime does
    not use."""
    return (_GPU_DRIVER.exists() and has_tensorflow() and
            os.environ.get('CUDA_VISIBLE_DEVICES') not in ('', '-1') and
            ON_GPU not in onnx_runtime().get_available_providers())
