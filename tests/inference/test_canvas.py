"""Heat maps have their right places on the canvas."""
import cv2
import numpy as np
import pytest

from fashionai.images.geometry import transform_points
from fashionai.inference.canvas import NEUTRAL, canvas_map, image_area, join_windows, placement_of
from fashionai.inference.windows import windows_of

SIZE, RESOLUTION, STRIDE = 96, (80, 64), 8
CELLS = (10, 8)
SCALES = [None, 1.0, 0.5, (0.3, 0.8, 1.7), (1.5, 0.4)]


@pytest.mark.parametrize('scale', SCALES)
def test_a_map_of_coordinates_reads_the_window(scale: object) -> None:
    """Every cell has the x, or y, of its centre in the input as its value. Between the outermost centres, the canvas
    then has the coordinates that the window gives each of its pixels."""
    cells_y, cells_x = np.mgrid[0:CELLS[0], 0:CELLS[1]] * 8 + 3.5
    for window in windows_of([scale], SIZE, RESOLUTION, (90, 120)):
        placement = placement_of(window, SIZE, CELLS, STRIDE)
        x, y = placement.enlarge(np.stack([cells_x, cells_y]).astype(np.float32))
        rows, columns = np.mgrid[placement.rows, placement.columns]
        wanted = transform_points(window, np.stack([columns, rows], axis=-1))
        inner = ((wanted >= 11.5) & (wanted <= np.array(RESOLUTION[::-1]) - 1 - 11.5)).all(axis=-1)
        assert inner.any()
        error = np.stack([x, y], axis=-1)[inner] - wanted[inner]
        assert np.abs(error).max() < 0.4  # the kernel's ripple on a slope, 5 % of a cell
        assert np.abs(error.mean(axis=0)).max() < 0.05


def test_enlarging_agrees_with_opencv() -> None:
    """If the window shows the whole canvas, the result is that of OpenCV's cubic resize."""
    maps = cv2.GaussianBlur(np.random.RandomState(0).rand(46, 46, 3).astype(np.float32), (0, 0), 3)
    maps = cv2.normalize(maps, None, 0, 1, cv2.NORM_MINMAX)
    window, = windows_of([None], 368, (368, 368), (368, 368))
    ours = placement_of(window, 368, (46, 46), 8).enlarge(maps.transpose(2, 0, 1))
    theirs = cv2.resize(maps, (368, 368), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_window_covers_its_own_part_alone() -> None:
    """At scale 2 in the top left corner, the window shows the first half of the canvas."""
    window, = windows_of([(0.0, 0.0, 2.0)], SIZE, (96, 96), (96, 96))
    placement = placement_of(window, SIZE, (12, 12), 8)
    assert (placement.rows, placement.columns) == (slice(0, 48), slice(0, 48))


@pytest.mark.parametrize('join, both', [('addup', 0.8), ('average', 0.6)])
def test_joining(join: str, both: float) -> None:
    windows = windows_of([(0.0, 0.5, 2.0), (0.25, 0.5, 2.0)], SIZE, (96, 96), (96, 96))
    placements = [placement_of(windows[0], SIZE, (12, 12), 8)] * 2
    maps = np.stack([np.full((1, 12, 12), value, np.float32) for value in (0.4, 0.8)])
    canvas = join_windows(maps, placements, SIZE, join)
    np.testing.assert_allclose(canvas[0, 24:72, :48], both, atol=1e-6)
    assert (canvas[0, :24] == NEUTRAL).all() and (canvas[0, :, 48:] == NEUTRAL).all()


def test_average_counts_only_the_windows_that_look() -> None:
    windows = windows_of([1.0, (0, 0, 2.)], SIZE, (96, 96), (96, 96))
    placements = [placement_of(window, SIZE, (12, 12), 8) for window in windows]
    maps = np.stack([np.full((1, 12, 12), value, np.float32) for value in (0.4, 0.8)])
    canvas = join_windows(maps, placements, SIZE, 'average')
    assert canvas[0, 10, 10] == pytest.approx(0.6) and canvas[0, 60, 60] == pytest.approx(0.4)


@pytest.mark.parametrize('image_hw', [(512, 512), (512, 300), (301, 512), (17, 40), (2000, 1333), (1, 300), (1, 1)])
def test_the_area_holds_the_pixels_that_lie_on_the_image(image_hw: tuple) -> None:
    """Compares the area with the centres of all canvas pixels, one by one."""
    affine = canvas_map(image_hw, SIZE)
    rows, columns = image_area(image_hw, SIZE)
    for axis, area in ((0, columns), (1, rows)):
        length = image_hw[1 - axis]
        low, high = (affine[axis, axis] * end + affine[axis, 2] for end in (-0.5, length - 0.5))
        inside = [pixel for pixel in range(SIZE) if low - 1e-9 <= pixel <= high + 1e-9]
        if inside:
            assert (area.start, area.stop) == (inside[0], inside[-1] + 1)
        else:
            assert area.stop == area.start + 1 and abs(area.start - (low + high) / 2) <= 1


def test_the_longer_side_fills_the_canvas_and_the_other_is_centred() -> None:
    corners = transform_points(canvas_map((200, 100), 400), [(-0.5, -0.5), (99.5, 199.5)])
    np.testing.assert_allclose(corners, [(99.5, -0.5), (299.5, 399.5)])
