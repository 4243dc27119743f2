"""Frozen graphs: a `.pb` loaded, checked against the garment type it is to serve, and made a function."""
import logging
import os
from pathlib import Path
from types import TracebackType
from typing import List, Optional, Tuple, Type, Union

import numpy as np
import tensorflow.compat.v1 as tf
from google.protobuf.message import DecodeError

from fashionai.garments import GARMENTS, Garment, Garments
from fashionai.networks.contract import (
    INPUT_NAME,
    MEAN_OUTPUT_NAME,
    OUTPUTS,
    TYPES_NAME,
    Contract,
    contract_of,
    contract_path,
)

_LOG = logging.getLogger(__name__)

_USUAL_STRIDE = 8
"""Stride of a graph that comes without a contract: that of every network of the original."""


class FrozenGraph:
    """A frozen graph in a session of its own, closed by leaving the `with` block.

    `maps` is the output to take, a name of OUTPUTS; `wanted` is of the table `garments`. `garment` is the one whose
    channels it gives: the type wanted, or the joint one. `stride` is in input pixels. `types` are the garment types
    whose probabilities `look` gives, in their order; () where the graph cannot tell them.
    Raises ValueError, naming the file, where it is no graph, lacks the input or the output, or serves other types.
    """

    def __init__(self, path: Union[str, Path], wanted: Garment, threads: int = 0, maps: str = 'last',
                 garments: Garments = GARMENTS) -> None:
        contract_file, contract, joint = contract_path(path), contract_of(path), garments.joint
        if contract is None and contract_file.exists():
            _LOG.warning('%s belongs to another graph than %s: it is not used', contract_file, path)
        self.garment = _contract_garment(contract, wanted, joint, contract_file) if contract else wanted
        self.stride = contract.stride if contract else _USUAL_STRIDE
        self._path = path
        names = (INPUT_NAME, OUTPUTS[maps])
        if contract and maps == 'last':
            names = (contract.input_name, contract.output_name)
        graph = tf.Graph()
        with graph.as_default():
            self._image, self._maps = _import_graph(path, names)
        self.types = contract.types if contract else _types_of(graph, joint)
        self._types = [graph.get_tensor_by_name(f'{TYPES_NAME}:0')] if self.types else []
        channels = self._maps.shape[-1] if self._maps.shape.rank == 4 else None
        channels = getattr(channels, 'value', channels)  # TF 1.15 wraps the number in a Dimension
        if contract is None and channels == _channels(joint):
            self.garment = joint
        if channels != _channels(self.garment):
            raise ValueError(f'{path} does not fit {wanted.name}: it gives {channels} channels, {wanted.name} has '
                             f'{_channels(wanted)} and the joint network {_channels(joint)}')
        options = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        options.gpu_options.allow_growth = True
        self._session = tf.Session(graph=graph, config=options)

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Maps (N, h / stride, w / stride, C) of images (N, h, w, 3), float32 BGR 0..255."""
        return self._run([self._maps], images)[0]

    def look(self, images: np.ndarray) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        """The same maps and, of the same pass, the probabilities (N, T) of `types`, None where there are none."""
        maps, *types = self._run([self._maps, *self._types], images)
        return maps, types[0] if types else None

    def _run(self, outputs: List[tf.Tensor], images: np.ndarray) -> List[np.ndarray]:
        try:
            return self._session.run(outputs, {self._image: images})
        except tf.errors.OpError as error:
            _LOG.error('%s', error.message)
            raise ValueError(f'{self._path} fails on {len(images)} windows of {images.shape[2]}x{images.shape[1]} '
                             f'pixels: {type(error).__name__} (see above)') from None

    def __enter__(self) -> 'FrozenGraph':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._session.close()


def _import_graph(path: Union[str, Path], names: Tuple[str, str]) -> Tuple[tf.Tensor, tf.Tensor]:
    """Read a graph into the default one; its input and output tensors."""
    definition = tf.GraphDef()
    try:
        definition.ParseFromString(Path(path).read_bytes())
    except DecodeError:
        raise ValueError(f'{path} is not a frozen graph: its {os.path.getsize(path)} bytes cannot be read as one '
                         '(was the copy cut short?)') from None
    operations = {node.name for node in definition.node}
    missing = [name for name in names if name not in operations]
    if missing == [MEAN_OUTPUT_NAME]:
        raise ValueError(f'{path} has no mean of the last two stages: wanted a graph of two stages or more without '
                         '--refine, frozen by this version; or --maps last')
    if missing:
        raise ValueError(f'{path} is not a graph of this project: it has no {" and no ".join(missing)} '
                         f'among its {len(operations)} operations')
    try:
        image, maps = tf.import_graph_def(definition, return_elements=[f'{name}:0' for name in names], name='')
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f'{path} cannot be loaded as a graph: {str(error).splitlines()[0]}') from None
    return image, maps


def _contract_garment(contract: Contract, wanted: Garment, joint: Garment, path: Path) -> Garment:
    """The garment of a contract, which has to be the wanted or the joint one, keypoint by keypoint, limb by limb."""
    if contract.tag not in (wanted.name, joint.name):
        raise ValueError(f'the graph of {path} is for {contract.tag}: wanted one for {wanted.name} or {joint.name}')
    garment = joint if contract.tag == joint.name else wanted
    if contract.keypoints != garment.keypoints:
        raise ValueError(f'the graph of {path} has other keypoints for {contract.tag} than the table of garments: '
                         f'{", ".join(contract.keypoints)}; wanted {", ".join(garment.keypoints)}')
    difference = contract.garments.of(contract.tag).difference(garment)
    if difference:
        raise ValueError(f'the graph of {path} has other {difference} for {contract.tag} than the table of garments: '
                         'wanted the table it was trained with')
    return garment


def _types_of(graph: tf.Graph, joint: Garment) -> Tuple[str, ...]:
    """The types whose probabilities a graph without a contract gives."""
    return joint.types if TYPES_NAME in {operation.name for operation in graph.get_operations()} else ()


def _channels(garment: Garment) -> int:
    return garment.num_heatmaps + garment.num_fields
