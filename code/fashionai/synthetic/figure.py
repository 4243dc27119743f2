"""Draws the person, in a simple form, the mannequin or the hanger that carries a garment. Lengths are in metres."""
from typing import Sequence, Tuple

import numpy as np

from fashionai.synthetic.canvas import FOREIGN, Colour
from fashionai.synthetic.colours import HAIR_COLOURS, WOOD_COLOURS, pick, shaded
from fashionai.synthetic.curves import bow, ellipse, mix, spline, tube
from fashionai.synthetic.scene import MANNEQUIN, Scene

ARM, UPPER_ARM = 0.5, 0.28
NECK, HEAD = 0.09, (0.078, 0.108)
LEG = 1.0
FACE_COLOUR_LIPS = (70, 70, 190)


def draw_neck_and_head(scene: Scene, base: np.ndarray, hair: Colour, hair_length: float) -> None:
    """Draws neck and head (a knob for a mannequin) above the point `base` between the collar bones."""
    metre = scene.metre
    lean = scene.rng.normal(0, 0.02)
    chin = base + np.array([lean, -NECK]) * metre
    centre = chin + np.array([lean * 0.5, -HEAD[1] * 0.85]) * metre
    headless = scene.shown == MANNEQUIN
    if not headless:
        _back_hair(scene, centre, hair, hair_length)
    neck = tube([base + [0, 0.1 * metre], base, chin - [0, 0 if headless else 0.03 * metre]],
                np.array([0.15, 0.105, 0.095]) * metre)
    scene.paint_smooth(neck)
    if headless:
        scene.paint_smooth(ellipse(chin, np.array([0.05, 0.018]) * metre), pick(scene.rng, WOOD_COLOURS))
        return
    scene.canvas.stroke(bow(chin + [-0.04 * metre, 0], chin + [0.04 * metre, 0], -0.012 * metre),
                        shaded(scene.skin, 0.75), 0.012 * metre)
    scene.paint_smooth(ellipse(centre, np.array(HEAD) * metre))
    _face(scene, centre)
    fringe = spline([centre + np.array(offset) * metre for offset in (
        (-0.085, 0.02), (-0.075, -0.08), (0, -0.125), (0.075, -0.08), (0.085, 0.02), (0.06, -0.05),
        (scene.rng.uniform(-0.04, 0.04), -0.075), (-0.06, -0.05), (-0.085, 0.02))])
    scene.paint_smooth(fringe, hair)


def _back_hair(scene: Scene, centre: np.ndarray, hair: Colour, length: float) -> None:
    metre, rng = scene.metre, scene.rng
    low = 0.12 + length
    half = rng.uniform(0.09, 0.13)
    outline = spline([centre + np.array(offset) * metre for offset in (
        (-half, low), (-half - 0.01, 0.05), (-0.095, -0.06), (0, -0.13), (0.095, -0.06), (half + 0.01, 0.05),
        (half, low), (0, low + 0.03), (-half, low))])
    scene.paint_smooth(outline, hair)


def _face(scene: Scene, centre: np.ndarray) -> None:
    metre = scene.metre
    for sign in (-1, 1):
        eye = centre + np.array([sign * 0.032, 0]) * metre
        scene.canvas.fill(ellipse(eye, np.array([0.012, 0.006]) * metre, 0, 10), (40, 35, 35), FOREIGN)
        brow = eye + np.array([[-0.016, -0.018], [0.016, -0.018]]) * metre
        scene.canvas.stroke(brow, (50, 45, 45), 0.006 * metre)
    scene.canvas.fill(ellipse(centre + np.array([0, 0.055]) * metre, np.array([0.022, 0.008]) * metre, 0, 12),
                      FACE_COLOUR_LIPS, FOREIGN)
    scene.canvas.stroke(np.stack([centre, centre + np.array([0.006, 0.028]) * metre]), shaded(scene.skin, 0.8),
                        0.006 * metre)


def draw_front_hair(scene: Scene, base: np.ndarray, hair: Colour, length: float) -> None:
    """Draws hair in front of the shoulders, over neckline and collar."""
    metre, rng = scene.metre, scene.rng
    for sign in (-1, 1):
        if length < 0.12 or rng.random() < 0.45:
            continue
        start = base + np.array([sign * 0.06, -0.27]) * metre
        temple = base + np.array([sign * 0.085, -0.18]) * metre
        middle = base + np.array([sign * rng.uniform(0.07, 0.11), -0.05]) * metre
        end = base + np.array([sign * rng.uniform(0.06, 0.13), length - 0.05]) * metre
        widths = np.array([0.03, 0.05, 0.075, rng.uniform(0.015, 0.05)]) * metre
        scene.paint_smooth(tube([start, temple, middle, end], widths), hair)


def draw_arm(scene: Scene, joints: Sequence[np.ndarray], widest: float = np.inf) -> None:
    """Draws a bare arm through shoulder, elbow and wrist, with its hand; it is at most `widest` pixels wide."""
    scene.paint_smooth(tube(joints, np.minimum(np.array([0.1, 0.08, 0.055]) * scene.metre, widest)))
    draw_hand(scene, joints[-1], joints[-1] - joints[-2])


