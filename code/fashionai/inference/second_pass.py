"""The second pass: the image goes through the network again, with the garment upright, in the middle and of one size.

The points of the first pass show where the garment is. The similarity that lays them over the type's mean shape turns
the image into a square picture of the garment, which goes through the network like any image.

Letters: K keypoints in the garment's channel order. Frames: the pixels of the image, and those of the picture.
"""
from types import MappingProxyType
from typing import Callable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.garments.shapes import REFERENCE_SIZE, has_shape, mean_shape, shape_of
from fashionai.garments.table import Garment
from fashionai.images.geometry import compose, invert, similarity, transform_points, warp_image
from fashionai.inference.aggregator import CanvasMaps
from fashionai.inference.canvas import NEUTRAL, canvas_map
from fashionai.inference.missing_keypoints import fill_in
from fashionai.inference.predictor import KeypointPrediction, Predictor, counts_on_border

_NEAR = 0.1
"""Two passes agree on a point if their distance is below this part of the garment's longer side."""

_SHARES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType({
    'replace': np.ones_like,
    'average': lambda apart: np.full_like(apart, 0.5),
    'agree': lambda apart: np.where(apart < _NEAR, 0.5, 1.0)})
"""How points that both passes found are joined: a function from their distances (K,), in parts of the garment's longer
side, to the weights (K,) of the second pass. `agree` takes the mean if the passes agree, which reduces noise; if they
do not, it takes the second pass, in which the garment is upright and of its usual size.

On 300 photographs that a network had not seen, NE `visible` was 13.1 % after the first pass, 12.3 with `average`, 12.0
with `replace`, and 11.9 with `agree` for any _NEAR from 0.04 to 0.25.
"""

HEATMAPS = 'heatmaps'
"""The second pass that joins heat maps instead of points: those of the first pass are moved into the picture of the
second, the mean is taken, and the points are found in it. So a peak that both passes show wins over one that only one
pass shows."""

SECOND_PASSES = (*_SHARES, HEATMAPS)
"""The ways to join two passes."""

_SECOND = 0.6
"""The weight of the second pass in HEATMAPS. On 250 photographs that the network had not seen, NE `visible` was 7.24
with 0.5 and 7.10 with 0.6, where `agree` had 7.35 and the first pass alone 7.80."""

SIDE = 512
"""Default side of the picture in pixels."""

_FILLED = 0.7
"""The part of the picture's side that the mean shape fills. With this value, 0.03 % of the points of 1,500 labelled
garments lie outside the picture; with 0.8, 0.5 % would."""

_BORDER = 0.018
"""A peak of the second pass is on the border of the image if it is nearer to it than this part of the picture's side,
or beyond it: two or three places of the usual canvas."""

_SEEN = 0.5
"""At least this share of a garment's points must be valid, and at least three points."""

_TURN = 45.0
"""Maximum rotation of a garment in degrees, either way. 99 % of the labelled garments are turned by less than 30; two
are turned by more than the maximum."""

_SIZES = (0.2, 2.2)
"""Minimum and maximum size of a garment as a multiple of the usual size. Labelled garments have 0.23 to 2.06."""


