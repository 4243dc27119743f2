"""Runs a training: builds the graph, opens the session, and does the steps."""
import logging
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from fashionai.codec.heatmaps import cells_hw
from fashionai.dataflow.data_options import DataOptions
from fashionai.errors import InputError
from fashionai.files import write_json
from fashionai.garments.table import GARMENTS, Garment, Garments
from fashionai.garments.table_files import stored_form
from fashionai.model_files.checkpoints import RUN_FILE, Checkpoint, last_checkpoint
from fashionai.networks.catalog import build, network_spec
from fashionai.networks.head_options import BACKBONE_STRIDE, UNCHANGED, HeadOptions
from fashionai.networks.tensor_names import TypedForward
from fashionai.signals import exit_on_sigterm
from fashionai.training.averaging import Averages, averaged, averages_of
from fashionai.training.cluster import ALONE, Cluster
from fashionai.training.collectives import Collectives, joined_config, on_rank, session_target
from fashionai.training.control_messages import SAVING, VALIDATING, PeerLost
from fashionai.training.execution import Execution
from fashionai.training.feeding import BatchQueue
from fashionai.training.hooks import DivergenceHook, ProgressHook, ValidationHook
from fashionai.training.loss_watch import DivergedError, LossWatch
from fashionai.training.losses import Batch, network_losses
from fashionai.training.member import Member
from fashionai.training.options import LossOptions, UpdateOptions
from fashionai.training.saving import BestCheckpoint, CheckpointFolder, CheckpointHook
from fashionai.training.scaling import new_scale, unscaled
from fashionai.training.schedule import learning_rate
from fashionai.training.summaries import image_summaries, scalar_summaries
from fashionai.training.towers import Towers, build_towers, over_ranks, tower_devices

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training. Steps are counted over the whole run; sizes are in input pixels.

    `batch_size` is that of all ranks of `cluster` together, `towers` the number of towers of each rank. `garment` is
    from the table `garments`. `keypoint_weights` come from weighting.py. `data` describes how the batches were made; it
    is only written to run.json.
    Raises InputError if the options of the loss or the head do not fit the garment, or do not fit each other.
    """

    model: str
    garment: Garment
    input_hw: Tuple[int, int]
    batch_size: int
    towers: int
    learning_rate: str
    decay_steps: int
    warmup_steps: int
    max_steps: int
    epoch_steps: int
    validate_every: int
    save_every: int
    keep: int
    run_folder: Path
    log_folder: Path
    seed: int
    log_every: int = 100
    head: HeadOptions = UNCHANGED
    loss: LossOptions = LossOptions()
    keypoint_weights: Tuple[float, ...] = ()
    data: DataOptions = DataOptions()
    updates: UpdateOptions = UpdateOptions()
    execution: Execution = Execution()
    garments: Garments = GARMENTS
    cluster: Cluster = ALONE

    def __post_init__(self) -> None:
        self.loss.check_garment(self.garment)
        self.head.check_garment(self.garment)
        if 'type_weight' in self.loss.changes and not self.head.type_head:
            raise InputError(f'--type-weight {self.loss.type_weight} has no effect without a type head: give '
                             '--type-head too')

    @property
    def share(self) -> int:
        """The number of images of each rank in a batch."""
        return self.batch_size // self.cluster.ranks

    @property
    def description(self) -> Dict[str, Any]:
        """The description of the network in run.json. Freezing the network and starting from its weights need it."""
        return {'model': self.model, 'tag': self.garment.name, 'input_hw': list(self.input_hw),
                'head': self.head.changes, 'loss': self.loss.changes, 'data': self.data.changes,
                'updates': self.updates.changes, 'garments': stored_form(self.garments)}


@dataclass(frozen=True)
class TrainingGraph:
    """The nodes that the session runs.

    batch: the placeholders. towers: the networks and their losses. rate: (), the learning rate. gradient_norm: (), the
    norm of the gradient of the whole batch. train: does a step and returns the number of finished steps. averages: the
    averages of the network's variables, None if no averages are kept.
    """

    batch: Batch
    towers: Towers
    rate: tf.Tensor
    gradient_norm: tf.Tensor
    train: tf.Tensor
    averages: Optional[Averages] = None

    def start(self, session: tf.Session, load_weights: Callable[[tf.Session], None]) -> None:
        """Sets the initial weights, and the averages, of a new training."""
        load_weights(session)
        if self.averages:
            session.run(self.averages.start)


def last_step(run_folder: Path) -> int:
    """Returns the step of the last checkpoint of a run, 0 if there is no checkpoint."""
    last = last_checkpoint(run_folder)
    return last.step if last else 0


def batch_shapes(settings: TrainingSettings) -> List[Tuple[int, ...]]:
    """Returns the shapes of the arrays of this rank's share of a batch, in the order of SAMPLE_FIELDS in dataflow.

    Raises InputError if the input size is not a multiple of the stride of the backbone.
    """
    size, garment = settings.share, settings.garment
    cells_hw(settings.input_hw, BACKBONE_STRIDE)  # finer maps are made from whole cells of the backbone
    cells = cells_hw(settings.input_hw, network_spec(settings.model, settings.head).stride)
    return [(size,) + settings.input_hw + (3,), (size,) + cells + (garment.num_heatmaps,),
            (size,) + cells + (garment.num_fields,), (size, garment.num_heatmaps), (size, garment.num_fields),
            (size, len(settings.garments))]


def train(settings: TrainingSettings, batches: BatchQueue, load_weights: Callable[[tf.Session], None],
          validate: Optional[Callable[[TypedForward], float]], run_file: Optional[Mapping[str, Any]] = None,
          team: Optional[Member] = None) -> None:
    """Trains until `max_steps`. Resumes from the last checkpoint in the run folder if there is one.

    A checkpoint is saved before Ctrl-C, SIGTERM or an error of the batches ends the training. SIGTERM raises
    SystemExit(143): 128 plus the number of the signal, as shells do.

    Args:
        settings: the settings of the training.
        batches: a queue of batches; its `with` block has been entered.
        load_weights: sets the initial weights of a new training.
        validate: returns the validation NE in percent for a forward function; None for no validation.
        run_file: the content of run.json; by default the description of the settings.
        team: this rank of `settings.cluster`; None if it has one rank. Rank 0 alone reads and writes the run's folder
            and validates; the others get its variables.

    Raises InputError for a bad sample or a checkpoint that does not fit. Raises DivergedError if the loss explodes or
    is no longer finite; the last checkpoint is then from before that. Raises PeerLost if another rank is gone.
    """
    last = None if settings.cluster.rank else last_checkpoint(settings.run_folder)
    if last:
        logger.info('resuming at step %d of this run; the initial weights are not read', last.step)
    if team and validate:
        validate = _waited_for(team, validate)
    try:
        with exit_on_sigterm():
            _train(settings, last, batches, load_weights, validate, run_file or settings.description, team)
    except tf.errors.OpError as error:
        if team:
            team.check()
        raise InputError(f'TensorFlow stopped the training: {error.message}') from error


def _waited_for(team: Member, validate: Callable[[TypedForward], float]) -> Callable[[TypedForward], float]:
    """Returns a validation for which the other ranks wait, however long it takes."""
    def validated(forward: TypedForward) -> float:
        with team.doing(VALIDATING):
            return validate(forward)
    return validated


def _check_variables(last: Checkpoint) -> None:
    """Raises InputError if a checkpoint lacks variables of the current graph."""
    stored = dict(tf.train.list_variables(last.prefix))
    lacking = [variable.op.name for variable in tf.global_variables()
               if stored.get(variable.op.name) != variable.shape.as_list()]
    if not lacking:
        return
    network = {variable.op.name for variable in tf.model_variables()}
    if network.isdisjoint(lacking):
        raise InputError(f'{last.prefix} has the network, but not the state of its training (it lacks {len(lacking)} '
                         f'variables, such as {lacking[0]}): start a new run from it with --checkpoint and another '
                         '--run-name')
    raise InputError(f'{last.prefix} is a checkpoint of another network: it lacks {len(lacking)} variables of this '
                     f'one, such as {lacking[0]}: give another --run-name')


def _train(settings: TrainingSettings, last: Optional[Checkpoint], batches: BatchQueue,
           load_weights: Callable[[tf.Session], None], validate: Optional[Callable[[TypedForward], float]],
           run_file: Mapping[str, Any], team: Optional[Member]) -> None:
    with tf.Graph().as_default(), on_rank(settings.cluster):
        tf.set_random_seed(settings.seed)
        step = tf.train.get_or_create_global_step()
        devices = tower_devices(settings.towers)
        config = settings.execution.session_config(devices)
        collectives = Collectives(settings.cluster) if team else None
        graph = training_graph(settings, step, devices, collectives)
        folder, watch = CheckpointFolder(settings.run_folder), LossWatch()
        checkpoints = CheckpointHook(folder, watch, graph.train, settings.save_every, settings.keep)
        scaffold = tf.train.Scaffold(saver=folder.saver, init_fn=lambda _, session: graph.start(session, load_weights))
        sync = collectives.copied_from_first(tf.global_variables()) if collectives else None
        with _writer(settings) as writer:
            hooks = _hooks(settings, graph, batches, watch, checkpoints, writer, validate) if writer else []
            if last:
                _check_variables(last)
            if writer:
                write_json(settings.run_folder / RUN_FILE, run_file)
            if team:
                config = joined_config(config, settings.cluster)
            with tf.train.SingularMonitoredSession(
                    hooks, scaffold, session_target(config, settings.cluster), config,
                    checkpoint_filename_with_path=last.prefix if last else None) as session:
                done = _started(session, step, sync, team)
                _run_steps(session, graph, range(done, settings.max_steps), batches, checkpoints, team)


@contextmanager
def _writer(settings: TrainingSettings) -> Iterator[Optional[tf.summary.FileWriter]]:
    """Yields what writes TensorBoard's files; None if another rank does that."""
    if settings.cluster.rank:
        yield None
        return
    with closing(tf.summary.FileWriter(str(settings.log_folder))) as writer:
        yield writer


