"""Batches do not depend on the process that makes them, and errors name a bad image."""
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.flow import TrainingFlow
from fashionai.garments.table import GARMENTS
from fashionai.images.decoder import read_image

SKIRT = GARMENTS['skirt']


@pytest.fixture
def encoder(tmp_path):
    keypoints = np.full((6, 24, 3), -1, np.int32)
    keypoints[:, SKIRT.csv_indices] = [[30, 20, 1], [70, 20, 1], [20, 90, 0], [80, 90, 1]]
    names = tuple(f'{number}.png' for number in range(6))
    for number, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), np.full((110, 100, 3), 40 * number, np.uint8))
    rows = Annotations(names, ('skirt',) * 6, keypoints, 'test')
    return SampleEncoder(rows, tmp_path, SKIRT, InputShape((64, 64), 8), seed=3)


def read(flow, count):
    flow.reset_state()
    stream = iter(flow)
    return [next(stream) for _ in range(count)]


def test_batches_have_their_shapes(encoder):
    image, heatmaps, fields, heatmap_weights, field_weights, types = read(TrainingFlow(encoder, 4, workers=0), 1)[0]
    assert image.shape == (4, 64, 64, 3) and image.dtype == np.uint8
    assert heatmaps.shape == (4, 8, 8, 5) and heatmaps.dtype == np.float32
    assert fields.shape == (4, 8, 8, 10) and fields.dtype == np.float32
    assert heatmap_weights.shape == (4, 5) and field_weights.shape == (4, 10)
    assert types.tolist() == [[0, 0, 0, 1, 0]] * 4 and types.dtype == np.float32, 'skirts'


def test_an_epoch_holds_every_row_once_and_the_seed_repeats_it(encoder):
    samples = read(TrainingFlow(encoder, 1, workers=0), 12)
    greys = [int(sample[0].max()) for sample in samples]
    assert sorted(greys[:6]) == sorted(greys[6:])
    assert greys[:6] != greys[6:], 'every epoch has its own order'
    again = greys.index(greys[0], 6)
    assert samples[0][0].tobytes() != samples[again][0].tobytes(), 'every epoch augments anew'
    for one, other in zip(samples, read(TrainingFlow(encoder, 1, workers=0), 12)):
        for array, again in zip(one, other):
            np.testing.assert_array_equal(array, again)


def test_workers_make_the_same_samples(encoder):
    def keys(samples):
        return {sample[0].tobytes() for sample in samples}
    alone = keys(read(TrainingFlow(encoder, 1, workers=0), 60))
    assert keys(read(TrainingFlow(encoder, 1, workers=2), 12)) <= alone


def test_a_resumed_flow_goes_on_after_the_samples_it_passed(encoder):
    whole = read(TrainingFlow(encoder, 1, workers=0), 12)
    later = read(TrainingFlow(encoder, 1, workers=0, passed=8), 4)
    for sample, again in zip(whole[8:], later):
        np.testing.assert_array_equal(sample[0], again[0])


def test_a_row_drawn_again_is_augmented_anew(encoder):
    samples = read(TrainingFlow(encoder, 1, workers=0, weights=np.array([1, 1, 1, 1, 1, 7.])), 6)
    last = [sample[1].tobytes() for sample in samples if sample[0].max() == 200]
    assert len(set(last)) == len(last) in (3, 4), 'a share of 3.5'


def test_occluded_points_count_where_they_are_asked_to(encoder):
    for choice, weights in (('masked', 4), ('counted', 5)):
        flow = TrainingFlow(replace(encoder, options=DataOptions(occluded=choice)), 6, workers=0)
        assert read(flow, 1)[0][3].sum(axis=1).tolist() == [weights] * 6


