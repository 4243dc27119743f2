"""How a graph stores its weights: in single precision, in half precision, or as 8-bit integers.

The network computes in single precision with any format. The operations that decode a stored weight depend on constants
alone, so TensorFlow and ONNX Runtime compute them once, when they load the graph.

Letters: C output channels of a layer.
"""
from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping, Optional

import numpy as np

FLOAT32, HALF, INT8 = 'float32', 'half', 'int8'

TOLERANCES: Mapping[str, float] = MappingProxyType({FLOAT32: 1e-3, HALF: 3e-2, INT8: 0.25})
"""By name of the weight format: the largest difference that is allowed between the outputs of a network and of a graph
that stores its weights so, relative to the largest output. Rounding errors alone are several times smaller."""

_LARGEST = 127
"""The largest 8-bit integer in use. -128 is left out, so that the range is symmetrical."""

_FEW = 4
"""Weights with fewer values for each scale stay in single precision: the scales would need as much space."""


@dataclass(frozen=True)
class ScaledIntegers:
    """Weights as 8-bit integers, `integers * scales`.

    Attributes:
        integers: int8, of the shape of the weights.
        scales: float32, the same number of axes: C along the axis of the output channels, 1 along the others.
    """

    integers: np.ndarray
    scales: np.ndarray


def fits_half(value: np.ndarray) -> bool:
    """Returns whether an array can be stored in half precision.

    This is so for float32 arrays with two or more axes, as weights have, if all values are in the range of half
    precision.
    """
    return value.ndim > 1 and value.dtype == np.float32 and np.abs(value).max() < np.finfo(np.float16).max


def scaled_integers(weights: np.ndarray, axis: int) -> Optional[ScaledIntegers]:
    """Returns weights as 8-bit integers, each output channel with a scale of its own; None for an array that is not of
    weights, or gains nothing. Reference: Krishnamoorthi, "Quantizing deep convolutional networks for efficient
    inference".

    `axis` is that of the output channels.
    """
    if weights.ndim < 2 or weights.dtype != np.float32 or weights.size < _FEW * weights.shape[axis]:
        return None
    others = tuple(number for number in range(weights.ndim) if number != axis)
    scales = np.abs(weights).max(axis=others, keepdims=True) / np.float32(_LARGEST)
    scales[scales == 0] = 1
    return ScaledIntegers(np.rint(weights / scales).astype(np.int8), scales)
