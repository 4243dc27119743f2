"""Heat maps and fields on pictures: each cell where it lies, in the colour it says."""
import numpy as np
import pytest

from fashionai.codec.targets import encode_targets
from fashionai.garments.table import GARMENTS
from fashionai.images.drawing import keypoint_colour
from fashionai.images.heatmap_drawing import direction_colours, draw_fields, draw_heatmaps

SKIRT = GARMENTS['skirt']
GREY = np.full((128, 128, 3), 100, np.uint8)  # twice the input of 64 pixels


def targets(visibility=(1, 1, 0, 1)):
    points = np.array([[20., 20], [43, 20], [20, 43], [43, 43]])
    return encode_targets(SKIRT, points, np.array(visibility), (-0.5, -0.5, 63.5, 63.5), (64, 64), 8)


def test_a_heat_map_has_its_keypoint_s_colour_where_the_keypoint_is():
    made = targets()
    picture = draw_heatmaps(GREY, SKIRT, made.heatmaps, made.heatmap_weights).astype(int)
    dim = np.full(3, 50)
    assert np.abs(picture[4, 4] - dim).max() < 5 and picture.shape == GREY.shape
    for x, y, name in ((40, 40, 'waistband_left'), (86, 40, 'waistband_right')):
        towards = np.array(keypoint_colour(name)) - dim
        change = picture[y, x] - dim
        assert np.dot(change, towards) > 0.98 * np.linalg.norm(change) * np.linalg.norm(towards), name
        assert np.linalg.norm(change) > 0.5 * np.linalg.norm(towards), name
    blue, green, red = picture[86, 40]
    assert blue == green == red > 100, 'an occluded point does not count'


def test_cells_are_blocks():
    made = targets()
    picture = draw_heatmaps(GREY, SKIRT, made.heatmaps, made.heatmap_weights)
    blocks = picture.reshape(8, 16, 8, 16, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()


def test_a_field_has_its_direction_s_colour_along_its_limb():
    made = targets((1, 1, 1, 1))
    picture = draw_fields(GREY, made.fields, made.field_weights)
    blue, green, red = picture[40, 50].astype(int)  # the waistband, which points to the right
    assert red > 150 and blue < 60 and green < 60
    blue, green, red = picture[54, 86].astype(int)  # the right side, which points down
    assert green > 120 and red > 60 and blue < 60
    assert (picture[4, 4] == 50).all()


def test_a_field_that_does_not_count_is_grey():
    made = targets((1, 1, 0, 1))
    picture = draw_fields(GREY, made.fields, made.field_weights)
    left = picture[72, 40].astype(int)
    assert left.max() == left.min() > 60


def test_no_limb_at_all():
    made = targets((1, -1, -1, -1))
    assert (draw_fields(GREY, made.fields, made.field_weights) == 50).all()


@pytest.mark.parametrize('vector, bgr', [((1, 0), (0, 0, 255)), ((0, 1), (0, 255, 128)), ((-1, 0), (255, 255, 0)),
                                         ((0, -2), (255, 0, 128))])
def test_directions(vector, bgr):
    np.testing.assert_allclose(direction_colours(np.array([vector], np.float32))[0], bgr, atol=1)
