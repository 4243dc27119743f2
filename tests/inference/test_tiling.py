"""Merged windows show the same parts in fewer pixels, and their maps lie where those of the exact ones lie."""
from typing import List, Tuple

import cv2
import numpy as np
import pytest

from fashionai.garments.table import GARMENTS
from fashionai.images.geometry import invert, transform_points
from fashionai.inference.aggregator import HeatmapAggregator, NetworkInput
from fashionai.inference.tiling import TILINGS, Window
from fashionai.inference.windows import DEFAULT_SCALES, parse_scales, windows_of

SIZE = 368
SKIRT = GARMENTS['skirt']


def merged(scales: str, image_hw: Tuple[int, int], size: int = SIZE) -> Tuple[Window, ...]:
    windows = windows_of(parse_scales(scales), size, (size, size), image_hw)
    return TILINGS['merged'](windows, (size, size), (size, size), image_hw, size)


def sizes(scales: str, image_hw: Tuple[int, int]) -> List[Tuple[int, int]]:
    return [window.size_hw for window in merged(scales, image_hw)]


def corners(window: Window) -> np.ndarray:
    """Canvas (left, top, right, bottom) of a window, measured to the outer edges of its pixels."""
    ends = [(-0.5, -0.5), (window.size_hw[1] - 0.5, window.size_hw[0] - 0.5)]
    return transform_points(invert(window.affine), ends).ravel()


def test_the_five_of_one_scale_are_one() -> None:
    """At 1.5 the canvas has 552 pixels a side, and 560 is the next size that is 368 and times 32: a little more than
    2.25 windows' work in place of five's."""
    one, five = merged(DEFAULT_SCALES, (512, 512))
    assert one.size_hw == (368, 368) and five.size_hw == (560, 560)
    assert (one.area + five.area) / 368 ** 2 == pytest.approx(3.3157, abs=1e-4)
    np.testing.assert_allclose(corners(one), [-0.5, -0.5, 367.5, 367.5], atol=1e-9)
    np.testing.assert_allclose(corners(five), np.array([-4, -4, 556, 556]) / 1.5 - 0.5, atol=1e-9)


@pytest.mark.parametrize('image_hw, expected', [
    # half as wide: 184 + 16 of margin want 208; at 1.5, 276 + 16 = 292 want 304
    ((512, 256), [(368, 208), (560, 304)]), ((256, 512), [(208, 368), (304, 560)]),
    # 2:3: 245.3 + 16 = 261.3 want 272; 368 + 16 = 384 want 400
    ((600, 400), [(368, 272), (560, 400)]),
    # as good as square: the margin needs what is left
    ((512, 500), [(368, 368), (560, 560)])])
def test_the_padding_is_cut_off(image_hw: Tuple[int, int], expected: list) -> None:
    assert sizes(DEFAULT_SCALES, image_hw) == expected


@pytest.mark.parametrize('scales, expected', [
    # at 2, two windows of 368 side by side: nothing is saved; half over each other: 560 x 368 for two of 368
    ('[(0, 0, 2.0), (1, 0, 2.0)]', [(368, 368)] * 2), ('[(0, 0, 2.0), (0.5, 0, 2.0)]', [(368, 560)]),
    # in opposite corners, at 1.34: 493.1, so 496 squared = 246,016, and twice 368 squared = 270,848
    ('[(0, 0, 1.34), (1, 1, 1.34)]', [(496, 496)]),
    # at 1.35: 496.8, so 528 squared = 278,784
    ('[(0, 0, 1.35), (1, 1, 1.35)]', [(368, 368)] * 2),
    # one scale, three names; and two scales, which no window serves at once
    ('[1.0, None, (1.0, 0.5)]', [(368, 368)]), ('[(0.5, 0.5, 1.5), (0.5, 0.5, 1.6)]', [(368, 368)] * 2),
    # the canvas, 184 of 368 pixels, and its margin
    ('[0.5]', [(208, 208)])])
