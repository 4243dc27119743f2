"""Predicts garments in pictures: the type if it is not given, the keypoints, and a score for each keypoint.

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
from fashionai.inference.loading import InferenceConfig, in_turn, open_networks, predictors_of
from fashionai.inference.predictor import KeypointPrediction
from fashionai.inference.second_pass import AnyPredictor
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import TypedForward

LOW = 0.5
"""A person should check a point with a lower score. On photographs that the network had not seen, half of such
points were within a tenth of the garment's width of their true place, and nine in ten of all other points."""

TOGETHER = 8
"""By default, so many images go through the networks at a time. Each takes about 60 MB while it is computed."""

TypePredictor = Callable[[Sequence[np.ndarray]], np.ndarray]
"""A function from N images (h, w, 3) uint8 BGR to the probabilities (N, T) of the garment types."""


@dataclass(frozen=True, eq=False)
class GarmentPrediction:
    """The garment that was predicted in a picture.

    Attributes:
        garment: the garment type.
        type_probabilities: by name of the type, the highest first; {} if the type was given.
        type_sure: whether the type was given, or its probability is at least garment_types.SURE.
        points_xy: (K, 2) float64, in pixels of the original picture, inside it.
        scores: (K,) float64, 0 to 1, the network's response at each point as a share of the Gaussian that it was
            trained to give there; 0 for points that were not found. A higher score means that the point is likely to
            be nearer to its true place. It is not a probability.
        found: (K,) bool, False if the heat map has no proper peak, or only a low peak on the picture's border. A
            waistline that was not found, and the hemline of a dress, is placed by the mean shape; any other point
            is at the maximum of its heat map.
        image_hw: (height, width) of the picture in pixels.
        heatmaps: (K, G, G) float32, the canvas from which the points were decoded, as sigmoids.
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
        """Returns (h, w) float32 over the picture: the highest response, 0 to 1, of the heat maps of the named
        keypoints; without names, of all keypoints."""
        chosen = [self.keypoints.index(name) for name in names or self.keypoints]
        highest = responses(self.heatmaps[chosen].max(axis=0)).astype(np.float32)
        return warp_image(invert(canvas_map(self.image_hw, highest.shape[0])), highest, self.image_hw)


def points_of(prediction: GarmentPrediction) -> Points:
    """Returns the points of a prediction, as the measurements take them."""
    return Points(prediction.garment, prediction.points_xy, prediction.scores, prediction.found)


class GarmentPredictor:
    """Predicts the garments in pictures with networks that are open. Several threads may use it.

    Attributes:
        types: the types that AUTO chooses from; () if the networks cannot predict the type.
        garments: the table of the types.
    """

    def __init__(self, predictors: Mapping[str, AnyPredictor], types: Sequence[str],
                 type_predictors: Sequence[TypePredictor], garments: Garments = GARMENTS) -> None:
        self._predictors, self._type_predictors, self.types = predictors, type_predictors, tuple(types)
        self.garments = garments

    @property
    def served(self) -> Mapping[str, Garment]:
        """The garment types that can be predicted, by name."""
        return {name: self.garments[name] for name in self._predictors}

    def predict(self, images: Sequence[np.ndarray], tags: Sequence[str],
                together: int = TOGETHER) -> List[GarmentPrediction]:
        """Returns the garment of each image.

        Args:
            images: (h, w, 3) uint8 BGR, of any sizes and any number.
            tags: a tag for each image: its type, or AUTO.
            together: so many images at most go through the networks at a time, which bounds the memory. The prediction
                of each image takes about 1 MB.

        Raises InputError, before anything is computed, if an image is no such array, if the number of tags differs, if
        the networks do not serve a type, or if a tag is AUTO and the networks cannot predict the type.
        """
        self._check(images, tags)
        return [prediction for start in range(0, len(images), together)
                for prediction in self._predict_batch(images[start:start + together], tags[start:start + together])]

    def _check(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> None:
        for number, image in enumerate(images, 1):
            fault = _image_fault(image)
            if fault:
                raise InputError(f'picture {number} of {len(images)}: found {fault}, wanted an array of uint8, '
                                 '(height, width, 3), of blue, green and red from 0 to 255')
        if isinstance(tags, str) or len(tags) != len(images):
            raise InputError(f'found {repr(tags) if isinstance(tags, str) else len(tags)} as tags of {len(images)} '
                             f'pictures: wanted a list of as many tags, each a type or {AUTO!r}')
        if AUTO in tags and not self.types:
            raise InputError('the network cannot predict the garment type: give the type, or use a network that was '
                             'trained with --tag all --type-head along')
        self._check_served([tag for tag in tags if tag != AUTO])

    def _check_served(self, types: Sequence[str]) -> None:
        unknown = [name for name in types if name not in self._predictors]
        if unknown:
            raise InputError(f'the networks do not serve the type {unknown[0]!r}: wanted one of '
                             f'{", ".join(self._predictors)}')

    def _predict_batch(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[GarmentPrediction]:
        """Returns the garment of each image. All images go through the networks together."""
        predicted_types = self._predict_types([image for image, tag in zip(images, tags) if tag == AUTO])
        probabilities = [next(predicted_types) if tag == AUTO else {} for tag in tags]
        types = [next(iter(shares), tag) for shares, tag in zip(probabilities, tags)]
        predictions = self._predict_keypoints(images, types)
        return [_garment_prediction(self.garments[name], shares, prediction, image.shape[:2])
                for name, shares, prediction, image in zip(types, probabilities, predictions, images)]

    def _predict_types(self, images: Sequence[np.ndarray]) -> Iterator[Dict[str, float]]:
        """Returns the probabilities of the types of each image, the highest first."""
        if not images:
            return iter(())
        shares = np.mean([type_predictor(images) for type_predictor in self._type_predictors], axis=0)
        return iter([{self.types[number]: float(row[number]) for number in np.argsort(-row, kind='stable')}
                     for row in shares])

    def _predict_keypoints(self, images: Sequence[np.ndarray], types: Sequence[str]) -> List[KeypointPrediction]:
        """Returns the keypoints of each image. Images of one type go through the networks together."""
        self._check_served(types)
        predictions: Dict[int, KeypointPrediction] = {}
        for name in dict.fromkeys(types):
            numbers = [number for number, other in enumerate(types) if other == name]
            predictions.update(zip(numbers, self._predictors[name].predict([images[number] for number in numbers])))
        return [predictions[number] for number in range(len(images))]


@contextmanager
def load_predictor(models: Sequence[ModelFile], tag: str, config: InferenceConfig, threads: int = 0,
                   garments: Garments = GARMENTS) -> Iterator[GarmentPredictor]:
    """Loads networks and yields a predictor that uses them; leaving the `with` block closes them. If a network needs
    TensorFlow, call `graph_mode` before.

    Args:
        models: one network, or several, whose heat maps and type probabilities are averaged.
        tag: the type that they should serve; JOINT: every type.
        config: how images go through the networks.
        threads: of each network; 0: one for each core.
        garments: the table of types that has the tag.

    Raises InputError, which names the file, if a network does not serve the tag.
    """
    with open_networks(models, tag, config, threads, garments) as networks:
        turn = Lock()
        with_types = [(network, model.trained_hw) for network, model in zip(networks, models) if network.types]
        type_predictors = [_type_predictor(in_turn(network.predict_with_types, turn), input_hw)
                           for network, input_hw in with_types]
        yield GarmentPredictor(predictors_of(networks, tag, config, turn, garments),
                               with_types[0][0].types if with_types else (), type_predictors, garments)


def _image_fault(image: object) -> str:
    """Returns in words what is given in place of a picture; '' for a picture."""
    if not isinstance(image, np.ndarray):
        return f'{type(image).__name__}'
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return ''
    kind = 'an empty array' if not image.size else 'an array'
    return f'{kind} of {image.dtype}, {image.shape}'


def _type_predictor(predict_with_types: TypedForward, input_hw: Tuple[int, int]) -> TypePredictor:
    return lambda images: type_probabilities(predict_with_types, images, input_hw)


def _garment_prediction(garment: Garment, probabilities: Mapping[str, float], prediction: KeypointPrediction,
                        image_hw: Tuple[int, int]) -> GarmentPrediction:
    assert prediction.heatmaps is not None, 'predictors keep their canvas'
    scores = np.where(prediction.valid, responses(prediction.scores.astype(np.float64)), 0)
    sure = not probabilities or probabilities[garment.name] >= SURE
    return GarmentPrediction(garment, probabilities, sure, prediction.points_xy, scores, prediction.valid, image_hw,
                             prediction.heatmaps)
