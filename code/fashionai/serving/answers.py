"""The answers of the service as JSON: on a picture, on its networks, on itself. They are the schemas of the API."""
import base64
from dataclasses import asdict
from typing import Any, Dict, List, Optional, Sequence, Tuple

import cv2
import numpy as np
from pydantic import BaseModel, Field

from fashionai.garments.contradictions import CLEARLY, limits_of
from fashionai.garments.measurements import lengths_of
from fashionai.garments.outlines import outline
from fashionai.garments.table import Garment
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.canvas import canvas_map, image_area, responses
from fashionai.inference.garment_predictor import LOW, GarmentPrediction, GarmentPredictor
from fashionai.model_files.model_file import ModelFile
from fashionai.serving.limits import Limits


class Fault(BaseModel):
    """The reason why a request was refused."""

    detail: str


class Size(BaseModel):
    """The size of an upright picture in pixels."""

    width: int
    height: int


class Keypoint(BaseModel):
    """A point in pixels of the upright picture; (0, 0) is the centre of its first pixel. `score`: see `score_kind` of
    the answer. `peak`: the height of the heat map at the point, 0 to 1. `found` is false if the place is only a guess.
    `visibility`: visible, occluded or absent; null if the network does not tell it."""

    x: float
    y: float
    score: float
    peak: float
    found: bool
    visibility: Optional[str]


class Length(BaseModel):
    """A length in the picture, and the lowest score of its points; null if one of the points was not found. `doubtful`
    says why the length may be wrong, because other lengths of the garment contradict it; null if none does."""

    pixels: Optional[float]
    cm: Optional[float]
    score: Optional[float]
    doubtful: Optional[str]


class Heatmaps(BaseModel):
    """The heat maps: one grey PNG as a data URI, with a tile for each keypoint, one below another in the order of the
    keypoints. White is a full response. `box`: left, top, width and height of a tile on the picture, in its pixels."""

    image: str
    box: Tuple[float, float, float, float]


class Answer(BaseModel):
    """A garment in a picture. `box`: left, top, width and height of the box of the request in which it was found, null
    for the whole picture. `type_probabilities` has all types; it is {} if the type was given. `score_kind`:
    `probability`, scores are the probability that a point lies within a tenth of the garment's width of its place; or
    `height`, they are the heights of the heat maps."""

    box: Optional[Tuple[float, float, float, float]] = None
    type: str
    type_sure: bool
    type_probabilities: Dict[str, float]
    size: Size
    score_kind: str
    keypoints: Dict[str, Keypoint]
    cm_per_pixel: Optional[float]
    scale_fault: Optional[str] = Field(None, description='why the object of `scale` gives no centimetres')
    measurements: Dict[str, Length]
    heatmaps: Optional[Heatmaps] = None
    model: str
    seconds: float = Field(description='time from the arrival of the picture to the answer')


class Garments(BaseModel):
    """The garments in a picture, in the order of the boxes of the request."""

    garments: List[Answer]


class PictureAnswer(BaseModel):
    """What became of one picture of a form: the name of its file; the status that it would have alone; the answer, or
    the reason why there is none."""

    name: str
    status: int
    answer: Optional[Answer] = None
    detail: Optional[str] = None


class Answers(BaseModel):
    """The pictures of a form, in their order."""

    pictures: List[PictureAnswer]


class GarmentCard(BaseModel):
    """A garment type: keypoints in the order of heat maps, limbs between them as in training, the lines of the outline
    that people are shown, and lengths by name. A length has one path or two: `a > b` leads from keypoint to keypoint,
    `a + b` is the middle of two. `side_limits`: the maximum ratio of the longer to the shorter side of a length.
    `pair_limits`: two lengths, and the minimum and the maximum ratio of the first to the second."""

    keypoints: List[str]
    limbs: List[Tuple[str, str]]
    outline: List[Tuple[str, str]]
    lengths: Dict[str, List[str]]
    side_limits: Dict[str, float]
    pair_limits: List[Tuple[str, str, float, float]]


class Card(BaseModel):
    """The networks with their contracts, the types that they serve, and the limits of the service."""

    model: str
    contracts: List[Dict[str, Any]]
    types: Dict[str, GarmentCard]
    told_types: List[str] = Field(description='the types that tag=auto chooses from; empty if the networks cannot '
                                              'predict the type')
    csv_keypoints: List[str]
    low_score: float = Field(description='a person should check a point with a lower score')
    clearly: float = Field(description='the minimum difference of scores that decides between two lengths')
    limits: Dict[str, float]


class Health(BaseModel):
    """The service is up. `busy_with`: the number of pictures that it is working on."""

    status: str
    busy_with: int


class Ready(BaseModel):
    """The service accepts requests."""

    status: str


def card_of(models: Sequence[ModelFile], predictor: GarmentPredictor, limits: Limits) -> Card:
    """Returns the card of a service that uses these networks."""
    return Card(model='+'.join(model.name for model in models),
                contracts=[model.contract.to_json() for model in models if model.contract],
                types={name: _garment_card(garment) for name, garment in predictor.served.items()},
                told_types=list(predictor.types), csv_keypoints=list(predictor.garments.csv_keypoints), low_score=LOW,
                clearly=CLEARLY, limits=asdict(limits))


def heatmaps_of(prediction: GarmentPrediction) -> Heatmaps:
    """Returns the heat maps of a prediction without the padding of the canvas, in the frame of the picture."""
    grid = prediction.heatmaps.shape[1]
    rows, columns = image_area(prediction.seen_hw, grid)
    tiles = responses(prediction.heatmaps[:, rows, columns])
    corners = np.array([[columns.start, rows.start], [columns.stop, rows.stop]]) - 0.5
    seen = transform_points(invert(canvas_map(prediction.seen_hw, grid)), corners)
    (left, top), (right, bottom) = (prediction.crop.moved(seen) if prediction.crop else seen).tolist()
    _, png = cv2.imencode('.png', np.rint(tiles.reshape(-1, tiles.shape[2]) * 255).astype(np.uint8))
    return Heatmaps(image='data:image/png;base64,' + base64.b64encode(png.tobytes()).decode('ascii'),
                    box=(left, top, right - left, bottom - top))


def _garment_card(garment: Garment) -> GarmentCard:
    allowed = limits_of(garment)
    return GarmentCard(keypoints=list(garment.keypoints), limbs=list(garment.limbs), outline=list(outline(garment)),
                       lengths={name: list(paths) for name, paths in lengths_of(garment).items()},
                       side_limits=dict(allowed.sides), pair_limits=list(allowed.pairs))
