"""The names of a graph's input and outputs, on which other tools rely, and the types of a network's forward pass."""
from types import MappingProxyType
from typing import Callable, Mapping, Optional, Tuple

import numpy as np

INPUT_NAME = 'image'
"""The graph's input: float32 (N, H, W, 3)."""

OUTPUT_NAME = 'Openpose/concat_stage7'
"""The graph's output: float32 (N, H/stride, W/stride, K + 1 + 2L), heat maps, background, fields."""

MEAN_OUTPUT_NAME = 'Openpose/mean_of_last_two'
"""Another output, of the same shape, in graphs of two stages or more: the mean of the last two stages."""

OUTPUTS: Mapping[str, str] = MappingProxyType({'last': OUTPUT_NAME, 'mean': MEAN_OUTPUT_NAME})
"""By the name `--maps` takes."""

TYPES_NAME = 'Openpose/garment_type'
"""Another output, in graphs with a type head: float32 (N, T), the probability of each garment type."""

Forward = Callable[[np.ndarray], np.ndarray]
"""A network to those who use it: images (N, H, W, 3) float32 BGR 0..255 to its output."""

TypedForward = Callable[[np.ndarray], Tuple[np.ndarray, Optional[np.ndarray]]]
"""The same with the probabilities of the T garment types (N, T), None of a network that cannot tell them."""
