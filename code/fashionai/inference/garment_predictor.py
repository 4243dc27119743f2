"""Predicts garments in pictures: the type if it is not given, the keypoints, and for each keypoint a score and whether
it is visible.

Letters: K keypoints in the garment's channel order, T garment types, G the side of the canvas' grid.
"""
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.engines.network import Description, Network
from fashionai.errors import InputError
from fashionai.garments.boxes import Box
from fashionai.garments.measurements import Points
from fashionai.garments.planes import Plane
from fashionai.garments.table import AUTO, GARMENTS, Garment, Garments
from fashionai.images.crops import Crop
from fashionai.images.geometry import invert, warp_image
from fashionai.images.scale import ScaleObject, find_plane
from fashionai.inference.canvas import canvas_map, responses
from fashionai.inference.config import InferenceConfig
from fashionai.inference.loading import in_turn, open_networks, predictors_of
from fashionai.inference.predictor import KeypointPrediction
from fashionai.inference.scoring import HEIGHT, HEIGHTS, PROBABILITY, Scoring, scoring_of
from fashionai.inference.second_pass import AnyPredictor
from fashionai.inference.whole_pictures import described
from fashionai.model_files.model_file import ModelFile
from fashionai.networks.tensor_names import VISIBILITY

LOW = 0.5
"""A person should check a point with a lower score: it is more likely to be away from its place than near it. Heights
of peaks have the same limit: of the points below it, about half are near their place."""

_NOTHING = Description(None, None)

TOGETHER = 8
"""By default, so many images go through the networks at a time. Each takes about 60 MB while it is computed."""

Describe = Callable[[Sequence[np.ndarray]], Description]
"""A function from N images (h, w, 3) uint8 BGR to what a network says of each as a whole."""


@dataclass(frozen=True, eq=False)
class GarmentPrediction:
    """The garment that was predicted in a picture.

    Attributes:
        garment: the garment type.
        type_probabilities: by name of the type, the highest first; {} if the type was given.
        type_sure: whether the type was given, or its probability is at least Scoring.sure.
        points_xy: (K, 2) float64, in pixels of the original picture, inside it.
        scores: (K,) float64, 0 to 1. With a calibration, the probability that the point lies within a tenth of the
            normaliser (the garment's width) of its true place, if the type is right and the garment has such a point.
            Without one, `heights`.
        found: (K,) bool, False if the heat map has no proper peak, or only a low peak on the picture's border. A
            waistline that was not found, and the hemline of a dress, is placed by the mean shape; any other point
            is at the maximum of its heat map.
        image_hw: (height, width) of the picture in pixels.
        heatmaps: (K, G, G) float32, the canvas from which the points were decoded, as sigmoids. It covers `seen_hw`.
        peaks: (K,) float64, `heights` if the scores are calibrated, else None.
        visibility: (K, 3) float64, the probabilities of tensor_names.VISIBILITY for each point; None if the network
            does not tell them.
        crop: the part of the picture that the networks saw; None: all of it.
        plane: the plane of the garment, or why it is not known; None if nobody looked for it.
    """

    garment: Garment
    type_probabilities: Mapping[str, float]
    type_sure: bool
    points_xy: np.ndarray
    scores: np.ndarray
    found: np.ndarray
    image_hw: Tuple[int, int]
    heatmaps: np.ndarray = field(repr=False)
    peaks: Optional[np.ndarray] = None
    visibility: Optional[np.ndarray] = None
    crop: Optional[Crop] = None
    plane: Optional[Plane] = None

    @property
    def type(self) -> str:
        """The name of the garment type."""
        return self.garment.name

    @property
    def box(self) -> Optional[Box]:
        """The box in which the garment was predicted, in pixels of the picture; None: in the whole picture."""
        return self.crop.box if self.crop else None

    @property
    def seen_hw(self) -> Tuple[int, int]:
        """(height, width) of what the networks saw: the picture, or its part `crop`."""
        return self.crop.size_hw if self.crop else self.image_hw

    def moved(self, crop: Crop, image_hw: Tuple[int, int]) -> 'GarmentPrediction':
        """Returns the prediction of a part of a picture of (height, width), in the frame of the whole picture."""
        if crop.box is None:
            return self
        return replace(self, points_xy=crop.moved(self.points_xy), image_hw=image_hw, crop=crop)

    @property
    def keypoints(self) -> Tuple[str, ...]:
        """The names of the K points."""
        return self.garment.keypoints

    @property
    def heights(self) -> np.ndarray:
        """(K,) float64, 0 to 1: the network's response at each point as a share of the Gaussian that it was trained to
        give there; 0 for points that were not found."""
        return self.scores if self.peaks is None else self.peaks

    @property
    def score_kind(self) -> str:
        """What the scores are: PROBABILITY or HEIGHT."""
        return HEIGHT if self.peaks is None else PROBABILITY

    @property
    def states(self) -> Sequence[Optional[str]]:
        """The most probable state of each point, one of tensor_names.VISIBILITY; None if the network does not tell
        it."""
        if self.visibility is None:
            return (None,) * len(self.keypoints)
        return tuple(VISIBILITY[state] for state in self.visibility.argmax(axis=1))

    @property
    def labels(self) -> np.ndarray:
        """(K,) int: the state of each point as labels have it, 1 visible, 0 occluded, -1 absent; 1 if the network does
        not tell it."""
        return np.array([VISIBLE if state is None else VISIBILITY.index(state) + ABSENT for state in self.states])

    def responses_over(self, names: Sequence[str] = ()) -> np.ndarray:
        """Returns (h, w) float32 over the picture: the highest response, 0 to 1, of the heat maps of the named
        keypoints; without names, of all keypoints."""
        chosen = [self.keypoints.index(name) for name in names or self.keypoints]
        highest = responses(self.heatmaps[chosen].max(axis=0)).astype(np.float32)
        seen = warp_image(invert(canvas_map(self.seen_hw, highest.shape[0])), highest, self.seen_hw)
        if self.crop is None:
            return seen
        whole = np.zeros(self.image_hw, np.float32)
        whole[self.crop.area] = seen
        return whole


