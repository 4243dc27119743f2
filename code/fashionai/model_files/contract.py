"""The contract: what a frozen graph, or an exported model, says about itself in a small JSON file beside it.

The same JSON is also inside, so a model that is copied alone keeps it. It counts if the file beside the model is
missing.
"""
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from reprlib import repr as short
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple, Union

from fashionai.calibration.calibration import Calibration, stored_calibration
from fashionai.errors import InputError
from fashionai.files import parse_object, read_object_if_any, write_bytes, write_json
from fashionai.garments.table import GARMENTS, Garments
from fashionai.garments.table_files import stored_form, stored_garments
from fashionai.model_files.contract_inside import contract_inside, with_contract_inside
from fashionai.networks.head_options import BACKBONE_STRIDE, STRIDES, HeadOptions
from fashionai.networks.tensor_names import INPUT_NAME, OUTPUT_NAME, VISIBILITY

EXPORTED: Mapping[str, str] = MappingProxyType(
    {'onnx': '.onnx', 'openvino': '.xml', 'tflite': '.tflite', 'savedmodel': '.savedmodel'})
"""Endings of exported models by format. OpenVINO has the weights in a `.bin` beside the model; a SavedModel is a
folder."""

FORMAT_NAMES: Mapping[str, str] = MappingProxyType({ending: name for name, ending in EXPORTED.items()})
"""The formats by the endings of their models."""

LARGEST_SIDE = 4096
"""Maximum side of an input in pixels."""


