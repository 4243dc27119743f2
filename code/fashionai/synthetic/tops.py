"""Draws blouses, dresses and coats."""
from typing import Tuple

import numpy as np

from fashionai.synthetic.canvas import BODY, LEFT, RIGHT
from fashionai.synthetic.cloth import Crease, scatter_creases, turn_of
from fashionai.synthetic.colours import shaded, vivid
from fashionai.synthetic.curves import mix
from fashionai.synthetic.cut import (
    Cut,
    Points,
    Sleeve,
    back_curve,
    body_outline,
    chest_width,
    completed,
    down_of,
    sample_cut,
    sleeve_of,
    strapped,
)
from fashionai.synthetic.fabric import Fabric
from fashionai.synthetic.figure import (
    ARM,
    UPPER_ARM,
    draw_arm,
    draw_front_hair,
    draw_hand,
    draw_hanger,
    draw_legs,
    draw_neck_and_head,
    reach,
    sample_hair,
)
from fashionai.synthetic.others import draw_lower
from fashionai.synthetic.pose import Pose, mean_of
from fashionai.synthetic.scene import HANGER, WORN, Scene
from fashionai.synthetic.trimmings import trim_coat, trim_top

SIDES = (('left', -1, LEFT), ('right', 1, RIGHT))
ARMPIT_HIDDEN_DEG = 16
"""If the angle between sleeve and body is below this, the sleeve hides the armpit, which is occluded in the labels."""


def draw_top(scene: Scene, pose: Pose, fabric: Fabric) -> None:
    """Draws a blouse, dress or coat, and the person, mannequin or hanger that carries it."""
    rng, tag = scene.rng, pose.tag
    points = completed(pose.points, rng.uniform(0.2, 0.5) if rng.random() < 0.5 else rng.uniform(0.8, 1.6))
    hem = 'hemline' if tag == 'dress' else 'top_hem'
    sleeved = 'cuff_left_in' not in pose.absent
    wearer = points
    if 'shoulder_left' in pose.absent:
        points = strapped(points, 0.03 * scene.metre)
    cut = sample_cut(rng, tag == 'dress' and scene.chance(0.6) or scene.chance(0.08), scene.has_body)
    hair = sample_hair(scene)
    base = mean_of(points, 'neckline') + [0, 0.02 * scene.metre]
    _draw_carrier(scene, wearer, hem, tag, base, hair)
    _draw_inside(scene, points, fabric)
    sleeves = {side: sleeve_of(points, side, cut, _bend(scene, points, side, cut)) for side, _, _ in SIDES}
    behind = [side for side, _, _ in SIDES if sleeved and scene.chance(0.15)]
    for side, sign, owner in SIDES:
        if side in behind:
            _draw_sleeve(scene, sleeves[side], fabric, sign, owner)
        elif not sleeved and scene.has_body and scene.chance(0.75):
            draw_arm(scene, reach(scene, _shoulder_joint(wearer, side, sign), sign))
    _draw_body(scene, pose, points, hem, cut, fabric, sleeved)
    (trim_coat if tag == 'outwear' else trim_top)(scene, points, hem, cut, fabric, 'waistline_left' not in pose.absent)
    for side, sign, owner in SIDES:
        if sleeved and side not in behind:
            _draw_sleeve(scene, sleeves[side], fabric, sign, owner)
    if scene.shown == WORN:
        draw_front_hair(scene, base, *hair)


def armpit_hidden(points: Points, side: str, hem: str) -> bool:
    """Returns whether the sleeve of that side hangs so close to the body that it hides its armpit."""
    armpit, sign = points[f'armpit_{side}'], 1 if side == 'right' else -1
    sleeve = points[f'cuff_{side}_in'] - armpit
    seam = points.get(f'waistline_{side}', points[f'{hem}_{side}']) - armpit
    if np.hypot(*sleeve) < 0.6 * np.hypot(*(points[f'shoulder_{side}'] - armpit)):
        return False
    angles = [np.degrees(np.arctan2(sign * vector[0], vector[1])) for vector in (sleeve, seam)]
    return bool(angles[0] - angles[1] < ARMPIT_HIDDEN_DEG)


def _shoulder_joint(points: Points, side: str, sign: int) -> np.ndarray:
    return mix(points[f'shoulder_{side}'], points[f'armpit_{side}'], 0.3) - [sign * 0.03 * chest_width(points), 0]


def _bend(scene: Scene, points: Points, side: str, cut: Cut) -> float:
    """Returns the bend of a sleeve. If its cuff is in front of the body, the elbow must be far outside."""
    sign = 1 if side == 'right' else -1
    inward = sign * (points[f'armpit_{side}'] - points[f'cuff_{side}_out'])[0] / chest_width(points)
    return cut.bend + (np.clip(0.5 * inward, 0, 0.25) if scene.has_body else 0)


def _draw_carrier(scene: Scene, points: Points, hem: str, tag: str, base: np.ndarray, hair: Tuple) -> None:
    """Draws everything behind the garment: a hanger, or skin, legs and other clothes."""
    left, right = points['shoulder_left'], points['shoulder_right']
    if scene.shown == HANGER:
        draw_hanger(scene, mix(left, mean_of(points, 'shoulder'), 0.15), mix(right, mean_of(points, 'shoulder'), 0.15),
                    mean_of(points, 'neckline') - [0, 0.02 * scene.metre])
    if not scene.has_body:
        return
    hips = mix(mean_of(points, 'shoulder'), mean_of(points, hem), 0.5)
    hips[1] = mean_of(points, 'shoulder')[1] + 0.5 * scene.metre
    if tag == 'dress':
        draw_legs(scene, hips, 0.3 * scene.metre, vivid(scene.rng))
    else:
        hem_width = float(np.hypot(*(points[f'{hem}_right'] - points[f'{hem}_left'])))
        draw_lower(scene, hips, min(0.36 * scene.metre, 0.95 * hem_width))
    draw_neck_and_head(scene, base, *hair)
    inner = [mix(points[f'shoulder_{side}'], base, 0.12) for side in ('left', 'right')]
    low = [mix(points[f'armpit_{side}'], mean_of(points, 'armpit'), 0.15) for side in ('left', 'right')]
    neck = [base + np.array([sign * 0.045, -0.01]) * scene.metre for sign in (-1, 1)]
    scene.paint_smooth(np.stack([neck[0], neck[1], inner[1], low[1], low[0], inner[0]]))


