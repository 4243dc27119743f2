"""What a frozen graph, or a model exported from one, says about itself: a small JSON file beside it."""
import hashlib
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.files import parse_json, write_json
from fashionai.garment_files import stored_form, stored_garments
from fashionai.garments import GARMENTS, Garments

INPUT_NAME = 'image'
"""The graph's input: float32 (N, H, W, 3)."""

OUTPUT_NAME = 'Openpose/concat_stage7'
"""The graph's output: float32 (N, H/stride, W/stride, K + 1 + 2L), heat maps, background, fields."""

MEAN_OUTPUT_NAME = 'Openpose/mean_of_last_two'
"""Another output, of the same shape, in graphs of two stages or more: the mean of the last two stages."""

OUTPUTS: Mapping[str, str] = MappingProxyType({'last': OUTPUT_NAME, 'mean': MEAN_OUTPUT_NAME})
"""By the name `--maps` takes."""

TYPES_NAME = 'Openpose/garment_type'
"""Another output, in graphs with a type head: float32 (N, T), the probability of each garment type."""

EXPORTED: Mapping[str, str] = MappingProxyType(
    {'onnx': '.onnx', 'openvino': '.xml', 'tflite': '.tflite', 'savedmodel': '.savedmodel'})
"""Endings of exported models by format. OpenVINO has its weights in a `.bin` beside; a SavedModel is a folder."""

Forward = Callable[[np.ndarray], np.ndarray]
"""A network to those who use it: images (N, H, W, 3) float32 BGR 0..255 to its output."""

TypedForward = Callable[[np.ndarray], Tuple[np.ndarray, Optional[np.ndarray]]]
"""The same with the probabilities of the T garment types (N, T), None of a network that cannot tell them."""


@dataclass(frozen=True)
class Contract:
    """How to feed a graph and how to read it.

    `keypoints` are the heat-map channels in order, the background after them left out; `input_hw` is the size trained
    at, in pixels, and any multiple of 8 works; `validation_ne` is in per cent, None where it was not measured.
    `graph_sha256` is the `file_sum` of the model it was written for.
    `head` has the values of HeadOptions: for people, since the graph has them built in.
    `types` are the garment types in the order of their probabilities, () where the graph has no type head.
    `garments` is the table that `tag` is of.
    `export` says of an exported model how it was made and how it compares with its graph; {} of a graph.
    """

    tag: str
    keypoints: Tuple[str, ...]
    model: str
    input_hw: Tuple[int, int]
    stride: int
    step: int
    graph_sha256: str
    validation_ne: Optional[float] = None
    head: Mapping[str, Any] = field(default_factory=dict)
    types: Tuple[str, ...] = ()
    garments: Garments = GARMENTS
    input_name: str = INPUT_NAME
    output_name: str = OUTPUT_NAME
    channel_order: str = 'BGR'
    value_range: Tuple[float, float] = (0, 255)
    export: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> Dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), 'garments': stored_form(self.garments)}

    def save(self, path: Union[str, Path]) -> None:
        """Write as JSON, whole or not at all."""
        write_json(path, self.to_json(), indent=2)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'Contract':
        """Read what `save` wrote, now or before the contract gained a field that has a default.

        Raises InputError, naming file and key, where it is anything else.
        """
        values = read_json(Path(path))
        known = {item.name for item in fields(cls)}
        wanted = {item.name for item in fields(cls) if item.default is item.default_factory is MISSING}
        if not wanted <= set(values) <= known:
            raise InputError(f'{path} is not the contract of a graph: keys missing {sorted(wanted - set(values))}, '
                             f'unknown {sorted(set(values) - known)}')
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        for key in ('channel_order', 'value_range'):
            if values.get(key, getattr(cls, key)) != getattr(cls, key):
                raise InputError(f'{path}: {key} is {values[key]!r}, wanted {getattr(cls, key)!r}')
        if not isinstance(values['stride'], int) or not isinstance(values['keypoints'], tuple):
            raise InputError(f'{path}: wanted a number for stride and a list for keypoints, found '
                             f'{values["stride"]!r} and {values["keypoints"]!r}')
        return cls(**{**values, 'garments': stored_garments(values.get('garments', {}), f'{path}, garments')})


def contract_path(graph: Union[str, Path]) -> Path:
    """Where the contract of a model lies: beside a `.pb` under the same name with `.json`; beside an exported model,
    which may lie beside its graph, under its whole name and `.json`."""
    path = Path(graph)
    return path.with_name(f'{path.name}.json') if path.suffix in EXPORTED.values() else path.with_suffix('.json')


def contract_of(graph: Union[str, Path]) -> Optional[Contract]:
    """The contract of a model, None where there is none beside it, or another one's."""
    path = contract_path(graph)
    contract = Contract.load(path) if path.exists() else None
    return contract if contract and contract.graph_sha256 == file_sum(graph) else None


def file_sum(path: Union[str, Path]) -> str:
    """The SHA-256 of a file; of an `.xml` and its `.bin` together, and of all files of a folder."""
    digest = hashlib.sha256()
    for part in model_files(path):
        with open(str(part), 'rb') as file:
            for block in iter(lambda: file.read(1 << 20), b''):
                digest.update(block)
    return digest.hexdigest()


def model_files(model: Union[str, Path]) -> Sequence[Path]:
    """The files that a model consists of, its contract left out."""
    path = Path(model)
    if path.is_dir():
        return sorted(part for part in path.rglob('*') if part.is_file())
    weights = path.with_suffix('.bin')
    return [path, weights] if path.suffix == EXPORTED['openvino'] and weights.exists() else [path]


def read_json(path: Path) -> Dict[str, Any]:
    """The object in a file, {} where there is no file. Raises InputError where it holds anything else."""
    if not path.is_file():
        return {}
    values = parse_json(path.read_bytes(), str(path))
    if not isinstance(values, dict):
        raise InputError(f'{path} holds a {type(values).__name__}: wanted an object')
    return values
