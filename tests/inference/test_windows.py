"""Windows lie where the original's do and cover the canvas; merged windows show the same parts in fewer pixels."""
from typing import List, Tuple

import cv2
import numpy as np
import pytest

from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS
from fashionai.images.geometry import compose, invert, transform_points, warp_image
from fashionai.inference.aggregator import HeatmapAggregator, NetworkInput
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import (
    DEFAULT_SCALES,
    TILINGS,
    Window,
    fitting_side,
    parse_scales,
    windows_of,
)

SIZE = 368
SQUARE = (512, 512)
"""An image's size; if the input is square, any size gives the same windows."""
SKIRT = GARMENTS['skirt']


def corners(window: np.ndarray, resolution_hw=(SIZE, SIZE)) -> np.ndarray:
    """Canvas (left, top, right, bottom) of a window, measured to the outer edges of its pixels."""
    ends = [(-0.5, -0.5), (resolution_hw[1] - 0.5, resolution_hw[0] - 0.5)]
    return transform_points(invert(window), ends).ravel()


@pytest.mark.parametrize('text, expected', [
    ('[None]', (None,)), ('[1]', (1,)), ('[1.0, (0.5, 0.25, 1.5)]', (1.0, (0.5, 0.25, 1.5))),
    ('[(1.5, 0.25), None]', ((1.5, 0.25), None)), (' [0.5] ', (0.5,))])
def test_every_form_is_read(text: str, expected: tuple) -> None:
    assert parse_scales(text) == expected


@pytest.mark.parametrize('text, named', [
    ('[1.0', '[1.0'), ('1.0', '1.0'), ('(0.5,0.25,1.5)', '(0.5,0.25,1.5)'), ('[]', '[]'), ('__import__("os")', 'os'),
    ('[0]', '0'), ('[-1.5]', '-1.5'), ('[True]', 'True'), ('["1.0"]', "'1.0'"), ('[(1.5, 0)]', '(1.5, 0)'),
    ('[(1.5, 2)]', '(1.5, 2)'), ('[(0.5, 1.5, 1.5)]', '(0.5, 1.5, 1.5)'), ('[(1, 2, 3, 4)]', '(1, 2, 3, 4)'),
    ('[[1.0]]', '[1.0]'), ('[()]', '()'), ('[(1.5,)]', '(1.5,)'), ('[1e400]', 'inf'), ('', "''"), ('[101]', '101'),
    ('[(1.5, 1e-9)]', '1e-09'), ('[' * 5000, '[' * 80), ('(' * 90 + ')' * 90, '(')])