def test_windows_are_merged_where_that_has_fewer_pixels(scales: str, expected: list) -> None:
    assert sizes(scales, (300, 300)) == expected


def test_no_window_costs_more_than_before() -> None:
    """And sizes are those at which layers of stride 2 place their cells as at 368, down to stride 32."""
    random = np.random.RandomState(0)
    for _ in range(50):
        centres = [(*random.uniform(0, 1, 2).round(2), random.choice([1.0, 1.3, 2.0])) for _ in range(5)]
        windows = merged(str([tuple(map(float, centre)) for centre in centres]), tuple(random.randint(50, 500, 2)))
        assert sum(window.area for window in windows) <= 5 * SIZE ** 2
        assert all(side % 32 == 368 % 32 for window in windows for side in window.size_hw)


@pytest.mark.parametrize('resolution_hw', [(368, 368), (256, 320), (368, 656), (264, 264), (8, 48)])
@pytest.mark.parametrize('tiling', TILINGS)
def test_sizes_suit_the_one_that_was_trained_at(resolution_hw: Tuple[int, int], tiling: str) -> None:
    """Whole periods from it; what the windows showed stays in their middle, at its scale."""
    for scales in ('[1.0]', '[None, (0.3, 0.8, 1.5)]'):
        windows = windows_of(parse_scales(scales), SIZE, resolution_hw, (500, 400))
        found = TILINGS[tiling](windows, resolution_hw, (256, 192), (500, 400), SIZE)
        assert all(side % 32 == 0 for window in found for side in window.size_hw)
        if tiling == 'exact':
            for window, wanted in zip(found, windows):
                assert window.size_hw == tuple(-(-side // 32) * 32 for side in resolution_hw)
                margin = (np.array(window.size_hw[::-1]) - resolution_hw[::-1]) / 2
                np.testing.assert_allclose(window.affine[:, :2], wanted[:, :2])
                np.testing.assert_allclose(window.affine[:, 2], wanted[:, 2] + margin, atol=1e-9)


def test_a_size_that_suits_keeps_its_windows() -> None:
    windows = windows_of(parse_scales(DEFAULT_SCALES), SIZE, (320, 384), (500, 400))
    for window, wanted in zip(TILINGS['exact'](windows, (320, 384), (256, 256), (500, 400), SIZE), windows):
        assert window.size_hw == (320, 384)
        np.testing.assert_array_equal(window.affine, wanted)


def test_windows_beside_the_image_are_left_out() -> None:
    """At 3 an image of 1:4 has the pixels 414 to 690 of 1104 across; the window shows the first 368."""
    assert sizes('[1.0, (0, 0.5, 3.0)]', (512, 128)) == [(368, 112)]
    window, = merged('[(0, 0.5, 3.0)]', (512, 128))
    assert window.size_hw == (368, 368)


def means(images: np.ndarray) -> np.ndarray:
    """A network that says of every cell what its pixels are on average: it is covariant at its stride, and the centre
    of a cell of a ramp has its value."""
    count, height, width = images.shape[:3]
    cells = images.reshape(count, height // 8, 8, width // 8, 8, 3).mean(axis=(2, 4)) / 255
    return np.concatenate([cells, np.zeros(cells.shape[:3] + (SKIRT.num_heatmaps + SKIRT.num_fields - 3,))], axis=3)


def painted(image: np.ndarray, scales: str, tiling: str, size: int, flip: bool = False) -> np.ndarray:
    """What `means` says of the picture's three channels on the canvas, (3, S, S); the sigmoid undone."""
    view = NetworkInput(means, SKIRT, 8, (size, size), parse_scales(scales), tiling)
    canvas, = HeatmapAggregator(view, SKIRT, size, 1, flip, 'addup', False).paint([image])
    return np.log(canvas.heatmaps[:3] / (1 - canvas.heatmaps[:3]))


def test_merged_and_exact_say_the_same() -> None:
    """At 320, windows of 1.5 begin at whole cells (0, 80 and 160 of 480 pixels), so both see the same cells; two cells
    from the borders of every window they have to agree. The borders lie at thirds and sixths of the canvas."""
    noise = np.random.RandomState(0).uniform(0, 255, (320, 320, 3)).astype(np.uint8)
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    scales = '[(0.5,0.25,1.5), (0.5,0.75,1.5), (0.25,0.5,1.5), (0.75,0.5,1.5), (0.5,0.5,1.5)]'
    exact, joined = (painted(image, scales, tiling, 320) for tiling in ('exact', 'merged'))
    middles = np.arange(320) + 0.5
    inside = np.min([np.abs(middles - 320 * part / 6) for part in (0, 1, 2, 4, 5, 6)], axis=0) > 2 * 8 / 1.5
    corner = (middles < 320 / 6) | (middles > 320 * 5 / 6)  # which the exact windows do not see
    seen = inside[:, None] & inside & ~(corner[:, None] & corner)
    assert seen.sum() > 20000 and exact[:, seen].std() > 0.05
    np.testing.assert_allclose(joined[:, seen], exact[:, seen], atol=1e-3)


@pytest.mark.parametrize('image_hw', [(320, 320), (320, 200), (111, 320), (640, 400)])
@pytest.mark.parametrize('scales', ['[1.0]', '[0.7]', '[None]', '[(1.3, 0.5)]', '[(0.5,0.25,1.5), (0.5,0.75,1.5)]'])
@pytest.mark.parametrize('tiling', TILINGS)
def test_a_ramp_lies_on_the_canvas_where_the_image_does(image_hw: Tuple[int, int], scales: str, tiling: str) -> None:
    """Blue grows to the right, green downward; the canvas says where in the image each of its pixels is."""
    height, width = image_hw
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.rint(255 * (np.arange(width) + 0.5) / width)
    image[..., 1] = np.rint(255 * (np.arange(height) + 0.5) / height)[:, None]
    blue, green, _ = painted(image, scales, tiling, 320)
    longer = max(image_hw)
    canvas = (np.arange(320) + 0.5) / 320 * longer
    x, y = (canvas - (longer - width) / 2) / width, ((canvas - (longer - height) / 2) / height)
    inside_x, inside_y = (np.abs(middles - 0.5) < 0.5 - 0.12 * longer / side
                          for middles, side in ((x, width), (y, height)))
    part = np.ix_(inside_y, inside_x)
    covered = np.hypot(blue, green)[part] > 0  # scales of the list need not show all of the canvas
    assert covered.mean() > 0.6
    pixel = longer / 320
    np.testing.assert_allclose(blue[part][covered], np.broadcast_to(x[inside_x], covered.shape)[covered],
                               atol=pixel / width + 1 / 255)
    np.testing.assert_allclose(green[part][covered], np.broadcast_to(y[inside_y][:, None], covered.shape)[covered],
                               atol=pixel / height + 1 / 255)


def test_the_mirror_image_is_seen_through_the_same_windows() -> None:
    """A picture that is its own mirror image gives a canvas that is; and the same with the mirror image as without."""
    half = np.random.RandomState(1).uniform(0, 255, (300, 90, 3)).astype(np.float32)
    half = cv2.normalize(cv2.GaussianBlur(half, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)
    half[..., 1] = half[..., 0]  # the network calls left what is right: both of the waistband, alike
    image = np.concatenate([half, half[:, ::-1]], axis=1).astype(np.uint8)
    once, twice = (painted(image, DEFAULT_SCALES, 'merged', 320, flip) for flip in (False, True))
    np.testing.assert_allclose(twice[:2], once[:2], atol=5e-3)
    np.testing.assert_allclose(once[0], once[0][:, ::-1], atol=5e-3)
