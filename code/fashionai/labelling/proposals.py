"""What a network proposes for a garment of a project: its type, its points, and how much there is to doubt.

Letters: K keypoints in the garment's channel order; points (x, y) in pixels of the upright picture.
"""
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import cv2
import numpy as np

from fashionai.garments.boxes import Box
from fashionai.garments.shapes import has_shape, mean_shape, shape_of
from fashionai.garments.table import Garment, Garments
from fashionai.images.crops import crop_around
from fashionai.images.geometry import similarity, transform_points
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor

NO_NETWORK = 'none'
"""The name of the model of a project whose types no network finds."""

_LOOK_CELLS = 6
"""The side of the small copy of a garment by which pictures that look alike are known."""

LOOK_VALUES = _LOOK_CELLS ** 2 * 3
"""The number of values of such a copy."""


@dataclass(frozen=True)
class Doubt:
    """Signs that the points of a proposal are wrong, each from 0 on; a larger number is a worse sign.

    Attributes:
        scores: mean of 1 - score; a point that was not found counts 1.
        mirror: mean distance between the points of the picture and those of its mirror image, as a share of the
            garment's size.
        presets: the same between the preset and one pass.
        shape: how unusual the shape is, in standard deviations beyond 2; 0 for types without statistics.
        type: 1 - the probability of the type; 0 if a person chose it.
    """

    scores: float = 0
    mirror: float = 0
    presets: float = 0
    shape: float = 0
    type: float = 0


@dataclass(frozen=True)
class Proposal:
    """What a network proposes. It is kept as JSON.

    Attributes:
        type: the garment type; None if no network knows it.
        type_probabilities: by name, the highest first; {} if a person chose the type, or no network knows it.
        points: (x, y, score, found) by keypoint; {} if no network finds the type.
        doubt: signs that it is wrong.
        look: small copy of the garment, to compare pictures by: `_LOOK_CELLS` rows of as many BGR pixels.
        fault: why the picture cannot be read; '' if it can.
    """

    type: Optional[str] = None
    type_probabilities: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[str, Tuple[float, float, float, bool]] = field(default_factory=dict)
    doubt: Doubt = Doubt()
    look: Sequence[int] = ()
    fault: str = ''

    def to_json(self) -> Dict[str, Any]:
        """Returns values for JSON."""
        return {**asdict(self), 'points': {name: list(point) for name, point in self.points.items()}}


class Proposer:
    """Proposes garments with networks that are open. Several threads may use it.

    Attributes:
        model: the name of what proposes.
        types: the types of the project that it finds.
    """

    def __init__(self, garments: Garments, model: str, predictor: Optional[GarmentPredictor] = None,
                 quick: Optional[GarmentPredictor] = None) -> None:
        """Keeps the networks.

        Args:
            garments: the table of the project.
            model: the name of the networks and of how they are used.
            predictor: makes the proposals; None: no network finds a type of the project.
            quick: makes one pass with the same networks, to compare with; None: `predictor` does.
        """
        self.model = model
        self.types = shared_types(predictor.served, garments) if predictor else ()
        self._garments, self._predictor, self._quick = garments, predictor, quick or predictor

    def propose(self, image: np.ndarray, tag: Optional[str], box: Optional[Box]) -> Proposal:
        """Returns the proposal for a garment.

        Args:
            image: (h, w, 3) uint8 BGR, the upright picture.
            tag: the type that a person chose, or None.
            box: where the garment is, or None for the whole picture.
        """
        crop = crop_around(box, image.shape[:2])
        part = crop.of(image)
        shares = {} if tag else self._type_shares(part)
        name = tag or next(iter(shares), next(iter(self._garments)) if len(self._garments) == 1 else None)
        if name not in self.types:
            return Proposal(name, look=look_of(part))
        assert self._predictor and self._quick and name
        prediction = self._predictor.predict([part], [name])[0]
        doubt = self._doubt(part, prediction, shares)
        points = {keypoint: (round(x, 2), round(y, 2), round(score, 4), bool(found))
                  for keypoint, (x, y), score, found in zip(
                      prediction.keypoints, crop.moved(prediction.points_xy).tolist(), prediction.scores.tolist(),
                      prediction.found)}
        return Proposal(name, shares, points, doubt, look_of(part))

    def _type_shares(self, image: np.ndarray) -> Dict[str, float]:
        """Returns the probabilities of the types of the project, the highest first; {} if no network predicts them."""
        if self._quick is None or not set(self.types) & set(self._quick.types):
            return {}
        shares = self._quick.type_shares(self._quick.describe([image])[0])
        return {name: round(share, 4) for name, share in shares.items() if name in self.types}

    def _doubt(self, image: np.ndarray, prediction: GarmentPrediction, shares: Mapping[str, float]) -> Doubt:
        assert self._quick
        once, mirrored = self._quick.predict([image, np.ascontiguousarray(image[:, ::-1])], [prediction.type] * 2)
        back = mirrored.points_xy[prediction.garment.mirror_indices] * (-1, 1) + (image.shape[1] - 1, 0)
        size = _size(prediction.points_xy)
        return Doubt(
            scores=_rounded(np.mean(1 - prediction.scores)),
            mirror=_rounded(_distance(once.points_xy, back) / size),
            presets=_rounded(_distance(once.points_xy, prediction.points_xy) / size),
            shape=_rounded(unusual(prediction.garment, prediction.points_xy)),
            type=_rounded(1 - shares[prediction.type]) if shares else 0)


def shared_types(served: Mapping[str, Garment], garments: Garments) -> Tuple[str, ...]:
    """Returns the types of a table that networks find which serve these types: those of the same name and keypoints."""
    return tuple(name for name, garment in garments.items()
                 if name in served and set(served[name].keypoints) == set(garment.keypoints))


def look_of(image: np.ndarray) -> List[int]:
    """Returns the small copy of a picture by which those that look alike are known."""
    small = cv2.resize(image, (_LOOK_CELLS, _LOOK_CELLS), interpolation=cv2.INTER_AREA)
    return [int(value) for value in small.reshape(-1)]


def unusual(garment: Garment, points_xy: np.ndarray) -> float:
    """Returns how unusual a shape is: the root mean square of its principal components, in standard deviations, beyond
    2; 0 for types without statistics, and if the points have no extent."""
    if not has_shape(garment):
        return 0
    shape = shape_of(garment.name)
    order = [garment.keypoints.index(name) for name in shape.keypoints]
    upright = similarity(points_xy[order], mean_shape(garment)[order])
    if upright is None:
        return 0
    offsets = (transform_points(upright, points_xy[order]) - shape.mean_xy).reshape(-1)
    parts = shape.components.reshape(len(shape.std), -1) @ offsets / shape.std
    return max(0., float(np.sqrt(np.mean(parts ** 2))) - 2)


def _size(points_xy: np.ndarray) -> float:
    """Returns the size of a garment in pixels: the diagonal of the box of its points, at least one pixel."""
    return max(1., float(np.hypot(*np.ptp(points_xy, axis=0))))


def _distance(points_xy: np.ndarray, others_xy: np.ndarray) -> float:
    return float(np.hypot(*(points_xy - others_xy).T).mean())


def _rounded(value: float) -> float:
    return round(float(value), 4)
