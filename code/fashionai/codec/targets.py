"""The training targets of one labelled image: heat maps, fields, and which of their channels count for the loss."""
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from fashionai.annotations import ABSENT, VISIBLE
from fashionai.codec.fields import InputBox, encode_fields
from fashionai.codec.heatmaps import encode_heatmaps
from fashionai.garments.table import Garment


@dataclass(frozen=True)
class Targets:
    """Maps, float32 (h, w, channels), and the weight of each channel, 0 or 1."""

    heatmaps: np.ndarray
    fields: np.ndarray
    heatmap_weights: np.ndarray
    field_weights: np.ndarray


def encode_targets(garment: Garment, points_xy: np.ndarray, visibility: np.ndarray, view: InputBox,
                   input_hw: Tuple[int, int], stride: int, count_occluded: bool = False) -> Targets:
    """Returns the targets of one augmented image.

    A labelled point in view is drawn. A limb is drawn if both its ends are labelled, as far as it is in view. A heat
    map counts if its point is visible (v = 1); the background always counts; the two fields of a limb count if both its
    ends count. A visible point that augmentation moved out of view counts too, with an empty map: the network must
    learn that a window of a larger picture may not show a point.

    Args:
        garment: the type, with K keypoints.
        points_xy: (K, 2) in input pixels, in the channel order of the garment.
        visibility: (K,) 1 visible, 0 occluded, -1 absent.
        view: (left, top, right, bottom) in input pixels: the part of the input that shows the picture.
        input_hw: (H, W) of the input in pixels.
        stride: size of a cell in pixels.
        count_occluded: count occluded points like visible ones. The original code does not count them.
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
    """Returns (K,) bool. A label on the far border (x = width), half a pixel outside the picture, is still in view."""
    slack = 1.0
    return ((points_xy >= np.array(view[:2]) - slack) & (points_xy <= np.array(view[2:]) + slack)).all(axis=1)
