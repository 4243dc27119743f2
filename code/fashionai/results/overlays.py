"""Draws predictions over their pictures, for people. Colours are BGR."""
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Set, Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.garments.measurements import measure
from fashionai.images.drawing import draw_keypoints, keypoint_colour, write_picture
from fashionai.images.sources import Picture
from fashionai.inference.garment_predictor import LOW, GarmentPrediction, points_of

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PAPER = (255, 255, 255)
_DOUBT = (80, 200, 255)
_BEHIND_TEXT = 0.4
"""Behind text, the picture has this share of its brightness."""

_YELLOW = 190
"""In OpenCV's colours from black over red to white, this is the level of yellow."""

_SHOWN = 0.75
"""The share of the colour of a full response; the picture is dimmed by the same factor."""


class Overlays:
    """Draws predictions into a folder. The name of a drawing is that of its picture; no drawing overwrites another, or
    one of `kept`, which are the pictures themselves.

    Raises OSError if the folder cannot be made.
    """

    def __init__(self, folder: Path, kept: Iterable[str], with_heatmaps: bool, with_doubts: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)  # fails now, not after the first batch
        self._folder, self._with_heatmaps, self._with_doubts = folder, with_heatmaps, with_doubts
        self._taken: Set[Path] = {Path(path).resolve() for path in kept}

    def draw(self, name: str, frame: Optional[int], image: np.ndarray,
             predictions: Sequence[GarmentPrediction]) -> Path:
        """Draws the garments of a picture over it, (h, w, 3) uint8, and returns the drawing's file.

        The file is `shop/7.jpg` for a picture named `shop/7.png`, and `shop/7_000012.jpg` for frame 12 of the video
        `shop/7.mp4`.

        Raises OSError or InputError if the file cannot be written.
        """
        path = self._taken_for(name, frame)
        write_picture(path, draw_garments(image, predictions, self._with_heatmaps, self._with_doubts))
        return path

    def pass_over(self, picture: Picture) -> None:
        """Reserves the name of the drawing of a picture that an earlier run has drawn."""
        self._taken_for(picture.source.name, picture.frame)

    def _taken_for(self, name: str, frame: Optional[int]) -> Path:
        place = (self._folder / name).resolve()
        stem = place.stem if frame is None else f'{place.stem}_{frame:06d}'
        path, copy = place.with_name(f'{stem}.jpg'), 1
        while path in self._taken:
            copy += 1
            path = place.with_name(f'{stem}_{copy}.jpg')
        self._taken.add(path)
        return path


def draw_prediction(image: np.ndarray, prediction: GarmentPrediction, with_heatmaps: bool = False,
                 with_doubts: bool = False) -> np.ndarray:
    """Returns a copy of the picture (h, w, 3) with one garment; see `draw_garments`."""
    return draw_garments(image, [prediction], with_heatmaps, with_doubts)


def draw_garments(image: np.ndarray, predictions: Sequence[GarmentPrediction], with_heatmaps: bool = False,
                  with_doubts: bool = False) -> np.ndarray:
    """Returns a copy of the picture (h, w, 3) with limbs, keypoints and their names, and the type in a corner: of the
    picture, or of the garment's box, which is drawn too. Several garments are numbered from 1.

    Points with a score below LOW are rings, also those that were not found; a point that the network takes for absent
    or occluded has that behind its name. `with_heatmaps` draws over the heat maps.
    `with_doubts` writes below the type why lengths are doubtful.
    """
    picture = image.copy()
    if with_heatmaps and predictions:
        picture = draw_responses(image, np.max([one.responses_over() for one in predictions], axis=0))
    for prediction in predictions:
        keypoints = np.full((len(prediction.garment.csv_keypoints), 3), ABSENT, np.float64)
        keypoints[prediction.garment.csv_indices] = np.column_stack(
            [prediction.points_xy, np.where(prediction.scores < LOW, OCCLUDED, VISIBLE)])
        _draw_box(picture, prediction)
        picture = draw_keypoints(picture, prediction.garment, keypoints)
    labels = _Labels(picture)
    for number, prediction in enumerate(predictions, 1):
        text = type_text(prediction)
        _write_garment(labels, prediction, f'{number}: {text}' if len(predictions) > 1 else text, with_doubts)
    return picture


