"""Draws trimmings: collars, lapels, hoods, buttons, zips, belts, pockets, seams and prints."""
from typing import Callable, Tuple

import numpy as np

from fashionai.synthetic.canvas import BODY, Colour
from fashionai.synthetic.colours import contrasting, shaded
from fashionai.synthetic.curves import bow, box, ellipse, mix
from fashionai.synthetic.cut import Cut, Points, chest_width, down_of, neck_curve
from fashionai.synthetic.fabric import Fabric, sample_fabric
from fashionai.synthetic.scene import Scene


def trim_top(scene: Scene, points: Points, hem: str, cut: Cut, fabric: Fabric, waisted: bool) -> None:
    """Draws the details of a blouse or dress."""
    chance = scene.chance
    dark = shaded(fabric.colour, 0.65)
    if chance(0.15):
        _yoke(scene, points, fabric)
    if chance(0.3):
        _button_row(scene, points['center_front'], down_of(points, hem)[1], dark, 0.15 if hem == 'hemline' else 0.11)
    elif chance(0.25):
        _print(scene, points, fabric)
    if chance(0.15):
        _pockets(scene, points, hem, fabric)
    if waisted and 'waistline_left' in points and chance(0.6):
        _belt(scene, points, fabric)
    _hem_seam(scene, points, hem, cut, dark)
    if chance(0.25) and cut.neckline != 'square':
        _collar(scene, points, fabric)
    else:
        _neck_band(scene, points, cut, fabric)


def trim_coat(scene: Scene, points: Points, hem: str, cut: Cut, fabric: Fabric, waisted: bool) -> None:
    """Draws the details of a coat or jacket."""
    rng, chance = scene.rng, scene.chance
    dark = shaded(fabric.colour, 0.55)
    low = down_of(points, hem)[1]
    if chance(0.25):
        _quilting(scene, points, hem, dark)
    if chance(0.4):
        _open_front(scene, points, hem, cut, fabric)
    else:
        edge = points['center_front'] + [rng.normal(0, 0.03) * chest_width(points), 0]
        scene.canvas.stroke(np.stack([edge, low]), dark, 0.008 * scene.metre)
        if chance(0.75):
            _button_row(scene, edge + [0.03 * scene.metre, 0], low, _metal(rng, dark), 0.13)
    if chance(0.7):
        _pockets(scene, points, hem, fabric)
    if waisted and chance(0.8):
        _belt(scene, points, fabric)
    _hem_seam(scene, points, hem, cut, dark)
    _choose(rng, (_lapels, _collar, _lapels))(scene, points, fabric)


def _choose(rng: np.random.Generator, options: Tuple[Callable, ...]) -> Callable:
    return options[rng.integers(len(options))]


def _metal(rng: np.random.Generator, dark: Colour) -> Colour:
    return ((90, 160, 190), (190, 190, 190), dark, (30, 30, 35))[rng.integers(4)]


def _button_row(scene: Scene, top: np.ndarray, low: np.ndarray, colour: Colour, spacing: float) -> None:
    length = float(np.hypot(*(low - top)))
    scene.canvas.stroke(np.stack([top, low]), colour, 0.004 * scene.metre)
    radius = scene.rng.uniform(0.007, 0.014) * scene.metre
    for share in np.arange(0.05, 0.97, spacing * scene.metre / max(length, 1)):
        scene.canvas.fill(ellipse(mix(top, low, share), (radius, radius), 0, 12), colour, BODY)


