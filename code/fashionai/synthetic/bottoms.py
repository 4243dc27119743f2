"""Draws skirts and trousers."""
from typing import Mapping, Optional, Tuple

import numpy as np

from fashionai.synthetic.canvas import BODY, LEFT, RIGHT
from fashionai.synthetic.cloth import Crease, scatter_creases, turn_of
from fashionai.synthetic.colours import WOOD_COLOURS, contrasting, pick, shaded, vivid
from fashionai.synthetic.curves import bow, box, ellipse, mix, spline, tube, wavy
from fashionai.synthetic.fabric import Fabric
from fashionai.synthetic.figure import draw_hook, draw_legs
from fashionai.synthetic.others import draw_arms, draw_upper
from fashionai.synthetic.pose import Pose
from fashionai.synthetic.scene import HANGER, WORN, Scene

Points = Mapping[str, np.ndarray]
TOP_OVER_RATE = 0.17
"""The share of wearers whose top hangs over the waistband."""


def draw_bottom(scene: Scene, pose: Pose, fabric: Fabric) -> None:
    """Draws a skirt or trousers, and the person, mannequin or hanger that carries it."""
    points = pose.points
    waist = points['waistband_left'], points['waistband_right']
    over = scene.chance(TOP_OVER_RATE)
    if scene.shown == HANGER:
        _draw_clip_hanger(scene, waist)
    if scene.has_body:
        if 'crotch' in points:
            _draw_feet(scene, points)
        else:
            hips = (waist[0] + waist[1]) / 2 + [0, 0.2 * scene.metre]
            draw_legs(scene, hips, 0.3 * scene.metre, vivid(scene.rng))
        if not over:
            top = draw_upper(scene, waist, False)
    (draw_trousers if 'crotch' in points else draw_skirt)(scene, points, fabric)
    if scene.has_body and over:
        top = draw_upper(scene, waist, True)
    if scene.shown == WORN:
        draw_arms(scene, waist, top)
    elif scene.shown == HANGER:
        _draw_clips(scene, waist)


