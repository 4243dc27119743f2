"""A frozen graph to a model of another format, with its contract: written once it is known to compute the same."""
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Tuple

from fashionai.codec.heatmaps import cells_hw
from fashionai.engines.exported import in_a_line, open_network
from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.engines.network import Network
from fashionai.errors import InputError
from fashionai.exporting.formats import FORMATS, Format, Source
from fashionai.exporting.parity import Parity, Sample, compare
from fashionai.garments.table import Garment
from fashionai.model_files.contract import Contract, contract_path, file_sum, replacing_model
from fashionai.model_files.freezing import HALF_TOLERANCE, TOLERANCE, halved, is_half
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import USUAL_HW, ModelFile
from fashionai.networks.tensor_names import OUTPUTS, TYPES_NAME


@dataclass(frozen=True)
class Order:
    """What is wanted: `to`, a name of FORMATS; `half`, weights in half precision, as they stay where the graph has them
    so; `input_hw` in pixels, the size compared at, and that of a format that takes one size alone; `threads` of the
    networks, 0 for one a core; `trusted`: the graph may have any operation."""

    to: str
    half: bool
    input_hw: Tuple[int, int]
    threads: int = 0
    trusted: bool = False


def export(model: ModelFile, garment: Garment, order: Order, output: Path, sample: Sample) -> Parity:
    """Write a graph as a model of another format and, beside it, its contract; how the two compare.

    Raises InputError, naming the file, where the graph does not serve the garment type, the size does not divide into
    cells, the converter is not installed or fails, or the model computes something else than the graph: then nothing
    is written.
    """
    kind, definition = FORMATS[order.to], read_graph(model.path, order.trusted)
    half = order.half or is_half(definition)
    with FrozenGraph(model, garment, order.threads, garments=sample.truth.garments, trusted=order.trusted) as graph, \
            replacing_model(output) as draft:
        cells_hw(order.input_hw, graph.stride)  # converters would say it in words of their own
        contract = _contract(graph, model)
        names = {node.name for node in definition.node}
        outputs = dict.fromkeys((contract.output_name, *OUTPUTS.values(), TYPES_NAME))
        facts = {'format': order.to, 'of_graph_sha256': model.sum, 'half': half,
                 'batch': 1 if kind.fixed else None, 'input_hw': order.input_hw if kind.fixed else None}
        inside = json.dumps(replace(contract, graph_sha256='', export=facts).to_json())
        source = Source(halved(definition) if half else definition, contract.input_name,
                        tuple(name for name in outputs if name in names), half, order.input_hw, inside)
        facts['made_by'] = _converted(kind, source, draft)
        contract = replace(contract, graph_sha256=file_sum(draft), export=facts)
        contract.save(contract_path(draft))
        converted = ModelFile(draft, contract, contract.graph_sha256)
        with open_network(converted, garment, order.threads, garments=sample.truth.garments) as exported:
            parity = compare(graph, exported, sample, order.input_hw, kind.fixed)
        _refuse_other_maps(parity, HALF_TOLERANCE if half else TOLERANCE, order.to, model.path)
        replace(contract, export={**facts, 'parity': asdict(parity)}).save(contract_path(draft))
    return parity


def _converted(kind: Format, source: Source, draft: Path) -> str:
    try:
        return kind.convert(source, draft)
    except InputError:
        raise
    except OSError as error:  # of the draft, which is gone by now
        raise InputError(f'{draft.name} could not be written: {error.strerror}') from None
    except Exception as error:  # noqa: B902  each converter has classes of its own
        raise InputError(f'the converter to {draft.suffix} failed: {in_a_line(error)}') from None


def _contract(graph: Network, model: ModelFile) -> Contract:
    """The contract of the graph, or what is known of one that has none."""
    return model.contract or Contract(graph.garment.name, graph.garment.keypoints, '', USUAL_HW, graph.stride, 0, '',
                                      types=graph.types)


def _refuse_other_maps(parity: Parity, tolerance: float, to: str, path: Path) -> None:
    if not (parity.maps <= tolerance * parity.maps_reach and (parity.types or 0) <= tolerance):
        raise InputError(f'the {to} model of {path} differs from it by {parity.maps:.3g}, where maps reach '
                         f'{parity.maps_reach:.3g}, and types by {parity.types or 0:.3g}: not written')