def _started(session: tf.train.SingularMonitoredSession, step: tf.Variable, sync: Optional[tf.Operation],
             team: Optional[Member]) -> int:
    """Gives all ranks the variables of rank 0, and returns the number of finished steps."""
    if team:
        with team.step():
            session.raw_session().run(sync)
    return int(session.raw_session().run(step))


def _run_steps(session: tf.train.SingularMonitoredSession, graph: TrainingGraph, steps: range, batches: BatchQueue,
               checkpoints: CheckpointHook, team: Optional[Member]) -> None:
    """Does the remaining steps. If something interrupts them, the last checkpoint is one to resume from."""
    try:
        for _ in steps:
            batch = batches.get()
            with team.step() if team else nullcontext():
                session.run(graph.train, dict(zip(graph.batch.tensors, batch)))
    except DivergedError:
        checkpoints.diverged()
        raise
    except (KeyboardInterrupt, SystemExit, InputError, RuntimeError, PeerLost):
        if not (team and team.cluster.rank):
            with team.doing(SAVING) if team else nullcontext():
                checkpoints.interrupted(session.raw_session())
        raise


def training_graph(settings: TrainingSettings, step: tf.Variable, devices: List[str],
                   collectives: Optional[Collectives] = None) -> TrainingGraph:
    """Builds the nodes of a training in the current graph, one tower per device; each step increases `step`, the global
    step. `collectives` sum the gradients over the ranks of the cluster; None for one rank."""
    types = (tf.uint8,) + (tf.float32,) * 5
    batch = Batch(*(tf.placeholder(kind, shape) for kind, shape in zip(types, batch_shapes(settings))))
    scale = new_scale() if settings.execution.scales_loss(devices) else None
    losses = partial(network_losses, options=settings.loss, keypoint_weights=settings.keypoint_weights)
    with settings.execution.compiling():
        towers = build_towers(lambda image: build(settings.model, image, settings.garment, True, settings.head), batch,
                              settings.batch_size, devices, losses, scale)
    if collectives:
        towers = over_ranks(towers, collectives)
    gradients, adjust = (towers.gradients, []) if scale is None else unscaled(towers.gradients, scale)
    rate = learning_rate(settings.learning_rate, settings.decay_steps, settings.warmup_steps, step,
                         settings.max_steps)
    optimizer = tf.train.AdamOptimizer(rate, epsilon=1e-8)
    before = tf.cast(step.read_value(), tf.float32)
    with tf.control_dependencies(towers.updates + adjust + [before]):
        updated = optimizer.apply_gradients(gradients, step)
    decay = settings.updates.average_decay
    averages = averages_of(tf.model_variables(), decay, before, updated) if decay else None
    with tf.control_dependencies([averages.update if averages else updated]):
        done = step.read_value()
    norm = tf.global_norm([gradient for gradient, _ in gradients])
    return TrainingGraph(batch, towers, rate, norm, done, averages)


