"""Train the network of one garment type, or one network for all types (--tag all)."""
import argparse
import logging
import os
import re
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Optional, Sequence, Tuple

from fashionai.annotations import OCCLUDED, VISIBLE, Annotations
from fashionai.cli.entry_point import HelpWithDefaults, chosen_garments, guarded, prepare_output
from fashionai.cli.initial_weights import initial_weights, weight_loader
from fashionai.cli.training_flags import (
    add_data_options,
    add_training_options,
    joined_rows,
    labelled_rows,
    rows_by_folder,
)
from fashionai.dataflow.data_options import DataOptions
from fashionai.dataflow.encoder import InputShape, SampleEncoder
from fashionai.dataflow.sampling import check_batch, fewer_rows, row_weights
from fashionai.errors import InputError
from fashionai.evaluation.metrics import score
from fashionai.files import locked
from fashionai.garments.table import Garment, Garments
from fashionai.networks.head_options import HeadOptions
from fashionai.option_group import OptionGroup
from fashionai.tf_compat import graph_mode
from fashionai.training.cluster import ALONE, TF_CONFIG, Cluster, check_port, cluster_of
from fashionai.training.control_messages import LOST_CODE, Disagreement, PeerLost, Plan
from fashionai.training.launcher import RESUMED, Launcher, end_with_launcher, hosts_of
from fashionai.training.member import Member
from fashionai.training.options import LossOptions, UpdateOptions
from fashionai.training.weighting import keypoint_weights

if TYPE_CHECKING:
    from fashionai.training.feeding import BatchQueue
    from fashionai.training.loop import TrainingSettings

logger = logging.getLogger(__name__)


