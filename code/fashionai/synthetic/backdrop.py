"""Draws what is behind the garment: studios, rooms, streets and floors, all in pixels of the picture."""
from typing import Callable, Tuple

import cv2
import numpy as np

from fashionai.synthetic.canvas import BACKDROP, Canvas
from fashionai.synthetic.colours import as_colour, backdrop_colour, cloth_colour, shaded
from fashionai.synthetic.curves import box, ellipse, tube
from fashionai.synthetic.fabric import sample_fabric
from fashionai.synthetic.scene import FLAT, HANGER


def draw_backdrop(rng: np.random.Generator, size_hw: Tuple[int, int], shown: str) -> np.ndarray:
    """Returns an empty backdrop (h, w, 3) uint8 for a garment that is `shown` in one of the ways of Scene."""
    shares = {FLAT: (0.5, 0.05, 0.1, 0.35), HANGER: (0.55, 0.2, 0.1, 0.15)}.get(shown, (0.4, 0.25, 0.3, 0.05))
    image = _BACKDROPS[rng.choice(len(_BACKDROPS), p=shares)](rng, size_hw)
    if rng.random() < 0.35:
        _draw_clutter(rng, image)
    return image


def _studio(rng: np.random.Generator, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns one colour, brighter towards a random point."""
    height, width = size_hw
    colour = np.float32(backdrop_colour(rng))
    y, x = np.mgrid[0:height:8, 0:width:8].astype(np.float32)
    x0, y0 = rng.uniform(0, width), rng.uniform(-0.2, 0.8) * height
    fall = 1 + rng.choice((0, 0.1, 0.25)) * (0.4 - np.hypot(x - x0, y - y0) / max(size_hw))
    small = np.clip(colour * fall[..., None], 0, 255).astype(np.uint8)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        _darken_below(image, rng.uniform(0.7, 0.95) * height, rng.uniform(0.75, 0.97))
    return image


def _darken_below(image: np.ndarray, horizon: float, factor: float) -> None:
    row = int(horizon)
    image[row:] = np.clip(image[row:] * factor, 0, 255)


def _room(rng: np.random.Generator, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a wall and a floor with frames, doors and furniture."""
    height, width = size_hw
    image = _studio(rng, size_hw)
    canvas = Canvas(image, np.eye(2, 3))
    horizon = rng.uniform(0.55, 0.9) * height
    floor = sample_fabric(rng, max(size_hw)).patch((0, 0, width, height - int(horizon)), rng.uniform(-10, 10))
    image[int(horizon):] = np.clip(0.5 * floor + 0.5 * np.float32(backdrop_colour(rng)), 0, 255)
    for _ in range(int(rng.integers(1, 7))):
        size = rng.uniform(0.08, 0.45, 2) * max(size_hw)
        y = horizon - size[1] / 2 if rng.random() < 0.5 else rng.uniform(0, horizon)
        centre = np.array([rng.uniform(0, width), y])
        colour = backdrop_colour(rng) if rng.random() < 0.5 else cloth_colour(rng)
        canvas.fill(box(centre, size), shaded(colour, 0.8), BACKDROP)
        canvas.fill(box(centre, size * rng.uniform(0.75, 0.95)), colour, BACKDROP)
    return _blurred(rng, image, 0.5)


def _street(rng: np.random.Generator, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a street out of focus: trees, walls, windows and people as soft blobs and bars."""
    height, width = size_hw
    image = _haze(rng, size_hw) if rng.random() < 0.7 else _studio(rng, size_hw)
    canvas = Canvas(image, np.eye(2, 3))
    for _ in range(int(rng.integers(0, 25))):
        centre, size = rng.uniform(0, 1, 2) * [width, height], rng.uniform(0.03, 0.3, 2) * max(size_hw)
        colour = shaded(cloth_colour(rng) if rng.random() < 0.4 else backdrop_colour(rng), rng.uniform(0.6, 1))
        outline = box(centre, size, rng.normal(0, 4))
        if rng.random() < 0.5:
            outline = ellipse(centre, size / 2, rng.uniform(0, 180))
        canvas.fill(outline, colour, BACKDROP)
    return _blurred(rng, image, 0.85)


def _haze(rng: np.random.Generator, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns leaves, stone or crowds: three colours mixed by noise of several sizes."""
    height, width = size_hw
    colours = np.float32([shaded(backdrop_colour(rng), rng.uniform(0.5, 1)), shaded(backdrop_colour(rng), 0.8),
                          shaded(cloth_colour(rng), 0.8)])
    noise = np.zeros((height // 2, width // 2, 2), np.float32)
    for cells in (4, 10, 25):
        octave = rng.normal(0, rng.uniform(0.2, 1.5) / np.sqrt(cells), (cells, cells, 2)).astype(np.float32)
        noise += cv2.resize(octave, (width // 2, height // 2), interpolation=cv2.INTER_CUBIC)
    share = np.clip(0.5 + noise, 0, 1)
    first = colours[0] + (colours[1] - colours[0]) * share[..., :1]
    mixed = first + (colours[2] - first) * np.clip(2 * share[..., 1:] - 1, 0, 1)
    return cv2.resize(mixed.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


def _blurred(rng: np.random.Generator, image: np.ndarray, rate: float) -> np.ndarray:
    if rng.random() > rate:
        return image
    side = 1 + 2 * int(rng.integers(1, max(2, max(image.shape) // 50)))
    return cv2.blur(cv2.blur(image, (side, side)), (side, side))


def _pattern(rng: np.random.Generator, size_hw: Tuple[int, int]) -> np.ndarray:
    """Returns a floor, a wall of bricks or boards, or a blanket."""
    height, width = size_hw
    if rng.random() < 0.5:
        cloth = sample_fabric(rng, max(size_hw)).patch((0, 0, width, height), rng.uniform(-30, 30))
        share = rng.uniform(0.2, 0.8)
        return np.clip(share * cloth + (1 - share) * np.float32(backdrop_colour(rng)), 0, 255).astype(np.uint8)
    image = _studio(rng, size_hw)
    line = shaded(as_colour(image[height // 2, width // 2]), rng.uniform(0.7, 0.9))
    step, brick = int(rng.uniform(0.05, 0.2) * max(size_hw)), rng.random() < 0.5
    for row, y in enumerate(range(int(rng.integers(0, step)), height, step)):
        cv2.line(image, (0, y), (width, y), line, 2, cv2.LINE_AA)
        for x in range(step * (row % 2), width, 2 * step) if brick else ():
            cv2.line(image, (x, y), (x, y + step), line, 2, cv2.LINE_AA)
    return image


_BACKDROPS: Tuple[Callable[[np.random.Generator, Tuple[int, int]], np.ndarray], ...] = (
    _studio, _room, _street, _pattern)


def cast_shadow(rng: np.random.Generator, canvas: Canvas, strength: float) -> None:
    """Darkens the backdrop beside everything that is in front of it."""
    height, width = canvas.size_hw
    solid = (canvas.owner != BACKDROP).astype(np.float32)
    thing = cv2.resize(solid, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    side = int(rng.integers(2, 7))
    shift = np.array([[1, 0, rng.normal(0, 0.005) * width], [0, 1, rng.uniform(0, 0.007) * height]])
    shadow = cv2.blur(cv2.blur(cv2.warpAffine(thing, shift, (width // 4, height // 4)), (side, side)), (side, side))
    light = 1 - strength * cv2.resize(shadow, (width, height), interpolation=cv2.INTER_LINEAR)
    light[canvas.owner != BACKDROP] = 1
    cv2.multiply(canvas.image, cv2.merge([light] * 3), canvas.image, dtype=cv2.CV_8U)


def _draw_clutter(rng: np.random.Generator, image: np.ndarray) -> None:
    """Draws small things near the left and right borders."""
    height, width = image.shape[:2]
    canvas = Canvas(image, np.eye(2, 3))
    for _ in range(int(rng.integers(1, 5))):
        x = rng.choice((rng.uniform(0, 0.2), rng.uniform(0.8, 1))) * width
        thing = _THINGS[rng.integers(len(_THINGS))]
        thing(rng, canvas, np.array([x, rng.uniform(0, height)]), rng.uniform(0.04, 0.12) * max(height, width))


def _shoes(rng: np.random.Generator, canvas: Canvas, centre: np.ndarray, size: float) -> None:
    colour = cloth_colour(rng)
    for shift in (-0.6, 0.6):
        heel, toe = centre + [shift * size, -size / 2], centre + [shift * size * 0.9, size / 2]
        canvas.fill(tube([heel, toe], (0.5 * size, 0.7 * size)), colour, BACKDROP)


def _handbag(rng: np.random.Generator, canvas: Canvas, centre: np.ndarray, size: float) -> None:
    colour = cloth_colour(rng)
    handle = ellipse(centre - [0, 0.5 * size], (0.4 * size, 0.7 * size))
    canvas.stroke(handle, shaded(colour, 0.7), 0.1 * size, closed=True)
    canvas.fill(box(centre, (1.4 * size, size)), colour, BACKDROP)


def _plant(rng: np.random.Generator, canvas: Canvas, centre: np.ndarray, size: float) -> None:
    green = (60, int(rng.uniform(90, 160)), 70)
    for angle in rng.uniform(0, 360, 9):
        out = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * size
        canvas.fill(ellipse(centre + out * 0.6, (0.6 * size, 0.15 * size), angle), green, BACKDROP)


def _word(rng: np.random.Generator, canvas: Canvas, centre: np.ndarray, size: float) -> None:
    write_word(rng, canvas.image, centre, size / 40)


def write_word(rng: np.random.Generator, image: np.ndarray, at_xy: np.ndarray, scale: float) -> None:
    """Prints random letters, as shops do, from a point to the right; with `scale` 1 they are about 20 pixels high."""
    word = ''.join(chr(code) for code in rng.integers(65, 91, int(rng.integers(3, 10))))
    cv2.putText(image, word, (int(at_xy[0]), int(at_xy[1])), int(rng.integers(0, 8)), scale, cloth_colour(rng),
                max(1, int(1.5 * scale)), cv2.LINE_AA)


_Thing = Callable[[np.random.Generator, Canvas, np.ndarray, float], None]
_THINGS: Tuple[_Thing, ...] = (_shoes, _handbag, _plant, _word)