class SecondPass:
    """A predictor of two passes.

    Args:
        first: it computes the first pass.
        second: it computes the second pass; it may be the same.
        garment: the type of both predictors.
        how: how the passes are joined, one of SECOND_PASSES.
        side: of the picture of the second pass, in pixels.

    Raises InputError if the type has no mean shape, or if `how` is unknown.
    """

    def __init__(self, first: Predictor, second: Predictor, garment: Garment, how: str, side: int = SIDE) -> None:
        if how not in SECOND_PASSES:
            raise InputError(f'unknown second pass {how!r}: wanted one of {", ".join(SECOND_PASSES)}')
        if not has_shape(garment):
            raise InputError(f'--second-pass {how} needs a mean shape, and {garment.name} has none: wanted '
                             '--second-pass none')
        self._first, self._second, self._garment, self._side = first, second, garment, side
        self._join = self._join_heatmaps if how == HEATMAPS else self._join_points
        self._shares = _SHARES.get(how)

    def predict(self, images: Sequence[np.ndarray]) -> List[KeypointPrediction]:
        """Returns the keypoints of each image (h, w, 3) uint8 BGR. All images go through the first pass together.

        If the first pass shows no plausible garment in an image, the image has no second pass.
        """
        predictions = self._first.predict(images)
        frames = [frame_of(first, self._garment, image.shape[:2], self._side)
                  for first, image in zip(predictions, images)]
        found = [number for number, frame in enumerate(frames) if frame is not None]
        pictures = [warp_image(frames[number], images[number], (self._side, self._side)) for number in found]
        for number, second in zip(found, self._second.predict(pictures) if pictures else ()):
            predictions[number] = self._join(predictions[number], second, frames[number], images[number].shape[:2])
        return predictions

    def _join_points(self, first: KeypointPrediction, second: KeypointPrediction, frame: np.ndarray,
                     image_hw: Tuple[int, int]) -> KeypointPrediction:
        """Joins the points of both passes. A point that only one pass found is taken from that pass; one that neither
        found is taken from the first. A point of the second pass outside the image, in the picture's black, does not
        count. The heat maps are those of the first pass."""
        back = transform_points(invert(frame), second.points_xy)
        seen = self._valid(second, back, frame, image_hw)
        seen &= ((back >= -0.5) & (back <= np.array(image_hw[::-1]) - 0.5)).all(axis=1)
        apart = np.hypot(*(transform_points(frame, first.points_xy) - second.points_xy).T) / (_FILLED * self._side)
        assert self._shares, 'heat maps are not joined here'
        share = np.where(seen, np.where(first.valid, self._shares(apart), 1.0), 0.0)
        points = first.points_xy + share[:, None] * (back - first.points_xy)
        valid = first.valid | seen
        points = fill_in(points, valid, self._garment, image_hw)
        return KeypointPrediction(np.clip(points, 0, np.array(image_hw[::-1]) - 1.0),
                          first.scores + share * (second.scores - first.scores), valid, first.heatmaps)

    def _join_heatmaps(self, first: KeypointPrediction, second: KeypointPrediction, frame: np.ndarray,
                       image_hw: Tuple[int, int]) -> KeypointPrediction:
        """Finds the points in the mean of both passes' heat maps, in the picture of the second pass. Parts of the
        picture outside the image have no response. The heat maps of the result are those of the first pass."""
        assert first.heatmaps is not None and second.heatmaps is not None
        grid, picture_hw = second.heatmaps.shape[-1], (self._side, self._side)
        to_picture = compose(frame, canvas_map(picture_hw, grid))
        from_canvas = compose(invert(canvas_map(image_hw, first.heatmaps.shape[-1])), to_picture)
        shown = warp_image(to_picture, np.ones(image_hw, np.float32), (grid, grid))
        moved = np.stack([warp_image(from_canvas, channel - NEUTRAL, (grid, grid)) for channel in first.heatmaps])
        joined = NEUTRAL + shown * ((1 - _SECOND) * moved + _SECOND * (second.heatmaps - NEUTRAL))
        found = self._second.decode(CanvasMaps(joined.astype(np.float32), None), picture_hw)
        points = transform_points(invert(frame), found.points_xy)
        valid = self._valid(found, points, frame, image_hw)
        points = fill_in(points, valid, self._garment, image_hw)
        return KeypointPrediction(np.clip(points, 0, np.array(image_hw[::-1]) - 1.0), found.scores, valid,
                                  first.heatmaps)

    def _valid(self, second: KeypointPrediction, points_xy: np.ndarray, frame: np.ndarray,
               image_hw: Tuple[int, int]) -> np.ndarray:
        """Returns (K,) bool: whether the peaks of the picture of the second pass are valid. points_xy: the same points
        in the image. The border of the image is a line within the picture, where the predictor does not look for it; a
        low slope that rises towards something outside the image ends there and looks like a peak."""
        to_border = np.minimum(points_xy + 0.5, np.array(image_hw[::-1]) - 0.5 - points_xy).min(axis=1)
        inside = to_border * np.hypot(*frame[:, 0]) > _BORDER * self._side
        return second.valid & (inside | counts_on_border(second.scores))


def frame_of(first: KeypointPrediction, garment: Garment, image_hw: Tuple[int, int], side: int) -> Optional[np.ndarray]:
    """Finds the map from an image to the picture in which its garment lies like the mean shape.

    Returns:
        (2, 3) affine map, see `geometry`; None if too few points are valid, or if the garment's rotation or size would
        be outside the limits of real garments.
    """
    shape = mean_shape(garment)
    low, high = shape.min(axis=0), shape.max(axis=0)
    enlarged = _FILLED * side / (high - low).max()
    if first.valid.sum() < max(3, _SEEN * len(shape)):
        return None
    placed = (shape - (low + high) / 2) * enlarged + (side - 1) / 2
    frame = similarity(first.points_xy[first.valid], placed[first.valid])
    if frame is None:
        return None
    usual = shape_of(garment.name).size_mean_std[0] * max(image_hw) / REFERENCE_SIZE
    (a, _), (b, _) = frame[:, :2]
    size = enlarged / np.hypot(a, b) / usual
    if abs(np.degrees(np.arctan2(b, a))) > _TURN or not _SIZES[0] <= size <= _SIZES[1]:
        return None
    return frame


AnyPredictor = Union[Predictor, SecondPass]
"""A predictor of one pass or of two."""
