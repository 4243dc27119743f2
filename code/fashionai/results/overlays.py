"""Draws predictions over their pictures, for people. Colours are BGR."""
from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Set, Tuple, Union

import cv2
import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.garments.measurements import measure
from fashionai.garments.outlines import outline
from fashionai.images.drawing import dot_radius, draw_keypoints, draw_line, keypoint_colour, write_picture
from fashionai.images.label_layout import Obstacles
from fashionai.images.sources import Picture
from fashionai.inference.garment_predictor import LOW, GarmentPrediction, points_of
from fashionai.results.overlay_labels import PAPER, Heading, Label, write_labels

_DOUBT = (80, 200, 255)
_YELLOW = 190
"""In OpenCV's colours from black over red to white, this is the level of yellow."""

_SHOWN = 0.75
"""The share of the colour of a full response; the picture is dimmed by the same factor."""


class Overlays:
    """Draws predictions into a folder. The name of a drawing is that of its picture; no drawing overwrites another, or
    one of `kept`, which are the pictures themselves. `count` is the number of drawings that were written.

    Raises OSError if the folder cannot be made.
    """

    def __init__(self, folder: Path, kept: Iterable[str], with_heatmaps: bool, with_doubts: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)  # fails now, not after the first batch
        self._folder, self._with_heatmaps, self._with_doubts = folder, with_heatmaps, with_doubts
        self._taken: Set[Path] = {Path(path).resolve() for path in kept}
        self.count = 0

    def draw(self, name: str, frame: Optional[int], image: np.ndarray,
             found: Union[GarmentPrediction, Sequence[GarmentPrediction]]) -> Path:
        """Draws one garment or several over their picture (h, w, 3) uint8, and returns the drawing's file.

        The file is `shop/7.jpg` for a picture named `shop/7.png`, and `shop/7_000012.jpg` for frame 12 of the video
        `shop/7.mp4`. Drawings of frames all have the size of the video; those of pictures may have a strip of text
        below.

        Raises OSError or InputError if the file cannot be written.
        """
        path = self._taken_for(name, frame)
        write_picture(path, draw_prediction(image, found, self._with_heatmaps, self._with_doubts, frame is None))
        self.count += 1
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


def draw_prediction(image: np.ndarray, found: Union[GarmentPrediction, Sequence[GarmentPrediction]],
                    with_heatmaps: bool = False, with_doubts: bool = False, strip: bool = True) -> np.ndarray:
    """Returns a copy of the picture (h, w, 3) with the garments' outlines, their keypoints, and the names of these.
    The box of a garment is drawn too. Several garments are numbered from 1.

    Points with a score below LOW are rings, also those that were not found; a point that the network takes for absent
    or occluded has that behind its name.

    Args:
        image: (h, w, 3) uint8.
        found: one garment of the picture, or several.
        with_heatmaps: whether heat maps are drawn.
        with_doubts: whether a text says why lengths are doubtful.
        strip: whether a strip with texts is added below the picture if they have no room on it. Without it, names that
            have no room are left out.
    """
    garments = [found] if isinstance(found, GarmentPrediction) else list(found)
    picture = image.copy()
    if with_heatmaps and garments:
        picture = draw_responses(image, np.max([garment.responses_over() for garment in garments], axis=0))
    for garment in garments:
        _draw_box(picture, garment)
        picture = draw_keypoints(picture, garment.garment, _keypoints(garment))
    if not garments:
        return picture
    labels = [label for garment in garments for label in _labels(garment)]
    headings = [heading for number, garment in enumerate(garments, 1)
                for heading in _headings(garment, with_doubts, number if len(garments) > 1 else None)]
    points = np.vstack([garment.points_xy for garment in garments])
    obstacles = Obstacles(image.shape[:2], points, 1.5 * dot_radius(image.shape[:2]) + 1,
                          cv2.integral(_covered(image.shape[:2], garments)))
    return write_labels(picture, labels, headings, obstacles, strip)


def _keypoints(prediction: GarmentPrediction) -> np.ndarray:
    """Returns (C, 3) keypoints as `draw_keypoints` takes them."""
    keypoints = np.full((len(prediction.garment.csv_keypoints), 3), ABSENT, np.float64)
    keypoints[prediction.garment.csv_indices] = np.column_stack(
        [prediction.points_xy, np.where(prediction.scores < LOW, OCCLUDED, VISIBLE)])
    return keypoints


def _labels(prediction: GarmentPrediction) -> List[Label]:
    return [Label(name if state in (None, 'visible') else f'{name}: {state}', point, keypoint_colour(name))
            for name, point, state in zip(prediction.keypoints, prediction.points_xy, prediction.states)]


def _draw_box(picture: np.ndarray, prediction: GarmentPrediction) -> None:
    if prediction.box:
        left, top, width, height = prediction.box
        corners = [(int(round(x)), int(round(y))) for x, y in ((left, top), (left + width - 1, top + height - 1))]
        cv2.rectangle(picture, *corners, PAPER, max(1, round(dot_radius(picture.shape[:2]) / 7)), cv2.LINE_AA)


def _headings(prediction: GarmentPrediction, with_doubts: bool, number: Optional[int]) -> List[Heading]:
    """Returns the type, and doubts if wanted and if there are any. With a number, which is that of the garment, they
    stand at its box, or above it if it has none."""
    if prediction.box:
        corner = prediction.box[:2]
    else:
        corner = (0, 0) if number is None else tuple(prediction.points_xy.min(axis=0))
    text = type_text(prediction)
    headings = [Heading((text if number is None else f'{number}: {text}',), PAPER, corner)]
    lengths = measure(points_of(prediction)).values() if with_doubts else ()
    doubts = dict.fromkeys(reason for length in lengths for reason in length.doubtful)
    return headings + ([Heading(tuple(doubts), _DOUBT, corner)] if doubts else [])


def _covered(size_hw: Tuple[int, int], garments: Sequence[GarmentPrediction]) -> np.ndarray:
    """Returns (h, w) uint8, 1 inside and on the outlines of garments, else 0."""
    mask = np.zeros(size_hw, np.uint8)
    for garment in garments:
        points = dict(zip(garment.keypoints, np.rint(garment.points_xy).astype(np.int32)))
        lines = outline(garment.garment)
        around = [points[start] for start, _ in lines]
        closed = all(end == start for (_, end), (start, _) in zip(lines, lines[1:] + lines[:1]))
        corners = np.array(around if closed else list(points.values()))
        cv2.fillPoly(mask, [corners if closed else cv2.convexHull(corners)], 1)
        for start, end in lines:
            draw_line(mask, points[start], points[end], (1, 1, 1), max(1, round(dot_radius(size_hw))))
    return mask


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
