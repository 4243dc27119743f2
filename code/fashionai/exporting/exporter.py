"""Exports a frozen graph to a model of another format, with its contract, after a check that both compute the same."""
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Optional, Sequence, Tuple

import tensorflow.compat.v1 as tf

from fashionai.codec.heatmaps import cells_hw
from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.engines.network import Network
from fashionai.engines.opening import open_network
from fashionai.errors import InputError, in_a_line
from fashionai.exporting.formats import FORMATS, Format, GraphToConvert
from fashionai.exporting.integers import inputs_of, to_integers
from fashionai.exporting.parity import Parity, ParityImages, compare
from fashionai.garments.table import Garment
from fashionai.model_files.contract import Contract, contract_path, file_sum, replacing_model
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import USUAL_HW, ModelFile
from fashionai.model_files.stored_weights import format_of, in_format
from fashionai.model_files.weight_formats import FLOAT32, HALF, INT8, TOLERANCES
from fashionai.networks.head_options import check_suits
from fashionai.networks.tensor_names import OUTPUTS, TYPES_NAME, VISIBILITY_NAME

_WORSE = 0.5
"""By so much the NE of a model that computes with integers may be larger than that of its graph, in points of per cent.
The heat maps of such a model differ more than rounding explains, so its points are compared instead."""


@dataclass(frozen=True)
class ExportRequest:
    """What the user wants.

    to: a name of FORMATS. weight_format: a name of weight_formats.TOLERANCES; None: as in the graph. input_hw: in
    pixels, the input size for the comparison, and for models of a fixed size. threads: of the networks, 0 for one per
    core. trusted: whether the graph may have any operation. compute: FLOAT32, or INT8 for a model of the format `onnx`
    that computes with integers, whose ranges come from the `photographs`.
    """

    to: str
    weight_format: Optional[str]
    input_hw: Tuple[int, int]
    threads: int = 0
    trusted: bool = False
    compute: str = FLOAT32
    photographs: Sequence[Path] = ()


def export(model: ModelFile, garment: Garment, request: ExportRequest, output: Path, images: ParityImages) -> Parity:
    """Writes a graph as a model of another format and, beside it, its contract. Returns how the two compare.

    Raises InputError, naming the file, if the graph does not serve the garment type, if the size is not a multiple of
    the stride, if the converter is not installed or fails, if a photograph cannot be read, or if the model and the
    graph compute different values. Nothing is written then.
    """
    kind, definition = FORMATS[request.to], read_graph(model.path, request.trusted)
    integers, garments = request.compute == INT8, images.truth.garments
    weights = INT8 if integers else request.weight_format or format_of(definition)
    converted_as = FLOAT32 if integers else weights  # the quantisation stores the integers itself
    with FrozenGraph(model, garment, garments, request.threads, trusted=request.trusted) as graph, \
            replacing_model(output) as draft:
        cells_hw(request.input_hw, graph.stride)  # raises a clearer error than the converters
        if model.contract:
            check_suits(request.input_hw, model.contract.input_hw, str(model.path))
        contract = _contract(graph, model)
        names = {node.name for node in definition.node}
        outputs = dict.fromkeys((contract.output_name, *OUTPUTS.values(), TYPES_NAME, VISIBILITY_NAME))
        facts = {'format': request.to, 'of_graph_sha256': model.sum, 'weight_format': weights,
                 'compute': request.compute,
                 'batch': 1 if kind.fixed else None, 'input_hw': request.input_hw if kind.fixed else None}
        inside = replace(contract, export=facts).text_inside
        source = GraphToConvert(in_format(definition, converted_as), contract.input_name,
                                tuple(name for name in outputs if name in names), converted_as, request.input_hw,
                                inside)
        facts['made_by'] = _converted(kind, source, request, model, draft)
        contract = replace(contract, graph_sha256=file_sum(draft), export=facts)
        contract.save(contract_path(draft))
        converted = ModelFile(draft, contract, contract.graph_sha256)
        with open_network(converted, garment, garments, request.threads) as exported:
            parity = compare(graph, exported, images, request.input_hw, kind.fixed)
        if integers:
            _refuse_worse_points(parity, model.path)
        else:
            _refuse_other_maps(parity, _tolerance(definition, weights), request.to, model.path)
        replace(contract, export={**facts, 'parity': asdict(parity)}).save(contract_path(draft))
    return parity


def _converted(kind: Format, source: GraphToConvert, request: ExportRequest, model: ModelFile, draft: Path) -> str:
    """Writes the draft and returns what made it."""
    try:
        made_by = kind.convert(source, draft)
        if request.compute != INT8:
            return made_by
        return f'{made_by}; {to_integers(draft, source.image, inputs_of(request.photographs, model.trained_hw))}'
    except InputError:
        raise
    except OSError as error:  # writing the draft failed; the draft is removed by now
        raise InputError(f'{draft.name} could not be written: {error.strerror}') from None
    except Exception as error:  # noqa: B902  each converter has its own classes of exceptions
        raise InputError(f'the converter to {draft.suffix} failed: {in_a_line(error)}') from None


def _contract(graph: Network, model: ModelFile) -> Contract:
    """Returns the contract of the graph. If there is none, makes one from what is known."""
    return model.contract or Contract(graph.garment.name, graph.garment.keypoints, '', USUAL_HW, graph.stride, 0, '',
                                      types=graph.types)


def _tolerance(definition: tf.GraphDef, weight_format: str) -> float:
    """Returns the largest allowed difference. Integers of the graph stay as they are; LiteRT alone rounds them, to half
    precision."""
    return TOLERANCES[HALF if weight_format == INT8 == format_of(definition) else weight_format]


def _refuse_other_maps(parity: Parity, tolerance: float, to: str, path: Path) -> None:
    shares = max(parity.types or 0, parity.visibility or 0)
    if not (parity.maps <= tolerance * parity.maps_reach and shares <= tolerance):
        raise InputError(f'the {to} model of {path} was not written, because it differs from the graph: maps by '
                         f'{parity.maps:.3g} (the largest value is {parity.maps_reach:.3g}), probabilities of types by '
                         f'{parity.types or 0:.3g}, of visibility by {parity.visibility or 0:.3g}')


def _refuse_worse_points(parity: Parity, path: Path) -> None:
    if not parity.ne_exported <= parity.ne_graph + _WORSE:
        raise InputError(f'the onnx model of {path} that computes with integers was not written, because its points '
                         f'are worse: NE is {parity.ne_exported:.2f} % on {parity.images}, that of the graph '
                         f'{parity.ne_graph:.2f} %; at most {_WORSE} points more are allowed')
