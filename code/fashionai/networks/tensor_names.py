"""The names of a graph's input and outputs, which other tools use, and the types of a network's forward function."""
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import numpy as np

INPUT_NAME = 'image'
"""The graph's input: float32 (N, H, W, 3)."""

OUTPUT_NAME = 'Openpose/concat_stage7'
"""The graph's output: float32 (N, H/stride, W/stride, K + 1 + 2L): heat maps, background, fields."""

MEAN_OUTPUT_NAME = 'Openpose/mean_of_last_two'
"""A second output, of the same shape, in graphs with two or more stages: the mean of the last two stages."""

OUTPUTS: Mapping[str, str] = MappingProxyType({'last': OUTPUT_NAME, 'mean': MEAN_OUTPUT_NAME})
"""The outputs with maps, by the value of `--maps`."""

TYPES_NAME = 'Openpose/garment_type'
"""An output of graphs with a type head: float32 (N, T), the probability of each garment type."""

VISIBILITY_NAME = 'Openpose/visibility'
"""An output of graphs with a visibility head: float32 (N, K, 3), the probability of each state of each keypoint."""

VISIBILITY = ('absent', 'occluded', 'visible')
"""The states of a keypoint in the order of that output: the garment has no such point, or the picture does not show it;
something hides it; it is visible. Labels have -1, 0 and 1 for them."""

Forward = Callable[[np.ndarray], np.ndarray]
"""A network as a function: takes images (N, H, W, 3) float32 BGR 0..255 and returns its output."""

TypedForward = Callable[[np.ndarray], Tuple[np.ndarray, Optional[np.ndarray]]]
"""The same, but returns also the probabilities (N, T) of the T garment types, or None without a type head."""