@dataclass(frozen=True)
class Contract:
    """How to use a graph: its input and its outputs.

    Attributes:
        tag: the garment type, or `all`.
        keypoints: the heat-map channels in order; the background comes after them and is left out here.
        model: the network, a name of the catalog; those of a joined graph with `+` between them.
        input_hw: the size (height, width) in pixels that it was trained at; any multiple of 8 works.
        stride: input pixels for each cell of the maps.
        step: the step of the checkpoint.
        graph_sha256: the `file_sum` of the model that it was written for; '' inside a model, which cannot hold its own
            sum.
        validation_ne: the normalised error in percent; None if it was not measured.
        head: the values of HeadOptions, for people; the graph has them built in.
        types: the garment types in the order of their probabilities; () if the graph has no type head.
        garments: the table of `tag`.
        input_name, output_name: names of operations.
        channel_order, value_range: of an input image.
        mean: what to subtract from the channels of an image: nothing, since the graph does this.
        export: how an exported model was made, and how it compares with its graph; {} for a graph.
        visibility: the states of a keypoint in the order of their probabilities; () if the graph has no visibility
            head.
        calibration: what turns the network's answers into probabilities; None if it was not fitted.
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
    mean: Tuple[float, float, float] = (0, 0, 0)
    export: Mapping[str, Any] = field(default_factory=dict)
    visibility: Tuple[str, ...] = ()
    calibration: Optional[Calibration] = None

    @property
    def models(self) -> Tuple[str, ...]:
        """The names in `model`: one, or those of the networks that were joined to one graph."""
        return tuple(self.model.split('+'))

    def to_json(self) -> Dict[str, Any]:
        """Returns the contract as JSON can hold it."""
        return {**asdict(self), 'calibration': self.calibration.to_json() if self.calibration else {},
                'garments': stored_form(self.garments)}

    @property
    def text_inside(self) -> str:
        """The contract as JSON text for a place inside a model."""
        return json.dumps(replace(self, graph_sha256='').to_json())

    def save(self, path: Union[str, Path]) -> None:
        """Writes the contract as JSON: whole, or not at all."""
        write_json(path, self.to_json(), indent=2)

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'Contract':
        """Reads what `save` wrote. Fields with a default may be missing, since older files lack them.

        Raises InputError, with file and key, for anything else.
        """
        return cls.of_json(read_object_if_any(path), str(path))

    @classmethod
    def of_json(cls, values: Mapping[str, Any], place: str) -> 'Contract':
        """Returns the contract that `to_json` gave. Raises InputError, with `place` and key, for a wrong field."""
        wanted = {item.name for item in fields(cls) if item.default is item.default_factory is MISSING}
        if not wanted <= set(values) <= set(_FIELDS):
            raise InputError(f'{place} is not the contract of a graph: keys missing {sorted(wanted - set(values))}, '
                             f'unknown {sorted(set(values) - set(_FIELDS))}')
        for key, value in values.items():
            suits, description = _FIELDS[key]
            if not suits(value):
                raise InputError(f'{place}: {key} is {short(value)}, wanted {description}')
        read: Dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
                                for key, value in values.items()}
        read['calibration'] = stored_calibration(values.get('calibration', {}), f'{place}, calibration')
        read['garments'] = stored_garments(values.get('garments', {}), f'{place}, garments')
        contract = cls(**read)
        contract._check_names(place)
        return contract

    def _check_names(self, place: str) -> None:
        """Raises InputError if tag, keypoints, types or head do not fit the table of garments or HeadOptions."""
        try:
            garment = self.garments.of(self.tag)
            HeadOptions.of(self.head)
        except InputError as error:
            raise InputError(f'{place}: {error}') from None
        for key, found, names in (('keypoints', self.keypoints, garment.keypoints),
                                  ('types', self.types or garment.types, garment.types)):
            if found != names:
                raise InputError(f'{place}: {key} has other names, or another order, than the table of garments has '
                                 f'for {self.tag}: {", ".join(found)}; wanted {", ".join(names) or "none"}')


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_side(value: Any) -> bool:
    return _is_whole(value) and value % BACKBONE_STRIDE == 0 and 0 < value <= LARGEST_SIDE


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_error(value: Any) -> bool:
    return value is None or (type(value) in (int, float) and 0 <= value < float('inf'))


_FIELDS: Mapping[str, Tuple[Callable[[Any], bool], str]] = MappingProxyType({
    'tag': (_is_text, 'the name of a garment type'), 'model': (_is_text, 'the name of a network'),
    'keypoints': (_are_names, 'a list of names'), 'types': (_are_names, 'a list of names'),
    'input_hw': (lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_side, value)),
                 f'[height, width], multiples of {BACKBONE_STRIDE} up to {LARGEST_SIDE}'),
    'stride': (lambda value: _is_whole(value) and value in STRIDES, f'one of {", ".join(map(str, STRIDES))}'),
    'step': (_is_whole, 'a whole number from 0 on'), 'graph_sha256': (_is_text, 'a sum of the model'),
    'validation_ne': (_is_error, 'per cent, or null'),
    'visibility': (lambda value: value in ([], list(VISIBILITY)), f'{list(VISIBILITY)} or []'),
    'calibration': (lambda value: isinstance(value, dict), 'an object of curves'),
    'head': (lambda value: isinstance(value, dict), 'an object of options'),
    'export': (lambda value: isinstance(value, dict), 'an object of facts'),
    'garments': (lambda value: isinstance(value, dict), 'a table of garments'),
    'input_name': (lambda value: _is_text(value) and value, 'the name of an operation'),
    'output_name': (lambda value: _is_text(value) and value, 'the name of an operation'),
    'channel_order': (lambda value: value == 'BGR', 'BGR'),
    'value_range': (lambda value: value == [0, 255], '[0, 255]'),
    'mean': (lambda value: value == [0, 0, 0], '[0, 0, 0]')})
"""By field of Contract: a function that accepts its values in JSON, and what it accepts, in words."""


def contract_path(graph: Union[str, Path]) -> Path:
    """Returns the path of the contract of a model: `graph.json` for `graph.pb`. For an exported model `.json` comes
    after the whole name, `graph.onnx.json`, since the model may lie beside its graph."""
    path = Path(graph)
    return path.with_name(f'{path.name}.json') if path.suffix in EXPORTED.values() else path.with_suffix('.json')


def contract_of(graph: Union[str, Path], model_sum: str = '') -> Optional[Contract]:
    """Returns the contract beside a model or, if there is no file beside it, inside it; None if the model has neither.

    `model_sum` is the `file_sum` of the model, if it is known already.

    Raises InputError for a contract that is damaged, and for a contract that was written for another model: only one
    of the two files was copied, or an installation was interrupted.
    """
    beside = contract_path(graph)
    if not beside.exists():
        text = contract_inside(Path(graph))
        return None if text is None else Contract.of_json(parse_object(text.encode(), str(graph)),
                                                          f'the contract inside {graph}')
    contract = Contract.load(beside)
    if contract.graph_sha256 != (model_sum or file_sum(graph)):
        without = 'has its contract inside' if contract_inside(Path(graph)) else 'is taken as one without a contract'
        raise InputError(f'{beside} was written for another model than {graph} is now: install both again '
                         f'(code/freeze.py --install, code/export.py), or copy both; without {beside.name} the model '
                         f'{without}')
    return contract


def write_model(model: Path, content: bytes, contract: Contract) -> None:
    """Writes a frozen graph, or an ONNX model, and its contract: inside it, and beside it with the sum of the file.

    Raises InputError if the content cannot be read as a graph or as ONNX.
    """
    try:
        content = with_contract_inside(content, contract.text_inside, model.suffix)
    except (ValueError, KeyError, EOFError) as error:
        raise InputError(f'{model.name} gets no contract, since it cannot be read: {error!r}') from None
    write_bytes(model, content)
    replace(contract, graph_sha256=file_sum(model)).save(contract_path(model))


@contextmanager
def replacing_model(model: Path) -> Iterator[Path]:
    """Yields the path for a new model; its contract is to be written to the `contract_path` of this path. At the end of
    the block both replace those of `model`. If the block raises, all stays as it was.

    The contract is replaced first. If the process is killed after that, the sum in the contract fits only the whole new
    model, and `contract_of` refuses any other. A new model is never beside an old contract, and never alone.
    """
    model.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f'.{model.name}.', dir=str(model.parent)) as folder, _naming(model, folder):
        draft = Path(folder, model.name)
        yield draft
        os.replace(str(contract_path(draft)), str(contract_path(model)))
        for part in sorted(draft.parent.iterdir()):
            if part.is_dir() and (model.parent / part.name).exists():
                shutil.rmtree(str(model.parent / part.name))
            os.replace(str(part), str(model.parent / part.name))


@contextmanager
def _naming(model: Path, folder: str) -> Iterator[None]:
    """An OSError about a file in the draft's folder is raised as one about the model."""
    try:
        yield
    except OSError as error:
        if error.errno is None or not str(error.filename or folder).startswith(folder):
            raise
        raise type(error)(error.errno, error.strerror, str(model)) from error


def file_sum(path: Union[str, Path]) -> str:
    """Returns the SHA-256 of a file; of an `.xml` and its `.bin` together; of all files of a folder together."""
    digest = hashlib.sha256()
    for part in model_files(path):
        with open(str(part), 'rb') as file:
            for block in iter(lambda: file.read(1 << 20), b''):
                digest.update(block)
    return digest.hexdigest()


def model_files(model: Union[str, Path]) -> Sequence[Path]:
    """Returns the files of a model without its contract."""
    path = Path(model)
    if path.is_dir():
        return sorted(part for part in path.rglob('*') if part.is_file())
    weights = path.with_suffix('.bin')
    return [path, weights] if path.suffix == EXPORTED['openvino'] and weights.exists() else [path]
