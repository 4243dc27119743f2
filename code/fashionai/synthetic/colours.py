"""Colours of clothes: black, white, grey and blue are frequent, other hues less so."""
from typing import Sequence

import cv2
import numpy as np

from fashionai.synthetic.canvas import Colour

SKIN_TONES = ((205, 220, 245), (180, 205, 238), (160, 188, 228), (125, 160, 208), (90, 125, 175), (60, 85, 130))
HAIR_COLOURS = ((18, 16, 20), (25, 28, 42), (35, 50, 80), (50, 80, 120), (90, 150, 190), (40, 45, 110))
MANNEQUIN_COLOURS = ((225, 230, 235), (190, 205, 215), (150, 175, 200), (45, 45, 48), (205, 205, 205))
WOOD_COLOURS = ((60, 95, 140), (90, 130, 175), (40, 55, 85), (30, 30, 34), (215, 220, 222))


def as_colour(channels: Sequence[float]) -> Colour:
    """Returns blue, green and red, clipped to 0 to 255."""
    blue, green, red = (int(min(255, max(0, channel))) for channel in channels)
    return blue, green, red


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """Returns the BGR colour of a hue in degrees, and of saturation and value 0 to 1."""
    pixel = np.uint8([[[hue % 360 / 2, 255 * saturation, 255 * value]]])
    return as_colour(cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0])


def cloth_colour(rng: np.random.Generator) -> Colour:
    """Returns a random colour of a garment."""
    kind = rng.choice(6, p=(0.13, 0.15, 0.1, 0.17, 0.25, 0.2))
    hue = rng.uniform(0, 360)
    if kind == 0:
        return from_hsv(hue, rng.uniform(0, 0.2), rng.uniform(0.07, 0.2))
    if kind == 1:
        return from_hsv(rng.uniform(20, 60), rng.uniform(0, 0.12), rng.uniform(0.88, 1))
    if kind == 2:
        return from_hsv(hue, rng.uniform(0, 0.12), rng.uniform(0.3, 0.8))
    if kind == 3:
        return from_hsv(rng.uniform(205, 240), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.75))
    if kind == 4:
        return from_hsv(hue, rng.uniform(0.5, 0.95), rng.uniform(0.4, 0.95))
    return from_hsv(hue, rng.uniform(0.15, 0.45), rng.uniform(0.7, 0.97))


def backdrop_colour(rng: np.random.Generator) -> Colour:
    """Returns a random colour of a wall or a studio: mostly pale, sometimes dark."""
    if rng.random() < 0.3:
        level = int(rng.uniform(225, 256))
        return (level, level, level)
    return from_hsv(rng.uniform(0, 360), abs(rng.normal(0, 0.2)) % 0.6, np.clip(rng.normal(0.72, 0.2), 0.12, 1))


def pick(rng: np.random.Generator, colours: tuple) -> Colour:
    """Returns one of several colours, slightly changed."""
    return shaded(colours[rng.integers(len(colours))], rng.uniform(0.92, 1.05))


def shaded(colour: Colour, factor: float) -> Colour:
    """Returns a colour, darker or lighter by a factor."""
    return as_colour([channel * factor for channel in colour])


def vivid(rng: np.random.Generator) -> Colour:
    """Returns any random colour, for shoes."""
    return as_colour(rng.integers(10, 235, 3))


def distance(first: Colour, second: Colour) -> float:
    """Returns the distance of two colours, 0 to 441."""
    return float(np.linalg.norm(np.subtract(first, second)))


def contrasting(rng: np.random.Generator, colour: Colour, least: float = 90) -> Colour:
    """Returns a cloth colour whose distance from another is more than `least`."""
    while True:
        other = cloth_colour(rng)
        if distance(colour, other) > least:
            return other
