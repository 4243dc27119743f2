"""Fabrics: a colour, and a swatch of the pattern that repeats over the cloth."""
from dataclasses import dataclass, replace
from typing import Callable, Optional, Tuple

import cv2
import numpy as np

from fashionai.synthetic.canvas import Colour, Extent
from fashionai.synthetic.colours import cloth_colour, contrasting, from_hsv, shaded
from fashionai.synthetic.curves import ellipse

TILE = 128
"""The side of a swatch in pixels; a swatch repeats without seams."""


@dataclass(frozen=True)
class Fabric:
    """A fabric: its main colour, its swatch, and how it reflects light and folds."""

    colour: Colour
    swatch: Optional[np.ndarray]
    """(TILE, TILE, 3) uint8 pattern without seams; None: the plain colour."""
    zoom: float
    turn_deg: float
    gloss: float
    """Strength of folds and highlights."""
    softness: float
    """The strength of folding: 0 stiff, 1 flowing."""

    def patch(self, box: Extent, turn_deg: float) -> np.ndarray:
        """Returns the (h, w, 3) float32 colours of a box of the picture. The pattern turns with its part."""
        if self.swatch is None:
            return np.full((box[3] - box[1], box[2] - box[0], 3), self.colour, np.float32)
        angle = np.radians(self.turn_deg + turn_deg)
        cosine, sine = np.cos(angle) / self.zoom, np.sin(angle) / self.zoom
        to_swatch = np.array([[cosine, sine, 0], [-sine, cosine, 0]])
        to_swatch[:, 2] = to_swatch[:, :2] @ np.array(box[:2], float) + TILE / 2
        patch = cv2.warpAffine(self.swatch, to_swatch, (int(box[2] - box[0]), int(box[3] - box[1])),
                               flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_WRAP)
        return patch.astype(np.float32)

    def plain(self, colour: Colour) -> 'Fabric':
        """Returns the same fabric in one colour without a pattern, for trimmings and linings."""
        return replace(self, colour=colour, swatch=None)


def sample_fabric(rng: np.random.Generator, long_side: int) -> Fabric:
    """Returns a random fabric for a picture of that size."""
    colour = cloth_colour(rng)
    second = contrasting(rng, colour)
    weave = _WEAVES[rng.choice(len(_WEAVES), p=_WEAVE_SHARES)]
    swatch, zooms, turns = weave(rng, colour, second)
    grain = rng.normal(0, rng.uniform(0, 6), (TILE, TILE, 1))
    return Fabric(colour, np.clip(swatch + grain, 0, 255).astype(np.uint8), rng.uniform(*zooms) * long_side / 512,
                  turns[rng.integers(len(turns))] + rng.normal(0, 2), rng.uniform(0.5, 1.2), rng.uniform(0.15, 1))


Weave = Tuple[np.ndarray, Tuple[float, float], Tuple[float, ...]]


def _tile(colour: Colour) -> np.ndarray:
    return np.full((TILE, TILE, 3), colour, np.uint8)


