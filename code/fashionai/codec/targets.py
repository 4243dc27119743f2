"""What a network learns from one labelled image: heat maps, fields, and which of their channels count."""
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.codec.fields import InputBox, encode_fields
from fashionai.codec.heatmaps import encode_heatmaps
from fashionai.garments.table import Garment


@dataclass(frozen=True)
class Targets:
    """Maps float32 (h, w, channels) and the weight, 0 or 1, of each of their channels."""

    heatmaps: np.ndarray
    fields: np.ndarray
    heatmap_weights: np.ndarray
    field_weights: np.ndarray


def encode_targets(garment: Garment, points_xy: np.ndarray, visibility: np.ndarray, view: InputBox,
                   input_hw: Tuple[int, int], stride: int, count_occluded: bool = False) -> Targets:
    """Targets of one augmented image.

    A labelled point in view is drawn, and of a limb with two labelled ends what lies in view. A heat map counts where
    its point is visible (v = 1), the background always; a limb's two fields count where both its ends do. A visible
    point that augmentation moved out of view counts too, with an empty map: a window of a larger picture must learn to
    say "not here".

    Args:
        points_xy: (K, 2) in input pixels, garment channel order.
        visibility: (K,) 1 visible, 0 occluded, -1 absent.
        view: (left, top, right, bottom) in input pixels: the part of the input that shows the picture.
        input_hw: (H, W) of the input in pixels.
        stride: pixels a cell.
        count_occluded: let occluded points count as visible ones do. The original leaves them out.
    """
    labelled = visibility != ABSENT
    counted = labelled if count_occluded else visibility == VISIBLE
    starts, ends = garment.limb_indices.T
    return Targets(
        encode_heatmaps(points_xy, labelled & _in_view(points_xy, view), input_hw, stride),
        encode_fields(points_xy[starts], points_xy[ends], labelled[starts] & labelled[ends], view, input_hw, stride),
        np.append(counted, True).astype(np.float32),
        np.repeat(counted[starts] & counted[ends], 2).astype(np.float32))


def _in_view(points_xy: np.ndarray, view: InputBox) -> np.ndarray:
    """(K,) bool. A label on the far border (x = width) is half a pixel outside the picture, and still in view."""
    slack = 1.0
    return ((points_xy >= np.array(view[:2]) - slack) & (points_xy <= np.array(view[2:]) + slack)).all(axis=1)