def test_bad_scales_are_named(text: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_scales(text)
    assert '--scales' in str(caught.value) and named in str(caught.value)


def test_the_six_default_windows() -> None:
    """By hand: at 1.5 the canvas has 552 pixels and a window 368 of them; offsets 0, 92 (centred) or 184 (far end)."""
    edge = SIZE - 0.5
    near, far, third = -0.5, 368 * 2 / 3 - 0.5, 368 / 3 - 0.5
    middle = (368 / 6 - 0.5, 368 * 5 / 6 - 0.5)
    expected = [(near, near, edge, edge),
                (middle[0], near, middle[1], far), (middle[0], third, middle[1], edge),
                (near, middle[0], far, middle[1]), (third, middle[0], edge, middle[1]),
                (middle[0], middle[0], middle[1], middle[1])]
    windows = windows_of(parse_scales(DEFAULT_SCALES), SIZE, (SIZE, SIZE), SQUARE)
    np.testing.assert_allclose([corners(window) for window in windows], expected, atol=1e-9)


@pytest.mark.parametrize('image_hw', [(512, 512), (512, 300), (211, 512)])
def test_a_square_input_has_the_same_windows_for_every_image(image_hw: tuple) -> None:
    scales = parse_scales('[None, 0.7, 1.0, (1.5, 0.25), (0.3, 0.8, 2)]')
    np.testing.assert_array_equal(windows_of(scales, 400, (SIZE, SIZE), image_hw),
                                  windows_of(scales, 400, (SIZE, SIZE), SQUARE))


@pytest.mark.parametrize('scale', [(1.5, 0.25), (1.5, 1 / 6), (2.0, 0.5), (2.3, 0.3), (1.0, 0.1), (0.5, 0.5)])
@pytest.mark.parametrize('resolution_hw', [(368, 368), (256, 368), (656, 368), (64, 512)])
@pytest.mark.parametrize('image_hw', [SQUARE, (512, 300), (211, 512)])
def test_sliding_windows_cover_the_canvas_and_stay_on_it(scale: tuple, resolution_hw: tuple, image_hw: tuple) -> None:
    windows = windows_of([scale], SIZE, resolution_hw, image_hw)
    covered = np.zeros((SIZE, SIZE), bool)
    for window in windows:
        left, top, right, bottom = corners(window, resolution_hw)
        covered |= ((np.arange(SIZE) >= top) & (np.arange(SIZE) <= bottom))[:, None] \
            & ((np.arange(SIZE) >= left) & (np.arange(SIZE) <= right))
        for start, end in ((left, right), (top, bottom)):
            if end - start <= SIZE:
                assert start >= -0.5 - 1e-9 and end <= SIZE - 0.5 + 1e-9
            else:
                assert start + end == pytest.approx(SIZE - 1), 'in the middle of the window'
    assert covered.all()


def test_numbers_of_sliding_windows() -> None:
    """552 pixels, steps of 138: at 0, 138 and, flush, 184; steps of 92 end flush by themselves."""
    assert len(windows_of([(1.5, 0.25)], SIZE, (SIZE, SIZE), SQUARE)) == 9
    assert len(windows_of([(1.5, 1 / 6)], SIZE, (SIZE, SIZE), SQUARE)) == 9
    assert len(windows_of([(1.0, 0.25)], SIZE, (SIZE, SIZE), SQUARE)) == 1


def test_a_small_canvas_lies_in_the_middle_of_its_window() -> None:
    for scale in (0.5, (0.5, 0.25), (0.1, 0.9, 0.5)):
        window, = windows_of([scale], SIZE, (SIZE, SIZE), SQUARE)
        np.testing.assert_allclose(corners(window), [-184.5, -184.5, 551.5, 551.5])


@pytest.mark.parametrize('resolution_hw, image_hw, seen', [
    # 512 of the longer side are fitted into: by hand, the image's own edges or more, in its pixels
    ((256, 320), (512, 512), (-64, 0, 576, 512)), ((320, 256), (512, 512), (0, -64, 512, 576)),
    ((320, 256), (500, 400), (0, 0, 400, 500)), ((368, 656), (512, 256), (256 / 2 - 512 * 656 / 368 / 2, 0,
                                                                         256 / 2 + 512 * 656 / 368 / 2, 512)),
    ((368, 656), (250, 500), (0, 125 - 500 * 368 / 656 / 2, 500, 125 + 500 * 368 / 656 / 2))])
def test_at_scale_1_the_image_just_fits(resolution_hw: tuple, image_hw: tuple, seen: tuple) -> None:
    window, = windows_of([1.0], SIZE, resolution_hw, image_hw)
    edges = transform_points(invert(canvas_map(image_hw, SIZE)), corners(window, resolution_hw).reshape(2, 2)) + 0.5
    np.testing.assert_allclose(edges.ravel(), seen, atol=1e-9)


def test_every_size_and_image_fits() -> None:
    """The image touches two opposite edges of the input, or all four, and reaches beyond none."""
    random = np.random.RandomState(0)
    for _ in range(200):
        resolution_hw, image_hw = tuple(8 * random.randint(1, 130, 2)), tuple(random.randint(1, 900, 2))
        window, = windows_of([1.0], SIZE, resolution_hw, image_hw)
        ends = [(-0.5, -0.5), (image_hw[1] - 0.5, image_hw[0] - 0.5)]
        left, top, right, bottom = transform_points(compose(canvas_map(image_hw, SIZE), window), ends).ravel() + 0.5
        margins = np.array([left, top, resolution_hw[1] - right, resolution_hw[0] - bottom])
        assert margins.min() == pytest.approx(0, abs=1e-6)
        np.testing.assert_allclose(margins[:2], margins[2:], atol=1e-6)
        assert fitting_side(image_hw, resolution_hw) == pytest.approx(max(right - left, bottom - top))


def test_none_stretches() -> None:
    stretched, = windows_of([None], 400, (200, 300), SQUARE)
    np.testing.assert_allclose(corners(stretched, (200, 300)), [-0.5, -0.5, 399.5, 399.5])


def test_one_warp_shows_what_enlarging_and_cutting_shows() -> None:
    canvas = cv2.GaussianBlur(np.random.RandomState(3).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32), (0, 0), 6)
    canvas = cv2.normalize(canvas, None, 0, 255, cv2.NORM_MINMAX)
    window, = windows_of([(0.5, 0.75, 1.5)], SIZE, (SIZE, SIZE), SQUARE)
    enlarged = cv2.resize(canvas, (552, 552), interpolation=cv2.INTER_LINEAR)
    difference = np.abs(warp_image(window, canvas, (SIZE, SIZE)) - enlarged[184:552, 92:460])
    assert difference[:-1].max() < 0.5  # the last row fades into the black beyond the canvas


