"""Pictures that are stored turned and labelled upright, or the other way round, end in the same frame."""
import json
import struct
import zlib

import cv2
import numpy as np
import pytest

from fashionai.annotations import read_annotations
from fashionai.cli import prepare
from fashionai.datasets.orientation import frame_of, orientation_of, turned_upright
from fashionai.images.decoder import read_image

WIDTH, HEIGHT, POINT = 40, 64, (28, 10)
"""The picture as people see it, and the position of its only white spot."""

TO_STORED = {1: lambda image: image, 2: lambda image: cv2.flip(image, 1),
             3: lambda image: cv2.rotate(image, cv2.ROTATE_180), 4: lambda image: cv2.flip(image, 0), 5: cv2.transpose,
             6: lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
             7: lambda image: cv2.transpose(cv2.rotate(image, cv2.ROTATE_180)),
             8: lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)}
"""Functions from an upright picture to the pixels that a camera stores, by orientation."""


def upright(width=WIDTH, height=HEIGHT, point=POINT):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :width // 2] = 40
    image[point[1] - 4:point[1] + 5, point[0] - 4:point[0] + 5] = 255
    return image


def tiff(orientation, order='<'):
    """Returns an Exif structure of two tags."""
    start = b'II*\0' if order == '<' else b'MM\0*'
    return start + struct.pack(f'{order}IHHHIHHHHIHHI', 8, 2, 0x0100, 3, 1, 9, 0, 0x0112, 3, 1, orientation, 0, 0)


def jpeg(stored, orientation, order='<'):
    """Returns a JPEG file with an orientation, after a segment of another kind."""
    data = cv2.imencode('.jpg', stored, (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes()
    exif = b'Exif\0\0' + tiff(orientation, order)
    return (data[:2] + b'\xff\xfe\0\6text' + b'\xff\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + data[2:]
            if orientation else data)


def spot(image):
    """Returns x and y of the centre of the white pixels, and their number."""
    rows, columns = np.nonzero(image[..., 0] > 150)
    return (columns.mean(), rows.mean()), len(rows)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_turned_picture_is_that_which_opencv_shows(orientation, order):
    data = jpeg(TO_STORED[orientation](upright()), orientation, order)
    assert orientation_of(data) == orientation
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert spot(shown)[0] == pytest.approx(POINT, abs=0.5)
    if orientation > 1:
        again = cv2.imdecode(np.frombuffer(turned_upright(data, 'a'), np.uint8), cv2.IMREAD_COLOR)
        assert again.shape == shown.shape and np.abs(again.astype(int) - shown).mean() < 1
        assert orientation_of(turned_upright(data, 'a')) == 1


def test_the_orientation_of_a_png():
    data = cv2.imencode('.png', TO_STORED[6](upright()))[1].tobytes()
    assert orientation_of(data) == 1
    end = data.index(b'IDAT') - 4
    chunk = b'eXIf' + tiff(6)
    turned = data[:end] + struct.pack('>I', len(tiff(6))) + chunk + struct.pack('>I', zlib.crc32(chunk)) + data[end:]
    assert orientation_of(turned) == 6
    again = turned_upright(turned, 'a')
    assert again.startswith(b'\x89PNG') and orientation_of(again) == 1
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(again, np.uint8), cv2.IMREAD_COLOR), upright())


@pytest.mark.parametrize('exif', [
    b'', b'Exif\0\0', b'Exif\0\0II*\0', b'Exif\0\0II*\0\xff\xff\xff\xff', b'Exif\0\0XX*\0' + bytes(20),
    b'Exif\0\0' + tiff(0), b'Exif\0\0' + tiff(9), b'Exif\0\0' + tiff(6)[:20], b'http://ns.adobe.com/xap'])
def test_what_says_no_orientation_is_upright(exif):
    data = cv2.imencode('.jpg', upright())[1].tobytes()
    assert orientation_of(data[:2] + b'\xff\xe1' + struct.pack('>H', len(exif) + 2) + exif + data[2:]) == 1
    assert orientation_of(exif) == 1


@pytest.mark.parametrize('labelled, stored, orientation, frame', [
    (None, (40, 64), 6, 'stored'), ((64, 40), (40, 64), 6, 'upright'), ((40, 64), (40, 64), 6, 'stored'),
    ((40, 64), (40, 64), 3, 'undecided'), ((50, 50), (50, 50), 8, 'undecided'), ((0, 0), (40, 64), 6, 'undecided'),
    ((0, 0), (40, 64), 1, 'stored'), ((40, 64), (40, 64), 1, 'stored'), ((64, 40), (40, 64), 1, 'another'),
    ((64, 40), (40, 64), 3, 'another'), ((80, 128), (40, 64), 6, 'another')])
