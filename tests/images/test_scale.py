"""The scale of a picture from an object in it: lengths in its plane are those of generated planes, and a picture that
cannot give a scale gives none."""
from pathlib import Path
from types import SimpleNamespace
from typing import Callable, Tuple

import cv2
import numpy as np
import pytest

from fashionai.cli import marker
from fashionai.errors import InputError
from fashionai.images import markers
from fashionai.images.camera_pose import fitted_view
from fashionai.images.markers import find_markers, marker_cells, marker_svg
from fashionai.images.scale import find_plane, parse_scale, parse_side
from fashionai.synthetic.tilted_plane import camera, render, seen

SIZE_HW = (800, 600)
PLACE_CM = (-10., 12.)
RECTANGLE_CM = np.array([[-12, -18], [12, -18], [12, 18], [-12, 18]], float)


def sides(corners: np.ndarray) -> np.ndarray:
    """The lengths of the sides of a quadrilateral."""
    return np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)


def picture_of(text: str, tilt: float, direction: float = 70, turn: float = 20
                   ) -> Tuple[np.ndarray, np.ndarray]:
    """A generated picture, and the homography from centimetres to its pixels."""
    view = camera(tilt, direction, 60 if text == 'card' else 90, SIZE_HW)
    return render(np.random.default_rng(3), view, parse_scale(text), PLACE_CM, turn, SIZE_HW), view


@pytest.mark.parametrize('text, tilt, most', [
    ('marker:8cm', 0, .01), ('marker:8cm', 25, .02), ('marker:8cm:7', 45, .03), ('card', 0, .01), ('card', 30, .02),
    ('a4', 0, .005), ('a4', 45, .01)])
def test_lengths_in_the_plane_are_true_whatever_the_tilt(text: str, tilt: float, most: float) -> None:
    picture, view = picture_of(text, tilt)
    plane = find_plane(picture, parse_scale(text))
    assert not plane.fault
    lengths, on_plane = plane.flattened(seen(view, RECTANGLE_CM))
    assert on_plane.all()
    np.testing.assert_allclose(sides(lengths), sides(RECTANGLE_CM), rtol=most)
    near = seen(view, np.array(PLACE_CM) + [[-1, -1], [1, -1], [1, 1], [-1, 1]])
    pixels = cv2.contourArea(near.astype(np.float32))
    assert plane.cm_per_pixel == pytest.approx(np.sqrt(4 / pixels), rel=0.03), 'four square centimetres at the object'


def test_corners_are_those_of_the_object() -> None:
    picture, view = picture_of('a4', 30, turn=0)
    found = find_plane(picture, parse_scale('a4')).corners_xy
    true = seen(view, np.array(PLACE_CM) + np.array([[-29.7, -21], [29.7, -21], [29.7, 21], [-29.7, 21]]) / 2)
    gaps = np.linalg.norm(found[:, None] - true, axis=2)
    assert gaps.min(axis=0).max() < 0.5


@pytest.mark.parametrize('focal_length', [0.7, 1.4])
def test_a_camera_with_another_lens_is_measured_too(focal_length: float) -> None:
    view = camera(30, 130, 90 * focal_length, SIZE_HW, focal_length)
    wanted = parse_scale('a4')
    plane = find_plane(render(np.random.default_rng(1), view, wanted, PLACE_CM, 10, SIZE_HW), wanted)
    np.testing.assert_allclose(sides(plane.flattened(seen(view, RECTANGLE_CM))[0]), sides(RECTANGLE_CM), rtol=0.01)


@pytest.mark.parametrize('shown, wanted, said', [
    ('marker:8cm:4', 'marker:8cm', 'number 4'), ('card', 'a4', 'A4'), ('card', 'marker:5cm', 'marker 0'),
    ('marker:8cm', 'card', 'card')])
def test_another_object_gives_no_scale(shown: str, wanted: str, said: str) -> None:
    plane = find_plane(picture_of(shown, 10)[0], parse_scale(wanted))
    assert plane.to_cm is None and plane.cm_per_pixel is None and said in plane.fault


def test_objects_that_contradict_each_other_give_no_scale() -> None:
    """Of two markers, one is printed half as large."""
    picture, view = picture_of('marker:8cm', 0)
    small = cv2.resize(np.kron(np.pad(marker_cells(0), 1, mode='constant', constant_values=True) * 230,
                               np.ones((6, 6))).astype(np.uint8), None, fx=1, fy=1)
    two = picture.copy()
    two[80:80 + len(small), 400:400 + len(small)] = small[..., None]
    assert '2 ' in find_plane(two, parse_scale('marker:8cm')).fault
    plain = find_plane(picture, parse_scale('marker:8cm'))
    other = picture.copy()
    left, top = np.floor(plain.corners_xy.min(axis=0)).astype(int) - 14
    right, bottom = np.ceil(plain.corners_xy.max(axis=0)).astype(int) + 15
    other[10:10 + bottom - top, 380:380 + right - left] = picture[top:bottom, left:right]
    agreed = find_plane(other, parse_scale('marker:8cm'))
    assert not agreed.fault and agreed.cm_per_pixel == pytest.approx(plain.cm_per_pixel, rel=0.01)


def test_a_rectangle_of_other_sides_is_no_sheet() -> None:
    for width, height in ((400, 400), (450, 150), (400, 340)):
        picture = np.full((700, 900, 3), 70, np.uint8)
        picture[100:100 + height, 200:200 + width] = 230
        assert find_plane(picture, parse_scale('a4')).fault, (width, height)
    picture = np.full((700, 900, 3), 70, np.uint8)
    picture[100:310, 200:497] = 230
    plane = find_plane(picture, parse_scale('a4'))
    assert plane.cm_per_pixel == pytest.approx(0.1, rel=0.005)


