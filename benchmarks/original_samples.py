"""The original's way to training samples, in a plain form: pixel by pixel in Python, and a warp for every step.

It shares tables, the reading of files and the largest rectangle with the package, but none of the code that draws
targets. Tests compare the package's targets with these.
"""
import math
from typing import List, Tuple

import cv2
import numpy as np

from fashionai.codec.targets import Targets
from fashionai.dataflow.augment import largest_upright_rectangle
from fashionai.dataflow.encoder import SampleEncoder
from fashionai.dataflow.sampling import Key
from fashionai.garments.table import Garment
from fashionai.images.decoder import read_image

Point = Tuple[float, float]
Extent = Tuple[float, float, float, float]
"""(left, top, right, bottom) in input pixels."""

_SIGMA, _CUT, _RADIUS = 8.0, 4.6052, 8.0


def draw_gaussian(heatmap: np.ndarray, x: float, y: float) -> None:
    """Draws a keypoint's Gaussian, of sigma 8 pixels, cut where the exponent passes 4.6052, into (H, W)."""
    height, width = heatmap.shape
    reach = _SIGMA * math.sqrt(2 * _CUT)
    for row in range(max(int(y - reach), 0), min(int(y + reach) + 2, height)):
        for column in range(max(int(x - reach), 0), min(int(x + reach) + 2, width)):
            exponent = ((column - x) ** 2 + (row - y) ** 2) / 2 / _SIGMA ** 2
            if exponent <= _CUT:
                heatmap[row, column] = max(heatmap[row, column], math.exp(-exponent))


def draw_limb(field: np.ndarray, start: Point, end: Point, view: Extent) -> None:
    """Draws a limb's unit vector at every pixel in the view within 8 pixels of the segment, into (H, W, 2)."""
    (height, width), (x, y), (x_end, y_end) = field.shape[:2], start, end
    length = math.hypot(x_end - x, y_end - y)
    ux, uy = (x_end - x) / length, (y_end - y) / length
    top, bottom = max(min(y, y_end) - _RADIUS, view[1], 0), min(max(y, y_end) + _RADIUS, view[3], height - 1)
    left, right = max(min(x, x_end) - _RADIUS, view[0], 0), min(max(x, x_end) + _RADIUS, view[2], width - 1)
    for row in range(math.ceil(top), math.floor(bottom) + 1):
        for column in range(math.ceil(left), math.floor(right) + 1):
            along = min(max((column - x) * ux + (row - y) * uy, 0), length)
            if math.hypot(column - x - along * ux, row - y - along * uy) <= _RADIUS:
                field[row, column] = ux, uy


