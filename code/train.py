"""Train the network of one garment type, or one network for all types (--tag all)."""
import argparse
import functools
import logging
import sys
from pathlib import Path
from typing import Callable, Optional, Sequence

from fashionai.choices import Choices
from fashionai.cli import PROJECT_ROOT, chosen_garments, guarded, prepare_output, resolve_checkpoint
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.sampling import fewer_rows, row_weights
from fashionai.errors import InputError
from fashionai.garments import Garments
from fashionai.networks.head_options import HeadOptions
from fashionai.options import add_data_options, add_head_options, add_loss_options, add_training_options, labelled_rows
from fashionai.stack import graph_mode
from fashionai.training.loss_options import LossOptions
from fashionai.training.update_options import UpdateOptions
from fashionai.training.weighting import keypoint_weights

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The options: the original's flags and a few more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add_data_options(parser)
    add_head_options(parser)
    add_loss_options(parser)
    add_training_options(parser)
    options = parser.parse_args(argv)
    if options.batchsize % options.gpus:
        raise InputError(f'--batchsize {options.batchsize} does not divide over --gpus {options.gpus}')
    if options.refine == 'frozen' and not options.checkpoint:
        raise InputError('--refine frozen needs --checkpoint: that of the trained network that is to be refined')
    if options.checkpoint and options.pretrain_path:
        raise InputError('--checkpoint and --pretrain_path both give initial weights: wanted one of them')
    return options


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Read the data, start the workers, train."""
    options = parse(argv)
    garments = chosen_garments(options)
    rows, image_root = labelled_rows(options, 'train', not options.remote_data, garments)
    rows = fewer_rows(rows, options.rows)
    if len(rows) < options.batchsize and not options.remote_data:
        raise InputError(f'{rows.source} has {len(rows)} images of {options.tag}, fewer than --batchsize '
                         f'{options.batchsize}: wanted a smaller batch')
    graph_mode()
    from fashionai.dataflow.flow import TrainingFlow
    from fashionai.dataflow.remote import ReceivedBatches
    from fashionai.networks.catalog import network_spec
    from fashionai.training.execution import Execution
    from fashionai.training.feeding import BatchQueue
    from fashionai.training.loop import TrainingSettings, batch_shapes, last_step, train

    garment, flags = garments.of(options.tag), vars(options)
    head, loss, data = HeadOptions.of(flags), LossOptions.of(flags), DataOptions.of(flags)
    updates = UpdateOptions.of(flags)
    spec = network_spec(options.model, head)
    shape = InputShape((options.input_height, options.input_width), spec.stride)
    epoch_steps = max(1, len(rows) // options.batchsize)
    name = run_name(options, head, loss, data, updates)
    run_folder = prepare_output(Path(options.modelpath) / options.tag / name)
    settings = TrainingSettings(
        model=options.model, garment=garment, input_hw=shape.input_hw, batch_size=options.batchsize,
        towers=options.gpus, learning_rate=options.lr, decay_steps=options.decay_steps,
        warmup_steps=options.warmup_steps, max_steps=options.max_steps or options.max_epoch * epoch_steps,
        epoch_steps=epoch_steps, validate_every=options.validate_every, save_every=options.save_every,
        keep=options.keep, run_folder=run_folder, log_folder=prepare_output(Path(options.logpath) / name),
        seed=options.seed, head=head, loss=loss, data=data, updates=updates, execution=Execution.of(flags),
        garments=garments, keypoint_weights=keypoint_weights(loss.keypoint_weights, rows, garment))
    gone = last_step(run_folder)
    load_weights = (lambda session: None) if gone else weight_loader(options, spec.pretrained)
    validate = validator(options, garments, shape)
    logger.info('%s: %d images, %d steps an epoch; checkpoints in %s', options.tag, len(rows), epoch_steps, run_folder)

    if options.remote_data:
        batches = BatchQueue(ReceivedBatches(options.remote_data, batch_shapes(settings)))
    else:
        encoder = SampleEncoder(rows, image_root, garment, shape, options.seed, data)
        batches = BatchQueue(TrainingFlow(encoder, options.batchsize, options.workers, gone * options.batchsize,
                                          row_weights(data.sampling, rows)))
    with batches:
        train(settings, batches, load_weights, validate)
    return 0


def run_name(options: argparse.Namespace, *choices: Choices) -> str:
    """The original's, and after it whatever is not at its default."""
    changes = [group.label for group in choices]
    changes += [f'_garments:{Path(options.garments).stem}'] if options.garments else []
    return (f'{options.model}_batch:{options.batchsize}_lr:{options.lr}_gpus:{options.gpus}_'
            f'{options.input_width}x{options.input_height}_{options.tag}{"".join(changes)}')


def weight_loader(options: argparse.Namespace, usual_weights: str) -> Callable:
    """A function that fills a session's fresh variables."""
    from fashionai.networks.head_options import HeadOptions
    from fashionai.networks.packaged import packaged_path
    from fashionai.networks.refine import load_first_network
    from fashionai.networks.weights import load_pretrained
    if options.checkpoint:
        path = resolve_checkpoint(options.checkpoint)
        if options.refine == 'frozen':
            return functools.partial(load_first_network, HeadOptions.of(vars(options)), options.loss, path)
        return functools.partial(load_pretrained, path)
    file = usual_weights if options.pretrain_path is None else options.pretrain_path
    if not file:
        return lambda session: None
    path = packaged_path(file) or Path(options.pretrain_basepath) / file
    return functools.partial(load_pretrained, path if path.exists() else PROJECT_ROOT / path)


def validator(options: argparse.Namespace, garments: Garments, shape: InputShape) -> Optional[Callable]:
    """The validation on val.csv, unless it is switched off."""
    if not options.validate_every:
        return None
    from fashionai.inference.validation import validation_error
    rows, image_root = labelled_rows(options, 'val', garments=garments)
    return validation_error(rows, image_root, garments.of(options.tag), shape)


if __name__ == '__main__':
    sys.exit(main())
