"""Fits a visibility head to a frozen graph on labelled pictures; those that it was trained on will do.

Letters: N pictures, K keypoints of the network.
"""
from pathlib import Path
from typing import Callable, Iterator, List, Sequence, Tuple

import numpy as np

from fashionai.annotations import Annotations, image_path
from fashionai.images.decoder import read_image
from fashionai.inference.whole_pictures import whole_pictures
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.model_files.visibility import FeatureReader, fitted_head, with_head

_BATCH = 8
_NO_LABEL = -2
"""The label of keypoints that the type of a picture does not have."""


def graph_with_head(model: ModelFile, sources: Sequence[Tuple[Annotations, Path]], trusted: bool,
                    progress: Callable[[Iterator], Iterator] = iter) -> bytes:
    """Returns the graph of a model with a visibility head, as a file holds it.

    Args:
        model: a frozen graph with a contract.
        sources: labelled rows, and the folder that their image ids start from.
        trusted: whether the graph may have any operation.
        progress: wraps the iterator over batches of pictures.

    Raises InputError if the graph has no second stage, or if an image cannot be read.
    """
    assert model.contract is not None, 'the command looks for it'
    definition = read_graph(model.path, trusted)
    keypoints = model.contract.keypoints
    reader = FeatureReader(definition, model.contract.input_name, len(keypoints), str(model.path))
    features: List[np.ndarray] = []
    labels: List[np.ndarray] = []
    try:
        for part, folder in progress(_batches(sources)):
            images = [read_image(image_path(folder, image_id)) for image_id in part.image_ids]
            features.append(reader.read(whole_pictures(images, model.trained_hw, mirrored=False)))
            labels.append(_labels(part, keypoints))
    finally:
        reader.close()
    head = fitted_head(np.concatenate(features), np.concatenate(labels))
    return with_head(definition, *head, str(model.path)).SerializeToString()


def _batches(sources: Sequence[Tuple[Annotations, Path]]) -> Iterator[Tuple[Annotations, Path]]:
    for truth, folder in sources:
        for start in range(0, len(truth), _BATCH):
            yield truth.select(range(start, min(start + _BATCH, len(truth)))), folder


def _labels(truth: Annotations, keypoints: Sequence[str]) -> np.ndarray:
    """Returns the labelled visibility (N, K) of the network's keypoints; _NO_LABEL for those of other types."""
    labels = np.full((len(truth), len(keypoints)), _NO_LABEL)
    for row, name in enumerate(truth.categories):
        garment = truth.garments[name]
        labels[row, [keypoints.index(one) for one in garment.keypoints]] = truth.keypoints[row, garment.csv_indices, 2]
    return labels
