"""Compares the outputs of an exported model and of its graph on the same images."""
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import numpy as np

from fashionai.annotations import Annotations, read_annotations
from fashionai.dataflow.encoder import InputShape
from fashionai.engines.network import Network
from fashionai.inference.validation import validation_error
from fashionai.synthetic.dataset import write_dataset

_GENERATED, _SIDE = 20, 384
"""The number of generated garments for the comparison if the user names no images, and their size in pixels."""

_OTHER = 32
"""The difference in pixels between the two input sizes that are compared, for models that take any size."""


@dataclass(frozen=True)
class ParityImages:
    """The labelled images for the comparison. folder: the image ids start from it. name: a text for the user."""

    truth: Annotations
    folder: Path
    name: str


@dataclass(frozen=True)
class Parity:
    """The differences between an exported model and its graph.

    images: the name of the images. maps: the largest absolute difference between maps. maps_reach: the largest absolute
    value of the maps. types: the largest absolute difference between probabilities of garment types, None if the
    network has no type head. visibility: that between probabilities of the visibility of keypoints, None if the network
    has no visibility head. ne_graph, ne_exported: NE `visible` in percent, with one window and without flip.
    """

    images: str
    maps: float
    maps_reach: float
    types: Optional[float]
    ne_graph: float
    ne_exported: float
    visibility: Optional[float] = None


@contextmanager
def generated(tag: str) -> Iterator[ParityImages]:
    """Yields generated garments of one type, or of all, in a folder that is removed at the end of the context."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, 'data')
        write_dataset(folder, (0, _GENERATED, 0), 0, _SIDE, 1)
        truth = read_annotations(folder / 'train/val.csv').of_type(tag)
        yield ParityImages(truth, folder / 'train', f'{len(truth)} generated garments')


def compare(graph: Network, exported: Network, images: ParityImages, input_hw: Tuple[int, int], fixed: bool) -> Parity:
    """Runs the graph and the exported model on the images, at an input of (height, width) pixels.

    If the size is not `fixed`, also compares them on a batch of images of another size.
    """
    gaps: List[Tuple[float, float, float, float]] = []

    def compared(batch: np.ndarray) -> Tuple[np.ndarray, None]:
        maps, types = exported.predict_with_types(batch)
        wanted, wanted_types = graph.predict_with_types(batch)
        gaps.append((_gap(maps, wanted), float(np.abs(wanted).max()),
                     0. if types is None or wanted_types is None else _gap(types, wanted_types),
                     _gap_of_visibility(graph, exported, batch)))
        return maps, None  # the log has the share of correct types from the graph

    measure = validation_error(images.truth, images.folder, graph.garment, InputShape(input_hw, graph.stride))
    errors = measure(graph.predict_with_types), measure(compared)
    if not fixed:
        other_hw = input_hw[0] + _OTHER, input_hw[1] + 2 * _OTHER
        compared(np.random.RandomState(0).uniform(0, 255, (3, *other_hw, 3)).astype(np.float32))
    maps, reach, types, visibility = np.max(gaps, axis=0).tolist()
    return Parity(images.name, maps, reach, types if graph.types else None, *errors,
                  visibility if graph.tells_visibility else None)


def _gap_of_visibility(graph: Network, exported: Network, batch: np.ndarray) -> float:
    if not graph.tells_visibility:
        return 0.
    return _gap(*(network.describe(batch).visibility for network in (exported, graph)))


def _gap(found: np.ndarray, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape, f'{found.shape} is not {wanted.shape}'
    return float(np.abs(found - wanted).max())
