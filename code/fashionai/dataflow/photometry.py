"""Photometric augmentation: random effects of light, lens, sensor and file format on a picture.

The colours are changed by one affine map, which is composed from random values of hue, saturation, contrast and
brightness. Half of the pictures are then damaged a little: blurred, noisy, or compressed.
"""
from typing import Callable, Tuple

import cv2
import numpy as np

LUMA_BGR = (0.114, 0.587, 0.299)
"""The weights of blue, green and red in the perceived brightness: ITU-R BT.601."""

_MIDDLE = 127.5
_HUE_DEGREES = 18.
_SATURATION, _CONTRAST, _BRIGHTNESS = (0.5, 1.5), (0.8, 1.2), (0.8, 1.2)
_GREY, _DAMAGED = 0.1, 0.5
"""The shares of the pictures that become grey, and that are damaged."""

Damage = Callable[[np.random.RandomState, np.ndarray, float], np.ndarray]
"""Returns a picture (h, w, 3) uint8 with a damage; its strength is from 0 to 1."""


def photometric(rng: np.random.RandomState, image: np.ndarray) -> np.ndarray:
    """Returns the picture (h, w, 3) uint8 BGR with random colours and damage; h and w are 1 or more."""
    image = cv2.transform(image, draw_colours(rng))
    if rng.uniform() >= _DAMAGED:
        return image
    damage = _DAMAGES[rng.randint(len(_DAMAGES))]
    return damage(rng, image, rng.uniform())


def draw_colours(rng: np.random.RandomState) -> np.ndarray:
    """Returns (3, 4) float64: a random affine map of colours BGR 0..255.

    Hue is rotated by -18..18 degrees. Saturation is multiplied by 0.5..1.5, and by 0 for a tenth of the pictures.
    Contrast is multiplied by 0.8..1.2 about the middle of the range, and brightness by 0.8..1.2: at 1.3, white garments
    in front of white walls are no longer visible.
    """
    degrees, saturation = rng.uniform(-_HUE_DEGREES, _HUE_DEGREES), rng.uniform(*_SATURATION)
    contrast, brightness = rng.uniform(*_CONTRAST), rng.uniform(*_BRIGHTNESS)
    saturation = 0. if rng.uniform() < _GREY else saturation
    luma = np.tile(LUMA_BGR, (3, 1))
    linear = (saturation * np.eye(3) + (1 - saturation) * luma) @ hue_rotation(degrees)
    return brightness * np.column_stack([contrast * linear, np.full(3, (1 - contrast) * _MIDDLE)])


def hue_rotation(degrees: float) -> np.ndarray:
    """Returns (3, 3): the rotation of BGR colours about the axis of greys, which do not change (Rodrigues' formula)."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    across = np.array([[0., -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return cosine * np.eye(3) + sine * across + (1 - cosine) / 3


def _blurred(rng: np.random.RandomState, image: np.ndarray, strength: float) -> np.ndarray:
    """Blurs by a Gaussian of 0.4 to 1.4 pixels."""
    del rng
    return cv2.GaussianBlur(image, (0, 0), 0.4 + strength)


def _noisy(rng: np.random.RandomState, image: np.ndarray, strength: float) -> np.ndarray:
    """Adds uniform noise of at most 4 to 20 to each value."""
    noise = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
    most = 4 + 16 * strength
    return cv2.addWeighted(image, 1, noise, most / _MIDDLE, -most)


def _compressed(rng: np.random.RandomState, image: np.ndarray, strength: float) -> np.ndarray:
    """Compresses as JPEG with quality 90 to 30."""
    del rng
    file = cv2.imencode('.jpg', image, (cv2.IMWRITE_JPEG_QUALITY, round(90 - 60 * strength)))[1]
    return cv2.imdecode(file, cv2.IMREAD_COLOR)


_DAMAGES: Tuple[Damage, ...] = (_blurred, _noisy, _compressed)
