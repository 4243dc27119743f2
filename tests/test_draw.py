"""Drawings: dots are at the keypoints, and a sheet is a file that a person can open."""
import errno
import os

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations, write_annotations
from fashionai.cli import draw
from fashionai.garments.table import GARMENTS
from fashionai.images.decoder import read_image
from fashionai.images.drawing import draw_keypoints, sheet, tile, write_picture

SKIRT = GARMENTS['skirt']


def skirt_points(points):
    keypoints = np.full((24, 3), -1)
    keypoints[SKIRT.csv_indices] = points
    return keypoints


def test_dots_are_drawn_where_the_keypoints_are_and_nowhere_else():
    grey = np.full((200, 100, 3), 128, np.uint8)
    picture = draw_keypoints(grey, SKIRT, skirt_points([[30, 40, 1], [70, 40, 1], [20, 150, -1], [80, 160, 1]]))
    changed = (picture != grey).any(axis=2)
    assert changed[40, 30] and changed[40, 70] and changed[160, 80]
    assert not changed[140:160, 10:30].any(), 'an absent point leaves no mark'
    assert tuple(picture[40, 30]) != tuple(picture[40, 70]), 'left and right differ'
    assert (grey == 128).all(), 'the image itself is not drawn on'


def test_a_tile_moves_image_and_keypoints_together():
    image = np.zeros((100, 50, 3), np.uint8)
    image[79:82, 19:22] = 255
    square, moved = tile(image, skirt_points([[20, 80, 1]] * 4), 200)
    rows, columns = np.nonzero(square[:, 60:140, 0] > 128)
    assert square.shape == (200, 200, 3)
    np.testing.assert_allclose([columns.mean() + 60, rows.mean()], moved[SKIRT.csv_indices[0], :2], atol=0.6)


def test_a_sheet_fills_its_last_row():
    assert sheet([np.zeros((10, 10, 3), np.uint8)] * 4, 3).shape == (20, 30, 3)


def test_the_entry_point_draws_a_csv(tmp_path, capsys, monkeypatch):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((60, 40, 3), 90, np.uint8))
    keypoints = skirt_points([[10, 10, 1], [30, 10, 1], [5, 50, 0], [35, 50, 1]])[None]
    write_annotations(tmp_path / 'a.csv', Annotations(('a.png',), ('skirt',), keypoints, 'test'))
    arguments = ['--csv', str(tmp_path / 'a.csv'), '--imagepath', str(tmp_path), '--side', '64', '--columns', '2']
    assert draw.main(arguments + ['--output', str(tmp_path / 'out.png')]) == 0
    assert cv2.imread(str(tmp_path / 'out.png')).shape == (64, 128, 3)
    assert draw.main(arguments + ['--output', str(tmp_path / 'out.nopicture')]) == 1
    assert 'out.nopicture' in capsys.readouterr().err
    monkeypatch.setattr('fashionai.cli.entry_point.PROJECT_ROOT', tmp_path)
    assert draw.main(arguments) == 0 and (tmp_path / 'submit/a.png').exists(), 'named as the CSV'


def test_limbs_are_seen_on_any_ground():
    points = skirt_points([[20, 40, 1], [80, 40, 1], [10, 160, 1], [90, 160, 1]])
    for shade in (0, 128, 255):
        ground = np.full((200, 100, 3), shade, np.uint8)
        across = draw_keypoints(ground, SKIRT, points)[34:47, 50].astype(int)
        assert np.abs(across - shade).max() > 100, 'across the limb from waistband_left to waistband_right'


def test_a_full_disk_leaves_no_half_picture_and_is_named(tmp_path, monkeypatch):
    def full(path, content):
        with open(str(path), 'wb') as file:
            file.write(content[:len(content) // 2])
        raise OSError(errno.ENOSPC, 'No space left on device')
    write_picture(tmp_path / 'a.png', np.zeros((9, 12, 3), np.uint8))
    before = (tmp_path / 'a.png').read_bytes()
    monkeypatch.setattr(type(tmp_path), 'write_bytes', full)
    for name in ('a.png', 'b.png'):
        with pytest.raises(OSError) as caught:
            write_picture(tmp_path / name, np.full((90, 120, 3), 7, np.uint8))
        assert caught.value.filename == str(tmp_path / name) and caught.value.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ['a.png'] and (tmp_path / 'a.png').read_bytes() == before


def test_a_picture_is_written_under_any_name_and_told_why_not(tmp_path):
    picture = np.zeros((9, 12, 3), np.uint8)
    name = tmp_path / os.fsdecode(b'caf\xe9.png')  # OpenCV's own writer ends the process here
    write_picture(name, picture)
    assert read_image(name).shape == picture.shape
    with pytest.raises(OSError, match='caf'):
        write_picture(name / 'a.png', picture)
    with pytest.raises(ValueError, match='1 x 70000'):
        write_picture(tmp_path / 'a.jpg', np.zeros((70000, 1, 3), np.uint8))


def test_pictures_of_ids_that_lead_elsewhere_are_drawn_only_if_asked_for(tmp_path, finish):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((60, 40, 3), 90, np.uint8))
    (tmp_path / 'folder').mkdir()
    keypoints = skirt_points([[10, 10, 1], [30, 10, 1], [5, 50, 0], [35, 50, 1]])[None]
    write_annotations(tmp_path / 'a.csv', Annotations(('../a.png',), ('skirt',), keypoints, 'test'))
    arguments = ['--csv', tmp_path / 'a.csv', '--imagepath', tmp_path / 'folder', '--output', tmp_path / 'out.png']
    assert f'{tmp_path / "a.csv"}, row 2' in finish(draw.main, *arguments, code=1)
    finish(draw.main, *arguments, '--allow-outside')
    write_annotations(tmp_path / 'b.csv', Annotations(('folder\\a.png',), ('skirt',), keypoints, 'test'))
    (tmp_path / 'a.png').rename(tmp_path / 'folder/a.png')
    finish(draw.main, '--csv', tmp_path / 'b.csv', '--imagepath', tmp_path, '--output', tmp_path / 'out.png')
