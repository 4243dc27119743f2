"""Types of garments: what the network's input shows, and how predictions are counted."""
from typing import Tuple

import numpy as np

from fashionai.inference.garment_types import format_types, type_probabilities

TYPES = ('blouse', 'skirt', 'dress')


def test_the_whole_image_and_its_mirror_image_are_shown_in_the_middle() -> None:
    tall = np.full((40, 20, 3), 255, np.uint8)
    tall[:, :10] = 51  # a dark left half
    seen = []

    def predict_with_types(images: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        seen.append(images)
        return np.zeros((len(images), 2, 2, 1)), images[:, 8, [2, 5, 9], 0] / 255

    found = type_probabilities(predict_with_types, [tall, np.zeros((9, 9, 3), np.uint8)], (16, 16))
    assert seen[0].shape == (4, 16, 16, 3) and seen[0].dtype == np.float32
    assert (seen[0][0, :, :4] == 0).all() and (seen[0][0, :, 12:] == 0).all(), 'beside the image is nothing'
    np.testing.assert_allclose(found, [[0, 0.6, 0.6], [0, 0, 0]])


def test_a_long_input_shows_the_whole_width() -> None:
    wide = np.zeros((10, 20, 3), np.uint8)
    wide[:, [0, -1]] = 255

    def predict_with_types(images: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        return images, images[:, images.shape[1] // 2, [0, -1], 0]

    assert (type_probabilities(predict_with_types, [wide], (8, 16)) > 100).all()


def test_the_table_counts() -> None:
    right = ['blouse', 'skirt', 'skirt', 'dress']
    order = [('blouse', 'dress', 'skirt'), ('skirt', 'dress', 'blouse'), ('dress', 'skirt', 'blouse'),
             ('blouse', 'skirt', 'dress')]
    assert format_types(right, order, TYPES).splitlines() == [
        'the type is right in 50.0% of 4 images, and among the first two in 75.0%', '',
        'of        blouse   skirt   dress  were taken for',
        'blouse         1       0       0',
        'skirt          0       1       1',
        'dress          1       0       0']