def parse(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """Returns the parsed flags: those of the original, and more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpWithDefaults)
    add_data_options(parser)
    add_training_options(parser)
    options = parser.parse_args(argv)
    check_division(options, 1)
    if options.refine == 'frozen' and not options.checkpoint:
        raise InputError('--refine frozen needs --checkpoint with the trained network that it refines')
    if options.checkpoint and options.pretrain_path:
        raise InputError('--checkpoint and --pretrain_path both give initial weights: wanted one of them')
    if options.fresh_head and options.refine == 'frozen':
        raise InputError('--fresh-head and --refine frozen: a frozen network needs its head')
    return options


def check_division(options: argparse.Namespace, hosts: int) -> None:
    """Raises InputError if a batch does not divide over the towers of all hosts."""
    if options.batchsize % (options.gpus * hosts):
        over = f' on {hosts} hosts' if hosts > 1 else ''
        raise InputError(f'--batchsize {options.batchsize} does not divide over --gpus {options.gpus}{over}')


@guarded
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Train, alone or as a rank among others; or start the ranks."""
    options = parse(argv)
    if options.hosts:
        return _start_ranks(options, sys.argv[1:] if argv is None else argv)
    cluster = cluster_of(os.environ)
    check_division(options, cluster.ranks)
    if options.launched:
        end_with_launcher()
    try:
        _train_as(cluster, options)
    except PeerLost as lost:
        logger.error('error: %s', lost)
        return LOST_CODE
    return 0


def _start_ranks(options: argparse.Namespace, argv: Sequence[str]) -> int:
    """Starts the ranks of --hosts, each with the same flags, and looks after them. Returns the exit code."""
    if os.environ.get(TF_CONFIG):
        raise InputError(f'--hosts and the variable {TF_CONFIG} both name hosts: wanted one of them')
    hosts = hosts_of(options.hosts)
    check_division(options, len(hosts))
    sizes = [count for count in range(1, len(hosts) + 1) if options.batchsize % (options.gpus * count) == 0]
    return Launcher([*argv, '--hosts', '', '--launched'], sizes, options.restarts).run(hosts)


def _train_as(cluster: Cluster, options: argparse.Namespace) -> None:
    """Read the data, join the other ranks, start the workers, train."""
    garments = chosen_garments(options)
    folders = rows_by_folder(options, 'train', garments, not options.remote_data)
    rows, image_root = joined_rows(folders)
    rows = fewer_rows(rows, options.rows)
    if not options.remote_data:
        check_batch(rows, options.tag, options.batchsize)
    garment = garments.of(options.tag)
    validates = options.validate_every and not cluster.rank
    validation = labelled_rows(options, 'val', garments) if validates else None
    check_labels(rows, validation and validation[0], garment, DataOptions.of(vars(options)).count_occluded)
    graph_mode()
    from fashionai.inference.validation import validation_error
    from fashionai.training import run_record
    from fashionai.training.loop import last_step, train

    settings, shape, usual_weights = _settings_of(options, garments, rows, cluster)
    with nullcontext() if cluster.rank else locked(settings.run_folder, 'train.py'):
        gone = last_step(settings.run_folder)
        weights = initial_weights(options, usual_weights, settings.run_folder if gone else None, not cluster.rank)
        record = run_record.of_command(vars(options), settings, folders, validation and validation[0], weights)
        plan = Plan(f'{options.tag}/{settings.run_folder.name}', run_record.agreement(record, settings.max_steps), gone)
        if gone and not cluster.rank:
            record = run_record.continued(settings, gone, record, options.resume)
        with _member_of(cluster, plan, run_record.disagreement, options.stall_seconds) as team:
            gone = team.first_step if team else gone
            if options.launched and not cluster.rank:
                print(f'{RESUMED} {gone}', flush=True)
            load_weights = (lambda session: None) if gone or cluster.rank else weight_loader(options, usual_weights)
            validate = validation_error(*validation, garment, shape) if validation else None
            logger.info('%s: %d images, %d steps an epoch; %s', options.tag, len(rows), settings.epoch_steps,
                        f'{cluster.named(cluster.rank)} of {cluster.ranks}' if cluster.rank else
                        f'checkpoints in {settings.run_folder}')
            encoder = SampleEncoder(rows, image_root, garment, shape, options.seed, settings.data)
            with _batches_of(options, settings, encoder, gone) as batches:
                train(settings, batches, load_weights, validate, record, team)


@contextmanager
def _member_of(cluster: Cluster, plan: Plan, disagreement: Disagreement, stall_s: float) -> Iterator[Optional[Member]]:
    """Joins the other ranks of a cluster during the block; yields None if there are none."""
    if cluster.ranks == 1:
        yield None
        return
    check_port(cluster)
    with Member(cluster, plan, disagreement, stall_s) as team:
        yield team


def _settings_of(options: argparse.Namespace, garments: Garments, rows: Annotations,
                 cluster: Cluster = ALONE) -> Tuple['TrainingSettings', InputShape, str]:
    """Returns the settings that the flags give, the shape of the network's input, and the file of its usual initial
    weights."""
    from fashionai.networks.catalog import network_spec
    from fashionai.training.execution import Execution
    from fashionai.training.loop import TrainingSettings
    garment, flags = garments.of(options.tag), vars(options)
    head, loss, data = HeadOptions.of(flags), LossOptions.of(flags), DataOptions.of(flags)
    updates = UpdateOptions.of(flags)
    spec = network_spec(options.model, head)
    shape = InputShape((options.input_height, options.input_width), spec.stride)
    epoch_steps = max(1, len(rows) // options.batchsize)
    run_folder, log_folder = run_folders(options, run_name(options, head, loss, data, updates))
    return TrainingSettings(
        model=options.model, garment=garment, input_hw=shape.input_hw, batch_size=options.batchsize,
        towers=options.gpus, learning_rate=options.lr, decay_steps=options.decay_steps,
        warmup_steps=options.warmup_steps, max_steps=options.max_steps or options.max_epoch * epoch_steps,
        epoch_steps=epoch_steps, validate_every=options.validate_every, save_every=options.save_every,
        keep=options.keep, run_folder=run_folder, log_folder=log_folder, seed=options.seed, head=head, loss=loss,
        data=data, updates=updates, execution=Execution.of(flags), garments=garments,
        cluster=cluster,
        keypoint_weights=keypoint_weights(loss.keypoint_weights, rows, garment)), shape, spec.pretrained


def _batches_of(options: argparse.Namespace, settings: 'TrainingSettings', encoder: SampleEncoder,
                gone: int) -> 'BatchQueue':
    """Returns the batches after the first `gone` batches: made here, or received."""
    from fashionai.dataflow.flow import TrainingFlow
    from fashionai.dataflow.remote import ReceivedBatches
    from fashionai.training.feeding import BatchQueue
    from fashionai.training.loop import batch_shapes
    cluster = settings.cluster
    if options.remote_data:
        return BatchQueue(ReceivedBatches(remote_address(options.remote_data, cluster), batch_shapes(settings)))
    return BatchQueue(TrainingFlow(encoder, options.batchsize, options.workers, gone * options.batchsize,
                                   row_weights(settings.data.sampling, encoder.annotations),
                                   (cluster.rank, cluster.ranks)))


def remote_address(addresses: str, cluster: Cluster) -> str:
    """Returns the address of --remote-data at which a rank takes its batches. Raises InputError for a wrong number."""
    found = addresses.split(',')
    if len(found) not in (1, cluster.ranks):
        raise InputError(f'--remote-data names {len(found)} addresses for {cluster.ranks} processes: wanted one for '
                         'all, or one for each')
    return found[cluster.rank] if len(found) > 1 else addresses


def check_labels(rows: Annotations, validation: Optional[Annotations], garment: Garment, hidden_count: bool) -> None:
    """Logs how many validation images are trained on. Raises InputError if nothing can be learnt or measured."""
    visibility = rows.keypoints[:, garment.csv_indices, 2]
    if not (visibility >= (OCCLUDED if hidden_count else VISIBLE)).any():
        raise InputError(f'{rows.source}: none of {len(rows)} rows of {garment.name} has a keypoint to train on: '
                         'wanted v = 1' + (' or 0' if hidden_count else ', or v = 0 with --occluded counted'))
    if validation is None:
        return
    if score(validation, validation).visible.pooled.percent is None:
        raise InputError(f'{validation.source}: none of {len(validation)} rows of {garment.name} has a visible '
                         'keypoint and a normaliser to measure by: label some, or give --validate-every 0')
    both = len({*map(os.path.normpath, rows.image_ids)} & {*map(os.path.normpath, validation.image_ids)})
    if both:
        logger.warning('%d of %d validation images are also training images: the validation error is too low, '
                       'since the network remembers them', both, len(validation))


def run_name(options: argparse.Namespace, *choices: OptionGroup) -> str:
    """Returns the name of the original, followed by all options that differ from their defaults."""
    changes = [group.label for group in choices]
    changes += [f'_garments:{Path(options.garments).stem}'] if options.garments else []
    return (f'{options.model}_batch:{options.batchsize}_lr:{options.lr}_gpus:{options.gpus}_'
            f'{options.input_width}x{options.input_height}_{options.tag}{"".join(changes)}')


def run_folders(options: argparse.Namespace, original: str) -> Tuple[Path, Path]:
    """Returns the folders of the checkpoints and of the log of a run. Their name is --run-name, or the original's name
    with `-` and `+` in place of characters that Windows and `scp` do not accept. A run that an earlier version started
    under the original's name keeps that name.
    """
    from fashionai.model_files.checkpoints import checkpoint_steps
    runs, logs = Path(options.modelpath) / options.tag, Path(options.logpath)
    if options.run_name:
        return prepare_output(runs / options.run_name), prepare_output(logs / options.tag / options.run_name)
    name = re.sub(r'[^\w.+-]', '-', original.replace(',', '+'))
    if checkpoint_steps(runs / original) and not checkpoint_steps(runs / name):
        name = original
    return prepare_output(runs / name), prepare_output(logs / name)