def test_sizes_tell_the_frame(labelled, stored, orientation, frame):
    assert frame_of(labelled, stored, orientation) == frame


@pytest.fixture
def coco(finish, made, tmp_path):
    """`coco(pictures, *flags)` prepares pictures (bytes, JSON width, JSON height, point) by name. It returns the
    output, the rows, and the pictures as training reads them."""
    def prepared(pictures, *flags):
        images, annotations = [], []
        for number, (name, (_, width, height, point)) in enumerate(pictures.items(), 1):
            images.append({'id': number, 'file_name': name, 'width': width, 'height': height})
            annotations.append({'id': number, 'image_id': number, 'category_id': 1, 'keypoints': [*point, 2] + [0] * 9})
        names = ['waistband_left', 'waistband_right', 'hemline_left', 'hemline_right']
        labels = {'images': images, 'annotations': annotations,
                  'categories': [{'id': 1, 'name': 'skirt', 'keypoints': names}]}
        folder = made.folder(tmp_path / 'set', {'labels.json': json.dumps(labels),
                                                **{name: data for name, (data, *_) in pictures.items()}})
        told = finish(prepare.main, 'coco', folder, '--output', tmp_path / 'out', '--val', 0, *flags)
        root = tmp_path / 'out/train'
        rows = read_annotations(root / 'train.csv')
        return told, {image_id.split('/')[-1]: (tuple(keypoints[15, :2]), read_image(root / image_id))
                      for image_id, keypoints in zip(rows.image_ids, rows.keypoints)}
    return prepared


def stored_point(orientation):
    """Returns the position of the spot in the stored pixels."""
    (x, y), _ = spot(TO_STORED[orientation](upright()))
    return round(x), round(y)


def assert_points_at_the_spot(found):
    for point, image in found.values():
        assert spot(image)[0] == pytest.approx(point, abs=0.6)


@pytest.mark.parametrize('link', [(), ('--link',)])
def test_labels_on_upright_pictures_and_the_pixels_that_training_reads_are_in_one_frame(coco, link):
    pictures = {f'{n}.jpg': (jpeg(TO_STORED[n](upright()), n), WIDTH, HEIGHT, POINT) for n in range(1, 9)}
    told, found = coco(pictures, *link)
    assert len(found) == 8
    assert_points_at_the_spot(found)
    assert all(image.shape == (HEIGHT, WIDTH, 3) for _, image in found.values()), 'garments are seen upright'
    assert '7 pictures stored turned that were labelled upright, turned upright' in told


def test_labels_on_stored_pixels_stay_and_what_sizes_do_not_tell_goes_by_the_others(coco, tmp_path):
    pictures = {f'{n}.jpg': (jpeg(TO_STORED[n](upright()), n), *((HEIGHT, WIDTH) if n >= 5 else (WIDTH, HEIGHT)),
                             stored_point(n)) for n in range(1, 9)}
    told, found = coco(pictures, '--link')
    assert_points_at_the_spot(found)
    assert found['6.jpg'][1].shape == (WIDTH, HEIGHT, 3)
    assert (tmp_path / 'out/train/Images/skirt/6.jpg').samefile(tmp_path / 'set/6.jpg')
    assert 'taken as stored' in told and 'turned upright' not in told


def test_a_flag_decides_where_sizes_do_not_tell(coco):
    picture = jpeg(TO_STORED[3](upright()), 3)
    _, found = coco({'3.jpg': (picture, WIDTH, HEIGHT, stored_point(3))}, '--labels-on', 'stored')
    assert_points_at_the_spot(found)


def test_labels_of_a_picture_of_another_size_are_left_out_and_named(coco):
    told, found = coco({'a.jpg': (jpeg(upright(), 1), WIDTH, HEIGHT, POINT),
                        'b.jpg': (jpeg(upright(), 1), 2 * WIDTH, 2 * HEIGHT, POINT),
                        'c.jpg': (jpeg(upright(), 0), HEIGHT, WIDTH, POINT)})
    assert list(found) == ['a.jpg']
    assert '2 pictures of another size than their labels say' in told and 'Images/skirt/b.jpg (labelled 80x128' in told


def test_labels_far_outside_of_their_picture_are_left_out_and_named(coco):
    told, found = coco({'a.jpg': (jpeg(upright(), 0), WIDTH, HEIGHT, (WIDTH + 60, 5)),
                        'b.jpg': (jpeg(upright(), 0), WIDTH, HEIGHT, (5, 5000))})
    assert list(found) == ['a.jpg'] and 'Images/skirt/b.jpg (5, 5000 in 40x64)' in told
    assert '1 images with labels outside of their picture, kept: Images/skirt/a.jpg' in told