def test_another_light_changes_the_picture_and_nothing_else(encoder):
    plain, varied = (read(TrainingFlow(replace(encoder, options=options), 6, workers=0), 1)[0]
                     for options in (DataOptions(), DataOptions(photometric=True)))
    assert varied[0].dtype == np.uint8 and varied[0].shape == plain[0].shape
    assert (varied[0][1:] != plain[0][1:]).any(axis=(1, 2, 3)).all()
    for one, other in zip(plain[1:], varied[1:]):
        np.testing.assert_array_equal(one, other)


def test_what_is_blank_stays_blank_in_another_light(encoder):
    plain, varied = (replace(encoder, options=options) for options in (DataOptions(), DataOptions(photometric=True)))
    blanks = 0
    for epoch in range(20):
        blank = (plain((epoch, 5))[0] == 0).all(axis=2)
        assert not varied((epoch, 5))[0][blank].any()
        blanks += blank.sum()
    assert blanks


@pytest.mark.parametrize('degrees', [-1, 181])
def test_a_rotation_beyond_bounds_is_refused(degrees):
    with pytest.raises(ValueError, match=rf'--rotation {degrees}\b.*\b180\b'):
        DataOptions(rotation=degrees)


@pytest.mark.parametrize('workers', [0, 1])
def test_a_bad_image_is_named(encoder, tmp_path, workers):
    (tmp_path / '3.png').write_bytes(b'not a picture')
    with pytest.raises(ValueError, match=r'3\.png'):
        read(TrainingFlow(encoder, 6, workers=workers), 2)


def test_half_a_jpeg_is_named(encoder, tmp_path):
    noise = np.random.RandomState(0).randint(0, 255, (110, 100, 3)).astype(np.uint8)
    data = cv2.imencode('.jpg', noise)[1].tobytes()
    for more in (b'', b'\xff\xd9'):
        (tmp_path / '3.png').write_bytes(data[:len(data) // 2] + more)
        with pytest.raises(ValueError, match=r'3\.png'):
            read(TrainingFlow(encoder, 6, workers=0), 2)


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'gone\.jpg'):
        read_image(tmp_path / 'gone.jpg')


@pytest.mark.parametrize('workers', [0, 1])
def test_what_stops_a_worker_is_told(encoder, tmp_path, workers):
    (tmp_path / '3.png').unlink()
    (tmp_path / '3.png').mkdir()
    with pytest.raises(ValueError, match=r'3\.png'):
        read(TrainingFlow(encoder, 6, workers=workers), 2)


def test_pixels_are_read_as_they_are_stored(tmp_path):
    """A JPEG whose EXIF asks for a rotation is not rotated, because labels refer to the stored pixels."""
    picture = np.zeros((40, 60, 3), np.uint8)
    jpeg = cv2.imencode('.jpg', picture)[1].tobytes()
    tiff = b'II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00'
    exif = b'\xff\xe1' + (len(tiff) + 8).to_bytes(2, 'big') + b'Exif\x00\x00' + tiff
    (tmp_path / 'turned.jpg').write_bytes(jpeg[:2] + exif + jpeg[2:])
    assert cv2.imread(str(tmp_path / 'turned.jpg')).shape == (60, 40, 3), 'OpenCV by itself turns it'
    assert read_image(tmp_path / 'turned.jpg').shape == (40, 60, 3)


@pytest.mark.parametrize('parts', [2, 3])
def test_the_parts_of_a_batch_are_that_batch_also_over_an_interruption(encoder, parts):
    """Rank number n of a cluster makes part n."""
    whole = read(TrainingFlow(encoder, 6, workers=0), 4)
    for passed in (0, 2):
        shares = [read(TrainingFlow(encoder, 6, workers=0, passed=6 * passed, part=(number, parts)), 4 - passed)
                  for number in range(parts)]
        for batch, *pieces in zip(whole[passed:], *shares):
            for field, *arrays in zip(batch, *pieces):
                np.testing.assert_array_equal(np.concatenate(arrays), field)
                assert {len(array) for array in arrays} == {6 // parts}
