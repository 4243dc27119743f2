"""Pictures in, garments out: the type where nobody says it, the keypoints, and how far each is to be trusted.

Letters: K keypoints in the garment's channel order, T garment types, G the side of the canvas' grid.
"""
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.measurements import Points
from fashionai.garments.table import AUTO, GARMENTS, Garment, Garments
from fashionai.images.geometry import invert, warp_image
from fashionai.inference.canvas import canvas_map, responses
from fashionai.inference.garment_types import SURE, type_probabilities
from fashionai.inference.loading import InferenceConfig, open_networks, predictors_of
from fashionai.inference.pipeline import in_turn
from fashionai.inference.predictor import Prediction
from fashionai.inference.second_pass import AnyPredictor
from fashionai.model_files.model_file import ModelFile

LOW = 0.5
"""A point with a lower score had better be looked at: of such points on photographs that the network had not seen,
four in ten were within a tenth of the garment's width of their place; of all others, six in seven."""

TOGETHER = 8
"""Images that go through the networks at a time, where nobody says otherwise: each takes some 60 MB meanwhile."""

TypeTeller = Callable[[Sequence[np.ndarray]], np.ndarray]
"""Images (h, w, 3) uint8 BGR to the probabilities (N, T) of the garment types."""


@dataclass(frozen=True, eq=False)
class GarmentPrediction:
    """A garment in a picture.

    `garment`: its type. `type_probabilities`: by type, the most probable first; {} where the type was given.
    `type_sure`: whether the type was given, or is at least as probable as garment_types.SURE.
    `points_xy` (K, 2) float64: in the picture's own pixels, inside it.
    `scores` (K,) float64, 0 to 1: the network's response at each point, as a share of the Gaussian it was trained to
    give there; 0 for points not found. It grows with how near the point is likely to be, and is no probability.
    `found` (K,) bool: False where the heat map has no proper peak, or a low one on the picture's border; such a
    waistline, and such a dress's hemline, is where the mean shape has it, any other point wherever the map is highest.
    `image_hw`: the picture's size. `heatmaps` (K, G, G) float32: the canvas, sigmoids, that the points were read off.
    """

    garment: Garment
    type_probabilities: Mapping[str, float]
    type_sure: bool
    points_xy: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    image_hw: Tuple[int, int]
    heatmaps: np.ndarray = field(repr=False)

    @property
    def type(self) -> str:
        """The name of the garment type."""
        return self.garment.name

    @property
    def keypoints(self) -> Tuple[str, ...]:
        """The names of the K points."""
        return self.garment.keypoints

    def responses_over(self, names: Sequence[str] = ()) -> np.ndarray:
        """(h, w) float32 over the picture: the highest response, 0 to 1, of the heat maps of those keypoints; of all
        where none is named."""
        chosen = [self.keypoints.index(name) for name in names or self.keypoints]
        highest = responses(self.heatmaps[chosen].max(axis=0)).astype(np.float32)
        return warp_image(invert(canvas_map(self.image_hw, highest.shape[0])), highest, self.image_hw)


def points_of(finding: GarmentPrediction) -> Points:
    """What of a finding is measured."""
    return Points(finding.garment, finding.points_xy, finding.scores, finding.found)


