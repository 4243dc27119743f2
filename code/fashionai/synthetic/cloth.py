"""Cloth: a fabric's pattern, rounded at the edges, with creases, and lit from one side."""
from dataclasses import dataclass
from typing import Sequence, Tuple

import cv2
import numpy as np

from fashionai.images import geometry
from fashionai.synthetic.canvas import Extent
from fashionai.synthetic.fabric import Fabric


@dataclass(frozen=True)
class Crease:
    """A fold of the cloth: a line (N, 2) upright, its width in pixels, and its height (negative: a valley)."""

    line: np.ndarray
    width: float
    height: float


@dataclass(frozen=True)
class Cloth:
    """The paint of one part of a garment; callable as a canvas paint."""

    fabric: Fabric
    frame: np.ndarray
    light_xy: Tuple[float, float]
    turn_deg: float = 0
    creases: Sequence[Crease] = ()
    tone: float = 1.0
    seed: int = 0

    def __call__(self, box: Extent, coverage: np.ndarray) -> np.ndarray:
        """Returns the (h, w, 3) float32 colours of a box of the picture."""
        mirrored = np.sign(np.linalg.det(self.frame[:, :2]))
        tilt = np.degrees(np.arctan2(self.frame[1, 0], self.frame[0, 0] * mirrored))
        colours = self.fabric.patch(box, tilt + self.turn_deg)
        colours *= self._shade(box, coverage)[..., None]
        return np.clip(colours, 0, 255, out=colours)

    def _shade(self, box: Extent, coverage: np.ndarray) -> np.ndarray:
        """Returns the (h, w) float32 brightness from the relief of the cloth, computed at half the resolution."""
        height, width = coverage.shape
        small = (max(width // 2, 1), max(height // 2, 1))
        relief = cv2.resize(coverage, small, interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
        reach = max(3, min(small) // 5)
        pillow = cv2.blur(cv2.blur(relief, (reach, reach)), (reach, reach)) * np.float32(reach)
        pillow += 0.35 * self.fabric.softness * self._bumps(small)
        pillow += self._folds(box, small)
        slope = cv2.Scharr(pillow, cv2.CV_32F, 1, 0) * np.float32(self.light_xy[0] / 16)
        slope += cv2.Scharr(pillow, cv2.CV_32F, 0, 1) * np.float32(self.light_xy[1] / 16)
        shade = np.clip(self.tone * (1 + 0.5 * self.fabric.gloss * slope), 0.4, 1.45)
        return cv2.resize(shade, (width, height), interpolation=cv2.INTER_LINEAR)

    def _bumps(self, small: Tuple[int, int]) -> np.ndarray:
        noise = np.random.default_rng(self.seed).normal(0, 1, (max(small[1] // 14, 2), max(small[0] // 14, 2)))
        return cv2.resize(noise.astype(np.float32), small, interpolation=cv2.INTER_CUBIC)

    def _folds(self, box: Extent, small: Tuple[int, int]) -> np.ndarray:
        folds = np.zeros((small[1], small[0]), np.float32)
        for crease in self.creases:
            line = (geometry.transform_points(self.frame, crease.line) - np.array(box[:2])) * 8
            cv2.polylines(folds, [np.round(line).astype(np.int32)], False, float(crease.height),
                          max(1, int(round(crease.width / 2))), cv2.LINE_8, 4)
        return cv2.blur(cv2.blur(folds, (3, 3)), (5, 5))


def turn_of(start: np.ndarray, end: np.ndarray) -> float:
    """Returns the degrees by which the direction from start to end is turned from straight down."""
    across = np.asarray(end) - np.asarray(start)
    return float(np.degrees(np.arctan2(-across[0], across[1])))


def sample_light(rng: np.random.Generator) -> Tuple[float, float]:
    """Returns the direction of the light, which brightens slopes: from above, more or less from one side."""
    angle = np.radians(rng.normal(90, 45))
    return float(np.cos(angle)), float(np.sin(angle))


def scatter_creases(rng: np.random.Generator, anchors: Sequence[np.ndarray], towards: Sequence[np.ndarray],
                    reach: float, count: int, width: float) -> Tuple[Crease, ...]:
    """Returns creases that start near an anchor and run some way towards a point, each slightly bent."""
    creases = []
    for _ in range(count):
        start = anchors[rng.integers(len(anchors))] + rng.normal(0, 0.12 * reach, 2)
        goal = towards[rng.integers(len(towards))] + rng.normal(0, 0.25 * reach, 2)
        end = start + (goal - start) * rng.uniform(0.3, 0.9)
        middle = (start + end) / 2 + rng.normal(0, 0.06 * reach, 2)
        line = np.stack([start, middle, end])
        creases.append(Crease(line, width * rng.uniform(0.5, 1.5), rng.uniform(0.6, 1.8) * rng.choice((-1, 1))))
    return tuple(creases)
