"""Measures the mean and deviation of each channel of MoveNet's layers on photographs, to restore batch norm.

Writes code/fashionai/model_files/movenet_statistics.npz, which movenet_file.py reads. The network runs as in its files,
so mean and deviation are of the convolutions before the offset is added.
"""
import argparse
import logging
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from fashionai.cli.entry_point import guarded, in_project
from fashionai.cli.training_flags import labelled_rows
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.garments.table import GARMENTS
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode

_BATCH = 16


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('--weights', default=in_project('models/pretrained/movenet_thunder/movenet-thunder.json'))
    add('--datapath', default='data', help='folder with train/train.csv')
    add('--imgpath', default='data', help='folder with train/<image_id>')
    add('--images', type=at_least(_BATCH), default=1024, help='number of images')
    add('--size', type=at_least(32), default=160, help="pixels of the network's input")
    add('--output', default=in_project('code/fashionai/model_files/movenet_statistics.npz'))
    parser.set_defaults(tag='all')
    return parser.parse_args(argv)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the network and writes the statistics."""
    options = parse(argv)
    graph_mode()
    rows, image_root = labelled_rows(options, 'train', GARMENTS)
    encoder = SampleEncoder(rows, image_root, GARMENTS.joint, InputShape((options.size, options.size), 8), 7,
                            DataOptions(photometric=True))
    order = np.random.RandomState(0).permutation(len(rows))
    keys = [(number // len(rows), int(order[number % len(rows)])) for number in range(options.images)]
    found = statistics(Path(options.weights), encoder, keys)
    np.savez_compressed(options.output, **{name: value.astype(np.float16) for name, value in found.items()})
    logging.getLogger(__name__).info('wrote %s: %d layers', options.output, len(found) // 2)
    return 0


def statistics(weights: Path, encoder: SampleEncoder, keys: Sequence[Tuple[int, ...]]) -> Dict[str, np.ndarray]:
    """Returns `<layer>/mean` and `<layer>/deviation` over the samples of the keys."""
    import tensorflow.compat.v1 as tf

    from fashionai.model_files.movenet_file import OFFSET, read_folded
    from fashionai.networks.backbones import movenet
    from fashionai.networks.catalog import NETWORKS
    from fashionai.networks.layers import EPSILON
    spec, folded = NETWORKS['movenet_thunder'], read_folded(weights)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        image = tf.placeholder(tf.float32, (None,) + encoder.shape.input_hw + (3,))
        movenet.features((image - spec.mean_bgr) * spec.scale, False, True)
        session.run(tf.global_variables_initializer())
        for variable in tf.model_variables():  # batch norm then only adds the offset
            layer, kind = variable.op.name.rsplit('/', 1)
            if kind in ('weights', 'biases') and variable.op.name in folded:
                variable.load(folded[variable.op.name], session)
            elif kind == 'beta' and layer.replace('/BatchNorm', OFFSET) in folded:
                variable.load(folded[layer.replace('/BatchNorm', OFFSET)], session)
            elif kind == 'moving_variance':
                variable.load(np.full(variable.shape.as_list(), 1 - EPSILON, np.float32), session)
        layers = [name[:-len(OFFSET)] for name in folded if name.endswith(OFFSET)]
        before = [graph.get_operation_by_name(f'{layer}/BiasAdd').inputs[0] for layer in layers]
        moments = [tf.reduce_mean(tf.stack([output, tf.square(output)]), (1, 2, 3)) for output in before]
        sums = [np.zeros(moment.shape.as_list()) for moment in moments]
        for start in range(0, len(keys), _BATCH):
            images = np.stack([encoder(key)[0] for key in keys[start:start + _BATCH]]).astype(np.float32)
            sums = [total + len(images) * part for total, part in zip(sums, session.run(moments, {image: images}))]
    found: Dict[str, np.ndarray] = {}
    for layer, total in zip(layers, sums):
        mean, square = total / len(keys)
        found.update({f'{layer}/mean': mean, f'{layer}/deviation': np.sqrt(np.maximum(square - mean ** 2, 0))})
    return found


if __name__ == '__main__':
    sys.exit(main())
