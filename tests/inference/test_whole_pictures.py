"""Descriptions of whole pictures: what the network's input shows, and how mirror images count."""
import numpy as np

from fashionai.engines.network import Description
from fashionai.garments.table import GARMENTS
from fashionai.inference.whole_pictures import described

SKIRT = GARMENTS['skirt']


def test_the_whole_image_and_its_mirror_image_are_shown_in_the_middle() -> None:
    tall = np.full((40, 20, 3), 255, np.uint8)
    tall[:, :10] = 51  # a dark left half
    seen = []

    def describe(images: np.ndarray) -> Description:
        seen.append(images)
        return Description(images[:, 8, [2, 5, 9], 0] / 255, None)

    found = described(describe, [tall, np.zeros((9, 9, 3), np.uint8)], (16, 16), SKIRT)
    assert seen[0].shape == (4, 16, 16, 3) and seen[0].dtype == np.float32
    assert (seen[0][0, :, :4] == 0).all() and (seen[0][0, :, 12:] == 0).all(), 'beside the image is nothing'
    np.testing.assert_allclose(found.types, [[0, 0.6, 0.6], [0, 0, 0]])
    assert found.visibility is None


def test_a_long_input_shows_the_whole_width() -> None:
    wide = np.zeros((10, 20, 3), np.uint8)
    wide[:, [0, -1]] = 255

    def describe(images: np.ndarray) -> Description:
        return Description(images[:, images.shape[1] // 2, [0, -1], 0], None)

    types = described(describe, [wide], (8, 16), SKIRT).types
    assert types is not None and (types > 100).all()


def test_the_mirror_image_shows_the_visibility_of_the_other_side() -> None:
    def describe(images: np.ndarray) -> Description:
        assert len(images) == 2
        one = np.arange(len(SKIRT.keypoints) * 3).reshape(-1, 3)
        return Description(None, np.stack([one, 1 + one[SKIRT.mirror_indices]]))

    found = described(describe, [np.zeros((9, 9, 3), np.uint8)], (16, 16), SKIRT)
    assert found.types is None and found.visibility is not None
    np.testing.assert_allclose(found.visibility[0], np.arange(12).reshape(4, 3) + 0.5)
