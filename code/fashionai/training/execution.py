"""How the nodes of a training are computed: by which compiler, at which precision. What is trained stays the same."""
import contextlib
from dataclasses import dataclass
from typing import ContextManager, Mapping, Sequence

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2 as rewriting

from fashionai.errors import InputError
from fashionai.option_group import OptionGroup

PRECISIONS = 'float32', 'mixed'

_REWRITES: Mapping[str, str] = {'gpu': 'auto_mixed_precision', 'cpu': 'auto_mixed_precision_onednn_bfloat16'}
"""TensorFlow's rewriting of a graph to mixed precision, by kind of device: to float16, and to bfloat16."""


@dataclass(frozen=True)
class Execution(OptionGroup):
    """The flags. Of these, `precision` is a part of the run (see run_record.py), and `xla` may change as it goes on.

    precision: `mixed` computes convolutions, and what lies between them, in half as many bits; variables, batch norm's
    statistics and losses keep 32. xla: compile the towers.
    """

    precision: str = 'float32'
    xla: bool = False

    def __post_init__(self) -> None:
        self.check(precision=PRECISIONS)

    def compiling(self) -> ContextManager[None]:
        """Around the making of nodes that are to be compiled. Initial values are not, so that they stay the same."""
        if self.xla:
            return tf.xla.experimental.jit_scope(lambda node: 'Initializer' not in node.name)
        return contextlib.nullcontext()

    def scales_loss(self, devices: Sequence[str]) -> bool:
        """Whether gradients may be too small for their type: float16 has 5 bits of exponent, bfloat16 all 8."""
        return self.precision == 'mixed' and any('gpu' in device for device in devices)

    def session_config(self, devices: Sequence[str]) -> tf.ConfigProto:
        """Session settings under which every device of the list exists, and GPU memory is taken as it is needed.

        Raises InputError where this TensorFlow has no mixed precision on one of them.
        """
        cpus = sum('cpu' in device for device in devices)
        config = tf.ConfigProto(allow_soft_placement=True, device_count={'CPU': max(cpus, 1)})
        config.gpu_options.allow_growth = True
        if self.precision == 'mixed':
            for kind in sorted({device.strip('/').split(':')[0] for device in devices}):
                _switch_on(config.graph_options.rewrite_options, kind)
        return config


def _switch_on(options: rewriting.RewriterConfig, kind: str) -> None:
    """Let the graph be rewritten for a kind of device."""
    if _REWRITES[kind] not in options.DESCRIPTOR.fields_by_name:
        raise InputError(f'--precision mixed: TensorFlow {tf.__version__} has none on a {kind.upper()}, which --gpus '
                         f'asks for: wanted a GPU a tower, TensorFlow 2.10 or newer, or --precision float32')
    setattr(options, _REWRITES[kind], rewriting.RewriterConfig.ON)
