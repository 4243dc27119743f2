"""The part of a picture around a box."""
import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.images.crops import Crop, crop_around


def numbered(height: int, width: int) -> np.ndarray:
    """An image whose pixels say their place: column, row, 0."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([columns, rows, 0 * rows], axis=2).astype(np.uint8)


def test_a_part_has_a_margin_inside_the_picture() -> None:
    crop = crop_around((400, 10, 90, 100), (400, 500), 0.15)
    assert crop == Crop((400, 10, 90, 100), 385, 0, 115, 125) and crop.size_hw == (125, 115)
    assert crop_around((20, 30, 40, 20), (200, 200), 0.25).area == (slice(20, 60), slice(10, 70))
    assert crop_around((20.4, 30, 40, 20.2), (200, 200), 0).area == (slice(30, 51), slice(20, 61))


def test_pixels_and_points_of_the_part_are_those_of_the_picture() -> None:
    image, crop = numbered(80, 100), crop_around((-30, 41, 50, 60), (80, 100), 0.1)
    part = crop.of(image)
    assert part[0, 0].tolist() == [0, 35, 0] and part[-1, -1].tolist() == [25, 79, 0] and part.flags.c_contiguous
    np.testing.assert_array_equal(crop.moved(np.array([[3., 4.]])), [image[39, 3, :2]])


def test_no_box_is_the_whole_picture() -> None:
    image = numbered(8, 9)
    crop = crop_around(None, (8, 9))
    assert np.shares_memory(crop.of(image), image) and crop.size_hw == (8, 9) and not crop.offset_xy.any()


@pytest.mark.parametrize('box', [(100, 0, 5, 5), (0, 80, 5, 5), (-5, 0, 5, 5), (0, -9, 5, 5)])
def test_a_box_outside_the_picture_is_refused(box: tuple) -> None:
    with pytest.raises(InputError, match='100 x 80'):
        crop_around(box, (80, 100))