def cell_means(pixels: np.ndarray, stride: int) -> np.ndarray:
    """Returns (h, w, C), the means of the stride x stride blocks of (H, W, C)."""
    height, width = pixels.shape[:2]
    return cv2.resize(pixels, (width // stride, height // stride), interpolation=cv2.INTER_AREA)


def original_targets(garment: Garment, points_xy: np.ndarray, visibility: np.ndarray, view: Extent,
                     input_hw: Tuple[int, int], stride: int) -> Targets:
    """Returns the same as fashionai.codec.targets.encode_targets, from the same arguments."""
    points, seen = points_xy.tolist(), visibility.tolist()
    heatmaps = np.zeros(input_hw + (len(points) + 1,), np.float32)
    for number, (x, y) in enumerate(points):
        if seen[number] != -1 and view[0] - 1 <= x <= view[2] + 1 and view[1] - 1 <= y <= view[3] + 1:
            draw_gaussian(heatmaps[:, :, number], x, y)
    heatmaps[:, :, -1] = np.clip(1 - heatmaps.max(axis=2), 0, 1)
    fields = np.zeros(input_hw + (2 * len(garment.limbs),), np.float32)
    field_weights = []
    for number, names in enumerate(garment.limbs):
        one, other = (garment.keypoints.index(name) for name in names)
        if -1 not in (seen[one], seen[other]) and points[one] != points[other]:
            draw_limb(fields[:, :, 2 * number:2 * number + 2], points[one], points[other], view)
        field_weights += 2 * [float(seen[one] == seen[other] == 1)]
    return Targets(cell_means(heatmaps, stride), cell_means(fields, stride),
                   np.array([each == 1 for each in seen] + [True], np.float32), np.array(field_weights, np.float32))


def stepwise(image: np.ndarray, points_xy: np.ndarray, rng: np.random.RandomState,
             input_hw: Tuple[int, int]) -> Tuple[np.ndarray, np.ndarray, Extent, bool]:
    """Augments an image step by step; returns the input, its points, the view, and whether it is mirrored."""
    x_factor, y_factor = rng.uniform(0.8, 1.2, 2)
    image, points = _resized(image, points_xy, x_factor, y_factor)
    height, width = image.shape[:2]
    degrees = rng.uniform(-15, 15)
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    image, points = cv2.warpAffine(image, turn, (width, height)), points @ turn[:, :2].T + turn[:, 2]
    cut_h, cut_w = largest_upright_rectangle((height, width), degrees)
    top, left = int((height - cut_h) / 2), int((width - cut_w) / 2)
    image, points = image[top:top + int(cut_h), left:left + int(cut_w)], points - (left, top)
    mirrored = bool(rng.uniform() < 0.5)
    if mirrored:
        image, points = cv2.flip(image, 1), points * (-1, 1) + (image.shape[1] - 1, 0)
    zoom = rng.uniform(0.95, 1.6) * min(input_hw[0] / image.shape[0], input_hw[1] / image.shape[1])
    image, points = _resized(image, points, zoom, zoom)
    image, points, view = _centred(image, points, input_hw)
    return image, points, view, mirrored


def original_sample(encoder: SampleEncoder, key: Key) -> List[np.ndarray]:
    """Returns a sample like the encoder's, with other random numbers."""
    row, garment, shape = key[1], encoder.garment, encoder.shape
    labels = encoder.annotations.keypoints[row, garment.csv_indices]
    image, points, view, mirrored = stepwise(
        read_image(encoder.image_root / encoder.annotations.image_ids[row]), labels[:, :2].astype(float),
        np.random.RandomState([encoder.seed, *key]), shape.input_hw)
    order = garment.mirror_indices if mirrored else np.arange(len(labels))
    targets = original_targets(garment, points[order], labels[order, 2], view, shape.input_hw, shape.stride)
    return [image, targets.heatmaps, targets.fields, targets.heatmap_weights, targets.field_weights]


def _resized(image: np.ndarray, points: np.ndarray, x_factor: float, y_factor: float) -> Tuple[np.ndarray, np.ndarray]:
    """Returns an image and its points, enlarged by the factors."""
    height, width = image.shape[:2]
    image = cv2.resize(image, (int(round(width * x_factor)), int(round(height * y_factor))))
    return image, (points + 0.5) * (image.shape[1] / width, image.shape[0] / height) - 0.5


def _centred(image: np.ndarray, points: np.ndarray,
             input_hw: Tuple[int, int]) -> Tuple[np.ndarray, np.ndarray, Extent]:
    """Returns an image padded and cut to the input, its points, and the box of the input that shows it."""
    (height, width), (y_space, x_space) = image.shape[:2], (side - own for side, own in zip(input_hw, image.shape))
    top, left = max(y_space // 2, 0), max(x_space // 2, 0)
    image = cv2.copyMakeBorder(image, top, max(y_space - top, 0), left, max(x_space - left, 0), cv2.BORDER_CONSTANT)
    y, x = max(-y_space // 2, 0), max(-x_space // 2, 0)
    image = image[y:y + input_hw[0], x:x + input_hw[1]]
    view = (left - 0.5, top - 0.5, min(left + width, input_hw[1]) - 0.5, min(top + height, input_hw[0]) - 0.5)
    return image, points + (left - x, top - y), view
