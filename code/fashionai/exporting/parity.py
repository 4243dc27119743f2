"""Whether an exported model computes what its graph does: on images, side by side."""
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
"""Generated garments that a model is tried on where no images are named, and their size in pixels."""

_OTHER = 32
"""Pixels by which the sizes of a batch differ from the usual one, for models that take any."""


@dataclass(frozen=True)
class Sample:
    """Labelled images to compare on; `folder` is where their ids lead from, `name` is for people."""

    truth: Annotations
    folder: Path
    name: str


@dataclass(frozen=True)
class Parity:
    """How an exported model compares with its graph.

    `maps` is the largest absolute difference between maps, which reach `maps_reach`; `types` that between
    probabilities of garment types, None where the network tells none. NE is `visible`, in per cent, of one window
    without flip.
    """

    images: str
    maps: float
    maps_reach: float
    types: Optional[float]
    ne_graph: float
    ne_exported: float


@contextmanager
def generated(tag: str) -> Iterator[Sample]:
    """Generated garments of a type, or of all, in a folder that goes when the block ends."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, 'data')
        write_dataset(folder, (0, _GENERATED, 0), 0, _SIDE, 1)
        truth = read_annotations(folder / 'train/val.csv').of_type(tag)
        yield Sample(truth, folder / 'train', f'{len(truth)} generated garments')


def compare(graph: Network, exported: Network, sample: Sample, input_hw: Tuple[int, int], fixed: bool) -> Parity:
    """Let both look at the images of a sample, in an input of (height, width) pixels. Where the size is not `fixed`,
    at a batch of another size too."""
    gaps: List[Tuple[float, float, float]] = []

    def look(images: np.ndarray) -> Tuple[np.ndarray, None]:
        maps, types = exported.predict_with_types(images)
        wanted, wanted_types = graph.predict_with_types(images)
        gaps.append((_gap(maps, wanted), float(np.abs(wanted).max()),
                     0. if types is None or wanted_types is None else _gap(types, wanted_types)))
        return maps, None  # types are compared above, and how many are right was said of the graph

    measure = validation_error(sample.truth, sample.folder, graph.garment, InputShape(input_hw, graph.stride))
    errors = measure(graph.predict_with_types), measure(look)
    if not fixed:
        other_hw = input_hw[0] + _OTHER, input_hw[1] + 2 * _OTHER
        look(np.random.RandomState(0).uniform(0, 255, (3, *other_hw, 3)).astype(np.float32))
    maps, reach, types = np.max(gaps, axis=0).tolist()
    return Parity(sample.name, maps, reach, types if graph.types else None, *errors)


def _gap(found: np.ndarray, wanted: np.ndarray) -> float:
    assert found.shape == wanted.shape, f'{found.shape} is not {wanted.shape}'
    return float(np.abs(found - wanted).max())
