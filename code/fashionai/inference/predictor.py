"""Predicts keypoints of one garment type: the canvases of one network or several are averaged, and points decoded."""
from dataclasses import dataclass
from math import gcd
from typing import List, Optional, Sequence, Tuple

import numpy as np

from fashionai.codec.assembly import assemble
from fashionai.codec.decoding import DECODERS, blurred
from fashionai.codec.heatmaps import SIGMA, peaks
from fashionai.errors import InputError
from fashionai.garments.shapes import ShapePrior, has_shape
from fashionai.garments.table import Garment
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.aggregator import CanvasMaps, HeatmapAggregator, NetworkInput
from fashionai.inference.canvas import JOINS, canvas_map, image_area, responses
from fashionai.inference.missing_keypoints import fill_in
from fashionai.inference.shape_choice import choose_by_shape
from fashionai.inference.windows import fitting_side

ASSEMBLIES = ('peaks', 'paf', 'shape')
"""How points are chosen. peaks: the maximum of each map. paf: the candidates that part affinity fields join best.
shape: the candidates that together look most like a garment of the type; see shape_choice.py."""

_FLAT = 0.01
"""A peak is invalid if it is less than this above the mean of its map, in sigmoid units."""

_CLEAR = 0.3
"""A peak on the border is valid from this response on: if the picture cuts off a hem, its points lie there. A lower
one is a slope that rises towards something outside the picture."""


@dataclass(frozen=True)
class KeypointPrediction:
    """The K keypoints of one image in channel order.

    Attributes:
        points_xy: (K, 2) float64, in original pixels, inside the image. Every point has a place, also if its peak is
            invalid.
        scores: (K,), the heat map (a sigmoid) at each peak.
        valid: (K,) bool, whether the peak is a proper one.
        heatmaps: (K, G, G) float32, the canvas from which the points were decoded; None if it is not kept.
    """

    points_xy: np.ndarray
    scores: np.ndarray
    valid: np.ndarray
    heatmaps: Optional[np.ndarray] = None


@dataclass(frozen=True)
class PredictionOptions:
    """How canvases are made and decoded.

    Attributes:
        input_size: the canvas' side in pixels.
        flip: whether the mirror image is used too.
        join: how windows are joined, one of canvas.JOINS.
        decode: a name of DECODERS.
        assembly: one of ASSEMBLIES.

    Raises InputError, which names the choices, for an unknown name.
    """

    input_size: int
    flip: bool = True
    join: str = 'addup'
    decode: str = 'blur'
    assembly: str = 'peaks'

    def __post_init__(self) -> None:
        for what, value, choices in (('join', self.join, JOINS), ('decoding', self.decode, DECODERS),
                                     ('assembly', self.assembly, ASSEMBLIES)):
            if value not in choices:
                raise InputError(f'unknown {what} {value!r}: wanted one of {", ".join(choices)}')