def _print(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws a badge or a word on the chest."""
    rng, width = scene.rng, chest_width(points)
    centre = mix(points['center_front'], (points['armpit_left'] + points['armpit_right']) / 2, 1.1) + [0, 0.12 * width]
    colour = contrasting(rng, fabric.colour)
    if rng.random() < 0.5:
        scene.canvas.fill(ellipse(centre, rng.uniform(0.08, 0.22, 2) * width), colour, BODY)
        scene.canvas.fill(ellipse(centre, rng.uniform(0.03, 0.1, 2) * width), fabric.colour, BODY)
        return
    for number in np.arange(-2, 3):
        size = np.array([0.06, rng.uniform(0.08, 0.14)]) * width
        letter = box(centre + [number * 0.09 * width, 0], size, rng.normal(0, 6))
        scene.canvas.stroke(letter[:int(rng.integers(3, 5))], colour, 0.02 * width)


def _pockets(scene: Scene, points: Points, hem: str, fabric: Fabric) -> None:
    rng, width = scene.rng, chest_width(points)
    top, low = down_of(points, hem)
    height, size = rng.uniform(0.5, 0.75), rng.uniform(0.18, 0.28, 2) * width
    slant = rng.uniform(-4, 4)
    for sign in (-1, 1):
        centre = mix(top, low, height) + [sign * 0.27 * width, 0]
        if rng.random() < 0.85:
            bag = box(centre, size, sign * slant)
            scene.paint(bag, fabric, BODY, tone=0.93)
            scene.canvas.stroke(bag, shaded(fabric.colour, 0.6), 0.004 * scene.metre, closed=True)
        scene.paint(box(centre - [0, size[1] / 2], size * [1, 0.25], sign * slant), fabric, BODY, tone=0.75)


def _belt(scene: Scene, points: Points, fabric: Fabric) -> None:
    rng = scene.rng
    left, right = points['waistline_left'], points['waistline_right']
    half = rng.uniform(0.008, 0.03) * scene.metre
    down = np.array([0, half])
    colour = contrasting(rng, fabric.colour, 60) if rng.random() < 0.5 else shaded(fabric.colour, 0.7)
    band = np.vstack([bow(left - down, right - down, -half), bow(right + down, left + down, half)])
    scene.paint(band, fabric.plain(colour), BODY)
    middle = mix(left, right, rng.uniform(0.4, 0.6)) + down
    if rng.random() < 0.5:
        scene.canvas.stroke(box(middle, np.array([3, 3]) * half), (120, 175, 200), 0.008 * scene.metre, True)
    elif rng.random() < 0.6:
        for end in rng.uniform(-0.06, 0.06, 2):
            tail = np.stack([middle, middle + np.array([end, rng.uniform(0.12, 0.25)]) * scene.metre])
            scene.canvas.stroke(tail, colour, 0.02 * scene.metre)


def _hem_seam(scene: Scene, points: Points, hem: str, cut: Cut, dark: Colour) -> None:
    left, right = points[f'{hem}_left'], points[f'{hem}_right']
    up = np.array([0, -0.025 * scene.metre])
    if not cut.hem_waves:
        line = bow(mix(right, left, 0.02) + up, mix(left, right, 0.02) + up, cut.hem_sag * np.hypot(*(right - left)))
        scene.canvas.stroke(line, dark, 0.004 * scene.metre)


def _neck_band(scene: Scene, points: Points, cut: Cut, fabric: Fabric) -> None:
    """Draws a rib along the neck opening; its outer edge is the neckline itself."""
    rng = scene.rng
    curve = neck_curve(points, cut)
    depth = (rng.uniform(0.012, 0.035) if rng.random() < 0.8 else 0.06) * scene.metre
    lower = curve + np.array([0, depth])
    for end, side in ((0, 'left'), (-1, 'right')):
        lower[end] = mix(curve[end], points[f'shoulder_{side}'], min(depth / scene.metre * 4, 0.4))
    plain = fabric.plain(contrasting(rng, fabric.colour, 60)) if rng.random() < 0.2 else fabric
    scene.paint(np.vstack([curve, lower[::-1]]), plain, BODY, tone=rng.uniform(0.75, 0.92))


def _yoke(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws raglan or contrast shoulders, down to a line above the armpits."""
    low = [mix(points[f'shoulder_{side}'], points[f'armpit_{side}'], 0.55) for side in ('left', 'right')]
    scene.canvas.stroke(bow(low[0], low[1], 0), shaded(fabric.colour, 0.6), 0.005 * scene.metre)


def _collar(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws two collar leaves along the neckline, which meet at its lowest point."""
    rng, dip = scene.rng, points['center_front']
    tone, length = rng.uniform(0.88, 1.08), rng.uniform(0.05, 0.1) * scene.metre
    colour = fabric.plain(contrasting(rng, fabric.colour, 60)) if rng.random() < 0.2 else fabric
    for side, sign in (('left', -1), ('right', 1)):
        neck = points[f'neckline_{side}']
        outer = mix(neck, points[f'shoulder_{side}'], 0.3)
        tip = mix(dip, neck, 0.25) + np.array([sign * 0.8, 1.0]) * length
        leaf = np.stack([neck, dip, tip, mix(outer, tip, 0.5) + [sign * 0.1 * length, 0], outer])
        scene.paint(leaf, colour, BODY, sign * 35, tone=tone)
        scene.canvas.stroke(leaf[1:], shaded(colour.colour, 0.6), 0.005 * scene.metre)


def _lapels(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws a notched or shawl collar, down to the first button."""
    rng, dip, width = scene.rng, points['center_front'], chest_width(points)
    lapel = rng.uniform(0.16, 0.3) * width
    colour = fabric.plain(contrasting(rng, fabric.colour, 50)) if rng.random() < 0.25 else fabric
    for side, sign in (('left', -1), ('right', 1)):
        neck = points[f'neckline_{side}']
        outer = mix(neck, points[f'shoulder_{side}'], 0.25)
        notch = mix(outer, dip, 0.35) + [sign * 0.5 * lapel, 0]
        peak = mix(outer, dip, 0.5) + [sign * lapel, 0.02 * width]
        shape = np.stack([neck, dip + [0, 0.06 * width], peak, notch, outer])
        scene.paint(shape, colour, BODY, sign * 25, tone=rng.uniform(0.85, 1.0))
        scene.canvas.stroke(shape[1:], shaded(colour.colour, 0.5), 0.006 * scene.metre)


def _quilting(scene: Scene, points: Points, hem: str, dark: Colour) -> None:
    left, right = points['armpit_left'], points['armpit_right']
    for share in np.linspace(0.05, 0.95, int(scene.rng.integers(5, 11))):
        line = bow(mix(left, points[f'{hem}_left'], share), mix(right, points[f'{hem}_right'], share),
                   -0.02 * chest_width(points))
        scene.canvas.stroke(line, dark, 0.012 * scene.metre)


def _open_front(scene: Scene, points: Points, hem: str, cut: Cut, fabric: Fabric) -> None:
    """Draws the opening of an open coat, which shows a top or the lining."""
    rng, width = scene.rng, chest_width(points)
    hem_width = np.hypot(*(points[f'{hem}_right'] - points[f'{hem}_left']))
    low = down_of(points, hem)[1] + [0, 0.97 * cut.hem_sag * hem_width]
    half = rng.uniform(0.05, 0.25) * width
    under = sample_fabric(rng, max(scene.canvas.size_hw))
    dip = points['center_front']
    left, right = (np.stack([points[f'neckline_{side}'] + [-sign, 2], mix(dip, low, 0.5) + [sign * half * 0.8, 0],
                             low + [sign * half, 0]]) for side, sign in (('left', -1), ('right', 1)))
    scene.paint(np.vstack([dip, right, left[::-1]]), under, BODY, tone=0.75)
    for edge in (left, right):
        scene.canvas.stroke(edge[1:], shaded(fabric.colour, 0.5), 0.012 * scene.metre)
