"""The person, simply drawn, or the mannequin or hanger that carries a garment. Lengths are in metres of the easel."""
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


def draw_neck_and_head(easel: Scene, base: np.ndarray, hair: Colour, hair_length: float) -> None:
    """Neck and head (a knob for a mannequin) above the point `base` between the collar bones."""
    metre = easel.metre
    lean = easel.rng.normal(0, 0.02)
    chin = base + np.array([lean, -NECK]) * metre
    centre = chin + np.array([lean * 0.5, -HEAD[1] * 0.85]) * metre
    headless = easel.shown == MANNEQUIN
    if not headless:
        _back_hair(easel, centre, hair, hair_length)
    neck = tube([base + [0, 0.1 * metre], base, chin - [0, 0 if headless else 0.03 * metre]],
                np.array([0.15, 0.105, 0.095]) * metre)
    easel.paint_smooth(neck)
    if headless:
        easel.paint_smooth(ellipse(chin, np.array([0.05, 0.018]) * metre), pick(easel.rng, WOOD_COLOURS))
        return
    easel.canvas.stroke(bow(chin + [-0.04 * metre, 0], chin + [0.04 * metre, 0], -0.012 * metre),
                        shaded(easel.skin, 0.75), 0.012 * metre)
    easel.paint_smooth(ellipse(centre, np.array(HEAD) * metre))
    _face(easel, centre)
    fringe = spline([centre + np.array(offset) * metre for offset in (
        (-0.085, 0.02), (-0.075, -0.08), (0, -0.125), (0.075, -0.08), (0.085, 0.02), (0.06, -0.05),
        (easel.rng.uniform(-0.04, 0.04), -0.075), (-0.06, -0.05), (-0.085, 0.02))])
    easel.paint_smooth(fringe, hair)


def _back_hair(easel: Scene, centre: np.ndarray, hair: Colour, length: float) -> None:
    metre, rng = easel.metre, easel.rng
    low = 0.12 + length
    half = rng.uniform(0.09, 0.13)
    outline = spline([centre + np.array(offset) * metre for offset in (
        (-half, low), (-half - 0.01, 0.05), (-0.095, -0.06), (0, -0.13), (0.095, -0.06), (half + 0.01, 0.05),
        (half, low), (0, low + 0.03), (-half, low))])
    easel.paint_smooth(outline, hair)


def _face(easel: Scene, centre: np.ndarray) -> None:
    metre = easel.metre
    for sign in (-1, 1):
        eye = centre + np.array([sign * 0.032, 0]) * metre
        easel.canvas.fill(ellipse(eye, np.array([0.012, 0.006]) * metre, 0, 10), (40, 35, 35), FOREIGN)
        brow = eye + np.array([[-0.016, -0.018], [0.016, -0.018]]) * metre
        easel.canvas.stroke(brow, (50, 45, 45), 0.006 * metre)
    easel.canvas.fill(ellipse(centre + np.array([0, 0.055]) * metre, np.array([0.022, 0.008]) * metre, 0, 12),
                      FACE_COLOUR_LIPS, FOREIGN)
    easel.canvas.stroke(np.stack([centre, centre + np.array([0.006, 0.028]) * metre]), shaded(easel.skin, 0.8),
                        0.006 * metre)


def draw_front_hair(easel: Scene, base: np.ndarray, hair: Colour, length: float) -> None:
    """Locks that fall in front of the shoulders, over neckline and collar."""
    metre, rng = easel.metre, easel.rng
    for sign in (-1, 1):
        if length < 0.12 or rng.random() < 0.45:
            continue
        start = base + np.array([sign * 0.06, -0.27]) * metre
        temple = base + np.array([sign * 0.085, -0.18]) * metre
        middle = base + np.array([sign * rng.uniform(0.07, 0.11), -0.05]) * metre
        end = base + np.array([sign * rng.uniform(0.06, 0.13), length - 0.05]) * metre
        widths = np.array([0.03, 0.05, 0.075, rng.uniform(0.015, 0.05)]) * metre
        easel.paint_smooth(tube([start, temple, middle, end], widths), hair)


def draw_arm(easel: Scene, joints: Sequence[np.ndarray], widest: float = np.inf) -> None:
    """A bare arm through shoulder, elbow and wrist, with its hand; nowhere wider than `widest` pixels."""
    easel.paint_smooth(tube(joints, np.minimum(np.array([0.1, 0.08, 0.055]) * easel.metre, widest)))
    draw_hand(easel, joints[-1], joints[-1] - joints[-2])


