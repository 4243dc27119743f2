"""Windows lie where the original's do, and a canvas leaves nothing out of sight."""
import cv2
import numpy as np
import pytest

from fashionai.images.geometry import compose, invert, transform_points, warp_image
from fashionai.inference.canvas import canvas_map
from fashionai.inference.windows import DEFAULT_SCALES, fitting_side, parse_scales, windows_of

SIZE = 368
SQUARE = (512, 512)
"""An image's size; in an input that is square, any gives the same windows."""


def corners(window: np.ndarray, resolution_hw=(SIZE, SIZE)) -> np.ndarray:
    """Canvas (left, top, right, bottom) of a window, measured to the outer edges of its pixels."""
    ends = [(-0.5, -0.5), (resolution_hw[1] - 0.5, resolution_hw[0] - 0.5)]
    return transform_points(invert(window), ends).ravel()


@pytest.mark.parametrize('text, expected', [
    ('[None]', (None,)), ('[1]', (1,)), ('[1.0, (0.5, 0.25, 1.5)]', (1.0, (0.5, 0.25, 1.5))),
    ('[(1.5, 0.25), None]', ((1.5, 0.25), None)), (' [0.5] ', (0.5,))])
def test_every_form_is_read(text: str, expected: tuple) -> None:
    assert parse_scales(text) == expected


@pytest.mark.parametrize('text, said', [
    ('[1.0', 'not a list'), ('1.0', 'square brackets'), ('(0.5,0.25,1.5)', 'square brackets'), ('[]', 'at least one'),
    ('__import__("os")', 'not a list'), ('[0]', '0 is not a scale'), ('[-1.5]', '-1.5'), ('[True]', 'True'),
    ('["1.0"]', "'1.0'"), ('[(1.5, 0)]', r'\(1.5, 0\)'), ('[(1.5, 2)]', 'step'), ('[(0.5, 1.5, 1.5)]', 'cx'),
    ('[(1, 2, 3, 4)]', 'is not a scale'), ('[[1.0]]', 'is not a scale'), ('[()]', 'is not a scale'),
    ('[(1.5,)]', 'is not a scale'), ('[1e400]', 'inf'), ('', 'not a list'),
    ('[101]', '101'), ('[(1.5, 1e-9)]', '1e-09'), ('[' * 5000, 'not a list'), ('(' * 90 + ')' * 90, 'square brackets')])
def test_bad_scales_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_scales(text)


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
