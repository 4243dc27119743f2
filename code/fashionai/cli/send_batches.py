"""Make training batches on this host for a trainer on another (train.py --remote-data); give the trainer's flags."""
import argparse
import logging
import os
from typing import Optional, Sequence

from fashionai.cli.entry_point import HelpWithDefaults, chosen_garments, guarded
from fashionai.cli.training_flags import add_data_options, labelled_rows
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.sampling import check_batch, fewer_rows, row_weights
from fashionai.option_group import at_least
from fashionai.tf_compat import graph_mode

logger = logging.getLogger(__name__)


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Send until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    add_data_options(parser)
    parser.add_argument('--remote-data', required=True, help='address of the trainer, tcp://HOST:PORT')
    parser.add_argument('--seed', type=at_least(0), help='seed of augmentation and order; default: a new seed at each '
                                                         'start, so that no two hosts send the same samples, and a '
                                                         'restarted host sends others')
    options = parser.parse_args(argv)
    garments = chosen_garments(options)
    rows, image_root = labelled_rows(options, 'train', garments)
    rows = fewer_rows(rows, options.rows)
    check_batch(rows, options.tag, options.batchsize)
    graph_mode()
    from fashionai.dataflow.flow import TrainingFlow
    from fashionai.dataflow.remote import send_batches
    from fashionai.networks.catalog import network_spec
    from fashionai.networks.head_options import HeadOptions
    data = DataOptions.of(vars(options))
    stride = network_spec(options.model, HeadOptions.of(vars(options))).stride
    shape = InputShape((options.input_height, options.input_width), stride)
    seed = int.from_bytes(os.urandom(3), 'big') if options.seed is None else options.seed
    logger.info('%s: sending batches of %d images to %s, seed %d', options.tag, options.batchsize,
                options.remote_data, seed)
    encoder = SampleEncoder(rows, image_root, garments.of(options.tag), shape, seed, data)
    flow = TrainingFlow(encoder, options.batchsize, options.workers, weights=row_weights(data.sampling, rows))
    send_batches(flow, options.remote_data)
    return 0