def _plain(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    return _tile(colour), (0.8, 1.2), (0,)


def _stripes(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    tile, period = _tile(colour), TILE // int(rng.choice((2, 4, 4, 8)))
    width = max(2, int(period * rng.choice((0.15, 0.3, 0.5))))
    for start in range(0, TILE, period):
        tile[start:start + width] = second
    return tile, (0.4, 0.9), (0, 0, 90, 90, 45)


def _checks(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    bands, period = np.zeros(TILE, np.float32), TILE // int(rng.choice((2, 4)))
    third = np.float32(cloth_colour(rng))
    for start in range(0, TILE, period):
        bands[start:start + period // 2] = 0.5
    tile = np.float32(_tile(colour))
    tile += (np.float32(second) - tile) * (bands[:, None] + bands)[..., None] * rng.uniform(0.6, 1)
    if rng.random() < 0.5:
        lines = np.arange(TILE) % period == period * 3 // 4
        tile[lines], tile[:, lines] = third, third
    return tile, (0.35, 0.9), (0, 0, 45)


def _dots(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    tile, step = _tile(colour), TILE // int(rng.choice((2, 4)))
    radius = int(step * rng.uniform(0.12, 0.3) * 16)
    for x in range(0, TILE + 1, step // 2):
        for y in range((x // (step // 2) % 2) * step // 2, TILE + 1, step):
            cv2.circle(tile, (x * 16, y * 16), radius, second, -1, cv2.LINE_AA, 4)
    return tile, (0.5, 1), (0, 20)


def _flowers(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    tile, leaf = _tile(colour), from_hsv(rng.uniform(70, 160), 0.5, rng.uniform(0.25, 0.7))
    petal_colours = (second, contrasting(rng, colour, 60))
    for number in range(int(rng.integers(5, 14))):
        centre, size = rng.uniform(0, TILE, 2), rng.uniform(5, 15)
        _scatter(tile, ellipse(centre + size, (size, size / 3), rng.uniform(0, 180), 12), leaf)
        start, petals = rng.uniform(0, 72), int(rng.integers(4, 7))
        for angle in np.arange(petals) * 360 / petals + start:
            out = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
            _scatter(tile, ellipse(centre + out * size * 0.6, (size * 0.6, size * 0.4), angle, 12),
                     petal_colours[number % 2])
        _scatter(tile, ellipse(centre, (size / 4, size / 4), 0, 8), shaded(second, 0.5))
    return tile, (0.5, 1.3), (0, 30)


def _scatter(tile: np.ndarray, outline: np.ndarray, colour: Colour) -> None:
    """Fills an outline on a tile that repeats: what crosses an edge continues at the opposite edge."""
    for shift in ((0, 0), (-TILE, 0), (0, -TILE), (-TILE, -TILE)):
        corners = np.round((outline + shift) * 16).astype(np.int32)
        cv2.fillPoly(tile, [corners], colour, cv2.LINE_AA, 4)


def _blotches(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    """Returns soft noise, cut at a level: camouflage, leopard, marble."""
    cells = int(rng.choice((6, 10, 16)))
    noise = cv2.resize(np.pad(rng.random((cells, cells)).astype(np.float32), 2, 'wrap'), None,
                       fx=TILE / cells, fy=TILE / cells, interpolation=cv2.INTER_CUBIC)
    edge = (noise.shape[0] - TILE) // 2
    share = np.clip((noise[edge:edge + TILE, edge:edge + TILE] - rng.uniform(0.45, 0.7)) * rng.uniform(3, 20), 0, 1)
    return np.float32(colour) * (1 - share[..., None]) + np.float32(second) * share[..., None], (0.5, 1.5), (0, 90)


def _denim(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    blue = np.float32(from_hsv(rng.uniform(205, 225), rng.uniform(0.35, 0.75), rng.uniform(0.2, 0.8)))
    rows = np.arange(TILE)
    twill = 1 + 0.12 * np.sin(2 * np.pi * (rows[:, None] + rows) / 4) + rng.normal(0, 0.1, (TILE, TILE))
    return blue * twill[..., None], (0.5, 0.9), (0,)


def _knit(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    rows, period = np.arange(TILE), int(rng.choice((4, 8, 16)))
    ribs = 1 + 0.16 * np.sin(2 * np.pi * rows / period) + 0.05 * np.sin(2 * np.pi * rows / 4)[:, None]
    return np.float32(colour) * ribs[..., None], (0.6, 1), (0, 0, 0, 90)


def _tweed(rng: np.random.Generator, colour: Colour, second: Colour) -> Weave:
    fibres = cv2.blur(rng.random((TILE, TILE)).astype(np.float32), (1, 3), borderType=cv2.BORDER_REFLECT)
    share = np.clip(fibres - 0.3, 0, 1)[..., None]
    return np.float32(colour) * (1 - share) + np.float32(second) * share, (0.6, 1.4), (0, 45)


_WEAVES: Tuple[Callable[[np.random.Generator, Colour, Colour], Weave], ...] = (
    _plain, _stripes, _checks, _dots, _flowers, _blotches, _denim, _knit, _tweed)
_WEAVE_SHARES = (0.38, 0.11, 0.09, 0.05, 0.1, 0.06, 0.08, 0.08, 0.05)
