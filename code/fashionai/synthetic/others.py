"""Draws the clothes worn with the labelled garment: a top above a skirt, a skirt or trousers below a blouse."""
from typing import Tuple

import numpy as np

from fashionai.synthetic.canvas import FOREIGN
from fashionai.synthetic.cloth import scatter_creases
from fashionai.synthetic.colours import vivid
from fashionai.synthetic.curves import bow, mix, spline, tube
from fashionai.synthetic.fabric import Fabric, sample_fabric
from fashionai.synthetic.figure import (
    ARM,
    UPPER_ARM,
    draw_front_hair,
    draw_hand,
    draw_legs,
    draw_neck_and_head,
    reach,
    sample_hair,
)
from fashionai.synthetic.scene import MANNEQUIN, WORN, Scene

TORSO, SHOULDERS = 0.4, 0.36
"""The distance from waist to neck, and the shoulder width, in metres."""


def draw_lower(scene: Scene, hips: np.ndarray, width: float) -> None:
    """Draws a skirt, shorts or trousers, and the legs in them, around the middle of the hips."""
    rng, metre = scene.rng, scene.metre
    fabric = sample_fabric(rng, max(scene.canvas.size_hw))
    ankles = draw_legs(scene, hips, width, vivid(rng))
    if scene.shown == MANNEQUIN and rng.random() < 0.6:
        return
    waist = hips - [0, 0.2 * metre]
    if rng.random() < 0.35 or scene.shown == MANNEQUIN:
        length, flare = rng.uniform(0.2, 0.6) * metre, rng.uniform(0.9, 1.7)
        right = np.stack([waist + [0.4 * width, 0], hips + [0.5 * width, 0], hips + [0.5 * flare * width, length]])
        scene.paint(_both_sides(right, hips[0]), fabric)
        return
    share, low = 1.0 if rng.random() < 0.7 else rng.uniform(0.2, 0.5), rng.uniform(0.11, 0.2) * metre
    for ankle in ankles:
        sign = np.sign(ankle[0] - hips[0])
        top = hips + [sign * 0.25 * width, -0.02 * metre]
        end = mix(top, ankle, share)
        widths = np.interp((0, share / 2, share), (0, 0.35, 0.6, 1), (0.52 * width, 0.2 * metre, low, low))
        leg = tube([top, mix(top, end, 0.5), end], widths)
        scene.paint(leg, fabric, creases=scatter_creases(rng, [top, end], [ankle], 0.2 * metre, 4, 0.02 * metre))
    seat = np.stack([waist + [0.4 * width, 0], hips + [0.51 * width, 0], hips + [0, 0.08 * metre]])
    scene.paint(_both_sides(seat, hips[0]), fabric)


def _both_sides(right: np.ndarray, axis_x: float) -> np.ndarray:
    """Returns an outline from its right half, mirrored at a vertical axis."""
    return np.vstack([right, (right * [-1, 1] + [2 * axis_x, 0])[::-1]])


def draw_upper(scene: Scene, waist: Tuple[np.ndarray, np.ndarray], over: bool) -> Fabric:
    """Draws a top, with neck and head, above a skirt or trousers.

    Args:
        waist: left and right end of the waistband.
        over: whether the top hangs over the waistband and hides it; if not, it ends at the waistband.

    Returns:
        The fabric of the top.
    """
    rng, metre = scene.rng, scene.metre
    left, right = waist
    middle = (left + right) / 2
    base = middle - [0, TORSO * metre]
    if scene.shown == MANNEQUIN:
        trunk = spline([base + np.array([0.17, 0]) * metre, base + np.array([0.17, 0.2]) * metre, right])
        scene.paint_smooth(np.vstack([trunk, left, (trunk[:-1] * [-1, 1] + [2 * base[0], 0])[::-1]]))
        draw_neck_and_head(scene, base, (0, 0, 0), 0)
        return sample_fabric(rng, 512)
    hair = sample_hair(scene)
    draw_neck_and_head(scene, base, *hair)
    fabric = sample_fabric(rng, max(scene.canvas.size_hw))
    drop = rng.uniform(0.06, 0.16) * metre if over else 0.012 * metre
    low_left, low_right = (end + np.array([sign * (0.03 * metre if over else 0.002 * metre), drop])
                           for end, sign in ((left, -1), (right, 1)))
    shape = _torso(scene, base, low_left, low_right)
    creases = scatter_creases(rng, [low_left, low_right, middle], [base], 0.2 * metre, 6, 0.02 * metre)
    scene.paint(shape, fabric, FOREIGN, creases=creases)
    if scene.shown == WORN:
        draw_front_hair(scene, base, *hair)
    return fabric


def _torso(scene: Scene, base: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Returns the outline of a top without sleeves, from the neck's `base` down to the ends of its hem."""
    rng, metre, half = scene.rng, scene.metre, SHOULDERS / 2
    dip, neck = rng.uniform(0.04, 0.14), rng.uniform(0.055, 0.1)
    sides = [spline([base + np.array([sign * (half - 0.02), 0.2]) * metre,
                     mix(low, base, 0.25) + [sign * 0.1 * metre, 0], low]) for sign, low in ((1, right), (-1, left))]
    return np.vstack([
        bow(base + np.array([-neck, 0]) * metre, base + np.array([neck, 0]) * metre, -dip * metre),
        base + np.array([half, 0.05]) * metre, sides[0], bow(right, left, rng.uniform(-0.01, 0.03) * metre),
        sides[1][::-1], base + np.array([-half, 0.05]) * metre])


def draw_arms(scene: Scene, waist: Tuple[np.ndarray, np.ndarray], fabric: Fabric) -> None:
    """Draws the arms of the wearer, with or without sleeves. They may hang in front of the labelled garment."""
    base = (waist[0] + waist[1]) / 2 - [0, TORSO * scene.metre]
    rng, metre = scene.rng, scene.metre
    sleeve = rng.choice((0, 0.12, ARM - 0.02), p=(0.15, 0.4, 0.45))
    for side in (-1, 1):
        shoulder = base + np.array([side * (SHOULDERS / 2 - 0.05), 0.1]) * metre
        joints = reach(scene, shoulder, side)
        widths = np.array([0.1, 0.085, 0.06]) * metre
        scene.paint_smooth(tube(joints, widths))
        draw_hand(scene, joints[2], joints[2] - joints[1])
        if sleeve > UPPER_ARM:
            scene.paint(tube(joints, widths * rng.uniform(1.15, 1.6)), fabric, FOREIGN)
        elif sleeve:
            scene.paint(tube([shoulder, mix(shoulder, joints[1], sleeve / UPPER_ARM * rng.uniform(0.7, 1.6))],
                             np.array([0.13, 0.13]) * metre), fabric, FOREIGN)
