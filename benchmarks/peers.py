"""The network of a frozen graph in other engines, if they are installed. The project does not need them."""
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Dict, Mapping, Optional, Sequence

from fashionai.engines.exported import OnnxNetwork, OpenvinoNetwork, onnx_runtime
from fashionai.engines.network import Network
from fashionai.engines.opening import computes_with_integers, open_model, open_network
from fashionai.errors import InputError
from fashionai.extras import needed
from fashionai.garments.table import Garment
from fashionai.model_files.contract import contract_path, file_sum
from fashionai.model_files.model_file import ModelFile

Open = Callable[[ModelFile, Garment, int], Network]
"""A function (an `.onnx` with its contract, its garment, threads; 0: one for each core) -> the network. Raises
InputError if the engine is not installed."""


class BusyOnnx(OnnxNetwork):
    """ONNX Runtime with its own settings: threads that have nothing to do wait in a loop, and take the core with it."""

    def __init__(self, model: ModelFile, garment: Garment, threads: int) -> None:
        super().__init__(model, garment, model.garments, threads, 'last', False)
        runtime = onnx_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = runtime.InferenceSession(str(model.path), options, providers=['CPUExecutionProvider'])


class MapsAlone(OpenvinoNetwork):
    """OpenVINO with the heat maps as the only output; it always computes all outputs that a model has.

    OpenVINO 2026.4 gives wrong maps of a model with integers if it has the other outputs too.
    """

    def __init__(self, model: ModelFile, garment: Garment, threads: int) -> None:
        super().__init__(model, garment, model.garments, threads, 'last', False)
        self.types, self.tells_visibility = (), False
        openvino = needed('openvino')
        core = openvino.Core()
        whole = core.read_model(str(model.path))
        maps = [output for output in whole.outputs if self._maps in output.get_names()]
        settings = {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_PRECISION_HINT': 'f32'}
        if threads:
            settings['INFERENCE_NUM_THREADS'] = str(threads)
        self._request = core.compile_model(openvino.Model(maps, whole.get_parameters()), 'CPU',
                                           settings).create_infer_request()


def _opened_by(engine: str) -> Open:
    return lambda model, garment, threads: open_network(model, garment, model.garments, threads, engine=engine)


PEERS: Mapping[str, Open] = MappingProxyType({
    'ONNX Runtime': _opened_by('onnxruntime'), 'ONNX Runtime, busy': BusyOnnx,
    'OpenVINO': _opened_by('openvino'), 'OpenVINO, maps alone': MapsAlone})
"""The engines by name. The first of each is as the project opens it."""

WITH_INTEGERS = ('ONNX Runtime', 'OpenVINO, maps alone')
"""The peers that are right with a model of integers."""


def opened(names: Sequence[str], model: ModelFile, garment: Garment, threads: int,
           stack: ExitStack) -> Dict[str, Network]:
    """Returns the network of an `.onnx` in peers that are installed, by name; prints which are not. The stack closes
    them."""
    found: Dict[str, Network] = {}
    for name in names:
        try:
            found[name] = stack.enter_context(PEERS[name](model, garment, threads))
        except InputError as error:
            print(f'{name} is not measured: {error}')
    return found


def onnx_of(graph: ModelFile, folder: Path) -> ModelFile:
    """Returns the `.onnx` beside a frozen graph. If there is none in single precision, converts the graph to one in a
    folder.

    Raises InputError if the converter is not installed.
    """
    try:
        beside: Optional[ModelFile] = open_model(graph.path, 'onnxruntime')
    except InputError:
        beside = None
    if beside is None or computes_with_integers(beside):
        return _converted(graph, folder / f'{graph.path.stem}.onnx')
    return beside


def _converted(graph: ModelFile, output: Path) -> ModelFile:
    from fashionai.exporting.formats import GraphToConvert, to_onnx
    from fashionai.model_files.graph_file import read_graph
    from fashionai.model_files.weight_formats import FLOAT32
    contract = graph.contract
    assert contract, 'the graphs of benchmarks have a contract'
    to_onnx(GraphToConvert(read_graph(graph.path), contract.input_name, (contract.output_name,), FLOAT32,
                           contract.input_hw, ''), output)
    replace(contract, graph_sha256=file_sum(output), export={'format': 'onnx'}).save(contract_path(output))
    return ModelFile.open(output)
