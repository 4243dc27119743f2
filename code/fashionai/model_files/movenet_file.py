"""Reads MoveNet Thunder's weights in the format of TensorFlow.js: a `.json` that lists arrays, and a `.bin` of numbers.

The published batch norm is folded into the convolutions, so a layer has weights and an offset. A network without batch
norm trains badly, so batch norm is added again. `movenet_statistics.npz` has the mean and the deviation of each channel
of a layer's convolution on photographs. They become the moving averages, and gamma and beta are chosen to undo them, so
that the layer computes the same as before.
"""
import json
import re
from pathlib import Path
from typing import Dict, List, Mapping

import numpy as np

from fashionai.networks.layers import EPSILON

STATISTICS = Path(__file__).with_name('movenet_statistics.npz')
"""`<layer>/mean` and `<layer>/deviation`, float16, measured on 1,024 augmented training photographs at 160x160 pixels.
benchmarks/movenet_statistics.py makes the file."""

OFFSET = '/offset'
"""The end of the name of an array that is added in place of the folded batch norm."""

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
"""Substitutions from the names in the file to those of backbones.movenet. Other arrays keep their names."""


def read_movenet(path: Path) -> Dict[str, np.ndarray]:
    """Returns all arrays by the names of the variables here, with batch norm added again."""
    values = read_folded(path)
    with np.load(str(STATISTICS)) as statistics:
        for name in [name for name in values if name.endswith(OFFSET)]:
            values.update(_batch_norm(name[:-len(OFFSET)], values.pop(name), statistics))
    return values


def read_folded(path: Path) -> Dict[str, np.ndarray]:
    """Returns all arrays by the names of the layers here, with `<layer>/offset` in place of the folded batch norm.

    The weights are for RGB input. The channels of the first layer are reversed, so that it takes BGR.
    """
    values = {_renamed(name): array for name, array in read_arrays(path).items()}
    values['Conv1/weights'] = values['Conv1/weights'][:, :, ::-1]
    return values


def read_arrays(path: Path) -> Dict[str, np.ndarray]:
    """Returns the float32 arrays of a TensorFlow.js model by name. Raises ValueError or KeyError for other files."""
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
    """Returns the arrays of a batch norm that only adds the offset, if its inputs have these statistics."""
    mean, deviation = (statistics[f'{layer}/{name}'].astype(np.float32) for name in ('mean', 'deviation'))
    variance = deviation ** 2
    return {f'{layer}/BatchNorm/gamma': np.sqrt(variance + EPSILON), f'{layer}/BatchNorm/beta': offset + mean,
            f'{layer}/BatchNorm/moving_mean': mean, f'{layer}/BatchNorm/moving_variance': variance}