def _draw_inside(scene: Scene, points: Points, fabric: Fabric) -> None:
    """Draws the inside of the garment's back if no body fills the neck opening."""
    if scene.has_body:
        return
    front = np.stack([points['neckline_right'], points['center_front'] + [0, 2], points['neckline_left']])
    scene.paint(np.vstack([back_curve(points), front]), fabric, BODY, tone=0.6)
    label = mix(mean_of(points, 'neckline'), points['center_front'], 0.3)
    size = 0.08 * (points['neckline_right'] - points['neckline_left'])[0]
    scene.canvas.fill(label + np.array([[-1, -0.6], [1, -0.6], [1, 0.6], [-1, 0.6]]) * size, (225, 228, 230), BODY)


def _draw_body(scene: Scene, pose: Pose, points: Points, hem: str, cut: Cut, fabric: Fabric, sleeved: bool) -> None:
    rng, width = scene.rng, chest_width(points)
    waisted = 'waistline_left' not in pose.absent and 'waistline_left' in points
    top, low = down_of(points, hem)
    sides = [points[f'armpit_{side}'] for side in ('left', 'right')]
    waist = mean_of(points, 'waistline') if waisted else mix(top, low, 0.6)
    creases = scatter_creases(rng, sides, [waist, low], width, int(rng.integers(3, 9)), 0.03 * width)
    if cut.hem_waves:
        creases += _pleats(scene, points, hem, waist, width)
    outline = body_outline(points, hem, cut, waisted, sleeved, rng.uniform(0, 6))
    scene.paint(outline, fabric, BODY, turn_of(top, low), creases)


def _pleats(scene: Scene, points: Points, hem: str, waist: np.ndarray, width: float) -> Tuple[Crease, ...]:
    """Returns folds that fall from the waist and open towards the hem."""
    rng, pleats = scene.rng, []
    for share in np.linspace(0.08, 0.92, int(rng.integers(4, 12))):
        end = mix(points[f'{hem}_left'], points[f'{hem}_right'], share)
        start = waist + [(share - 0.5) * 0.7 * width, 0]
        line = np.stack([mix(start, end, rng.uniform(0, 0.4)), mix(start, end, 0.6) + rng.normal(0, 2, 2), end])
        height = rng.uniform(0.8, 1.8) * rng.choice((-1, 1))
        pleats.append(Crease(line, rng.uniform(0.03, 0.07) * width, height))
    return tuple(pleats)


def _draw_sleeve(scene: Scene, sleeve: Sleeve, fabric: Fabric, sign: int, owner: int) -> None:
    """Draws a sleeve and the part of the arm below it."""
    rng, axis = scene.rng, sleeve.axis
    length = float(np.hypot(*(axis[1] - axis[0])) + np.hypot(*(axis[2] - axis[1])))
    if scene.has_body:
        _draw_arm_in(scene, axis, length, sign, 0.85 * float(np.hypot(*(sleeve.outer[-1] - sleeve.inner[-1]))))
    width = float(np.hypot(*(sleeve.outer[0] - sleeve.inner[0])))
    towards = [sleeve.inner[len(sleeve.inner) // 2], sleeve.outer[-1], axis[2]]
    creases = scatter_creases(rng, axis[:2], towards, 0.5 * length, int(rng.integers(2, 6)), 0.08 * width)
    scene.paint(sleeve.outline, fabric, owner, turn_of(axis[0], axis[2]), creases, rng.uniform(0.88, 1.03))
    seam = sleeve.outline[-9:]
    scene.canvas.stroke(seam, shaded(fabric.colour, 0.6), 0.004 * scene.metre)
    if rng.random() < 0.6:
        share = int(rng.integers(2, 5))
        band = np.vstack([sleeve.outer[-share:], sleeve.outline[len(sleeve.outer):len(sleeve.outer) + 9],
                          sleeve.inner[::-1][:share]])
        turn = turn_of(axis[1], axis[2]) + (90 if rng.random() < 0.3 else 0)
        scene.paint(band, fabric, owner, turn, tone=rng.uniform(0.7, 0.95))


def _draw_arm_in(scene: Scene, axis: np.ndarray, length: float, sign: int, width: float) -> None:
    """Draws the part of an arm below a sleeve whose cuff is `width` pixels wide."""
    forward = axis[2] - axis[1]
    forward = forward / max(float(np.hypot(*forward)), 1e-6)
    if length > 0.85 * ARM * scene.metre:
        draw_hand(scene, axis[2] + 0.01 * scene.metre * forward, forward)
    elif length > UPPER_ARM * scene.metre:
        draw_arm(scene, (mix(axis[1], axis[2], 0.6), axis[2], axis[2] + (ARM * scene.metre - length) * forward), width)
    else:
        _, elbow, wrist = reach(scene, axis[0], sign, (axis[0], axis[2]))
        draw_arm(scene, (mix(axis[1], axis[2], 0.6), elbow, wrist), width)
