"""Writes the texts of a drawing: names beside their points, or numbers and a legend below the picture.

Names are written on the picture if there is room for all of them. Otherwise points get numbers, and a strip below the
picture says what they mean. Without a strip, names without room are left out.
"""
import textwrap
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from fashionai.images.drawing import Colour, draw_line, text_scale, text_size, write_text
from fashionai.images.label_layout import Obstacles, Rectangle, clear, leaders, place_block, place_labels

PAPER = (255, 255, 255)
_BEHIND_TEXT = 0.3
"""Behind text, the picture has this share of its brightness."""

_STRIP = 32
"""The level of grey behind the legend."""

_EDGE = (60, 60, 60)

_FARTHEST = 0.5
"""How far a heading may be from its corner, and on a garment, before it is written below the picture."""


@dataclass(frozen=True, eq=False)
class Label:
    """The text of a point (2,), in pixels of the picture."""

    text: str
    point_xy: np.ndarray
    colour: Colour


@dataclass(frozen=True)
class Heading:
    """Lines of text for a whole garment. They are written near `corner_xy` if there is room."""

    lines: Tuple[str, ...]
    colour: Colour
    corner_xy: Tuple[float, float] = (0, 0)


def write_labels(picture: np.ndarray, labels: Sequence[Label], headings: Sequence[Heading], obstacles: Obstacles,
                 strip: bool) -> np.ndarray:
    """Returns the picture (h, w, 3) with texts; it is changed.

    No text leaves the picture, covers a point, or covers another text.

    Args:
        picture: (h, w, 3) uint8, with lines and points.
        labels: of the points.
        headings: of the garments.
        obstacles: what the texts keep away from.
        strip: whether texts without room may be written on a strip below the picture, which then is higher.
    """
    scale = text_scale(obstacles.size_hw)
    obstacles, below = _write_headings(picture, headings, obstacles, scale, strip)
    places = _places([label.text for label in labels], labels, obstacles, scale)
    if strip and not clear(np.array([label.point_xy for label in labels]), places, obstacles.size_hw):
        numbers = {text: number for number, text in enumerate(dict.fromkeys(label.text for label in labels), 1)}
        legend = _legend({f'{number} {label.text}': label.colour for label in labels
                          for number in [numbers[label.text]]}, picture.shape[1], scale)
        if legend is not None:
            labels = [Label(str(numbers[label.text]), label.point_xy, label.colour) for label in labels]
            places = _places([label.text for label in labels], labels, obstacles, scale)
            below.append(legend)
    for label, place in zip(labels, places):
        if place:
            _draw_leader(picture, label, place, obstacles.radius, scale)
    for label, place in zip(labels, places):
        if place:
            _write_box(picture, ((label.text, label.colour),), place, scale)
    return np.vstack([picture, *below]) if strip else picture


def _places(texts: Sequence[str], labels: Sequence[Label], obstacles: Obstacles,
            scale: float) -> List[Optional[Rectangle]]:
    sizes = np.array([text_size(text, scale) for text in texts]).reshape(-1, 2)
    return place_labels(np.array([label.point_xy for label in labels]).reshape(-1, 2), sizes, obstacles)


def _write_headings(picture: np.ndarray, headings: Sequence[Heading], obstacles: Obstacles,
                    scale: float, strip: bool) -> Tuple[Obstacles, List[np.ndarray]]:
    """Writes headings. Returns the obstacles with them, and a strip of those that have no room on the picture."""
    below: List[np.ndarray] = []
    for heading in headings:
        lines = [(part, heading.colour) for text in heading.lines for part in _wrapped(text, picture.shape[1], scale)]
        sizes = [text_size(text, scale) for text, _ in lines]
        size = max(width for width, _ in sizes), sum(height for _, height in sizes)
        place = place_block(size, obstacles, heading.corner_xy, _FARTHEST if strip else np.inf)
        if place:
            _write_box(picture, lines, place, scale)
            obstacles = obstacles.and_taken(place)
        elif size[0] <= picture.shape[1]:
            below.append(np.full((size[1], picture.shape[1], 3), _STRIP, np.uint8))
            _write_lines(below[-1], lines, 0, 0, scale)
    return obstacles, below


def _wrapped(text: str, width: int, scale: float) -> List[str]:
    """Returns a text as lines that fit into the width of the picture."""
    letters = len(text) * width // max(1, text_size(text, scale)[0])
    return textwrap.wrap(text, max(letters, 12))


def _legend(entries: Dict[str, Colour], width: int, scale: float) -> Optional[np.ndarray]:
    """Returns a strip (h, width, 3) of entries in columns; None if it is too narrow for one."""
    sizes = [text_size(text, scale) for text in entries]
    across, down = max(size[0] for size in sizes), max(size[1] for size in sizes)
    columns = min(width // across, len(entries))
    if not columns:
        return None
    rows = -(-len(entries) // columns)
    strip = np.full((rows * down, width, 3), _STRIP, np.uint8)
    for number, (text, colour) in enumerate(entries.items()):
        write_text(strip, text, number // rows * (width // columns), number % rows * down, colour, scale)
    return strip


def _write_box(picture: np.ndarray, lines: Sequence[Tuple[str, Colour]], place: Rectangle, scale: float) -> None:
    """Writes lines into a rectangle, which is darkened."""
    left, top, right, bottom = place
    picture[top:bottom, left:right] = _BEHIND_TEXT * picture[top:bottom, left:right]
    _write_lines(picture, lines, left, top, scale)


def _write_lines(picture: np.ndarray, lines: Sequence[Tuple[str, Colour]], left: int, top: int, scale: float) -> None:
    for text, colour in lines:
        write_text(picture, text, left, top, colour, scale)
        top += text_size(text, scale)[1]


def _draw_leader(picture: np.ndarray, label: Label, place: Rectangle, radius: float, scale: float) -> None:
    """Draws a line from the edge of a dot to its label."""
    line, = leaders(label.point_xy, np.array([place]))
    start, end = line[:2], line[2:]
    length = float(np.hypot(*(end - start)))
    if length <= radius:
        return
    start = start + (end - start) * radius / length
    width = max(1, round(2 * scale))
    for colour, thickness in ((_EDGE, width + max(2, round(width / 2))), (label.colour, width)):
        draw_line(picture, start, end, colour, thickness)
