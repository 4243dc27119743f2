"""Windows: which parts of the canvas the network looks at, and how large, as `--scales` says.

The canvas is the square, `input_size` pixels a side, that holds the whole image. A window is a (2, 3) affine map from
canvas pixels to the pixels of the network's input, `resolution_hw` = (height, width); it scales and shifts, no more.

Scale 1 is the size at which the whole image just fits the input, as training shows it. In an input that is square the
canvas then fills the input exactly, whatever the image's shape: the original's windows.
"""
import ast
from typing import List, Sequence, Tuple, Union

import numpy as np

from fashionai.errors import InputError
from fashionai.images.geometry import compose, scaling, translation

Scale = Union[None, float, Tuple[float, float], Tuple[float, float, float]]
"""None, s, (s, step) or (cx, cy, s); see `windows_of`."""

DEFAULT_SCALES = '[1.0, (0.5,0.25,1.5), (0.5,0.75,1.5), (0.25,0.5,1.5), (0.75,0.5,1.5), (0.5,0.5,1.5)]'

_FORMS = 'None, a scale s, (s, step) or (cx, cy, s), with 0 < s <= 100, 0.01 <= step <= 1, and cx and cy from 0 to 1'


def parse_scales(text: str) -> Tuple[Scale, ...]:
    """The scales that a list such as `[1.0, (0.5, 0.25, 1.5)]` names.

    Raises InputError, saying what is wrong, for anything but a list of the four forms.
    """
    try:
        items = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise InputError(f'--scales {text[:80]!r} is not a list: wanted one such as [1.0, (0.5,0.25,1.5)]') from None
    if not isinstance(items, list) or not items:
        raise InputError(f'--scales {text!r} is not a list of at least one scale: put it in square brackets, [...]')
    for item in items:
        if not _is_scale(item):
            raise InputError(f'--scales: {item!r} is not a scale: wanted {_FORMS}')
    return tuple(items)


def windows_of(scales: Sequence[Scale], input_size: int, resolution_hw: Tuple[int, int],
               image_hw: Tuple[int, int]) -> np.ndarray:
    """The windows of the scales for images of a size, in order; (W, 2, 3) float64, W >= number of scales.

    - None: the whole canvas, stretched to the resolution.
    - s: the canvas at s times the size at which the image fits the resolution; the centre is cut out.
    - (s, step): the same size; windows slide down and across by `step` of the canvas, or by their own length where
      that is less, the last ones flush with its far edges: nothing is left out.
    - (cx, cy, s): the same size; one window, its centre at that fraction of the canvas, but kept inside it.

    On an axis on which the canvas is smaller than the window, it lies in the window's middle.
    """
    fitting = fitting_side(image_hw, resolution_hw)
    return np.array([window for scale in scales
                     for window in _windows_of_scale(scale, input_size, resolution_hw, fitting)])


def fitting_side(image_hw: Tuple[int, int], resolution_hw: Tuple[int, int]) -> float:
    """The canvas' side in input pixels at which an image on it just fits the network's input."""
    return min(side * max(image_hw) / length for side, length in zip(resolution_hw, image_hw))


def _windows_of_scale(scale: Scale, input_size: int, resolution_hw: Tuple[int, int],
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
    """Where a window begins whose centre is wanted at a fraction of the enlarged canvas."""
    room = enlarged - length
    return room / 2 if room < 0 else float(np.clip(fraction * enlarged - length / 2, 0, room))


def _slide(enlarged: float, length: int, step: float) -> List[float]:
    """Where sliding windows begin: every step, and flush with the far edge (half a pixel more is no new window)."""
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
