"""What the five garments of FashionAI look like on average: a point distribution model of each type's keypoints.

Measured from 63,765 labels of the FashionAI keypoint data and kept in `shapes.json`. A shape is aligned by translation,
scale and rotation (Procrustes) before its mean and principal components are taken, so a mean shape is centred on the
origin and its squared coordinates sum to one; y points down. Sizes and centres are for images 512 pixels long.
"""
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np

from fashionai.errors import InputError
from fashionai.files import read_json
from fashionai.garments.table import Garment

REFERENCE_SIZE = 512
"""Long side in pixels of the images that sizes and centres are given for."""


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
    """The share of the variance of the aligned labels that lies along the components."""
    visible_rate: np.ndarray
    """(K,) float64: share of labels in which the keypoint is visible; likewise occluded and absent."""
    occluded_rate: np.ndarray
    absent_rate: np.ndarray
    size_mean_std: Tuple[float, float]
    """Root of the sum of squared distances from the centroid, in pixels: the factor from aligned shape to image."""
    centre_mean_xy: np.ndarray
    """(2,) float64: mean centroid in pixels, and its standard deviation."""
    centre_std_xy: np.ndarray
    tilt_std_deg: float


def has_shape(garment: Garment) -> bool:
    """Whether there are statistics of a type: of the five, by name and keypoints, and of no other."""
    entry = _table().get(garment.name)
    return entry is not None and set(entry['keypoints']) == set(garment.keypoints)


def shape_of(tag: str) -> Shape:
    """The shape statistics of a garment type. Raises InputError for a tag that is not one of the five types."""
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
    """(K, 2) float64 mean shape of a type in its channel order, upright, its centroid at the origin, of unit size."""
    shape = shape_of(garment.name)
    return shape.mean_xy[[shape.keypoints.index(name) for name in garment.keypoints]]


def sampled_shapes(shape: Shape, number: int, random: np.random.RandomState) -> np.ndarray:
    """(number, K, 2) float64: shapes as likely as the labels', aligned, in the order of `shape.keypoints`.

    Normal along the components; the variance that those leave out is spread evenly over all other directions, as in
    probabilistic principal component analysis (Tipping and Bishop 1999), but for the four of position, size and tilt.
    """
    flat = shape.components.reshape(len(shape.std), -1)
    others = flat.shape[1] - len(flat) - 4
    offsets = random.randn(number, len(flat)) * shape.std @ flat
    if others > 0:
        lost = (shape.std ** 2).sum() * (1 / shape.variance_kept - 1)
        noise = random.randn(*offsets.shape) * np.sqrt(lost / others)
        offsets += noise - noise @ flat.T @ flat
    return shape.mean_xy + offsets.reshape(number, -1, 2)


def _table() -> Dict[str, Any]:
    return read_json(Path(__file__).with_name('shapes.json'))
