"""The flags of train.py that change the loss, the updates and the execution. No TensorFlow is imported here."""
from argparse import SUPPRESS
from dataclasses import dataclass
from typing import Optional

from fashionai.errors import InputError
from fashionai.garments.table import Garment
from fashionai.option_group import OptionGroup, at_least, option
from fashionai.training.weighting import WEIGHTINGS

LOSS_NAMES = ('l2', 'focal')
PRECISIONS = ('float32', 'mixed')


@dataclass(frozen=True)
class LossOptions(OptionGroup):
    """The flags of the loss, kept in run.json. The defaults are the loss of the original.

    Attributes:
        loss: how heat maps are compared, a name of LOSS_NAMES.
        keypoint_weights: the weights of the heat maps, a name or a file; see weighting.py. None: all weights are 1.
        hard_keypoints: how many heat maps of an image count, those with the largest loss; None for all.
        type_weight: the factor of the loss of a type head, which is the cross-entropy of an image.
    """

    loss: str = option('l2', 'loss of the heat maps: l2 or focal', allowed=LOSS_NAMES)
    keypoint_weights: Optional[str] = option(
        None, 'frequency: weigh each heat map by how rare its keypoint is. JSON: weigh it by the error of its keypoint '
        'in a file of evaluate.py --json; default: equal weights', names=tuple(WEIGHTINGS), metavar='frequency|JSON')
    hard_keypoints: Optional[int] = option(None, 'only the K heat maps with the largest loss count in each image; '
                                           'default: all', parse=at_least(1), metavar='K')
    type_weight: float = option(1., 'factor of the loss of --type-head', metavar='W')

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.type_weight < float('inf'):
            raise InputError(f'--type-weight {self.type_weight}: wanted a number above 0, such as 1')

    def check_garment(self, garment: Garment) -> None:
        """Raises InputError if the garment has too few keypoints for the options."""
        most = len(garment.keypoints) - 1
        if self.hard_keypoints is not None and not 1 <= self.hard_keypoints <= most:
            raise InputError(f'--hard-keypoints {self.hard_keypoints}: {garment.name} has {most + 1} keypoints, wanted '
                             f'1 to {most}')


DEFAULT_LOSS = LossOptions()


@dataclass(frozen=True)
class UpdateOptions(OptionGroup):
    """The flag of how a step changes the weights, kept in run.json; the learning rate is not part of it.

    Attributes:
        average_decay: the part of the moving average of the weights that a step keeps, see averaging.py; 0: there is
            no average.
    """

    average_decay: float = option(0., 'validate and freeze the moving average of the weights; each step keeps the part '
                                  'D of it, such as 0.999; 0: validate and freeze the weights themselves', metavar='D')

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.average_decay < 1:
            raise InputError(f'--average-decay {self.average_decay}: wanted a number from 0 to below 1, such as 0.999')


@dataclass(frozen=True)
class ExecutionOptions(OptionGroup):
    """The flags of how a step is computed. The network and its loss do not depend on them.

    Attributes:
        precision: `mixed` computes convolutions, and the operations between them, with half as many bits; variables,
            the statistics of batch norm and losses keep 32. It is a part of the run, see run_record.py.
        xla: whether XLA compiles the towers. It may change when a run goes on.
    """

    precision: str = option('float32', 'float32, or mixed: convolutions in float16 on GPUs and in bfloat16 on CPUs',
                            allowed=PRECISIONS)
    xla: bool = option(False, 'compile the towers with XLA')


@dataclass(frozen=True)
class ClusterOptions(OptionGroup):
    """The flags of a training over several hosts. They do not decide the weights; the number of towers does.

    Attributes:
        hosts: the hosts that `train.py` starts its ranks on, see launcher.py; None: this command is a rank itself.
        stall_seconds: seconds without a step after which a rank gives up.
        restarts: how often the ranks are started again without having saved anything new.
        launched: whether a launcher started this rank, which it talks to over its standard input and output.
    """

    hosts: Optional[str] = option(None, 'train on these hosts together: HOST:PORT,HOST:PORT by ssh, or local:N for N '
                                  'processes on this machine; see docs/cluster.md', metavar='HOSTS')
    stall_seconds: int = option(300, 'with several hosts: end a process that makes no step for S seconds', metavar='S',
                                parse=at_least(1))
    restarts: int = option(5, 'with --hosts: start again after a failure, at most N times from the same checkpoint',
                           metavar='N', parse=at_least(0))
    launched: bool = option(False, SUPPRESS)  # not for people: only the launcher gives it, to the ranks that it starts