def draw_hand(scene: Scene, wrist: np.ndarray, along: np.ndarray) -> None:
    """Draws a half closed hand at the wrist, in the direction of the forearm."""
    metre, rng = scene.metre, scene.rng
    along = along / max(float(np.hypot(*along)), 1e-6)
    side = along[::-1] * [1, -1] * rng.choice((-1, 1))
    bent = along + side * rng.uniform(-0.4, 0.4)
    start = wrist - 0.03 * metre * along
    palm, tip = wrist + 0.07 * metre * along, wrist + (0.07 * along + rng.uniform(0.03, 0.09) * bent) * metre
    scene.paint_smooth(tube([start, palm, tip], np.array([0.05, 0.075, 0.045]) * metre))
    thumb = wrist + (0.03 * along + 0.03 * side) * metre
    scene.paint_smooth(tube([thumb, thumb + (0.05 * along + 0.015 * side) * metre], np.array([0.028, 0.02]) * metre))
    scene.canvas.stroke(np.stack([palm, tip]), shaded(scene.skin, 0.8), 0.006 * metre)


def reach(scene: Scene, shoulder: np.ndarray, side: int, fixed: Sequence[np.ndarray] = ()) -> Tuple[np.ndarray, ...]:
    """Returns shoulder, elbow and wrist of an arm in a casual position.

    `side` is -1 for the arm on the left of the image, 1 for the other. `fixed` are the two ends of a short sleeve; the
    upper arm has its direction.
    """
    rng, metre = scene.rng, scene.metre
    angle = rng.normal(12, 9)
    if len(fixed):
        along = fixed[1] - fixed[0]
        angle = float(np.degrees(np.arctan2(side * along[0], along[1])))
    elbow = shoulder + UPPER_ARM * metre * _direction(angle, side)
    styles = (angle * rng.uniform(0, 0.8), rng.uniform(-75, -25), rng.uniform(-140, -80), angle + rng.uniform(-5, 30))
    fore = styles[rng.choice(4, p=(0.55, 0.25, 0.08, 0.12))]
    return shoulder, elbow, elbow + (ARM - UPPER_ARM) * metre * _direction(fore, side)


def _direction(degrees: float, side: int) -> np.ndarray:
    angle = np.radians(degrees)
    return np.array([side * np.sin(angle), np.cos(angle)])


def draw_legs(scene: Scene, hips: np.ndarray, width: float, shoe: Colour) -> Tuple[np.ndarray, np.ndarray]:
    """Draws two bare legs with shoes below the middle of the hips, `width` pixels wide there; returns both ankles."""
    metre, rng = scene.metre, scene.rng
    spread, ankles = rng.uniform(0.04, 0.13), []
    if scene.shown == MANNEQUIN:
        scene.paint_smooth(tube([hips, hips + [0, LEG * metre]], np.array([0.03, 0.03]) * metre), (60, 60, 62))
        return hips, hips
    for sign in rng.permutation((-1, 1)):
        thigh = hips + np.array([sign * width * 0.25, 0])
        knee = hips + np.array([sign * (0.08 + spread) / 2 * metre + rng.normal(0, 0.01) * metre, 0.45 * metre])
        ankle = hips + np.array([sign * spread * metre, 0.86 * metre])
        scene.paint_smooth(tube([thigh, mix(thigh, knee, 0.5), knee, mix(knee, ankle, 0.35), ankle],
                                np.array([width * 0.5 / metre, 0.155, 0.105, 0.11, 0.065]) * metre))
        toe = ankle + np.array([sign * rng.uniform(0, 0.08), 0.1]) * metre
        scene.paint_smooth(tube([ankle + [0, 0.02 * metre], toe], np.array([0.075, 0.085]) * metre), shoe)
        ankles.append(ankle)
    return ankles[0], ankles[1]


def draw_hanger(scene: Scene, left: np.ndarray, right: np.ndarray, top: np.ndarray) -> None:
    """Draws a hanger whose arms end at two points and whose hook is above `top`."""
    metre = scene.metre
    colour = pick(scene.rng, WOOD_COLOURS)
    thickness = scene.rng.choice((0.012, 0.035)) * metre
    for end in (left, right):
        arm = [top, mix(top, end, 0.5) - [0, 0.012 * metre], end]
        scene.paint_smooth(tube(arm, np.array([1.3, 1, 0.8]) * thickness), colour)
    draw_hook(scene, top)


def draw_hook(scene: Scene, top: np.ndarray) -> None:
    """Draws the hook of a hanger, above the point where it is fixed."""
    turn = np.radians(np.linspace(90, -150, 12))[:, None]
    bend = top - [0, 0.12 * scene.metre] + 0.03 * scene.metre * np.hstack([np.cos(turn), np.sin(turn)])
    scene.canvas.stroke(np.vstack([top[None], bend]), (150, 150, 155), 0.009 * scene.metre)


def sample_hair(scene: Scene) -> Tuple[Colour, float]:
    """Returns a random hair colour, and the length of the hair below the chin in metres."""
    return pick(scene.rng, HAIR_COLOURS), max(0.0, scene.rng.uniform(-0.12, 0.32))
