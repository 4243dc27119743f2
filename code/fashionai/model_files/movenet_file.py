"""MoveNet Thunder's weights, as TensorFlow.js keeps them: a `.json` that lists arrays, and a `.bin` of their numbers.

Its batch norm is folded into the convolutions, so a layer has weights and an offset. A network without batch norm
trains badly, so it is put back: what a layer's convolution gives on photographs has a mean and a deviation in each
channel, which `movenet_statistics.npz` keeps; with these as moving averages, and with a gamma and a beta that undo
them, the layer computes what it did.
"""
import json
import re
from pathlib import Path
from typing import Dict, List, Mapping

import numpy as np

from fashionai.networks.layers import EPSILON

STATISTICS = Path(__file__).with_name('movenet_statistics.npz')
"""`<layer>/mean` and `<layer>/deviation`, float16: of 1,024 training photographs as they are augmented, at 160x160.
benchmarks/movenet_statistics.py makes them."""

OFFSET = '/offset'
"""How the name of an array ends that is added where batch norm was."""

_PREFIX = r'^StatefulPartitionedCall/center_net_mobile_net_v2fpn_feature_extractor/model_1/'
_NAMES = ((_PREFIX + r'model/expanded_conv_', 'model/block_0_'), (_PREFIX, ''),
          (r'^StatefulPartitionedCall/kpt_heatmap_0/separable_conv2d_4/', 'joints/'),
          (r'^model/(block_\d+)_(\w+)/', r'\1/\2/'), (r'^model/', ''),
          (r'^separable_conv2d/', 'pyramid16/'), (r'^separable_conv2d_1/', 'pyramid8/'),
          (r'^separable_conv2d_2/', 'pyramid4/'), (r'^conv2d/', 'pyramid32/'), (r'^conv2d_1/', 'pyramid16_side/'),
          (r'^conv2d_2/', 'pyramid8_side/'), (r'^conv2d_3/', 'pyramid4_side/'),
          (r'separable_conv2d/ReadVariableOp$', 'depthwise/weights'),
          (r'separable_conv2d(_weights|/ReadVariableOp_1)$', 'pointwise/weights'),
          (r'separable_conv2d_bn_offset$', 'pointwise/offset'), (r'^joints/BiasAdd/.*', 'joints/pointwise/offset'),
          (r'side/BiasAdd/.*|(?<=pyramid32/)BiasAdd/.*', lambda found: found.group().split('BiasAdd')[0] + 'biases'),
          (r'Conv2D/ReadVariableOp$', 'weights'), (r'(Conv2D|depthwise)_weights$', 'weights'),
          (r'(Conv2D|depthwise)_bn_offset$', 'offset'))
"""From its names to those of backbones.movenet; what is not there keeps a name of its own."""


def read_movenet(path: Path) -> Dict[str, np.ndarray]:
    """Every array by the names that variables have here, batch norm put back."""
    values = read_folded(path)
    with np.load(str(STATISTICS)) as statistics:
        for name in [name for name in values if name.endswith(OFFSET)]:
            values.update(_batch_norm(name[:-len(OFFSET)], values.pop(name), statistics))
    return values


def read_folded(path: Path) -> Dict[str, np.ndarray]:
    """Every array by the names that layers have here, `<layer>/offset` where there was batch norm. It was made for RGB:
    the first layer's channels are turned, so that it sees BGR."""
    values = {_renamed(name): array for name, array in read_arrays(path).items()}
    values['Conv1/weights'] = values['Conv1/weights'][:, :, ::-1]
    return values


def read_arrays(path: Path) -> Dict[str, np.ndarray]:
    """The float32 arrays of a TensorFlow.js model by name. Raises ValueError or KeyError where it is none."""
    groups = json.loads(path.read_text())['weightsManifest']
    parts = [_arrays_of(path, group['paths'], group['weights']) for group in groups]
    return {name: array for part in parts for name, array in part.items()}


def _arrays_of(path: Path, files: List[str], entries: List[Mapping]) -> Dict[str, np.ndarray]:
    numbers, start, arrays = b''.join(path.with_name(Path(file).name).read_bytes() for file in files), 0, {}
    for entry in entries:
        kind = np.dtype(entry.get('quantization', entry)['dtype']).newbyteorder('<')
        count = int(np.prod(entry['shape'], dtype=np.int64))
        array = np.frombuffer(numbers, kind, count, start).reshape(entry['shape'])
        start += array.nbytes
        if entry['dtype'] == 'float32':
            arrays[entry['name']] = array.astype(np.float32)
    return arrays


def _renamed(name: str) -> str:
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _batch_norm(layer: str, offset: np.ndarray, statistics: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Batch norm that adds the offset and nothing else, where the convolution's outputs are as the statistics say."""
    mean, deviation = (statistics[f'{layer}/{name}'].astype(np.float32) for name in ('mean', 'deviation'))
    variance = deviation ** 2
    return {f'{layer}/BatchNorm/gamma': np.sqrt(variance + EPSILON), f'{layer}/BatchNorm/beta': offset + mean,
            f'{layer}/BatchNorm/moving_mean': mean, f'{layer}/BatchNorm/moving_variance': variance}
