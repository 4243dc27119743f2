"""Image and points get the same transformation, for every random augmentation."""
import cv2
import numpy as np
import pytest

from fashionai.dataflow.augment import (
    apply_to_image,
    apply_to_points,
    draw_augmentation,
    largest_upright_rectangle,
)
from fashionai.garments.table import GARMENTS

INPUT_HW = (160, 128)
SKIRT = GARMENTS['skirt']


def brightest(image, channel):
    """Returns the centre of mass of the bright pixels in a channel."""
    weights = image[:, :, channel].astype(float)
    weights[weights < 60] = 0
    rows, columns = np.indices(weights.shape)
    return np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()


def dotted(size_hw, points_xy):
    """Returns an image with blue, green and red dots at the points."""
    image = np.zeros(size_hw + (3,), np.uint8)
    for channel, (x, y) in enumerate(points_xy):
        colour = [0, 0, 0]
        colour[channel] = 255
        cv2.circle(image, (x, y), 5, colour, -1)
    return image


@pytest.mark.parametrize('size_hw', [(200, 150), (150, 260), (512, 512)])
def test_dots_are_found_where_the_points_say(size_hw):
    points = (np.array([[0.4, 0.45], [0.6, 0.5], [0.5, 0.6], [0.45, 0.55]]) * size_hw[::-1]).astype(int)
    image = dotted(size_hw, points[:3])
    for seed in range(30):
        augmentation = draw_augmentation(np.random.RandomState(seed), size_hw, INPUT_HW)
        warped = apply_to_image(augmentation, image, INPUT_HW)
        moved, _ = apply_to_points(augmentation, points, np.ones(4, int), SKIRT.mirror_indices)
        original = SKIRT.mirror_indices if augmentation.mirrored else np.arange(4)
        for channel in range(3):
            place = list(original).index(channel)
            np.testing.assert_allclose(brightest(warped, channel), moved[place], atol=0.6)


def test_a_mirrored_image_swaps_left_and_right_names():
    points = np.array([[40, 50], [90, 52], [30, 150], [100, 155]])
    found = set()
    for seed in range(20):
        augmentation = draw_augmentation(np.random.RandomState(seed), (200, 150), INPUT_HW)
        moved, visibility = apply_to_points(augmentation, points, np.array([1, 0, 1, 1]), SKIRT.mirror_indices)
        assert moved[0, 0] < moved[1, 0] and moved[2, 0] < moved[3, 0], 'left stays image-left'
        assert visibility.tolist() == ([0, 1, 1, 1] if augmentation.mirrored else [1, 0, 1, 1])
        found.add(augmentation.mirrored)
    assert found == {True, False}


def test_only_the_picture_is_in_view():
    image = np.full((200, 150, 3), 255, np.uint8)
    for seed in range(30):
        augmentation = draw_augmentation(np.random.RandomState(seed), image.shape[:2], INPUT_HW)
        warped = apply_to_image(augmentation, image, INPUT_HW)
        left, top, right, bottom = augmentation.view
        rows, columns = np.indices(INPUT_HW)
        inside = (columns > left + 1) & (columns < right - 1) & (rows > top + 1) & (rows < bottom - 1)
        outside = (columns < left - 1) | (columns > right + 1) | (rows < top - 1) | (rows > bottom + 1)
        assert (warped[inside] > 250).all(), 'the cut leaves no black corner of the rotation'
        assert not warped[outside].any()


def test_a_crop_about_the_garment_shows_it_large_and_in_the_middle():
    points = np.array([[30, 150], [110, 150], [25, 240], [120, 235]])
    image = dotted((300, 200), points[:3])
    longest, middles, found = [], [], 0
    for seed in range(200):
        augmentation = draw_augmentation(np.random.RandomState(seed), (300, 200), INPUT_HW, garment_xy=points)
        moved, _ = apply_to_points(augmentation, points, np.ones(4, int), SKIRT.mirror_indices)
        low, high = moved.min(axis=0), moved.max(axis=0)
        longest.append((high - low).max() / min(INPUT_HW))
        middles.append(((low + high) / 2 - np.array(INPUT_HW[::-1]) / 2) / (high - low).max())
        original = SKIRT.mirror_indices if augmentation.mirrored else np.arange(4)
        place, (left, top, right, bottom) = moved[list(original).index(0)], augmentation.view
        if seed < 30 and left + 20 < place[0] < right - 20 and top + 20 < place[1] < bottom - 20:
            np.testing.assert_allclose(brightest(apply_to_image(augmentation, image, INPUT_HW), 0), place, atol=1.5)
            found += 1
    assert 0.45 < min(longest) < 0.55 and 0.85 < max(longest) < 0.95
    assert 0.09 < np.abs(middles).max() < 0.12
    assert found > 3


