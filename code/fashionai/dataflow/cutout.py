"""Cutout: rectangles hide parts of a picture, so that the network learns to recognise hidden points.

See DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout". Some rectangles are
placed at keypoints, as in Huang et al., "AID: pushing the performance boundary of human pose estimation with
information dropping augmentation".
"""
import numpy as np

_MOST = 3
"""The largest number of rectangles in a picture."""

_SIDES = (0.06, 0.3)
"""The range of a rectangle's sides, as shares of the picture's sides."""

_ON_KEYPOINTS = 0.5
"""The share of the rectangles that are placed near a keypoint. The others are placed anywhere."""


def cut_out(rng: np.random.RandomState, picture: np.ndarray, points_xy: np.ndarray) -> None:
    """Fills 1 to 3 rectangles of a picture (h, w, 3) uint8, each with one random colour.

    They are near some of the points (K, 2), in pixels of the picture, or anywhere. Points may lie outside the picture.
    """
    size_wh = np.array(picture.shape[1::-1])
    for _ in range(rng.randint(1, _MOST + 1)):
        half = size_wh * rng.uniform(*_SIDES, 2) / 2
        centre = rng.uniform(0, 1, 2) * size_wh
        if len(points_xy) and rng.uniform() < _ON_KEYPOINTS:
            centre = points_xy[rng.randint(len(points_xy))] + rng.uniform(-0.5, 0.5, 2) * half
        (left, top), (right, bottom) = (np.clip(np.rint(edge), 0, size_wh).astype(int)
                                        for edge in (centre - half, centre + half))
        picture[top:bottom, left:right] = rng.randint(0, 256, 3)
