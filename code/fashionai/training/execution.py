"""How TensorFlow computes the nodes of a training: with which compiler and at which precision."""
import contextlib
import os
from typing import ContextManager, Mapping, Sequence

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2 as rewriting

from fashionai.errors import InputError
from fashionai.training.options import ExecutionOptions

_REWRITES: Mapping[str, str] = {'gpu': 'auto_mixed_precision', 'cpu': 'auto_mixed_precision_onednn_bfloat16'}
"""By kind of device: the option of TensorFlow that rewrites a graph to mixed precision, float16 or bfloat16."""

_IN_FLOAT32 = 'DepthwiseConv2dNativeBackpropFilter,DepthwiseConv2dNativeBackpropInput'
"""Operations that stay in float32 on CPUs: oneDNN has no fast bfloat16 code for the gradients of depthwise
convolutions. With it a step of efficientnet_lite0 took 1.1 times as long as in float32, without it 0.8 times."""


class Execution(ExecutionOptions):
    """The options of execution, and how TensorFlow follows them."""

    def compiling(self) -> ContextManager[None]:
        """Returns a context; nodes that are made in it are compiled if `xla` says so. Nodes of initial values are not
        compiled, so that these values stay the same."""
        if self.xla:
            return tf.xla.experimental.jit_scope(lambda node: 'Initializer' not in node.name)
        return contextlib.nullcontext()

    def scales_loss(self, devices: Sequence[str]) -> bool:
        """Returns whether gradients may be too small for their type. float16 has 5 bits of exponent; bfloat16 has 8, as
        float32 has."""
        return self.precision == 'mixed' and any('gpu' in device for device in devices)

    def session_config(self, devices: Sequence[str]) -> tf.ConfigProto:
        """Returns settings of a session in which every device of the list exists and GPU memory is taken when needed.

        Raises InputError if mixed precision is asked for and this TensorFlow lacks it on one of the devices.
        """
        cpus = sum('cpu' in device for device in devices)
        config = tf.ConfigProto(allow_soft_placement=True, device_count={'CPU': max(cpus, 1)})
        config.gpu_options.allow_growth = True
        if self.precision == 'mixed':
            for kind in sorted({device.strip('/').split(':')[0] for device in devices}):
                _switch_on(config.graph_options.rewrite_options, kind)
        return config


def _switch_on(options: rewriting.RewriterConfig, kind: str) -> None:
    """Switch on the rewriting of the graph for a kind of device."""
    if _REWRITES[kind] not in options.DESCRIPTOR.fields_by_name:
        raise InputError(f'--precision mixed: TensorFlow {tf.__version__} has no mixed precision on a {kind.upper()}, '
                         'which --gpus needs: wanted a GPU for each tower, TensorFlow 2.10 or newer, or --precision '
                         'float32')
    setattr(options, _REWRITES[kind], rewriting.RewriterConfig.ON)
    if kind == 'cpu':
        for change in ('ALLOWLIST_REMOVE', 'DENYLIST_ADD'):  # TensorFlow has no other place for these lists
            os.environ.setdefault(f'TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_{change}', _IN_FLOAT32)
