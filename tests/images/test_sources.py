"""Finds the pictures that a user names: files, folders, patterns and videos, in a fixed order."""
import errno
import logging
import os
from pathlib import Path
from typing import Iterator, List

import cv2
import numpy as np
import pytest

from fashionai.images.decoder import Unreadable
from fashionai.images.sources import MediaFile, expected, pictures_of, sources_of


@pytest.fixture()
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder of pictures; the brightness of a picture is its number."""
    for number, name in enumerate(['b.png', 'a.JPG', 'new/c.png', '.hidden/d.png', '._a.png'], 1):
        path = tmp_path / 'shop' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = cv2.imencode(path.suffix.lower(), np.full((8, 8, 3), 10 * number, np.uint8))[1]
        path.write_bytes(data.tobytes())
    (tmp_path / 'shop' / 'prices.txt').write_text('12')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(sources: List[MediaFile]) -> List[str]:
    return [source.path.replace(os.sep, '/') for source in sources]


def reasons(named: List[str]) -> List[str]:
    """Returns the reasons of the pictures that cannot be read."""
    read = [picture.read() for picture in pictures_of(sources_of(named))]
    return [found.reason for found in read if isinstance(found, Unreadable)]


def test_folders_and_patterns_are_sorted_and_nothing_is_looked_at_twice(shop: Path) -> None:
    sources = sources_of(['shop'])
    assert paths(sources) == ['shop/a.JPG', 'shop/b.png', 'shop/new/c.png']
    assert [source.name for source in sources] == ['a.JPG', 'b.png', str(Path('new/c.png'))]
    assert paths(sources_of(['shop/b.png', 'shop'])) == ['shop/b.png', 'shop/a.JPG', 'shop/new/c.png']
    assert paths(sources_of(['shop/*.png'])) == ['shop/b.png']
    assert paths(sources_of(['shop/**/*.png'])) == ['shop/b.png', 'shop/new/c.png']
    assert [picture.read()[0, 0, 0] for picture in pictures_of(sources)] == [20, 10, 30]
    assert expected(sources) == 3


def test_a_name_with_brackets_is_a_name_where_there_is_such_a_file(shop: Path) -> None:
    (shop / 'shop/b.png').rename(shop / 'x[1].png')
    assert paths(sources_of(['x[1].png'])) == ['x[1].png']
    assert next(pictures_of(sources_of(['x[1].png']))).read().shape == (8, 8, 3)


def test_what_names_nothing_says_so(shop: Path) -> None:
    (shop / 'empty').mkdir()
    names = ['none.png', 'empty', 'shop/*.gif', 'shop/prices.txt', 'none.mp4']
    found = reasons(names)
    assert len(found) == len(names)
    assert all(said.startswith(f'{name}: ') for name, said in zip(names, found))


def test_what_the_system_refuses_to_look_at_is_passed_over(shop: Path) -> None:
    names = ['x' * 5000 + '.png', 'shop/b.png/c.png']
    *faults, good = [picture.read() for picture in pictures_of(sources_of([*names, 'shop/b.png']))]
    assert all(isinstance(fault, Unreadable) for fault in faults) and good.shape == (8, 8, 3)


def test_a_folder_that_is_closed_is_told_of(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def guarded(path: str) -> Iterator:
        if path.endswith('new'):
            raise PermissionError(errno.EACCES, 'Permission denied', path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', guarded)  # since root may read every folder
    picture, *_, closed = [picture.read() for picture in pictures_of(sources_of(['shop']))]
    assert isinstance(closed, Unreadable)
    assert closed.reason.startswith('shop/new: ') and 'Permission denied' in closed.reason
    assert picture.shape == (8, 8, 3)


def test_pictures_of_a_telephone_are_not_passed_over_without_a_word(shop: Path) -> None:
    (shop / 'shop/IMG_1.HEIC').write_bytes(b'12')
    assert reasons(['shop'])[0].startswith('shop/IMG_1.HEIC: ')


def save_video(name: str) -> None:
    """Five frames, each 50 brighter than the one before."""
    writer = cv2.VideoWriter(name, cv2.VideoWriter_fourcc(*'MJPG'), 10, (32, 16))
    for number in range(5):
        writer.write(np.full((16, 32, 3), 50 * number, np.uint8))
    writer.release()


def test_a_video_has_frames(shop: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_video('clip.avi')
    sources = sources_of(['clip.avi', 'shop/a.JPG'])
    pictures = list(pictures_of(sources, every=2))
    assert [picture.frame for picture in pictures] == [0, 2, 4, None]
    assert [round(picture.read().mean() / 10) for picture in pictures] == [0, 10, 20, 2]
    assert pictures[1].label == 'clip.avi, frame 2' and pictures[3].label == 'shop/a.JPG'
    assert expected(sources, every=2) == 4 and expected(sources) == 6
    assert not caplog.records


def test_a_video_that_ends_before_it_says_so_is_told_of(shop: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_video('clip.avi')
    data = Path('clip.avi').read_bytes()
    Path('clip.avi').write_bytes(data[:data.rindex(b'\xff\xd8', 0, data.rindex(b'\xff\xd8'))])
    with caplog.at_level(logging.WARNING):
        assert [picture.frame for picture in pictures_of(sources_of(['clip.avi']))] == [0, 1, 2]
    assert 'clip.avi: frames 3 to 4 are missing' in caplog.text


def test_a_video_whose_name_is_not_utf8_is_told_of(shop: Path) -> None:
    save_video('clip.avi')
    name = os.fsdecode(b'caf\xe9.avi')
    os.rename('clip.avi', name)
    assert expected(sources_of([name])) == 1 and 'UTF-8' in reasons([name])[0]


def test_a_file_that_is_no_video_says_so(shop: Path) -> None:
    (shop / 'broken.mp4').write_text('no video')
    reason, = reasons(['broken.mp4'])
    assert reason.startswith('broken.mp4: ')


def test_large_pictures_and_frames_are_not_decoded(shop: Path) -> None:
    save_video('clip.avi')
    sources = sources_of(['clip.avi', 'shop/a.JPG'])
    assert all(isinstance(picture.read(), Unreadable) for picture in pictures_of(sources, megapixels=63e-6))
    clip, *_, still = [picture.read() for picture in pictures_of(sources, megapixels=64e-6)]
    assert isinstance(clip, Unreadable)
    assert all(value in clip.reason for value in ('clip.avi: ', '32 x 16', '6.4e-05'))
    assert still.shape == (8, 8, 3)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no pipes with a name')
def test_pipes_are_reported_and_not_waited_for(shop: Path) -> None:
    for name in ('shop/pipe.png', 'shop/pipe.mp4'):
        os.mkfifo(name)
    assert expected(sources_of(['shop'])) == 5
    assert reasons(['shop']) == reasons(['shop/pipe.*']) == [
        'shop/pipe.mp4: a pipe, not a file', 'shop/pipe.png: a pipe, not a file']


@pytest.mark.skipif(os.name == 'nt', reason='links want rights there')
def test_links_in_a_circle_are_reported_and_passed_over(shop: Path) -> None:
    os.symlink('..', 'shop/new/back')
    os.symlink('itself.png', 'shop/itself.png')
    os.makedirs('other')
    os.symlink('../shop', 'other/all')  # followed, and leads back through shop/other
    os.symlink('../other', 'shop/other')
    for named in ('shop', 'shop/**/*.png', 'shop/**/*', 'shop/**'):
        found = {source.path: source.fault for source in sources_of([named])}
        assert found['shop/b.png'] == '' and found['shop/new/c.png'] == '', named
        assert 'itself' in found['shop/itself.png']
        assert 'leads back' in found['shop/new/back'] and 'leads back' in found['shop/other/all']
        assert sum(path.endswith('c.png') for path in found) == 1


def test_linked_folders_are_looked_into(shop: Path) -> None:
    os.symlink('shop', 'linked', target_is_directory=True)
    os.makedirs('other')
    os.symlink('../shop/new', 'other/new', target_is_directory=True)
    assert paths(sources_of(['linked', 'other'])) == ['linked/a.JPG', 'linked/b.png', 'linked/new/c.png']
    assert paths(sources_of(['other'])) == ['other/new/c.png'], 'a folder that is a link is a folder'
