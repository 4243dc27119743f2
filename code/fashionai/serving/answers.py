"""What the service says, as JSON: of a picture, of its networks, of itself. The schemas of the API's documentation."""
import base64
from dataclasses import asdict
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import cv2
import numpy as np
from pydantic import BaseModel, Field

from fashionai.garments.contradictions import CLEARLY, limits_of
from fashionai.garments.measurements import LENGTHS
from fashionai.garments.table import Garment
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.canvas import canvas_map, image_area, responses
from fashionai.inference.garment_predictor import LOW, GarmentPrediction, GarmentPredictor
from fashionai.model_files.model_file import ModelFile
from fashionai.serving.limits import Limits


class Fault(BaseModel):
    """Why a request was not served."""

    detail: str


class Size(BaseModel):
    """Of a picture, upright, in pixels."""

    width: int
    height: int


class Keypoint(BaseModel):
    """A point in pixels of the upright picture, (0, 0) the middle of its first pixel. `score`, 0 to 1, grows with how
    near the point is likely to be, and is no probability; `found` is false for a place that is only guessed."""

    x: float
    y: float
    score: float
    found: bool


class Length(BaseModel):
    """A length in the picture, and the lowest score of its points; null where one of them was not found. `doubtful`:
    why it may be wrong, since other lengths of the garment contradict it; null where none does."""

    pixels: Optional[float]
    cm: Optional[float]
    score: Optional[float]
    doubtful: Optional[str]


class Heatmaps(BaseModel):
    """Where the network answered: one grey PNG as a data URI, a tile for each keypoint, one under another in
    their order, white where the answer is full. `box`: left, top, width and height of a tile over the picture, in its
    pixels."""

    image: str
    box: Tuple[float, float, float, float]


class Answer(BaseModel):
    """The garment in a picture. `type_probabilities` are of all types, {} where the type was given."""

    type: str
    type_sure: bool
    type_probabilities: Dict[str, float]
    size: Size
    keypoints: Dict[str, Keypoint]
    cm_per_pixel: Optional[float]
    measurements: Dict[str, Length]
    heatmaps: Optional[Heatmaps] = None
    model: str
    seconds: float = Field(description='from the arrival of the picture to the answer')


class GarmentCard(BaseModel):
    """A type that is served: keypoints in the order of heat maps, limbs between them, and lengths by name, each as one
    path or two: `a > b` leads from keypoint to keypoint, `a + b` is the middle of two. `side_limits`: how many times as
    long as the other one side of a length may be. `pair_limits`: how many times the second length the first is at least
    and at most."""

    keypoints: List[str]
    limbs: List[Tuple[str, str]]
    lengths: Dict[str, List[str]]
    side_limits: Dict[str, float]
    pair_limits: List[Tuple[str, str, float, float]]


class Card(BaseModel):
    """The networks, by what their contracts say; what they serve; and what the service takes on."""

    model: str
    contracts: List[Dict[str, Any]]
    types: Dict[str, GarmentCard]
    told_types: List[str] = Field(description='the types that tag=auto chooses from; none where it is not served')
    csv_keypoints: List[str]
    low_score: float = Field(description='a point with a lower score had better be looked at')
    clearly: float = Field(description='by so much higher is a score that decides between two lengths')
    limits: Dict[str, float]


class Health(BaseModel):
    """The service is up; `busy_with` so many pictures."""

    status: str
    busy_with: int


class Ready(BaseModel):
    """The service takes requests."""

    status: str


def card_of(models: Sequence[ModelFile], finder: GarmentPredictor, limits: Limits) -> Card:
    """Returns the card of a service that uses those models."""
    return Card(model='+'.join(model.name for model in models),
                contracts=[model.contract.to_json() for model in models if model.contract],
                types={name: _garment_card(garment) for name, garment in finder.served.items()},
                told_types=list(finder.types), csv_keypoints=list(finder.garments.csv_keypoints), low_score=LOW,
                clearly=CLEARLY, limits=asdict(limits))


def heatmaps_of(finding: GarmentPrediction) -> Heatmaps:
    """The heat maps of a finding, the padding of the canvas cut off."""
    grid = finding.heatmaps.shape[1]
    rows, columns = image_area(finding.image_hw, grid)
    tiles = responses(finding.heatmaps[:, rows, columns])
    corners = np.array([[columns.start, rows.start], [columns.stop, rows.stop]]) - 0.5
    (left, top), (right, bottom) = transform_points(invert(canvas_map(finding.image_hw, grid)), corners).tolist()
    _, png = cv2.imencode('.png', np.rint(tiles.reshape(-1, tiles.shape[2]) * 255).astype(np.uint8))
    return Heatmaps(image='data:image/png;base64,' + base64.b64encode(png.tobytes()).decode('ascii'),
                    box=(left, top, right - left, bottom - top))


def _garment_card(garment: Garment) -> GarmentCard:
    lengths: Mapping[str, Sequence[str]] = LENGTHS.get(garment.name, {})
    allowed = limits_of(garment)
    return GarmentCard(keypoints=list(garment.keypoints), limbs=list(garment.limbs),
                       lengths={name: list(paths) for name, paths in lengths.items()},
                       side_limits=dict(allowed.sides), pair_limits=list(allowed.pairs))