def points_of(prediction: GarmentPrediction) -> Points:
    """Returns the points of a prediction, as the measurements take them."""
    return Points(prediction.garment, prediction.points_xy, prediction.scores, prediction.found, prediction.plane)


def in_planes(predictions: Sequence[GarmentPrediction], images: Sequence[np.ndarray],
              scale: Optional[ScaleObject]) -> List[GarmentPrediction]:
    """Returns predictions with the planes that an object in their pictures (h, w, 3) uint8 BGR shows; without an
    object, as they are. A picture that is given several times is searched once."""
    if scale is None:
        return list(predictions)
    planes = {number: find_plane(image, scale) for number, image in {id(image): image for image in images}.items()}
    return [replace(prediction, plane=planes[id(image)]) for prediction, image in zip(predictions, images)]


class GarmentPredictor:
    """Predicts the garments in pictures with networks that are open. Several threads may use it.

    Args:
        predictors: of the keypoints, by type.
        types, garments: see below.
        describe: functions of the networks that say something of whole pictures; what they say is averaged.
        scoring: how answers become scores.
        seen: the keypoints whose visibility the functions tell, in order; () if they do not.

    Attributes:
        types: the types that AUTO chooses from; () if the networks cannot predict the type.
        garments: the table of the types.
    """

    def __init__(self, predictors: Mapping[str, AnyPredictor], types: Sequence[str], describe: Sequence[Describe],
                 garments: Garments = GARMENTS, scoring: Scoring = HEIGHTS, seen: Sequence[str] = ()) -> None:
        self._predictors, self._describe, self.types = predictors, describe, tuple(types)
        self.garments, self._scoring, self._seen = garments, scoring, tuple(seen)

    @property
    def tells_visibility(self) -> bool:
        """Whether predictions have `visibility`."""
        return bool(self._seen)

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
        check_images(images)
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
        wholes = iter(self.describe([image for image, tag in zip(images, tags) if tag == AUTO or self._seen]))
        descriptions = [next(wholes) if tag == AUTO or self._seen else _NOTHING for tag in tags]
        probabilities = [self.type_shares(whole) if tag == AUTO else {} for whole, tag in zip(descriptions, tags)]
        types = [next(iter(shares), tag) for shares, tag in zip(probabilities, tags)]
        predictions = self._predict_keypoints(images, types)
        return [self._prediction(self.garments[name], shares, whole, prediction, image.shape[:2])
                for name, shares, whole, prediction, image in
                zip(types, probabilities, descriptions, predictions, images)]

    def describe(self, images: Sequence[np.ndarray]) -> Sequence[Description]:
        """Returns what the networks say of each image (h, w, 3) uint8 BGR as a whole: the probabilities (T,) of
        `types`, and the visibility (K', 3) of `seen`; None for what they do not say."""
        if not images:
            return ()
        found = [describe(images) for describe in self._describe]
        types = np.mean([one.types for one in found], axis=0) if self.types else None
        visibility = np.mean([one.visibility for one in found], axis=0) if self._seen else None
        return [Description(None if types is None else types[number],
                            None if visibility is None else visibility[number]) for number in range(len(images))]

    def type_shares(self, whole: Description) -> Dict[str, float]:
        """Returns the probabilities of the types by name, the highest first: those that `describe` gave for an image.
        The networks must predict the type."""
        assert whole.types is not None, 'a tag is AUTO only if the networks predict the type'
        return {self.types[number]: float(whole.types[number]) for number in np.argsort(-whole.types, kind='stable')}

    def _prediction(self, garment: Garment, shares: Mapping[str, float], whole: Description,
                    found: KeypointPrediction, image_hw: Tuple[int, int]) -> GarmentPrediction:
        assert found.heatmaps is not None, 'predictors keep their canvas'
        heights = np.where(found.valid, responses(found.scores.astype(np.float64)), 0)
        scores = self._scoring.scores(heights, found.heatmaps, found.points_xy, image_hw)
        sure = not shares or shares[garment.name] >= self._scoring.sure
        seen = (None if whole.visibility is None else
                whole.visibility[[self._seen.index(name) for name in garment.keypoints]])
        return GarmentPrediction(garment, shares, sure, found.points_xy, scores, found.valid, image_hw, found.heatmaps,
                                 heights if self._scoring.curve else None, seen)

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
        typed = [(network, model) for network, model in zip(networks, models) if network.types]
        seeing = config.visibility and _all_see(networks)
        describing = list(zip(networks, models)) if seeing and not typed else typed
        seeing = seeing and len(describing) == len(networks)
        yield GarmentPredictor(predictors_of(networks, tag, config, turn, garments), typed[0][0].types if typed else (),
                               [_describe(network, model, turn, seeing) for network, model in describing], garments,
                               scoring_of(models, config.preset),
                               networks[0].garment.keypoints if seeing else ())