def merged(scales: str, image_hw: Tuple[int, int], size: int = SIZE) -> Tuple[Window, ...]:
    windows = windows_of(parse_scales(scales), size, (size, size), image_hw)
    return TILINGS['merged'](windows, (size, size), (size, size), image_hw, size)


def sizes(scales: str, image_hw: Tuple[int, int]) -> List[Tuple[int, int]]:
    return [window.size_hw for window in merged(scales, image_hw)]


def window_corners(window: Window) -> np.ndarray:
    """Canvas (left, top, right, bottom) of a window, measured to the outer edges of its pixels."""
    ends = [(-0.5, -0.5), (window.size_hw[1] - 0.5, window.size_hw[0] - 0.5)]
    return transform_points(invert(window.affine), ends).ravel()


def test_the_five_of_one_scale_are_one() -> None:
    """At 1.5 the canvas has 552 pixels a side, and 560 is the next size that is 368 and times 32: a little more than
    2.25 windows' work in place of five's."""
    one, five = merged(DEFAULT_SCALES, (512, 512))
    assert one.size_hw == (368, 368) and five.size_hw == (560, 560)
    assert (one.area + five.area) / 368 ** 2 == pytest.approx(3.3157, abs=1e-4)
    np.testing.assert_allclose(window_corners(one), [-0.5, -0.5, 367.5, 367.5], atol=1e-9)
    np.testing.assert_allclose(window_corners(five), np.array([-4, -4, 556, 556]) / 1.5 - 0.5, atol=1e-9)


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
    """And all sizes differ from 368 by multiples of 32, so that layers of stride 2 place their cells as at 368."""
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


def aggregated(image: np.ndarray, scales: str, tiling: str, size: int, flip: bool = False) -> np.ndarray:
    """What `means` says of the picture's three channels on the canvas, (3, S, S); the sigmoid undone."""
    network_input = NetworkInput(means, SKIRT, 8, (size, size), parse_scales(scales), tiling)
    canvas, = HeatmapAggregator(network_input, SKIRT, size, 1, flip, 'addup', False).aggregate([image])
    return np.log(canvas.heatmaps[:3] / (1 - canvas.heatmaps[:3]))


def test_merged_and_exact_say_the_same() -> None:
    """At 320, windows of 1.5 begin at whole cells (0, 80 and 160 of 480 pixels), so both see the same cells; two cells
    from the borders of every window they have to agree. The borders lie at thirds and sixths of the canvas."""
    noise = np.random.RandomState(0).uniform(0, 255, (320, 320, 3)).astype(np.uint8)
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    scales = '[(0.5,0.25,1.5), (0.5,0.75,1.5), (0.25,0.5,1.5), (0.75,0.5,1.5), (0.5,0.5,1.5)]'
    exact, joined = (aggregated(image, scales, tiling, 320) for tiling in ('exact', 'merged'))
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
    blue, green, _ = aggregated(image, scales, tiling, 320)
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
    once, twice = (aggregated(image, DEFAULT_SCALES, 'merged', 320, flip) for flip in (False, True))
    np.testing.assert_allclose(twice[:2], once[:2], atol=5e-3)
    np.testing.assert_allclose(once[0], once[0][:, ::-1], atol=5e-3)