class GarmentPredictor:
    """Finds garments with predictors that are open; safe to call from several threads.

    `types` are those that AUTO chooses from: () where the networks cannot tell types. `garments` is their table.
    """

    def __init__(self, predictors: Mapping[str, AnyPredictor], types: Sequence[str], tellers: Sequence[TypeTeller],
                 garments: Garments = GARMENTS) -> None:
        self._predictors, self._tellers, self.types = predictors, tellers, tuple(types)
        self.garments = garments

    @property
    def served(self) -> Mapping[str, Garment]:
        """The types that are served, by name."""
        return {name: self.garments[name] for name in self._predictors}

    def find(self, images: Sequence[np.ndarray], tags: Sequence[str],
             together: int = TOGETHER) -> List[GarmentPrediction]:
        """The garment of each image (h, w, 3) uint8 BGR, of any sizes; a tag each: its type, or AUTO.

        Of any number of images, `together` at most go through the networks at a time, which bounds the memory; what
        stays of each is its finding, some 1 MB.

        Raises InputError, before anything is computed, for what is no such image, for another number of tags, for the
        tag of a type that the networks do not serve, and for AUTO if they tell no types.
        """
        self._check(images, tags)
        return [finding for start in range(0, len(images), together)
                for finding in self._found(images[start:start + together], tags[start:start + together])]

    def _check(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> None:
        for number, image in enumerate(images, 1):
            fault = _image_fault(image)
            if fault:
                raise InputError(f'picture {number} of {len(images)}: found {fault}, wanted an array of uint8, '
                                 '(height, width, 3), of blue, green and red from 0 to 255')
        if isinstance(tags, str) or len(tags) != len(images):
            raise InputError(f'found {repr(tags) if isinstance(tags, str) else len(tags)} as tags of {len(images)} '
                             f'pictures: wanted a list of as many, each a type or {AUTO!r}')
        if AUTO in tags and not self.types:
            raise InputError('the network cannot tell garment types: name the type, or take a network that was trained '
                             'with --tag all --type-head along')
        self._check_served([tag for tag in tags if tag != AUTO])

    def _check_served(self, types: Sequence[str]) -> None:
        unknown = [name for name in types if name not in self._predictors]
        if unknown:
            raise InputError(f'{unknown[0]!r} is not a type that is served: wanted one of '
                             f'{", ".join(self._predictors)}')

    def _found(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[GarmentPrediction]:
        """The garments of images that are looked at together."""
        told = self._told([image for image, tag in zip(images, tags) if tag == AUTO])
        probabilities = [next(told) if tag == AUTO else {} for tag in tags]
        types = [next(iter(shares), tag) for shares, tag in zip(probabilities, tags)]
        predictions = self._predicted(images, types)
        return [_finding(self.garments[name], shares, prediction, image.shape[:2])
                for name, shares, prediction, image in zip(types, probabilities, predictions, images)]

    def _told(self, images: Sequence[np.ndarray]) -> Iterator[Dict[str, float]]:
        """The probabilities of the types of each image, the most probable first."""
        if not images:
            return iter(())
        shares = np.mean([teller(images) for teller in self._tellers], axis=0)
        return iter([{self.types[number]: float(row[number]) for number in np.argsort(-row, kind='stable')}
                     for row in shares])

    def _predicted(self, images: Sequence[np.ndarray], types: Sequence[str]) -> List[Prediction]:
        """The points of each image; images of one type are looked at together."""
        self._check_served(types)
        predictions: Dict[int, Prediction] = {}
        for name in dict.fromkeys(types):
            numbers = [number for number, other in enumerate(types) if other == name]
            predictions.update(zip(numbers, self._predictors[name].predict([images[number] for number in numbers])))
        return [predictions[number] for number in range(len(images))]


@contextmanager
def load_predictor(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int = 0,
                   garments: Garments = GARMENTS) -> Iterator[GarmentPredictor]:
    """Yields a predictor; the end of the `with` block closes its networks. If one of them needs TensorFlow,
    `graph_mode` was called.

    Args:
        models: one network, or several whose heat maps and probabilities of types are averaged.
        tag: the type that they are to serve, or JOINT for every type.
        config: how pictures go through them.
        threads: threads of each network; 0: one for each core.
        garments: the table that the tag is of.

    Raises InputError for a file that does not serve the tag.
    """
    with open_networks(models, tag, config, threads, garments) as networks:
        turn = Lock()
        telling = [(network, model.trained_hw) for network, model in zip(networks, models) if network.types]
        tellers = [_teller(in_turn(network.look, turn), input_hw) for network, input_hw in telling]
        yield GarmentPredictor(predictors_of(networks, tag, config, turn, garments),
                               telling[0][0].types if telling else (), tellers, garments)


def _image_fault(image: object) -> str:
    """What is given in place of a picture, in words; '' for a picture."""
    if not isinstance(image, np.ndarray):
        return f'{type(image).__name__}'
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return ''
    kind = 'an empty array' if not image.size else 'an array'
    return f'{kind} of {image.dtype}, {image.shape}'


def _teller(look: Callable, input_hw: Tuple[int, int]) -> TypeTeller:
    return lambda images: type_probabilities(look, images, input_hw)


def _finding(garment: Garment, probabilities: Mapping[str, float], prediction: Prediction,
             image_hw: Tuple[int, int]) -> GarmentPrediction:
    assert prediction.heatmaps is not None, 'predictors keep their canvas'
    scores = np.where(prediction.valid, responses(prediction.scores.astype(np.float64)), 0)
    sure = not probabilities or probabilities[garment.name] >= SURE
    return GarmentPrediction(garment, probabilities, sure, prediction.points_xy, scores, prediction.valid, image_hw,
                   prediction.heatmaps)
