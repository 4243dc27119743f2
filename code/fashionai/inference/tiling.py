"""Tilings: the windows that an image really goes through the network in.

`exact` takes those of `--scales` as they are. `merged` computes the same parts of the same scales with less work: what
shows the padding beyond the image is cut off, and windows that overlap become one, where that has fewer pixels.

A box is a part of the canvas enlarged by a scale: (left, top, right, bottom) in its pixels, measured to their outer
edges, so that the canvas begins at 0.
"""
from dataclasses import dataclass
from itertools import combinations
from math import ceil
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from fashionai.images.geometry import compose, scaling, transform_points, translation
from fashionai.inference.canvas import canvas_map

_MARGIN = 8.0
"""Pixels of padding that stay around an image: a cell, so that a point on the image's edge has its whole
peak. At scale 1, what smooths the canvas reaches no further."""

PERIOD = 32
"""Sizes differ from the one trained at by multiples of this, the coarsest stride of features. Where a layer of stride 2
meets an odd number of cells its padding lies otherwise than where it meets an even one, and with it all coarser cells:
by 8 pixels at stride 16. A network knows the places of the size it was trained at, so windows of another are widened to
the next that differs from it by whole periods. At 368x368 the supplied network, trained at 256x256, had an NE `visible`
of 11.5 on 40 photographs before that, and of 10.1 since."""

_ROUNDING = 1e-6
"""Pixels by which a box may be off for the rounding of floating-point numbers."""

Box = Tuple[float, float, float, float]


@dataclass(frozen=True)
class Window:
    """A part of the canvas as the network sees it: `affine` (2, 3) leads from canvas pixels to the pixels of an input
    of `size_hw` = (height, width)."""

    affine: np.ndarray
    size_hw: Tuple[int, int]

    @property
    def area(self) -> int:
        """Its pixels: the work it is for a network."""
        return self.size_hw[0] * self.size_hw[1]


Tiling = Callable[[np.ndarray, Tuple[int, int], Tuple[int, int], Tuple[int, int], int], Tuple[Window, ...]]
"""(windows (W, 2, 3) of `windows_of`, their resolution (height, width), the size trained at, the size of the image, the
side of the canvas in pixels) -> one window or more, of sizes that are whole periods from the trained one."""


def exact_windows(windows: np.ndarray, resolution_hw: Tuple[int, int], trained_hw: Tuple[int, int],
                  image_hw: Tuple[int, int], input_size: int) -> Tuple[Window, ...]:
    """The windows as they are, all of the resolution's size; in the middle of a larger one where that does not suit."""
    del image_hw, input_size
    if _size_hw((0, 0, resolution_hw[1], resolution_hw[0]), trained_hw) == resolution_hw:
        return tuple(Window(window, resolution_hw) for window in windows)
    return tuple(_window_of(_box_of(window, resolution_hw), (window[0, 0], window[1, 1]), trained_hw)
                 for window in windows)


def merged_windows(windows: np.ndarray, resolution_hw: Tuple[int, int], trained_hw: Tuple[int, int],
                   image_hw: Tuple[int, int], input_size: int) -> Tuple[Window, ...]:
    """The same parts of the image at the same scales in fewer pixels.

    A merged window also shows what lies between those it is made of, and counts once where windows are averaged.
    Windows that show no part of the image are left out; where that is all of them, they stay as they are.
    """
    by_scale: Dict[Tuple[float, float], List[Box]] = {}
    for window in windows:
        by_scale.setdefault((window[0, 0], window[1, 1]), []).append(_box_of(window, resolution_hw))
    edges = np.array([(-0.5, -0.5), (image_hw[1] - 0.5, image_hw[0] - 0.5)])
    image = transform_points(canvas_map(image_hw, input_size), edges) + 0.5
    tiles = [_window_of(box, scale, trained_hw) for scale, boxes in by_scale.items()
             for box in _joined(_cropped(boxes, tuple((image * scale).ravel())), trained_hw)]
    return tuple(tiles) or exact_windows(windows, resolution_hw, trained_hw, image_hw, input_size)


TILINGS: Mapping[str, Tiling] = MappingProxyType({'exact': exact_windows, 'merged': merged_windows})
"""By the name `--windows` takes."""

DEFAULT_TILING = 'merged'
"""No worse than the other, in little more than half the work: see docs/performance.md."""


def _box_of(window: np.ndarray, resolution_hw: Tuple[int, int]) -> Box:
    left, top = ((window[axis, axis] - 1) / 2 - window[axis, 2] for axis in (0, 1))
    return left, top, left + resolution_hw[1], top + resolution_hw[0]


def _window_of(box: Box, scale: Tuple[float, float], trained_hw: Tuple[int, int]) -> Window:
    """The window that shows a box, which lies in its middle where the window has to be larger."""
    height, width = _size_hw(box, trained_hw)
    left, top = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
    return Window(compose(scaling(*scale), translation(-left, -top)), (height, width))


def _size_hw(box: Box, trained_hw: Tuple[int, int]) -> Tuple[int, int]:
    """The least size of a window that shows a box."""
    height, width = (side + PERIOD * ceil((length - side - _ROUNDING) / PERIOD)
                     for side, length in zip(trained_hw, (box[3] - box[1], box[2] - box[0])))
    return height, width


def _cropped(boxes: Sequence[Box], image: Box) -> List[Box]:
    """The parts of boxes that show the image and its margin; none of a box that does not show the image."""
    wide = (image[0] - _MARGIN, image[1] - _MARGIN, image[2] + _MARGIN, image[3] + _MARGIN)
    shown = [box for box in boxes if not _empty(_overlap(box, image))]
    return [_overlap(box, wide) for box in shown]


def _joined(boxes: Sequence[Box], trained_hw: Tuple[int, int]) -> List[Box]:
    """Boxes put together, always the pair that saves most, as long as one around both costs less than the two.

    What a box costs are the pixels of its window: all layers of a network cost in proportion.
    """
    def cost(box: Box) -> int:
        height, width = _size_hw(box, trained_hw)
        return height * width

    def saved(pair: Tuple[Box, Box]) -> int:
        return cost(pair[0]) + cost(pair[1]) - cost(_around(*pair))

    left = list(boxes)
    while len(left) > 1:
        pair = max(combinations(left, 2), key=saved)
        if saved(pair) <= 0:
            break
        for box in pair:
            left.remove(box)
        left.append(_around(*pair))
    return left


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _overlap(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _empty(box: Box) -> bool:
    return box[2] - box[0] <= _ROUNDING or box[3] - box[1] <= _ROUNDING
