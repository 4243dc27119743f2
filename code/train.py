"""Train the network of one garment type, or one network for all types (--tag all)."""
import argparse
import functools
import logging
import sys
from pathlib import Path
from typing import Callable, Optional, Sequence

from fashionai.cli import guarded, resolve, resolve_output
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.garments import garment_of
from fashionai.options import add_data_options, add_head_options, labelled_rows
from fashionai.stack import graph_mode

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options: the original's flags and a few more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add_data_options(parser)
    add_head_options(parser)
    parser.add_argument('--gpus', type=int, default=8, help='towers the batch is split over; CPUs stand in for GPUs')
    parser.add_argument('--max-epoch', type=int, default=140, help='passes over the training rows')
    parser.add_argument('--max-steps', type=int, help='batches to train on, in place of --max-epoch')
    parser.add_argument('--lr', default='1e-4', help='learning rate, falling to a third; or a comma list of rates')
    parser.add_argument('--decay-steps', type=int, default=30000, help='steps after which the rate changes')
    parser.add_argument('--warmup-steps', type=int, default=100, help='steps in which the rate rises to its place')
    parser.add_argument('--modelpath', default='models/trained', help='folder for checkpoints')
    parser.add_argument('--logpath', default='models/logs', help='folder for TensorBoard')
    parser.add_argument('--pretrain_basepath', default='models/pretrained', help='folder of initial weights')
    parser.add_argument('--pretrain_path', help="initial weights there, or hed, efficientnet_lite0; '' for none")
    parser.add_argument('--checkpoint', help='checkpoint to take initial weights from, instead')
    parser.add_argument('--remote-data', default='', help='tcp://0.0.0.0:PORT to take batches from send_batches.py')
    parser.add_argument('--validate-every', type=int, default=1000, help='steps between validations; 0 for none')
    parser.add_argument('--save-every', type=int, default=1000, help='steps between checkpoints')
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Read the data, start the workers, train; the run folder says what it holds."""
    options = parse(argv)
    if options.gpus < 1 or options.batchsize % options.gpus:
        raise ValueError(f'--batchsize {options.batchsize} does not divide over --gpus {options.gpus}')
    rows, image_root = labelled_rows(options, 'train')
    graph_mode()
    from fashionai.dataflow.flow import training_flow
    from fashionai.dataflow.remote import ReceivedBatches
    from fashionai.networks.catalog import network_spec
    from fashionai.networks.checkpoints import RUN_FILE
    from fashionai.networks.head_options import HeadOptions
    from fashionai.training.checkpoints import write_json
    from fashionai.training.feeding import BatchQueue
    from fashionai.training.loop import TrainingSettings, batch_shapes, last_step, train

    garment, head = garment_of(options.tag), HeadOptions.of(vars(options))
    spec = network_spec(options.model, head)
    shape = InputShape((options.input_height, options.input_width), spec.stride)
    epoch_steps = max(1, len(rows) // options.batchsize)
    name = (f'{options.model}_batch:{options.batchsize}_lr:{options.lr}_gpus:{options.gpus}_'
            f'{options.input_width}x{options.input_height}_{options.tag}{head.label}')
    run_folder = resolve_output(Path(options.modelpath) / options.tag / name)
    settings = TrainingSettings(
        model=options.model, garment=garment, input_hw=shape.input_hw, batch_size=options.batchsize,
        towers=options.gpus, learning_rate=options.lr, decay_steps=options.decay_steps,
        warmup_steps=options.warmup_steps, max_steps=options.max_steps or options.max_epoch * epoch_steps,
        epoch_steps=epoch_steps, validate_every=options.validate_every, save_every=options.save_every,
        run_folder=run_folder, log_folder=resolve_output(Path(options.logpath) / name), seed=options.seed, head=head)
    load_weights, validate = weight_loader(options, spec.pretrained), validator(options, shape)
    logger.info('%s: %d images, %d steps an epoch; checkpoints in %s', options.tag, len(rows), epoch_steps, run_folder)

    if options.remote_data:
        flow = ReceivedBatches(options.remote_data, batch_shapes(settings))
    else:
        encoder = SampleEncoder(rows, image_root, garment, shape, options.seed)
        flow = training_flow(encoder, options.batchsize, options.workers, last_step(run_folder) // epoch_steps)
    batches = BatchQueue(flow)
    batches.start()
    write_json(run_folder / RUN_FILE, {'model': options.model, 'tag': options.tag, 'input_hw': shape.input_hw,
                                        'head': head.changes})
    train(settings, batches, load_weights, validate)
    return 0


def weight_loader(options: argparse.Namespace, usual_weights: str) -> Callable:
    """A function that fills a session's fresh variables."""
    from fashionai.networks.packaged import packaged_path
    from fashionai.networks.weights import load_pretrained
    file = usual_weights if options.pretrain_path is None else options.pretrain_path
    if not options.checkpoint and not file:
        return lambda session: None
    path = options.checkpoint or packaged_path(file) or resolve(options.pretrain_basepath) / file
    return functools.partial(load_pretrained, path)


def validator(options: argparse.Namespace, shape: InputShape) -> Optional[Callable]:
    """The validation of val.csv, unless it is switched off."""
    if not options.validate_every:
        return None
    from fashionai.inference.validation import validation_error
    rows, image_root = labelled_rows(options, 'val')
    return validation_error(rows, image_root, garment_of(options.tag), shape)


if __name__ == '__main__':
    sys.exit(guarded(main))