def test_a_crop_at_the_edge_shows_no_more_than_the_picture():
    image = np.full((200, 150, 3), 255, np.uint8)
    for seed in range(30):
        augmentation = draw_augmentation(np.random.RandomState(seed), image.shape[:2], INPUT_HW,
                                         garment_xy=np.array([[5, 20], [40, 90]]))
        warped = apply_to_image(augmentation, image, INPUT_HW)
        left, top, right, bottom = augmentation.view
        rows, columns = np.indices(INPUT_HW)
        inside = (columns > left + 2) & (columns < right - 2) & (rows > top + 2) & (rows < bottom - 2)
        outside = (columns < left - 1) | (columns > right + 1) | (rows < top - 1) | (rows > bottom + 1)
        assert (warped[inside] > 250).all() and not warped[outside].any()


def test_a_garment_without_points_is_not_cut_around():
    usual, same = (draw_augmentation(np.random.RandomState(3), (200, 150), INPUT_HW, garment_xy=points)
                   for points in (None, np.zeros((1, 2))))
    np.testing.assert_array_equal(usual.affine, same.affine)


@pytest.mark.parametrize('size_hw, degrees', [((100, 300), 10), ((300, 100), -14), ((200, 200), 15), ((100, 500), 40)])
def test_the_upright_rectangle_fits_and_touches(size_hw, degrees):
    height, width = largest_upright_rectangle(size_hw, degrees)
    angle = np.radians(degrees)
    corners = np.array([[sx * width / 2, sy * height / 2] for sx in (-1, 1) for sy in (-1, 1)])
    turned = np.abs(corners @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))
    slack = np.array(size_hw[::-1]) / 2 - turned
    assert slack.min() > -1e-9, 'inside'
    assert slack.min() < 1e-9, 'touching'


@pytest.mark.parametrize('most', [0, 40])
def test_pictures_are_turned_as_far_as_asked(most):
    drawn = [draw_augmentation(np.random.RandomState(seed), (300, 200), INPUT_HW, most) for seed in range(300)]
    linear = [d.affine[:, :2] * ([[-1], [1]] if d.mirrored else 1) for d in drawn]
    angles = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in linear])
    assert angles.min() == pytest.approx(-most, abs=0.5) and angles.max() == pytest.approx(most, abs=0.5)


def test_the_ranges_are_those_of_the_original():
    rng = np.random.RandomState(0)
    drawn = [draw_augmentation(rng, (300, 200), (368, 368)) for _ in range(3000)]
    # Undone: mirror, then A = zoom R diag(x_factor, y_factor), so its columns give factors times zoom, and the angle.
    linear = [d.affine[:, :2] * ([[-1], [1]] if d.mirrored else 1) for d in drawn]
    angles = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in linear])
    ratios = np.array([np.linalg.norm(m[:, 0]) / np.linalg.norm(m[:, 1]) for m in linear])
    assert angles.min() == pytest.approx(-15, abs=0.1) and angles.max() == pytest.approx(15, abs=0.1)
    assert ratios.min() == pytest.approx(0.8 / 1.2, abs=0.03) and ratios.max() == pytest.approx(1.2 / 0.8, abs=0.06)
    shown = np.array([[d.view[2] - d.view[0], d.view[3] - d.view[1]] for d in drawn])
    assert shown.max() == 368, 'a zoomed picture fills the input, and no more'
    assert shown.max(axis=1).min() == pytest.approx(0.95 * 368, abs=2), 'the smallest leaves a twentieth blank'
    assert np.mean([d.mirrored for d in drawn]) == pytest.approx(0.5, abs=0.05)
