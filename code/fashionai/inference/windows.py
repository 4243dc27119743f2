"""Windows: the parts of the canvas that go through the network, and their sizes.

The canvas is the square, `input_size` pixels a side, that holds the whole image. `windows_of` makes the windows that
`--scales` describes: each is a (2, 3) affine map from canvas pixels to the pixels of the network's input,
`resolution_hw` = (height, width). It only scales and shifts.

Scale 1 is the size at which the whole image just fits the input, as in training. If the input is square, the canvas
then fills the input exactly for images of any shape. These are the original's windows if `--inputsize` is the side of
the input, as it is by default. The original counts scales from `--inputsize`, here they count from the input.

A tiling, one of TILINGS, then chooses what the network really computes:

- `exact` takes the windows of `--scales` as they are.
- `merged` computes the same parts at the same scales with less work: it cuts off the padding around the image, and
  joins windows that overlap if the joined window has fewer pixels.
"""
import ast
from dataclasses import dataclass
from itertools import combinations
from math import ceil
from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, Sequence, Tuple, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.images.geometry import compose, scaling, transform_points, translation
from fashionai.inference.canvas import canvas_map
from fashionai.networks.head_options import PERIOD

WindowScale = Union[None, float, Tuple[float, float], Tuple[float, float, float]]
"""None, s, (s, step) or (cx, cy, s); see `windows_of`."""

DEFAULT_SCALES = '[1.0, (0.5,0.25,1.5), (0.5,0.75,1.5), (0.25,0.5,1.5), (0.75,0.5,1.5), (0.5,0.5,1.5)]'

_FORMS = 'None, a scale s, (s, step) or (cx, cy, s), with 0 < s <= 100, 0.01 <= step <= 1, and cx and cy from 0 to 1'

_MARGIN = 8.0
"""Padding in pixels that stays around an image: one cell, so that a point on the image's edge has its whole peak. At
scale 1, the smoothing of the canvas reaches no further."""

_ROUNDING = 1e-6
"""Tolerance in pixels for the rounding of floating-point numbers."""

Extent = Tuple[float, float, float, float]
"""A box: left, top, right and bottom in pixels of the canvas enlarged by a scale, measured to outer edges, so that the
canvas begins at 0."""


@dataclass(frozen=True)
class Window:
    """A part of the canvas that goes through the network.

    Attributes:
        affine: (2, 3), the map from canvas pixels to the pixels of the network's input.
        size_hw: (height, width) of that input in pixels.
    """

    affine: np.ndarray
    size_hw: Tuple[int, int]

    @property
    def area(self) -> int:
        """The number of pixels, which is proportional to the work of the network."""
        return self.size_hw[0] * self.size_hw[1]


Tiling = Callable[[np.ndarray, Tuple[int, int], Tuple[int, int], Tuple[int, int], int], Tuple[Window, ...]]
"""A function (windows (W, 2, 3) of `windows_of`, their resolution (height, width), the trained size (height, width),
the image's size (height, width), the canvas' side in pixels) -> one window or more. Their sizes differ from the trained
size by whole periods."""


def parse_scales(text: str) -> Tuple[WindowScale, ...]:
    """Returns the scales of a text such as `[1.0, (0.5, 0.25, 1.5)]`.

    Raises InputError if the text is not a list of the four forms.
    """
    try:
        items = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise InputError(f'--scales {text[:80]!r} is not a list: wanted one such as [1.0, (0.5,0.25,1.5)]') from None
    if not isinstance(items, list) or not items:
        raise InputError(f'--scales {text!r} is not a list of one scale or more: wanted square brackets, such as [1.0]')
    for item in items:
        if not _is_scale(item):
            raise InputError(f'--scales: {item!r} is not a scale: wanted {_FORMS}')
    return tuple(items)


def windows_of(scales: Sequence[WindowScale], input_size: int, resolution_hw: Tuple[int, int],
               image_hw: Tuple[int, int]) -> np.ndarray:
    """Returns the windows of the scales for images of one size, in order: (W, 2, 3) float64, W >= number of scales.

    - None: the whole canvas, stretched to the resolution.
    - s: the canvas at s times the size at which the image fits the resolution; one window at its centre.
    - (s, step): the same size; windows slide down and across by `step` of the canvas, or by their own length if that
      is less. The last windows end at the canvas' far edges, so nothing is left out.
    - (cx, cy, s): the same size; one window, its centre at that fraction of the canvas, but moved to lie inside it.

    On an axis along which the canvas is smaller than the window, the canvas lies in the window's middle.
    """
    fitting = fitting_side(image_hw, resolution_hw)
    return np.array([window for scale in scales
                     for window in _windows_of_scale(scale, input_size, resolution_hw, fitting)])


def fitting_side(image_hw: Tuple[int, int], resolution_hw: Tuple[int, int]) -> float:
    """Returns the canvas' side in input pixels at which the image just fits the network's input."""
    return min(side * max(image_hw) / length for side, length in zip(resolution_hw, image_hw))


def exact_windows(windows: np.ndarray, resolution_hw: Tuple[int, int], trained_hw: Tuple[int, int],
                  image_hw: Tuple[int, int], input_size: int) -> Tuple[Window, ...]:
    """Returns the windows as they are, all of the resolution's size. If that size is not whole periods from the trained
    size, each lies in the middle of a larger window."""
    del image_hw, input_size
    if _size_hw((0, 0, resolution_hw[1], resolution_hw[0]), trained_hw) == resolution_hw:
        return tuple(Window(window, resolution_hw) for window in windows)
    return tuple(_window_of(_extent_of(window, resolution_hw), (window[0, 0], window[1, 1]), trained_hw)
                 for window in windows)


