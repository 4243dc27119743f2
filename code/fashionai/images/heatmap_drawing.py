"""Draws heat maps and part affinity fields on pictures, cell by cell. Colours are BGR.

Letters used in shapes: (h, w) cells, K keypoints, L limbs; (H, W) a picture of the same frame, of any size.
"""
import cv2
import numpy as np

from fashionai.garments.table import Garment
from fashionai.images.drawing import keypoint_colour
from fashionai.images.geometry import scaling, transform_points

_NOT_COUNTED = (150, 150, 150)
_ARROW, _OUTLINE = (255, 255, 255), (0, 0, 0)
_DIM = 0.5
_LEAST_FIELD = 0.05
"""Weaker fields do not count for the arrow of a limb."""


def draw_heatmaps(image: np.ndarray, garment: Garment, heatmaps: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the heat maps over the dimmed picture, in the colours of their keypoints; grey if they do not count.

    Args:
        image: (H, W, 3) uint8.
        garment: the type that has the keypoints.
        heatmaps: (h, w, K + 1) in 0..1; the last one, the background, is not drawn.
        weights: (K + 1,), 0 for a map that does not count.
    """
    colours = np.array([keypoint_colour(name) if counts else _NOT_COUNTED
                        for name, counts in zip(garment.keypoints, weights)], np.float32)
    maps = heatmaps[:, :, :-1]
    return _over(_dimmed(image), colours[maps.argmax(axis=2)], maps.max(axis=2))


def draw_fields(image: np.ndarray, fields: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the part affinity fields over the dimmed picture, with an arrow for each limb that has a field.

    The colour of a cell is the direction of its strongest field (right is red, then clockwise yellow, green, blue), and
    its opacity is the strength of that field. Fields that do not count are grey. An arrow is in the middle of its
    limb's field and has the mean direction of the field.

    Args:
        image: (H, W, 3) uint8.
        fields: (h, w, 2 L), x and y interleaved.
        weights: (2 L,), 0 for a channel that does not count.
    """
    vectors = fields.reshape(fields.shape[:2] + (-1, 2))
    strengths, counts = np.hypot(vectors[..., 0], vectors[..., 1]), weights[::2] > 0
    strongest = strengths.argmax(axis=2)
    chosen = np.take_along_axis(vectors, strongest[..., None, None], axis=2)[:, :, 0]
    colours = np.where(counts[strongest][..., None], direction_colours(chosen), np.float32(_NOT_COUNTED))
    picture = _over(_dimmed(image), colours, np.minimum(strengths.max(axis=2), 1))
    to_picture = scaling(image.shape[1] / fields.shape[1], image.shape[0] / fields.shape[0])
    for limb in np.flatnonzero((strengths > _LEAST_FIELD).any(axis=(0, 1))):
        rows, columns = np.nonzero(strengths[:, :, limb] > _LEAST_FIELD)
        middle = transform_points(to_picture, np.array([columns.mean(), rows.mean()]))
        _arrow(picture, middle, vectors[rows, columns, limb].mean(axis=0), bool(counts[limb]))
    return picture


def direction_colours(vectors: np.ndarray) -> np.ndarray:
    """Returns (..., 3) float32 colours for the directions of vectors (..., 2): the hue circle, from red for (1, 0)."""
    degrees = np.degrees(np.arctan2(vectors[..., 1], vectors[..., 0])) % 360
    hues = np.stack([degrees, np.ones_like(degrees), np.ones_like(degrees)], axis=-1).astype(np.float32)
    return 255 * cv2.cvtColor(hues.reshape(1, -1, 3), cv2.COLOR_HSV2BGR).reshape(hues.shape)


def _dimmed(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor((_DIM * grey).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def _over(image: np.ndarray, colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Returns the image with cells of colours (h, w, 3) and opacity (h, w) over it, each cell a block of one colour."""
    size = image.shape[1], image.shape[0]
    layer, part = (cv2.resize(cells.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
                   for cells in (colours, opacity))
    return (image + (layer - image) * part[..., None]).round().astype(np.uint8)


def _arrow(picture: np.ndarray, middle: np.ndarray, direction: np.ndarray, counts: bool) -> None:
    size = max(picture.shape[:2]) / 100
    half = direction / max(np.hypot(*direction), 1e-9) * 4 * size
    start, end = (tuple(int(round(value)) for value in middle + sign * half) for sign in (-1, 1))
    for colour, thickness in ((_OUTLINE, 3), (_ARROW if counts else _NOT_COUNTED, 1)):
        cv2.arrowedLine(picture, start, end, colour, max(1, round(thickness * size / 3)), cv2.LINE_AA, tipLength=0.35)
