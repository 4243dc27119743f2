"""Graphs for benchmarks: networks of the catalogue with random weights, which take as long as trained ones."""
from pathlib import Path

import tensorflow.compat.v1 as tf

from fashionai.garments.table import GARMENTS
from fashionai.model_files.contract import Contract, write_model
from fashionai.model_files.freezing import fold_constants
from fashionai.networks.catalog import build, input_placeholder, network_spec
from fashionai.networks.head_options import UNCHANGED, HeadOptions


def random_graph(model: str, tag: str, folder: Path, head: HeadOptions = UNCHANGED) -> Path:
    """Freezes a network with the weights at the start of training, and writes it with its contract into a folder. Call
    `graph_mode` before."""
    garment, output = GARMENTS.of(tag), folder / f'{model}{head.label}_{tag}.pb'
    with tf.Graph().as_default(), tf.Session() as session:
        image = input_placeholder()
        maps = build(model, image, garment, False, head).output
        session.run(tf.global_variables_initializer())
        frozen = fold_constants(session, image, [maps]).SerializeToString()
    write_model(output, frozen, Contract(tag, garment.keypoints, model, (368, 368), network_spec(model, head).stride, 0,
                                         '', head=head.changes))
    return output
