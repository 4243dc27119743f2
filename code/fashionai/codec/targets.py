"""What a network learns from one labelled image: heat maps, fields, and which of their channels count."""
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from fashionai.codec.fields import encode_fields
from fashionai.codec.heatmaps import encode_heatmaps
from fashionai.garments import Garment

VISIBLE = 1
ABSENT = -1


@dataclass(frozen=True)
class Targets:
    """Maps float32 (h, w, channels) and the weight, 0 or 1, of each of their channels."""

    heatmaps: np.ndarray
    fields: np.ndarray
    heatmap_weights: np.ndarray
    field_weights: np.ndarray


def encode_targets(garment: Garment, points_xy: np.ndarray, visibility: np.ndarray, in_view: np.ndarray,
                   input_hw: Tuple[int, int], stride: int) -> Targets:
    """Targets of one augmented image.

    A labelled point in view is drawn. A heat map counts where its point is visible (v = 1), the background always; a
    limb's two fields count where both its ends do. A visible point that augmentation moved out of view counts too,
    with an empty map: a window of a larger picture must learn to say "not here".

    Args:
        points_xy: (K, 2) in input pixels, garment channel order.
        visibility: (K,) 1 visible, 0 occluded, -1 absent.
        in_view: (K,) bool, whether the point lies on the part of the picture that is shown.
        input_hw: (H, W) of the input in pixels.
        stride: pixels a cell.
    """
    drawn = (visibility != ABSENT) & in_view
    counted = visibility == VISIBLE
    starts, ends = garment.limb_indices.T
    return Targets(
        encode_heatmaps(points_xy, drawn, input_hw, stride),
        encode_fields(points_xy[starts], points_xy[ends], drawn[starts] & drawn[ends], input_hw, stride),
        np.append(counted, True).astype(np.float32),
        np.repeat(counted[starts] & counted[ends], 2).astype(np.float32))
