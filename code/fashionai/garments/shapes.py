"""Average shapes of the five garments of FashionAI: a point distribution model of the keypoints of each type.

The models were measured on 63,765 labels of the FashionAI keypoint data and are kept in `shapes.json`. Labels are
aligned by translation, scale and rotation (Procrustes) before the mean and the principal components are computed, so a
mean shape is centred on the origin and the sum of its squared coordinates is one; y points down. Sizes and centres are
for images whose long side is 512 pixels.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.files import read_json
from fashionai.garments.table import Garment

REFERENCE_SIZE = 512
"""Long side, in pixels, of the images that sizes and centres refer to."""

_FIXED = 4
"""The directions in which aligned shapes do not vary: two of position, one of size, one of rotation."""

_LABEL_NOISE = 1e-3
"""Variance that is added to each coordinate of an aligned shape: predicted points are less exact than labels."""


@dataclass(frozen=True)
class Shape:
    """The shape statistics of one garment type with K keypoints and P principal components."""

    tag: str
    keypoints: Tuple[str, ...]
    """Names in CSV order: the order of every K axis here."""
    mean_xy: np.ndarray
    """(K, 2) float64: the aligned mean shape."""
    components: np.ndarray
    """(P, K, 2) float64: principal components, each of unit length."""
    std: np.ndarray
    """(P,) float64: standard deviation along each component, largest first."""
    variance_kept: float
    """Share of the variance of the aligned labels that the components explain."""
    visible_rate: np.ndarray
    """(K,) float64: share of labels in which the keypoint is visible; the next two: occluded, and absent."""
    occluded_rate: np.ndarray
    absent_rate: np.ndarray
    size_mean_std: Tuple[float, float]
    """Mean and standard deviation of the size in pixels: the factor from aligned shape to image, which is the square
    root of the sum of squared distances from the centroid."""
    centre_mean_xy: np.ndarray
    """(2,) float64: mean of the centroid in pixels."""
    centre_std_xy: np.ndarray
    """(2,) float64: standard deviation of the centroid in pixels."""
    tilt_std_deg: float
    """Standard deviation of the rotation in degrees."""


def has_shape(garment: Garment) -> bool:
    """Returns whether there is a model of a type: only for the five types, recognised by name and keypoints."""
    entry = _table().get(garment.name)
    return entry is not None and set(entry['keypoints']) == set(garment.keypoints)


def shape_of(tag: str) -> Shape:
    """Returns the shape statistics of a garment type. Raises InputError if the tag is not one of the five types."""
    table = _table()
    if tag not in table:
        raise InputError(f'no shape statistics for {tag!r}: wanted one of {", ".join(table)}')
    entry = table[tag]
    return Shape(
        tag=tag,
        keypoints=tuple(entry['keypoints']),
        mean_xy=np.array(entry['mean_xy']),
        components=np.array(entry['components']),
        std=np.array(entry['std']),
        variance_kept=float(entry['variance_kept']),
        visible_rate=np.array(entry['visible_rate']),
        occluded_rate=np.array(entry['occluded_rate']),
        absent_rate=np.array(entry['absent_rate']),
        size_mean_std=tuple(entry['size_px']),
        centre_mean_xy=np.array(entry['centre_px'][0]),
        centre_std_xy=np.array(entry['centre_px'][1]),
        tilt_std_deg=float(entry['tilt_deg_std']))


def mean_shape(garment: Garment) -> np.ndarray:
    """Returns the mean shape of a type, (K, 2) float64 in its channel order: upright, centroid at the origin, size 1.
    """
    shape = shape_of(garment.name)
    return shape.mean_xy[[shape.keypoints.index(name) for name in garment.keypoints]]


def sampled_shapes(shape: Shape, number: int, random: np.random.RandomState) -> np.ndarray:
    """Draws random shapes with the distribution of the labels: (number, K, 2) float64, aligned, in the order of
    `shape.keypoints`.

    They have a normal distribution along the components. The variance that the components do not explain is spread
    evenly over all other directions, as in probabilistic principal component analysis (Tipping and Bishop 1999), except
    the four directions of position, size and rotation.
    """
    flat = shape.components.reshape(len(shape.std), -1)
    others = flat.shape[1] - len(flat) - _FIXED
    offsets = random.randn(number, len(flat)) * shape.std @ flat
    if others > 0:
        noise = random.randn(*offsets.shape) * np.sqrt(_lost_variance(shape) / others)
        offsets += noise - noise @ flat.T @ flat
    return shape.mean_xy + offsets.reshape(number, -1, 2)


class ShapePrior:
    """How usual the arrangement of a garment's points is, by the shape statistics of its type.

    Args:
        garment: one of the types that `has_shape`; K keypoints in its channel order.
    """

    def __init__(self, garment: Garment) -> None:
        shape = shape_of(garment.name)
        order = [shape.keypoints.index(name) for name in garment.keypoints]
        components = shape.components[:, order].reshape(len(shape.std), -1)
        others = components.shape[1] - len(components) - _FIXED
        noise = _lost_variance(shape) / others if others > 0 else 0.
        self._mean = shape.mean_xy[order]
        self._covariance = (components.T * shape.std ** 2) @ components + (noise + _LABEL_NOISE) * np.eye(
            components.shape[1])

    def distances(self, points_xy: np.ndarray, counted: np.ndarray) -> np.ndarray:
        """Returns how far arrangements are from the mean shape, after the best translation, rotation and scaling.

        Args:
            points_xy: (N, K, 2), N arrangements in any frame whose pixels are square.
            counted: (K,) bool, the points that count, two or more; the others may lie anywhere.

        Returns:
            (N,) float64, squared Mahalanobis distances. Where all counted points are at one place: infinity.
        """
        points, mean = points_xy[:, counted], self._mean[counted]
        kept = np.repeat(counted, 2)
        offsets = (_aligned(points, mean) - mean).reshape(len(points), -1)
        weighted = offsets @ np.linalg.inv(self._covariance[np.ix_(kept, kept)])
        return np.where(np.isfinite(offsets).all(axis=1), np.einsum('nk,nk->n', weighted, offsets), np.inf)


def _aligned(points_xy: np.ndarray, target_xy: np.ndarray) -> np.ndarray:
    """Returns arrangements (N, k, 2), each after the similarity that brings it nearest to the target (k, 2)."""
    middle = target_xy.mean(axis=0)
    source, target = points_xy - points_xy.mean(axis=1, keepdims=True), target_xy - middle
    across = np.stack([-source[..., 1], source[..., 0]], axis=-1)  # the source, turned by a right angle
    with np.errstate(divide='ignore', invalid='ignore'):
        size = (source ** 2).sum(axis=(1, 2))
        along, turned = ((one * target).sum(axis=(1, 2)) / size for one in (source, across))
        return along[:, None, None] * source + turned[:, None, None] * across + middle


def _lost_variance(shape: Shape) -> float:
    """Returns the variance of the aligned labels that the components do not explain."""
    return float((shape.std ** 2).sum() * (1 / shape.variance_kept - 1))


def _table() -> Dict[str, Any]:
    return read_json(Path(__file__).with_name('shapes.json'))