def merged_windows(windows: np.ndarray, resolution_hw: Tuple[int, int], trained_hw: Tuple[int, int],
                   image_hw: Tuple[int, int], input_size: int) -> Tuple[Window, ...]:
    """Returns windows that show the same parts of the image at the same scales in fewer pixels.

    A merged window also shows what lies between the windows that it replaces, and counts once if windows are averaged.
    Windows that show no part of the image are left out; if no window shows the image, all stay as they are.
    """
    by_scale: Dict[Tuple[float, float], List[Extent]] = {}
    for window in windows:
        by_scale.setdefault((window[0, 0], window[1, 1]), []).append(_extent_of(window, resolution_hw))
    edges = np.array([(-0.5, -0.5), (image_hw[1] - 0.5, image_hw[0] - 0.5)])
    image = transform_points(canvas_map(image_hw, input_size), edges) + 0.5
    tiles = [_window_of(box, scale, trained_hw) for scale, boxes in by_scale.items()
             for box in _joined(_cropped(boxes, tuple((image * scale).ravel())), trained_hw)]
    return tuple(tiles) or exact_windows(windows, resolution_hw, trained_hw, image_hw, input_size)


TILINGS: Mapping[str, Tiling] = MappingProxyType({'exact': exact_windows, 'merged': merged_windows})
"""Tilings by the value of `--windows`."""

DEFAULT_TILING = 'merged'
"""Its errors are no worse than those of `exact`, with little more than half the work: see docs/performance.md."""


def _windows_of_scale(scale: WindowScale, input_size: int, resolution_hw: Tuple[int, int],
                      fitting: float) -> List[np.ndarray]:
    height, width = resolution_hw
    if scale is None:
        return [scaling(width / input_size, height / input_size)]
    numbers = scale if isinstance(scale, tuple) else (0.5, 0.5, scale)
    enlarged = fitting * (numbers[0] if len(numbers) == 2 else numbers[2])
    if len(numbers) == 2:
        across, down = (_slide(enlarged, length, numbers[1]) for length in (width, height))
    else:
        across, down = ([_centred(enlarged, length, fraction)]
                        for length, fraction in ((width, numbers[0]), (height, numbers[1])))
    factor = enlarged / input_size
    return [compose(scaling(factor, factor), translation(-left, -top)) for left in across for top in down]


def _centred(enlarged: float, length: int, fraction: float) -> float:
    """Returns the start of a window whose centre should be at a fraction of the enlarged canvas."""
    room = enlarged - length
    return room / 2 if room < 0 else float(np.clip(fraction * enlarged - length / 2, 0, room))


def _slide(enlarged: float, length: int, step: float) -> List[float]:
    """Returns the starts of sliding windows: one each step, and one that ends at the far edge. A last step of half a
    pixel or less adds no window."""
    room = enlarged - length
    return [room / 2] if room <= 0 else list(np.arange(0, room - 0.5, min(step * enlarged, length))) + [room]


def _is_scale(item: object) -> bool:
    if item is None:
        return True
    numbers = item if isinstance(item, tuple) else (0.5, 0.5, item)
    if not all(type(number) in (int, float) and np.isfinite(number) for number in numbers):
        return False
    if len(numbers) == 2:
        return 0 < numbers[0] <= 100 and 0.01 <= numbers[1] <= 1
    return len(numbers) == 3 and 0 <= numbers[0] <= 1 and 0 <= numbers[1] <= 1 and 0 < numbers[2] <= 100


def _extent_of(window: np.ndarray, resolution_hw: Tuple[int, int]) -> Extent:
    left, top = ((window[axis, axis] - 1) / 2 - window[axis, 2] for axis in (0, 1))
    return left, top, left + resolution_hw[1], top + resolution_hw[0]


def _window_of(box: Extent, scale: Tuple[float, float], trained_hw: Tuple[int, int]) -> Window:
    """Returns the window that shows a box; if the window must be larger, the box lies in its middle."""
    height, width = _size_hw(box, trained_hw)
    left, top = (box[0] + box[2] - width) / 2, (box[1] + box[3] - height) / 2
    return Window(compose(scaling(*scale), translation(-left, -top)), (height, width))


def _size_hw(box: Extent, trained_hw: Tuple[int, int]) -> Tuple[int, int]:
    """Returns the smallest (height, width) of a window that shows a box."""
    height, width = (side + PERIOD * ceil((length - side - _ROUNDING) / PERIOD)
                     for side, length in zip(trained_hw, (box[3] - box[1], box[2] - box[0])))
    return height, width


def _cropped(boxes: Sequence[Extent], image: Extent) -> List[Extent]:
    """Returns the parts of boxes that show the image and its margin. A box that does not show the image is left out."""
    wide = (image[0] - _MARGIN, image[1] - _MARGIN, image[2] + _MARGIN, image[3] + _MARGIN)
    shown = [box for box in boxes if not _empty(_overlap(box, image))]
    return [_overlap(box, wide) for box in shown]


def _joined(boxes: Sequence[Extent], trained_hw: Tuple[int, int]) -> List[Extent]:
    """Returns the boxes after joining, again and again, the pair that saves most, while the joined box costs less.

    The cost of a box is the number of pixels of its window: the work of every layer is proportional to it.
    """
    def cost(box: Extent) -> int:
        height, width = _size_hw(box, trained_hw)
        return height * width

    def saved(pair: Tuple[Extent, Extent]) -> int:
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


def _around(one: Extent, other: Extent) -> Extent:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _overlap(one: Extent, other: Extent) -> Extent:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _empty(box: Extent) -> bool:
    return box[2] - box[0] <= _ROUNDING or box[3] - box[1] <= _ROUNDING
