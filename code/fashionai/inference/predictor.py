"""Keypoints of photographs: canvases of one network or several, averaged, and the points that stand out on them."""
from dataclasses import dataclass
from math import gcd
from typing import List, Optional, Sequence, Tuple

import numpy as np

from fashionai.codec.assembly import assemble
from fashionai.codec.decoding import DECODERS, blurred
from fashionai.codec.heatmaps import SIGMA, peaks
from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.aggregator import Canvas, HeatmapAggregator, NetworkInput
from fashionai.inference.canvas import JOINS, canvas_map, image_area, responses
from fashionai.inference.missing_keypoints import fill_in
from fashionai.inference.windows import fitting_side

ASSEMBLIES = ('peaks', 'paf')
"""How points are chosen: each map's highest place; or the candidates that the part affinity fields join best."""

_FLAT = 0.01
"""A peak that stands less than this above its map's mean (sigmoid units) says nothing."""

_CLEAR = 0.3
"""A response from which on a peak on the border counts: a hem that the picture cuts off has its points there. Below,
it is a slope that rises towards something outside of the picture."""


@dataclass(frozen=True)
class Prediction:
    """Keypoints of one image in channel order: points (K, 2) float64 in its own pixels, inside it; the heat map at
    each peak (K,); and whether the peak was a proper one (K,) bool. Every point has a place, a valid peak or not.
    `heatmaps` are the canvas (K, G, G) that they were read off; None where it is not kept."""

    points_xy: np.ndarray
    scores: np.ndarray
    valid: np.ndarray
    heatmaps: Optional[np.ndarray] = None


@dataclass(frozen=True)
class PredictionOptions:
    """`input_size`: the canvas' side in pixels. `flip`: look at the mirror image too. `join`: of windows, one of
    canvas.JOINS. `decode`: a name of DECODERS. `assembly`: one of ASSEMBLIES.

    Raises InputError, naming the choices, for any other.
    """

    input_size: int
    flip: bool = True
    join: str = 'addup'
    decode: str = 'blur'
    assembly: str = 'peaks'

    def __post_init__(self) -> None:
        for what, value, choices in (('way to join windows', self.join, JOINS), ('decoding', self.decode, DECODERS),
                                     ('assembly', self.assembly, ASSEMBLIES)):
            if value not in choices:
                raise InputError(f'unknown {what} {value!r}: wanted one of {", ".join(choices)}')


class Predictor:
    """Networks with the way they look at an image; their canvases are averaged.

    Without `--assembly paf` the part affinity fields are not drawn: with one garment in the picture the peaks need no
    grouping. The background's map never is.

    Raises InputError where a decoder on cells does not suit the canvas.
    """

    def __init__(self, views: Sequence[NetworkInput], garment: Garment, options: PredictionOptions) -> None:
        self._garment, self._options, self._decoder = garment, options, DECODERS[options.decode]
        place = self._decoder.place
        cell = gcd(place, options.input_size) if place else min(view.stride for view in views)
        if options.input_size % cell:
            raise InputError(f'--decode {options.decode} draws a canvas of cells: {cell} pixels a cell do not divide '
                             f'--inputsize {options.input_size}')
        self._grid, self._blur = options.input_size // cell, self._decoder.blur / cell
        self._resolution_hw = views[0].resolution_hw
        self._painters = [HeatmapAggregator(view, garment, options.input_size, cell, options.flip, options.join,
                                  options.assembly == 'paf') for view in views]

    def predict(self, images: Sequence[np.ndarray]) -> List[Prediction]:
        """Keypoints of images (h, w, 3) uint8 BGR, of any sizes, looked at together by each network."""
        return [self._decode(canvas, image.shape[:2]) for canvas, image in zip(self.canvases(images), images)]

    def canvases(self, images: Sequence[np.ndarray]) -> List[Canvas]:
        """The canvas of each image, heat maps smoothed as the decoder wants them.

        `canvas.canvas_map` is the way from image to canvas, to draw them over the image.
        """
        return [self._mean(canvases) for canvases in zip(*[painter.paint(images) for painter in self._painters])]

    def _mean(self, canvases: Sequence[Canvas]) -> Canvas:
        heatmaps = sum(canvas.heatmaps for canvas in canvases) / np.float32(len(canvases))
        fields = [canvas.fields for canvas in canvases if canvas.fields is not None]
        return Canvas(blurred(heatmaps, self._blur), sum(fields) / np.float32(len(fields)) if fields else None)

    def _decode(self, canvas: Canvas, image_hw: Tuple[int, int]) -> Prediction:
        rows, columns = image_area(image_hw, self._grid)
        area = canvas.heatmaps[:, rows, columns].transpose(1, 2, 0)
        places, scores = self._places(area, None if canvas.fields is None else canvas.fields[:, rows, columns])
        valid = scores - area.mean(axis=(0, 1)) >= _FLAT
        if self._decoder.place:  # a peak in the outermost pixel or two sticks to the border; in a cell it need not
            inside = ((places > 0) & (places < np.array([area.shape[1], area.shape[0]]) - 1)).all(axis=1)
            valid &= inside | (responses(scores) >= _CLEAR)
        bordered = np.pad(area, ((1, 1), (1, 1), (0, 0)), mode='edge')
        sigma = SIGMA * self._grid / fitting_side(image_hw, self._resolution_hw)
        refined = places + self._decoder.refine(bordered, places + 1, sigma)
        points = transform_points(invert(canvas_map(image_hw, self._grid)), refined + (columns.start, rows.start))
        points = fill_in(points, valid, self._garment, image_hw)
        return Prediction(np.clip(points, 0, np.array(image_hw[::-1]) - 1.0), scores, valid, canvas.heatmaps)

    def _places(self, heatmaps: np.ndarray, fields: Optional[np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
        """(K, 2) places of the points in maps (h, w, K), fields (2 L, h, w) or none, and (K,) the values there."""
        if fields is None:
            return peaks(heatmaps)
        return assemble(heatmaps, fields.transpose(1, 2, 0), self._garment.limb_indices)
