"""TensorFlow as an engine: frozen graphs, in a `.pb` or in the folder of a SavedModel."""
import logging
from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.engines.network import Network, check_names
from fashionai.errors import InputError
from fashionai.garments.table import Garment, Garments
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import TYPES_NAME, VISIBILITY_NAME

_LOG = logging.getLogger(__name__)


class FrozenGraph(Network):
    """A frozen graph in a session of its own.

    If the file is `trusted`, it may have any operation; see model_files/graph_file.py.

    Raises InputError if the file is not a graph, has an operation that is not allowed, lacks the input or the output,
    or serves other types.
    """

    def __init__(self, model: ModelFile, wanted: Garment, garments: Garments, threads: int = 0, maps: str = 'last',
                 trusted: bool = False) -> None:
        super().__init__(model, wanted, garments, maps)
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._image, output = _import_graph(model.path, (self._input, self._maps), trusted)
        names = {operation.name: operation for operation in self._graph.get_operations()}
        if self.types:
            check_names(model.path, [TYPES_NAME], names)
        elif self._contract is None and TYPES_NAME in names:
            self.types = garments.joint.types
        if self.tells_visibility:
            check_names(model.path, [VISIBILITY_NAME], names)
        channels = output.shape[-1] if output.shape.rank == 4 else None
        self._check_output(getattr(channels, 'value', channels))  # TF 1.15 wraps the number in a Dimension
        options = tf.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        options.gpu_options.allow_growth = True
        self._session = tf.Session(graph=self._graph, config=options)

    def _run(self, outputs: Sequence[str], images: np.ndarray) -> List[np.ndarray]:
        try:
            return self._session.run([f'{name}:0' for name in outputs], {self._image: images})
        except tf.errors.OpError as error:
            _LOG.error('%s', error.message)
            raise self._unsuited(images, f'{type(error).__name__} (see above)') from None

    def _close(self) -> None:
        self._session.close()


def _import_graph(path: Path, names: Tuple[str, str], trusted: bool) -> Tuple[tf.Tensor, tf.Tensor]:
    """Reads a graph into the default graph. Returns its input and output tensors."""
    definition = read_graph(path, trusted)
    check_names(path, names, {node.name: node for node in definition.node})
    try:
        image, maps = tf.import_graph_def(definition, return_elements=[f'{name}:0' for name in names], name='')
    except (ValueError, tf.errors.OpError) as error:
        raise InputError(f'{path} cannot be loaded as a graph: {str(error).splitlines()[0]}') from None
    return image, maps
