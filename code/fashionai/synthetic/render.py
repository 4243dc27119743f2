"""Draws one garment picture with its exact labels."""
from types import MappingProxyType
from typing import Tuple

import cv2
import numpy as np

from fashionai.annotations import ABSENT, OCCLUDED, VISIBLE
from fashionai.errors import InputError
from fashionai.garments.table import CSV_KEYPOINTS, GARMENTS, mirror_name
from fashionai.images import geometry
from fashionai.synthetic.backdrop import cast_shadow, draw_backdrop
from fashionai.synthetic.bottoms import draw_bottom
from fashionai.synthetic.camera import develop
from fashionai.synthetic.canvas import BODY, LEFT, RIGHT, Canvas
from fashionai.synthetic.cloth import sample_light
from fashionai.synthetic.colours import MANNEQUIN_COLOURS, SKIN_TONES, as_colour, distance, pick
from fashionai.synthetic.fabric import sample_fabric
from fashionai.synthetic.occluders import draw_occluders
from fashionai.synthetic.pose import Pose, sample_pose
from fashionai.synthetic.scene import FLAT, HANGER, MANNEQUIN, WORN, Scene
from fashionai.synthetic.tops import armpit_hidden, draw_top

DEFAULT_SIZE = 512
SHOWN = (WORN, MANNEQUIN, HANGER, FLAT)
SHOWN_SHARES = (0.56, 0.1, 0.16, 0.18)
SHADOW_RATES = MappingProxyType({WORN: 0.25, MANNEQUIN: 0.3, HANGER: 0.6, FLAT: 0.75})
BOTTOMS = ('skirt', 'trousers')
WAIST_METRES, SHOULDER_METRES = 0.28, 0.37
LEAST_CONTRAST = 35


def draw_garment(rng: np.random.Generator, tag: str, size: int = DEFAULT_SIZE) -> Tuple[np.ndarray, np.ndarray]:
    """Draws one garment of a type.

    Args:
        rng: the source of all randomness; the same state gives the same picture.
        tag: one of the five garment types.
        size: the longer side of the picture in pixels.

    Returns:
        image: (h, w, 3) uint8, BGR; not yet compressed.
        keypoints: (24, 3) int32 of x, y, v in CSV_KEYPOINTS order, in pixels of the image; v is 1 if the corner is
            visible, 0 if something hides it, and x, y and v are -1 if the garment has no such corner.

    Raises InputError if the tag is not one of the five types.
    """
    if tag not in GARMENTS:
        raise InputError(f'cannot draw {tag!r}: wanted one of {", ".join(GARMENTS)}')
    shown = SHOWN[rng.choice(len(SHOWN), p=SHOWN_SHARES)]
    pose = sample_pose(rng, tag, size, fills_picture=shown in (HANGER, FLAT))
    ground = draw_backdrop(rng, pose.size_hw, shown)
    canvas = Canvas(ground, pose.frame)
    skin = pick(rng, SKIN_TONES if shown == WORN else MANNEQUIN_COLOURS)
    scene = Scene(canvas, rng, sample_light(rng), _metre(pose), shown, skin)
    fabric = sample_fabric(rng, size)
    height, width = pose.size_hw
    behind = as_colour(cv2.mean(ground[height // 4:-height // 4, width // 4:-width // 4])[:3])
    while distance(fabric.colour, behind) < LEAST_CONTRAST:
        fabric = sample_fabric(rng, size)
    (draw_bottom if tag in BOTTOMS else draw_top)(scene, pose, fabric)
    draw_occluders(scene, pose)
    if scene.chance(SHADOW_RATES[shown]):
        cast_shadow(rng, canvas, rng.uniform(0.15, 0.5))
    return develop(rng, canvas.image), label(pose, canvas)


def _metre(pose: Pose) -> float:
    """Returns the pixels of a metre on the garment's wearer."""
    part, metres = ('waistband', WAIST_METRES) if pose.tag in BOTTOMS else ('shoulder', SHOULDER_METRES)
    return float(np.hypot(*(pose.points[f'{part}_right'] - pose.points[f'{part}_left']))) / metres


def label(pose: Pose, canvas: Canvas) -> np.ndarray:
    """Returns the (24, 3) int32 labels of a finished drawing, from its owner map."""
    keypoints = np.full((len(CSV_KEYPOINTS), 3), ABSENT, np.int32)
    height, width = canvas.size_hw
    for name, point in pose.points.items():
        pixel = np.round(geometry.transform_points(pose.frame, point)).astype(int)
        if name in pose.absent or not (0 <= pixel[0] < width and 0 <= pixel[1] < height):
            continue
        seen = canvas.shows(pixel, _owners(name), max(2, max(height, width) // 128)) and not _under_arm(pose, name)
        column = CSV_KEYPOINTS.index(mirror_name(name) if pose.mirrored else name)
        keypoints[column] = (*pixel, VISIBLE if seen else OCCLUDED)
    return keypoints


def _owners(name: str) -> Tuple[int, ...]:
    """Returns the parts of the garment that have this keypoint as a corner."""
    side = LEFT if '_left' in name else RIGHT
    if name.startswith(('cuff', 'bottom')):
        return (side,)
    if name.startswith(('armpit', 'shoulder')):
        return BODY, side
    return (BODY, LEFT, RIGHT) if name.startswith(('crotch', 'waistband')) else (BODY,)


def _under_arm(pose: Pose, name: str) -> bool:
    if not name.startswith('armpit') or 'cuff_left_in' in pose.absent:
        return False
    hem = 'hemline' if pose.tag == 'dress' else 'top_hem'
    return armpit_hidden(pose.points, name.split('_')[1], hem)
