"""Batches are the same whoever makes them, and a bad image is named."""
import cv2
import numpy as np
import pytest

from fashionai.annotations import Annotations
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.flow import training_flow
from fashionai.dataflow.reading import read_image
from fashionai.garments import GARMENTS

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
    image, heatmaps, fields, heatmap_weights, field_weights = read(training_flow(encoder, 4, workers=0), 1)[0]
    assert image.shape == (4, 64, 64, 3) and image.dtype == np.uint8
    assert heatmaps.shape == (4, 8, 8, 5) and heatmaps.dtype == np.float32
    assert fields.shape == (4, 8, 8, 10) and fields.dtype == np.float32
    assert heatmap_weights.shape == (4, 5) and field_weights.shape == (4, 10)


def test_an_epoch_holds_every_row_once_and_the_seed_repeats_it(encoder):
    samples = read(training_flow(encoder, 1, workers=0), 12)
    greys = [int(sample[0].max()) for sample in samples]
    assert sorted(greys[:6]) == sorted(greys[6:])
    assert greys[:6] != greys[6:], 'every epoch has its own order'
    for one, other in zip(samples, read(training_flow(encoder, 1, workers=0), 12)):
        for array, again in zip(one, other):
            np.testing.assert_array_equal(array, again)


def test_workers_make_the_same_samples(encoder):
    def keys(samples):
        return {sample[0].tobytes() for sample in samples}
    alone = keys(read(training_flow(encoder, 1, workers=0), 60))
    assert keys(read(training_flow(encoder, 1, workers=2), 12)) <= alone


def test_a_resumed_flow_goes_on_with_later_epochs(encoder):
    whole = read(training_flow(encoder, 1, workers=0), 12)
    later = read(training_flow(encoder, 1, workers=0, first_epoch=1), 6)
    np.testing.assert_array_equal(whole[6][0], later[0][0])


@pytest.mark.parametrize('workers', [0, 1])
def test_a_bad_image_is_named(encoder, tmp_path, workers):
    (tmp_path / '3.png').write_bytes(b'not a picture')
    with pytest.raises(ValueError, match=r'3\.png.*not a picture'):
        read(training_flow(encoder, 6, workers=workers), 2)


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(ValueError, match='gone.jpg: no such image'):
        read_image(tmp_path / 'gone.jpg')