def test_a_marker_of_few_pixels_gives_no_scale_or_a_right_one() -> None:
    for seed in range(6):
        view = camera(15, 60 * seed, 330, SIZE_HW)
        wanted = parse_scale('marker:8cm')
        picture = render(np.random.default_rng(seed), view, wanted, (-60, 30), 15 * seed, SIZE_HW)
        plane = find_plane(picture, wanted)
        if not plane.fault:
            lengths, _ = plane.flattened(seen(view, 3 * RECTANGLE_CM))
            np.testing.assert_allclose(sides(lengths), 3 * sides(RECTANGLE_CM), rtol=0.12)


def test_a_point_above_the_horizon_is_not_on_the_plane() -> None:
    picture, view = picture_of('a4', 45, direction=270)
    plane = find_plane(picture, parse_scale('a4'))
    horizon = np.linalg.inv(view)[2]  # x, y, 1 on it have depth 0
    above = np.array([[300, -(horizon[0] * 300 + horizon[2]) / horizon[1]]])
    sign = np.sign(above[0, 1] - plane.corners_xy[:, 1].mean())
    _, on_plane = plane.flattened(np.vstack([above + [[0, 50 * sign]], seen(view, RECTANGLE_CM)]))
    assert on_plane.tolist() == [False, True, True, True, True]


def test_views_are_fitted_to_their_corners_and_tell_tilts_apart() -> None:
    view = camera(35, 20, 100, (1500, 2000))
    corners = seen(view, np.array([[10., 10], [30, 10], [30, 20], [10, 20]]))
    fitted = fitted_view(corners, (20, 10), (1500, 2000))
    assert fitted.is_clear and fitted.misfit < 0.05 and fitted.tilt == pytest.approx(35, abs=2)
    few = seen(camera(0, 0, 100, (150, 200)), np.array([[30., 20], [33, 20], [33, 23], [30, 23]]))
    small = fitted_view(few, (3, 3), (150, 200))
    assert not small.is_clear, 'six pixels'


def test_the_command_writes_a_marker(tmp_path: Path, finish: Callable[..., str]) -> None:
    printed = finish(marker.main, '50mm', tmp_path / 'a.svg', '--number', 9)
    assert (tmp_path / 'a.svg').read_text() == marker_svg(5, 9) and 'marker:50mm:9' in printed
    assert 'a.png' in finish(marker.main, '5cm', tmp_path / 'a.png', code=1)
    assert '50' in finish(marker.main, '5cm', tmp_path / 'b.svg', '--number', 50, code=1)
    assert [path.name for path in tmp_path.iterdir()] == ['a.svg']


@pytest.mark.parametrize('text', ['', 'a5', 'A4 ', 'marker', 'marker:', 'marker:5', 'marker:0cm', 'marker:-5cm',
                                  'marker:5cm:50', 'marker:5cm:x', 'marker:5cm:1:2', 'marker:nancm', 'card:5cm'])
def test_other_scales_are_refused(text: str) -> None:
    with pytest.raises(InputError, match='wanted'):
        parse_scale(text)


def test_units_of_a_marker() -> None:
    assert parse_side('5cm') == parse_side('50mm') == 5 and parse_side('2in') == pytest.approx(5.08)
    assert parse_scale('marker:45mm:12').size_cm == (4.5, 4.5) and parse_scale('marker:45mm:12').number == 12


def test_a_printed_marker_is_found_and_has_its_size() -> None:
    svg = marker_svg(5, 9)
    cell = 5 / 6
    assert f'width="{5 + 2 * cell:.4f}cm"' in svg and 'viewBox="0 0 6.6667' in svg
    assert f'<rect x="{cell:.4f}" y="{cell:.4f}" width="5.0000" height="5.0000" fill="#000"/>' in svg
    drawn = np.kron(np.pad(marker_cells(9), 1, mode='constant', constant_values=True) * 255, np.ones((20, 20)))
    (corners,) = find_markers(drawn.astype(np.uint8))[9]
    np.testing.assert_allclose(corners, [[20, 20], [139, 20], [139, 139], [20, 139]], atol=1.5)
    with pytest.raises(InputError, match='50'):
        marker_svg(5, 50)


def test_an_older_opencv_finds_markers_by_its_own_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before OpenCV 4.7, the functions had other names; a stand-in has those, and calls the new ones."""
    new = cv2.aruco
    drawn = np.kron(np.pad(marker_cells(3), 1, mode='constant', constant_values=True) * 255, np.ones((20, 20)))
    old = SimpleNamespace(
        DICT_4X4_50=new.DICT_4X4_50, getPredefinedDictionary=new.getPredefinedDictionary,
        DetectorParameters_create=new.DetectorParameters,
        drawMarker=lambda dictionary, number, side, borderBits: new.generateImageMarker(dictionary, number, side,
                                                                                        borderBits=borderBits),
        detectMarkers=lambda grey, dictionary, parameters: new.ArucoDetector(dictionary,
                                                                             parameters).detectMarkers(grey))
    monkeypatch.setattr(markers.cv2, 'aruco', old)
    assert list(find_markers(drawn.astype(np.uint8))) == [3]
    np.testing.assert_array_equal(np.kron(marker_cells(3) * 255, np.ones((20, 20))), drawn[20:-20, 20:-20])
    monkeypatch.delattr(markers.cv2, 'aruco')
    with pytest.raises(InputError, match='4.7'):
        find_markers(drawn.astype(np.uint8))