def _draw_box(picture: np.ndarray, prediction: GarmentPrediction) -> None:
    if prediction.box:
        left, top, width, height = prediction.box
        corners = [(int(round(x)), int(round(y))) for x, y in ((left, top), (left + width - 1, top + height - 1))]
        cv2.rectangle(picture, *corners, _PAPER, max(1, round(max(picture.shape[:2]) / 700)), cv2.LINE_AA)


def _write_garment(labels: '_Labels', prediction: GarmentPrediction, text: str, with_doubts: bool) -> None:
    """Writes a text about a garment in its corner, why lengths are doubtful, and the names of the keypoints."""
    x, y = prediction.box[:2] if prediction.box else (0, 0)
    labels.write(text, x, y, _PAPER, False)
    if with_doubts:
        lengths = measure(points_of(prediction)).values()
        for reason in dict.fromkeys(reason for length in lengths for reason in length.doubtful):
            labels.write(reason, x, y, _DOUBT, False)
    middle = prediction.points_xy[:, 0].mean()
    for name, (x, y), state in zip(prediction.keypoints, prediction.points_xy, prediction.states):
        text = name if state in (None, 'visible') else f'{name}: {state}'
        labels.write(text, x, y, keypoint_colour(name), x < middle)


def draw_responses(image: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Returns the dimmed picture (h, w, 3) under the colours of strengths (h, w): none at 0, then red, yellow at 1."""
    levels = np.clip(np.rint(_YELLOW * strengths), 0, _YELLOW).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_HOT).astype(np.float32)
    share = _SHOWN * np.clip(strengths, 0, 1)[:, :, None] ** 0.5
    return np.rint((1 - share) * _SHOWN * image + share * colours).astype(np.uint8)


def type_text(prediction: GarmentPrediction) -> str:
    """Returns the type; if the network predicted it, also its probability, and a question mark if it is unsure."""
    if not prediction.type_probabilities:
        return prediction.type
    probability = prediction.type_probabilities[prediction.type]
    return f'{prediction.type}{"" if prediction.type_sure else "?"} {probability:.2f}'


class _Labels:
    """Writes texts on a picture; no text covers another."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture, self._size = picture, max(picture.shape[:2]) / 100
        self._boxes: List[Tuple[float, float, float, float]] = []

    def write(self, text: str, x: float, y: float, colour: Tuple[int, int, int], to_left: bool) -> None:
        """Writes a text to the left or right of a point; if there is no room, below it; always below other texts."""
        scale, thickness = self._size / 13, max(1, round(self._size / 7))
        (width, height), below = cv2.getTextSize(text, _FONT, scale, thickness)
        left = x - width - 2 * self._size if to_left else x + 2 * self._size
        inside = min(max(left, 0), max(self._picture.shape[1] - width, 0))
        top = y - height / 2 if left == inside else y + 2 * self._size
        left, top = inside, min(max(top, 0), max(self._picture.shape[0] - height - below, 0))
        while any(left < right and start < left + width and top < bottom and start_y < top + height + below
                  for start, start_y, right, bottom in self._boxes):
            top += 1
        self._boxes.append((left, top, left + width, top + height + below))
        place = int(round(left)), int(round(top + height))
        rows, columns = (slice(int(start), int(start + length) + 2) for start, length in (
            (top, height + below), (left, width)))
        self._picture[rows, columns] = _BEHIND_TEXT * self._picture[rows, columns]
        cv2.putText(self._picture, text, place, _FONT, scale, colour, thickness, cv2.LINE_AA)