class Predictor:
    """Predicts the keypoints of one garment type with one network or several, whose canvases are averaged.

    Part affinity fields are computed only for `--assembly paf`: if a picture has one garment, the peaks need no
    grouping. The background's map is never computed.

    Raises InputError if the canvas cannot be divided into the cells of the decoder, or if `--assembly shape` is wanted
    for a type that has no mean shape.
    """

    def __init__(self, network_inputs: Sequence[NetworkInput], garment: Garment, options: PredictionOptions) -> None:
        self._garment, self._options, self._decoder = garment, options, DECODERS[options.decode]
        if options.assembly == 'shape' and not has_shape(garment):
            raise InputError(f'--assembly shape needs a mean shape, and {garment.name} has none: wanted --assembly '
                             'peaks')
        self._prior = ShapePrior(garment) if options.assembly == 'shape' else None
        place = self._decoder.place
        cell = gcd(place, options.input_size) if place else min(one.stride for one in network_inputs)
        if options.input_size % cell:
            raise InputError(f'--decode {options.decode} needs a canvas of whole cells: found --inputsize '
                             f'{options.input_size}, wanted a multiple of {cell} pixels')
        self._grid, self._blur = options.input_size // cell, self._decoder.blur / cell
        self._resolution_hw = network_inputs[0].resolution_hw
        self._aggregators = [HeatmapAggregator(network_input, garment, options.input_size, cell, options.flip,
                                               options.join, options.assembly == 'paf')
                             for network_input in network_inputs]

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns the keypoints of each image (h, w, 3) uint8 BGR. Images may have any sizes; all go through each
        network together."""
        return [self.decode(canvas, image.shape[:2]) for canvas, image in zip(self.canvases(images), images)]

    def canvases(self, images: Sequence[np.ndarray]) -> List[CanvasMaps]:
        """Returns the canvas of each image, with the heat maps smoothed as the decoder needs them.

        To draw a canvas over its image, use `canvas.canvas_map`, the map from image to canvas.
        """
        by_network = [aggregator.aggregate(images) for aggregator in self._aggregators]
        return [self._mean(canvases) for canvases in zip(*by_network)]

    def _mean(self, canvases: Sequence[CanvasMaps]) -> CanvasMaps:
        heatmaps = sum(canvas.heatmaps for canvas in canvases) / np.float32(len(canvases))
        fields = [canvas.fields for canvas in canvases if canvas.fields is not None]
        return CanvasMaps(blurred(heatmaps, self._blur), sum(fields) / np.float32(len(fields)) if fields else None)

    def decode(self, canvas: CanvasMaps, image_hw: Tuple[int, int]) -> KeypointPrediction:
        """Returns the keypoints of an image of a size (height, width) from its canvas, smoothed as in `canvases`."""
        rows, columns = image_area(image_hw, self._grid)
        area = canvas.heatmaps[:, rows, columns].transpose(1, 2, 0)
        places, scores = self._places(area, None if canvas.fields is None else canvas.fields[:, rows, columns])
        valid = self._valid(area, places, scores)
        bordered = np.pad(area, ((1, 1), (1, 1), (0, 0)), mode='edge')
        sigma = SIGMA * self._grid / fitting_side(image_hw, self._resolution_hw)
        refined = places + self._decoder.refine(bordered, places + 1, sigma)
        points = transform_points(invert(canvas_map(image_hw, self._grid)), refined + (columns.start, rows.start))
        points = fill_in(points, valid, self._garment, image_hw)
        return KeypointPrediction(np.clip(points, 0, np.array(image_hw[::-1]) - 1.0), scores, valid, canvas.heatmaps)

    def _places(self, heatmaps: np.ndarray, fields: Optional[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
        """Returns the places (K, 2) of the points in maps (h, w, K), by fields (2 L, h, w) if given, and the values
        (K,) there."""
        if self._prior:
            places, scores = peaks(heatmaps)
            return choose_by_shape(heatmaps, self._valid(heatmaps, places, scores), self._prior)
        if fields is None:
            return peaks(heatmaps)
        return assemble(heatmaps, fields.transpose(1, 2, 0), self._garment.limb_indices)

    def _valid(self, heatmaps: np.ndarray, places: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Returns (K,) bool: whether the peaks at places (K, 2) in maps (h, w, K), of these heights, are proper."""
        valid = scores - heatmaps.mean(axis=(0, 1)) >= _FLAT
        if self._decoder.place:  # a peak in an outermost pixel is on the border; one in an outermost cell may not be
            inside = ((places > 0) & (places < np.array([heatmaps.shape[1], heatmaps.shape[0]]) - 1)).all(axis=1)
            valid &= inside | counts_on_border(scores)
        return valid


def counts_on_border(scores: np.ndarray) -> np.ndarray:
    """Returns (K,) bool: whether peaks of these heights, in sigmoid units, are valid on the border of the image."""
    return responses(scores) >= _CLEAR
