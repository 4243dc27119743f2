"""Things that come between the camera and the garment: bags, straps, phones, leaves, prices."""
import numpy as np

from fashionai.synthetic.backdrop import write_word
from fashionai.synthetic.canvas import FOREIGN
from fashionai.synthetic.colours import cloth_colour, shaded
from fashionai.synthetic.curves import bow, box, ellipse
from fashionai.synthetic.fabric import sample_fabric
from fashionai.synthetic.pose import Pose
from fashionai.synthetic.scene import WORN, Scene

OCCLUDER_RATE = 0.22
CAPTION_RATE = 0.08


def draw_occluders(easel: Scene, pose: Pose) -> None:
    """Now and then something in front of the garment, near one of its keypoints or across it."""
    rng = easel.rng
    if easel.chance(OCCLUDER_RATE):
        names = tuple(pose.points)
        centre = pose.points[names[rng.integers(len(names))]] + rng.normal(0, 0.06, 2) * easel.metre
        if easel.shown == WORN and easel.chance(0.6):
            _bag(easel, centre)
        else:
            _thing(easel, centre)
    if easel.chance(CAPTION_RATE):
        _caption(easel)


def _bag(easel: Scene, centre: np.ndarray) -> None:
    rng, metre = easel.rng, easel.metre
    fabric = sample_fabric(rng, max(easel.canvas.size_hw))
    size = rng.uniform(0.12, 0.28, 2) * metre
    left, right = centre + size * [-0.35, -0.4], centre + size * [0.35, -0.4]
    handle = bow(left, right, rng.uniform(0.1, 0.5) * metre)
    easel.canvas.stroke(handle, shaded(fabric.colour, 0.7), 0.018 * metre)
    easel.paint(box(centre, size, rng.normal(0, 6)), fabric, FOREIGN)
    easel.paint(box(centre - [0, 0.3 * size[1]], size * [1, 0.4], rng.normal(0, 3)), fabric, FOREIGN, tone=0.8)
    easel.canvas.fill(ellipse(centre - [0, 0.12 * size[1]], np.array([0.012, 0.012]) * metre), (110, 170, 195), FOREIGN)


def _thing(easel: Scene, centre: np.ndarray) -> None:
    rng, size = easel.rng, easel.rng.uniform(0.04, 0.16, 2) * easel.metre
    outline = (ellipse(centre, size / 2 * 1.2, rng.uniform(0, 180)) if rng.random() < 0.5
               else box(centre, size, rng.uniform(0, 180)))
    if rng.random() < 0.5:
        easel.paint_smooth(outline, cloth_colour(rng))
    else:
        easel.paint(outline, sample_fabric(rng, max(easel.canvas.size_hw)), FOREIGN)


def _caption(easel: Scene) -> None:
    """Letters printed over the picture, as shops do; too thin to hide a keypoint."""
    height, width = easel.canvas.size_hw
    at = easel.rng.uniform((0, 0.1), (0.6, 0.95)) * [width, height]
    write_word(easel.rng, easel.canvas.image, at, easel.rng.uniform(0.8, 2) * width / 512)
