"""A graph is loaded with or without a contract; a graph that does not fit is refused, and the message names it."""
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.engines.frozen_graph import FrozenGraph
from fashionai.errors import InputError
from fashionai.garments.table import GARMENTS, Garment
from fashionai.model_files.contract import Contract, contract_path, file_sum
from fashionai.model_files.graph_file import read_graph
from fashionai.model_files.model_file import ModelFile

SKIRT = GARMENTS.of('skirt')


def channels(garment: Garment) -> int:
    return garment.num_heatmaps + garment.num_fields


def write_graph(path: Path, num_channels: int, output: str = 'Openpose/concat_stage7', most: int = 100) -> Path:
    """A graph of one layer for a limited number of images. Every channel is the blue of a cell's first pixel times the
    number of the channel."""
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.float32, (None, None, None, 3), name='image')
        kernel = np.zeros((1, 1, 3, num_channels), np.float32)
        kernel[0, 0, 0] = np.arange(num_channels)
        with tf.control_dependencies([tf.debugging.assert_less_equal(tf.shape(image)[0], most)]):
            maps = tf.nn.conv2d(image, tf.constant(kernel), strides=[1, 8, 8, 1], padding='SAME')
        tf.identity(maps, name=output)
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def with_types(path: Path, types: int) -> Path:
    """The graph for all types, which gives probabilities of so many types."""
    write_graph(path, channels(GARMENTS.joint))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(read_graph(path), name='')
        blue = tf.reduce_mean(graph.get_tensor_by_name('image:0'), axis=(1, 2))[:, :1]
        tf.nn.softmax(tf.tile(blue, [1, types]), name='Openpose/garment_type')
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def write_contract(path: Path, tag: str, **changes: object) -> None:
    values = {'tag': tag, 'keypoints': GARMENTS.of(tag).keypoints, 'model': 'testing', 'input_hw': (368, 368),
              'stride': 8, 'step': 1, **changes}
    Contract(**{'graph_sha256': file_sum(path), **values}).save(contract_path(path))


def test_the_graph_alone_works(tmp_path: Path) -> None:
    images = np.random.RandomState(0).uniform(0, 255, (3, 16, 24, 3)).astype(np.float32)
    path = write_graph(tmp_path / 'g.pb', channels(SKIRT))
    with FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS, threads=1) as graph:
        maps = graph.forward(images)
        assert (graph.garment, graph.stride) == (SKIRT, 8)
    np.testing.assert_allclose(maps, images[:, ::8, ::8, :1] * np.arange(15), rtol=1e-5)


def test_a_joint_graph_serves_every_type(tmp_path: Path) -> None:
    joint = GARMENTS.of('all')
    path = write_graph(tmp_path / 'g.pb', channels(joint))
    for _ in ('without a contract', 'with one'):
        for tag in ('skirt', 'dress', 'all'):
            with FrozenGraph(ModelFile.open(path), GARMENTS.of(tag), GARMENTS) as graph:
                assert graph.garment == joint
        write_contract(path, 'all')


def test_the_contract_gives_names_and_stride(tmp_path: Path) -> None:
    path = write_graph(tmp_path / 'g.pb', channels(SKIRT), output='maps')
    write_contract(path, 'skirt', output_name='maps', stride=4)
    with FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS) as graph:
        assert graph.stride == 4 and graph.forward(np.zeros((1, 8, 8, 3), np.float32)).shape == (1, 1, 1, 15)


def test_other_channels_are_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / 'g.pb', channels(GARMENTS.of('dress')))
    with pytest.raises(ValueError, match=r'g\.pb does not fit skirt: it gives 48 channels, skirt has 15'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)
    write_contract(path, 'skirt')
    with pytest.raises(ValueError, match='48 channels'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)


def test_a_contract_for_another_type_is_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / 'g.pb', channels(SKIRT))
    write_contract(path, 'dress')
    with pytest.raises(ValueError, match=r'g\.pb is for dress, .*: wanted one for skirt or all'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)
    write_contract(path, 'skirt', keypoints=SKIRT.keypoints[::-1])
    with pytest.raises(ValueError, match=r'g\.json: keypoints'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)


@pytest.mark.parametrize('content, said', [
    (b'no graph at all, but text', 'cannot be read'), (b'', 'no image and no Openpose/concat_stage7')])
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / 'g.pb'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)


def test_a_copy_cut_short_is_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / 'g.pb', channels(SKIRT))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r'g\.pb'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)


def test_other_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='no Openpose/concat_stage7 among'):
        FrozenGraph(ModelFile.open(write_graph(tmp_path / 'g.pb', 15, output='maps')), SKIRT, GARMENTS)


def test_types_are_as_many_as_the_contract_names(tmp_path: Path) -> None:
    images, names = np.zeros((2, 16, 16, 3), np.float32), GARMENTS.joint.types
    path = with_types(tmp_path / 'g.pb', len(names))
    for _ in ('without a contract', 'with one'):
        with FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS) as graph:
            assert graph.types == names and graph.predict_with_types(images)[1].shape == (2, len(names))
        write_contract(path, 'all', types=names)
    write_contract(with_types(path, 4), 'all', types=names)
    with FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS) as graph:
        with pytest.raises(InputError, match=r'g\.pb gives .*\(2, 4\) .*wanted 5 types'):
            graph.predict_with_types(images)
    write_contract(write_graph(path, channels(GARMENTS.joint)), 'all', types=names)
    with pytest.raises(InputError, match=r'g\.pb .*no Openpose/garment_type'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)


def test_a_failing_pass_says_what_it_was_given(tmp_path: Path) -> None:
    with FrozenGraph(ModelFile.open(write_graph(tmp_path / 'g.pb', 15, most=1)), SKIRT, GARMENTS) as graph:
        with pytest.raises(ValueError, match=r'g\.pb fails on 2 windows of 8x16 pixels: InvalidArgument'):
            graph.forward(np.zeros((2, 16, 8, 3), np.float32))


def test_the_contract_of_another_graph_is_refused(tmp_path: Path) -> None:
    """A `.pb` is copied over an older one, whose contract stays. Without the contract, the graph is accepted."""
    path = write_graph(tmp_path / 'g.pb', channels(GARMENTS.of('dress')))
    write_contract(path, 'dress')
    write_graph(path, channels(SKIRT))
    with pytest.raises(InputError, match=r'g\.json was written for another model than .*g\.pb is now'):
        FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS)
    contract_path(path).unlink()
    with FrozenGraph(ModelFile.open(path), SKIRT, GARMENTS) as graph:
        assert graph.garment == SKIRT