def _hooks(settings: TrainingSettings, graph: TrainingGraph, batches: BatchQueue, watch: LossWatch,
           checkpoints: CheckpointHook, writer: tf.summary.FileWriter,
           validate: Optional[Callable[[TypedForward], float]]) -> List[tf.train.SessionRunHook]:
    """Returns the hooks in the order in which they run: the loss is checked before a checkpoint is written."""
    hooks = [
        DivergenceHook(graph.towers.loss, graph.gradient_norm, watch),
        checkpoints,
        ProgressHook(graph.train, graph.towers, graph.rate, batches, settings.batch_size, settings.epoch_steps,
                     settings.max_steps, settings.log_every),
        tf.train.SummarySaverHook(settings.log_every, summary_writer=writer,
                                  summary_op=scalar_summaries(graph.towers, graph.rate)),
        tf.train.SummarySaverHook(settings.save_every, summary_writer=writer,
                                  summary_op=image_summaries(graph.batch, graph.towers, settings.loss.loss))]
    if validate is not None:
        hooks.append(ValidationHook(graph.train, _forward_in_training(settings, graph.averages), validate,
                                    BestCheckpoint(settings.run_folder), writer, settings.validate_every))
    return hooks


def _forward_in_training(settings: TrainingSettings,
                         averages: Optional[Averages]) -> Callable[[tf.Session], TypedForward]:
    """Returns the network as it will be frozen: batch norm uses its moving averages.

    Its weights are the averages of the variables, or the variables themselves if `averages` is None.
    """
    image = tf.placeholder(tf.float32, (None, None, None, 3))
    with tf.name_scope('validation'), averaged(averages):
        network = build(settings.model, image, settings.garment, False, settings.head, settings.loss.loss)
    outputs = [network.output] + ([network.types.probabilities] if network.types else [])

    def forward_of(session: tf.Session) -> TypedForward:
        def forward(images: np.ndarray) -> Tuple[np.ndarray, Optional[np.ndarray]]:
            maps, *types = session.run(outputs, {image: images})
            return maps, types[0] if types else None
        return forward
    return forward_of
