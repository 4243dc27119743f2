"""Simulates the camera and the shop: light, colour cast, blur, noise and JPEG."""
import cv2
import numpy as np


def develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Returns the picture (h, w, 3) uint8 like a photograph, of the same shape. No pixel moves."""
    height, width = image.shape[:2]
    exposure = rng.normal(1, 0.1) * (1 + rng.normal(0, 0.025, 3))
    table = np.arange(256) / 255.0
    curve = 255 * np.clip(table[:, None] * exposure, 0, 1) ** np.exp(rng.normal(0, 0.15))
    image = cv2.LUT(image, np.round(curve).astype(np.uint8)[None])
    if rng.random() < 0.35:
        image = _light_unevenly(rng, image)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.3) * max(height, width) / 512)
    if rng.random() < 0.4:
        image = _add_grain(rng, image)
    return image


def _light_unevenly(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Returns the picture, brighter towards one side."""
    slope_x, slope_y = rng.normal(0, 0.18, 2)
    height, width = image.shape[:2]
    light = (1 + slope_x * np.linspace(-1, 1, width) + slope_y * np.linspace(-1, 1, height)[:, None]).astype(np.float32)
    return cv2.multiply(image, cv2.merge([light] * 3), dtype=cv2.CV_8U)


def _add_grain(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Returns the picture with luminance noise, repeated from a tile."""
    grain = np.round(rng.normal(0, rng.uniform(1, 6), (128, 128))).astype(np.int16)
    height, width = image.shape[:2]
    tiled = np.tile(grain, (height // 128 + 1, width // 128 + 1))[:height, :width]
    return np.clip(image + tiled[..., None], 0, 255).astype(np.uint8)


def encode_jpeg(rng: np.random.Generator, image: np.ndarray) -> bytes:
    """Returns the picture as a JPEG file of random quality."""
    quality = int(rng.integers(60, 97))
    return cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