def draw_skirt(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws a skirt: pencil, A-line, pleated or flared."""
    rng = scene.rng
    left, right = points['waistband_left'], points['waistband_right']
    low_left, low_right = points['hemline_left'], points['hemline_right']
    waist, hem = float(np.hypot(*(right - left))), float(np.hypot(*(low_right - low_left)))
    length = float(np.hypot(*((low_left + low_right - left - right) / 2)))
    flare = hem / waist
    flowing = flare > 1.5 or scene.chance(0.3)
    hip = rng.uniform(0.02, 0.09) * waist if flare < 1.6 else rng.normal(0, 0.04) * waist
    at = min(0.2 * scene.metre / length, 0.6)
    edge = bow(low_right, low_left, abs(rng.normal(0.03, 0.05)) * hem, count=41)
    if flowing:
        edge = wavy(edge, rng.uniform(0.01, 0.03) * hem, int(rng.integers(2, 9)), rng.uniform(0, 6))
    sides = [bow(right, low_right, hip, at), bow(low_left, left, hip, 1 - at)]
    top = bow(left, right, rng.normal(-0.02, 0.02) * waist)
    creases = _pleats(scene, points, flowing, waist)
    middle, low = (left + right) / 2, (low_left + low_right) / 2
    scene.paint(np.vstack([top, sides[0], edge, sides[1]]), fabric, BODY, turn_of(middle, low), creases)
    _trim_skirt(scene, points, fabric, None if flowing else edge)
    _draw_waistband(scene, top, fabric, waist)


def _trim_skirt(scene: Scene, points: Points, fabric: Fabric, edge: Optional[np.ndarray]) -> None:
    """Draws buttons, tiers and pockets, and a seam along the hem's `edge` if it is given."""
    left, right = points['waistband_left'], points['waistband_right']
    low_left, low_right = points['hemline_left'], points['hemline_right']
    middle, low = (left + right) / 2, (low_left + low_right) / 2
    dark = shaded(fabric.colour, 0.65)
    if edge is not None:
        scene.canvas.stroke(mix(edge, low, 0.02) + 0.04 * (middle - low), dark, 0.004 * scene.metre)
    if scene.chance(0.25):
        _front_row(scene, middle, low, dark)
    elif scene.chance(0.2):
        for share in (0.33, 0.66):
            tier = bow(mix(right, low_right, share), mix(left, low_left, share), 0.02 * scene.metre)
            scene.canvas.stroke(tier, dark, 0.008 * scene.metre)
    if edge is not None and scene.chance(0.2):
        _pocket_lines(scene, left, right, dark)


def _pleats(scene: Scene, points: Points, flowing: bool, waist: float) -> Tuple[Crease, ...]:
    rng, pleats = scene.rng, []
    left, right = points['waistband_left'], points['waistband_right']
    count = int(rng.integers(5, 22)) if flowing else int(rng.integers(0, 4))
    for share in np.linspace(0.05, 0.95, count):
        start = mix(left, right, share)
        end = mix(points['hemline_left'], points['hemline_right'], share + rng.normal(0, 0.02))
        line = np.stack([mix(start, end, rng.uniform(0, 0.25)), mix(start, end, 0.5) + rng.normal(0, 2, 2), end])
        height = rng.uniform(0.8, 2) * rng.choice((-1, 1))
        pleats.append(Crease(line, rng.uniform(0.25, 0.6) * waist / max(count, 4), height))
    pulls = scatter_creases(rng, [left, right], [points['hemline_left'], points['hemline_right']], waist,
                            int(rng.integers(1, 5)), 0.03 * waist)
    return tuple(pleats) + pulls


def draw_trousers(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws trousers or shorts: the seat and two legs; either leg may be in front."""
    rng = scene.rng
    left, right, crotch = points['waistband_left'], points['waistband_right'], points['crotch']
    waist = float(np.hypot(*(right - left)))
    bulge, knee = rng.uniform(0.02, 0.1) * waist, rng.normal(0, 0.025)
    top = bow(left, right, rng.normal(-0.02, 0.02) * waist)
    sides = [('left', LEFT, left, -1), ('right', RIGHT, right, 1)]
    for number in rng.permutation(2):
        side, owner, corner, sign = sides[number]
        _draw_leg(scene, points, fabric, side, owner, corner, sign, (bulge, knee))
    middle = (left + right) / 2
    dark = shaded(fabric.colour, 0.7)
    fly = bow(middle, crotch, 0.02 * waist * rng.choice((-1, 1)))
    scene.canvas.stroke(fly, dark, 0.006 * scene.metre)
    if scene.chance(0.5):
        scene.canvas.stroke(spline([middle + [0.05 * waist, 0], mix(middle, crotch, 0.45) + [0.05 * waist, 0],
                                    mix(middle, crotch, 0.6)]), dark, 0.004 * scene.metre)
    if scene.chance(0.75):
        _pocket_lines(scene, left, right, dark)
    _draw_waistband(scene, top, fabric, waist)


def _draw_leg(scene: Scene, points: Points, fabric: Fabric, side: str, owner: int, corner: np.ndarray, sign: int,
              shape: Tuple[float, float]) -> None:
    """Returns one half of the trousers, from the middle of the waistband to the hem of its leg."""
    rng, crotch = scene.rng, points['crotch']
    out, inner = points[f'bottom_{side}_out'], points[f'bottom_{side}_in']
    middle = (points['waistband_left'] + points['waistband_right']) / 2
    length = float(np.hypot(*(out - corner)))
    hip_at = np.clip(float((crotch - middle)[1]) / length * 0.8, 0.1, 0.8)
    bulge, knee = shape
    outer = spline([corner, mix(corner, out, hip_at) + [sign * bulge, 0], mix(corner, out, 0.5 + 0.5 * hip_at)
                    + [sign * (0.4 * bulge + knee * length), 0], out])
    inseam = spline([crotch, mix(crotch, inner, 0.45) + [sign * knee * length * 0.5, 0], inner])
    width = float(np.hypot(*(out - inner)))
    hem = bow(out, inner, sign * rng.uniform(0, 0.1) * width)
    outline = np.vstack([outer, hem, inseam[::-1], middle - [sign * 1.0, 0]])
    knee_point = mix(mix(corner, crotch, 0.5), (out + inner) / 2, 0.55)
    creases = scatter_creases(rng, [crotch, knee_point, (out + inner) / 2], [outer[14], outer[7], knee_point],
                              0.4 * width, int(rng.integers(3, 9)), 0.08 * width)
    if scene.chance(0.3):
        creases += (Crease(np.stack([mix(corner, middle, 0.4), knee_point, (out + inner) / 2]), 0.08 * width, 1.6),)
    turn = turn_of(mix(corner, crotch, 0.5), (out + inner) / 2)
    scene.paint(outline, fabric, owner, turn, creases, rng.uniform(0.92, 1.03))
    scene.canvas.stroke(inseam, shaded(fabric.colour, 0.55), 0.006 * scene.metre)
    if scene.chance(0.6):
        share = min(0.035 * scene.metre / length, 0.2)
        fold = np.vstack([hem, mix(inner, crotch, share), mix(out, outer[14], share * 2)])
        scene.paint(fold, fabric, owner, tone=rng.uniform(0.75, 1.15))


def _draw_waistband(scene: Scene, top: np.ndarray, fabric: Fabric, waist: float) -> None:
    """Draws the band along the upper edge, with a belt, loops or a button; `top` runs from left to right."""
    rng = scene.rng
    height = rng.uniform(0.05, 0.15) * waist
    across = (top[-1] - top[0]) / waist
    down = np.array([-across[1], across[0]]) * height
    colour = fabric.plain(contrasting(rng, fabric.colour, 60)) if rng.random() < 0.3 else fabric
    band = np.vstack([top, top[::-1] + down])
    scene.paint(band, colour, BODY, 90 if rng.random() < 0.5 else 0, tone=rng.uniform(0.78, 0.98))
    dark = shaded(colour.colour, 0.55)
    scene.canvas.stroke(top + down, dark, 0.006 * scene.metre)
    if rng.random() < 0.4:
        for share in (0.2, 0.8):
            loop = box(mix(top[0], top[-1], share) + down * 0.5, (0.03 * waist, 1.2 * height))
            scene.canvas.fill(loop, shaded(fabric.colour, 0.8), BODY)
    middle = (top[0] + top[-1]) / 2 + down * 0.5
    if rng.random() < 0.5:
        scene.canvas.fill(ellipse(middle, (0.25 * height, 0.25 * height), 0, 14), (90, 140, 170), BODY)
    elif rng.random() < 0.4:
        for end in rng.uniform(-0.12, 0.12, 2):
            scene.canvas.stroke(np.stack([middle, middle + np.array([end, rng.uniform(0.2, 0.6)]) * waist]), dark,
                                0.012 * scene.metre)


def _pocket_lines(scene: Scene, left: np.ndarray, right: np.ndarray, dark: Tuple[int, int, int]) -> None:
    waist = float(np.hypot(*(right - left)))
    drop = scene.rng.uniform(0.25, 0.4) * waist
    for start, sign in ((mix(left, right, 0.2), -1), (mix(left, right, 0.8), 1)):
        line = bow(start + [0, 0.08 * waist], start + np.array([sign * 0.19 * waist, drop]), -sign * 0.04 * waist)
        scene.canvas.stroke(line, dark, 0.006 * scene.metre)


def _front_row(scene: Scene, top: np.ndarray, low: np.ndarray, dark: Tuple[int, int, int]) -> None:
    scene.canvas.stroke(np.stack([top, low]), dark, 0.004 * scene.metre)
    for share in np.linspace(0.15, 0.9, 6):
        scene.canvas.fill(ellipse(mix(top, low, share), np.full(2, 0.012 * scene.metre), 0, 12), dark, BODY)


def _draw_feet(scene: Scene, points: Points) -> None:
    """Draws calves and shoes below the trouser legs."""
    metre, shoe = scene.metre, vivid(scene.rng)
    middle = (points['waistband_left'] + points['waistband_right']) / 2
    for side, sign in (('left', -1), ('right', 1)):
        end = (points[f'bottom_{side}_out'] + points[f'bottom_{side}_in']) / 2
        start = end - [0, 0.05 * metre]
        rest = max(1.02 * metre - float(np.hypot(*(end - middle))), 0.05 * metre)
        ankle = end + np.array([0, rest])
        widest = 0.85 * float(np.hypot(*(points[f'bottom_{side}_out'] - points[f'bottom_{side}_in'])))
        heights = rest / metre * np.array([1.1, 1, 0.5, 0])
        breadth = np.interp(heights, (0, 0.1, 0.3, 0.6), (0.065, 0.075, 0.11, 0.14)) * metre
        scene.paint_smooth(tube([start, end, mix(end, ankle, 0.5), ankle], np.minimum(breadth, widest)))
        toe = ankle + np.array([sign * 0.05, 0.1]) * metre
        scene.paint_smooth(tube([ankle, toe], np.array([0.075, 0.085]) * metre), shoe)


def _draw_clip_hanger(scene: Scene, waist: Tuple[np.ndarray, np.ndarray]) -> None:
    left, right = waist
    scene.paint_smooth(tube([left + [0, -0.03 * scene.metre], right + [0, -0.03 * scene.metre]],
                            np.array([0.018, 0.018]) * scene.metre), pick(scene.rng, WOOD_COLOURS))
    draw_hook(scene, (left + right) / 2 - [0, 0.03 * scene.metre])


def _draw_clips(scene: Scene, waist: Tuple[np.ndarray, np.ndarray]) -> None:
    for share in (0.1, 0.9):
        centre = mix(waist[0], waist[1], share)
        scene.canvas.fill(box(centre, np.array([0.03, 0.06]) * scene.metre), (40, 40, 44), BODY)
