"""Draws things between the camera and the garment: bags, straps, phones, leaves, prices."""
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


def draw_occluders(scene: Scene, pose: Pose) -> None:
    """Sometimes draws a thing in front of the garment, near one of its keypoints, and sometimes a caption."""
    rng = scene.rng
    if scene.chance(OCCLUDER_RATE):
        names = tuple(pose.points)
        centre = pose.points[names[rng.integers(len(names))]] + rng.normal(0, 0.06, 2) * scene.metre
        if scene.shown == WORN and scene.chance(0.6):
            _bag(scene, centre)
        else:
            _thing(scene, centre)
    if scene.chance(CAPTION_RATE):
        _caption(scene)


def _bag(scene: Scene, centre: np.ndarray) -> None:
    rng, metre = scene.rng, scene.metre
    fabric = sample_fabric(rng, max(scene.canvas.size_hw))
    size = rng.uniform(0.12, 0.28, 2) * metre
    left, right = centre + size * [-0.35, -0.4], centre + size * [0.35, -0.4]
    handle = bow(left, right, rng.uniform(0.1, 0.5) * metre)
    scene.canvas.stroke(handle, shaded(fabric.colour, 0.7), 0.018 * metre)
    scene.paint(box(centre, size, rng.normal(0, 6)), fabric, FOREIGN)
    scene.paint(box(centre - [0, 0.3 * size[1]], size * [1, 0.4], rng.normal(0, 3)), fabric, FOREIGN, tone=0.8)
    scene.canvas.fill(ellipse(centre - [0, 0.12 * size[1]], np.array([0.012, 0.012]) * metre), (110, 170, 195), FOREIGN)


def _thing(scene: Scene, centre: np.ndarray) -> None:
    rng, size = scene.rng, scene.rng.uniform(0.04, 0.16, 2) * scene.metre
    outline = (ellipse(centre, size / 2 * 1.2, rng.uniform(0, 180)) if rng.random() < 0.5
               else box(centre, size, rng.uniform(0, 180)))
    if rng.random() < 0.5:
        scene.paint_smooth(outline, cloth_colour(rng))
    else:
        scene.paint(outline, sample_fabric(rng, max(scene.canvas.size_hw)), FOREIGN)


def _caption(scene: Scene) -> None:
    """Prints letters over the picture, as shops do. They are too thin to hide a keypoint."""
    height, width = scene.canvas.size_hw
    at = scene.rng.uniform((0, 0.1), (0.6, 0.95)) * [width, height]
    write_word(scene.rng, scene.canvas.image, at, scene.rng.uniform(0.8, 2) * width / 512)
