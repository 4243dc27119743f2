"""A type's mean shape, and the similarity that lays one set of points over another.

K keypoints in the garment's channel order.
"""
from typing import Optional

import numpy as np
from skimage.transform import SimilarityTransform

from fashionai.garments import Garment
from fashionai.shapes import shape_of


def mean_shape(garment: Garment) -> np.ndarray:
    """(K, 2) float64 mean shape of a type, upright, its centroid at the origin, of unit size; y points down."""
    shape = shape_of(garment.name)
    return shape.mean_xy[[shape.keypoints.index(name) for name in garment.keypoints]]


def similarity(source: np.ndarray, target: np.ndarray) -> Optional[SimilarityTransform]:
    """The similarity that best takes (n, 2) source points to target points; None where they determine none."""
    if len(source) < 2 or min(np.ptp(source, axis=0).max(), np.ptp(target, axis=0).max()) == 0:
        return None
    if hasattr(SimilarityTransform, 'from_estimate'):  # scikit-image 0.26 on; before, `estimate` in place
        transform = SimilarityTransform.from_estimate(source, target)
        return transform if transform else None
    transform = SimilarityTransform()
    return transform if transform.estimate(source, target) else None