def check_images(images: Sequence[np.ndarray]) -> None:
    """Raises InputError if an image is not (h, w, 3) uint8."""
    for number, image in enumerate(images, 1):
        fault = _image_fault(image)
        if fault:
            raise InputError(f'picture {number} of {len(images)}: found {fault}, wanted an array of uint8, '
                             '(height, width, 3), of blue, green and red from 0 to 255')


def _image_fault(image: object) -> str:
    """Returns in words what is given in place of a picture; '' for a picture."""
    if not isinstance(image, np.ndarray):
        return f'{type(image).__name__}'
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size:
        return ''
    kind = 'an empty array' if not image.size else 'an array'
    return f'{kind} of {image.dtype}, {image.shape}'


def _all_see(networks: Sequence[Network]) -> bool:
    """Returns whether all networks tell the visibility of the same keypoints."""
    return all(network.tells_visibility and network.garment == networks[0].garment for network in networks)


def _describe(network: Network, model: ModelFile, turn: Lock, visibility: bool) -> Describe:
    """Returns the function of a network that says something of whole pictures: calibrated types, and visibility."""
    describe = in_turn(lambda images: network.describe(images, visibility), turn)
    calibration = model.contract.calibration.types if model.contract and model.contract.calibration else None

    def calibrated(images: Sequence[np.ndarray]) -> Description:
        found = described(describe, images, model.trained_hw, network.garment)
        if found.types is None or calibration is None:
            return found
        return replace(found, types=calibration.tempered(found.types))
    return calibrated