def draw_hand(easel: Scene, wrist: np.ndarray, along: np.ndarray) -> None:
    """A hand, half closed, that goes on from the wrist in the direction of the forearm."""
    metre, rng = easel.metre, easel.rng
    along = along / max(float(np.hypot(*along)), 1e-6)
    side = along[::-1] * [1, -1] * rng.choice((-1, 1))
    bent = along + side * rng.uniform(-0.4, 0.4)
    start = wrist - 0.03 * metre * along
    palm, tip = wrist + 0.07 * metre * along, wrist + (0.07 * along + rng.uniform(0.03, 0.09) * bent) * metre
    easel.paint_smooth(tube([start, palm, tip], np.array([0.05, 0.075, 0.045]) * metre))
    thumb = wrist + (0.03 * along + 0.03 * side) * metre
    easel.paint_smooth(tube([thumb, thumb + (0.05 * along + 0.015 * side) * metre], np.array([0.028, 0.02]) * metre))
    easel.canvas.stroke(np.stack([palm, tip]), shaded(easel.skin, 0.8), 0.006 * metre)


def reach(easel: Scene, shoulder: np.ndarray, side: int, fixed: Sequence[np.ndarray] = ()) -> Tuple[np.ndarray, ...]:
    """Shoulder, elbow and wrist of an arm in a casual position.

    `side` is -1 for the image-left arm, 1 for the right one; `fixed` gives the direction of a short sleeve that the
    upper arm must follow, as its two ends.
    """
    rng, metre = easel.rng, easel.metre
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


def draw_legs(easel: Scene, hips: np.ndarray, width: float, shoe: Colour) -> Tuple[np.ndarray, np.ndarray]:
    """Two bare legs with shoes below the middle of the hips, `width` pixels wide there; returns both lines' ankles."""
    metre, rng = easel.metre, easel.rng
    spread, ankles = rng.uniform(0.04, 0.13), []
    if easel.shown == MANNEQUIN:
        easel.paint_smooth(tube([hips, hips + [0, LEG * metre]], np.array([0.03, 0.03]) * metre), (60, 60, 62))
        return hips, hips
    for sign in rng.permutation((-1, 1)):
        thigh = hips + np.array([sign * width * 0.25, 0])
        knee = hips + np.array([sign * (0.08 + spread) / 2 * metre + rng.normal(0, 0.01) * metre, 0.45 * metre])
        ankle = hips + np.array([sign * spread * metre, 0.86 * metre])
        easel.paint_smooth(tube([thigh, mix(thigh, knee, 0.5), knee, mix(knee, ankle, 0.35), ankle],
                                np.array([width * 0.5 / metre, 0.155, 0.105, 0.11, 0.065]) * metre))
        toe = ankle + np.array([sign * rng.uniform(0, 0.08), 0.1]) * metre
        easel.paint_smooth(tube([ankle + [0, 0.02 * metre], toe], np.array([0.075, 0.085]) * metre), shoe)
        ankles.append(ankle)
    return ankles[0], ankles[1]


def draw_hanger(easel: Scene, left: np.ndarray, right: np.ndarray, top: np.ndarray) -> None:
    """A hanger whose arms run to two points and whose hook rises above `top`."""
    metre = easel.metre
    colour = pick(easel.rng, WOOD_COLOURS)
    thickness = easel.rng.choice((0.012, 0.035)) * metre
    for end in (left, right):
        arm = [top, mix(top, end, 0.5) - [0, 0.012 * metre], end]
        easel.paint_smooth(tube(arm, np.array([1.3, 1, 0.8]) * thickness), colour)
    draw_hook(easel, top)


def draw_hook(easel: Scene, top: np.ndarray) -> None:
    """The hook of a hanger, above the point where it is screwed in."""
    turn = np.radians(np.linspace(90, -150, 12))[:, None]
    bend = top - [0, 0.12 * easel.metre] + 0.03 * easel.metre * np.hstack([np.cos(turn), np.sin(turn)])
    easel.canvas.stroke(np.vstack([top[None], bend]), (150, 150, 155), 0.009 * easel.metre)


def sample_hair(easel: Scene) -> Tuple[Colour, float]:
    """Colour and length below the chin, in metres, of a hair style."""
    return pick(easel.rng, HAIR_COLOURS), max(0.0, easel.rng.uniform(-0.12, 0.32))
