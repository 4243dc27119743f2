"""Sums and copies of tensors over the ranks of a training, by TensorFlow's collective operations.

`tensorflow.python.ops.collective_ops` is not public. Its calls are the same in TensorFlow 1.15 and 2; this file alone
uses them. They run on the CPUs: gradients of GPUs are copied to their hosts, which exchange them over the network.
"""
import itertools
from contextlib import nullcontext
from typing import Any, ContextManager, Iterator, List, Sequence

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import collective_ops

from fashionai.training.cluster import Cluster

PACK_BYTES = 2 ** 25
"""Tensors are exchanged in packs of at most about so many bytes: every exchange waits for the network, so few large
ones take less time than many small ones."""

_JOB = 'worker'
_GROUP = 1


def on_rank(cluster: Cluster) -> ContextManager[Any]:
    """Returns a context; nodes that are made in it are computed by this process. Devices within it may be named."""
    return tf.device(_task(cluster, cluster.rank)) if cluster.ranks > 1 else nullcontext()


def joined_config(config: tf.ConfigProto, cluster: Cluster) -> tf.ConfigProto:
    """Returns the settings of a session whose graph exchanges tensors with the other ranks."""
    found = tf.ConfigProto()
    found.CopyFrom(config)
    found.experimental.collective_group_leader = _task(cluster, 0)
    found.device_filters.append(f'/job:{_JOB}/task:{cluster.rank}')  # a session sees no device of another rank
    return found


def session_target(config: tf.ConfigProto, cluster: Cluster) -> str:
    """Returns the target of sessions: of TensorFlow's server, which is started here; '' if there is one rank alone.

    The server lasts until the process ends.
    """
    if cluster.ranks == 1:
        return ''
    spec = tf.train.ClusterSpec({_JOB: list(cluster.addresses)})
    return tf.train.Server(spec, job_name=_JOB, task_index=cluster.rank, config=config).target


class Collectives:
    """Makes the nodes of a graph that exchange tensors. All ranks must make the same ones in the same order, with
    tensors of the same shapes, and must run them in the same steps."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._numbers = cluster, itertools.count(1)

    def summed(self, tensors: Sequence[tf.Tensor]) -> List[tf.Tensor]:
        """Returns the sums of float32 tensors over all ranks, the same bits on every rank."""
        return [part for pack in _packs(tensors) for part in _unpacked(self._sum(_packed(pack)), pack)]

    def copied_from_first(self, variables: Sequence[tf.Variable]) -> tf.Operation:
        """Returns the operation that gives float32 variables, and whole numbers below 2^24, their values on rank 0."""
        values = [tf.cast(variable.read_value(), tf.float32) for variable in variables]
        copies = [part for pack in _packs(values) for part in _unpacked(self._copy(_packed(pack)), pack)]
        return tf.group([variable.assign(tf.cast(copy, variable.dtype.base_dtype))
                         for variable, copy in zip(variables, copies)])

    def _sum(self, vector: tf.Tensor) -> tf.Tensor:
        with self._host():
            return collective_ops.all_reduce(vector, self._cluster.ranks, _GROUP, next(self._numbers), 'Add', 'Id')

    def _copy(self, vector: tf.Tensor) -> tf.Tensor:
        key = self._cluster.ranks, _GROUP, next(self._numbers)
        with self._host():
            if self._cluster.rank:
                return collective_ops.broadcast_recv(vector.shape, vector.dtype, *key)
            return collective_ops.broadcast_send(vector, vector.shape, vector.dtype, *key)

    def _host(self) -> ContextManager[Any]:
        return tf.device(f'{_task(self._cluster, self._cluster.rank)}/device:CPU:0')


def _task(cluster: Cluster, rank: int) -> str:
    return f'/job:{_JOB}/replica:0/task:{rank}'


def _packs(tensors: Sequence[tf.Tensor]) -> Iterator[List[tf.Tensor]]:
    """Yields the tensors in lists; a list has at most PACK_BYTES, or one tensor."""
    pack: List[tf.Tensor] = []
    for tensor in tensors:
        if pack and 4 * sum(map(_size, [*pack, tensor])) > PACK_BYTES:
            yield pack
            pack = []
        pack.append(tensor)
    if pack:
        yield pack


def _packed(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)


def _unpacked(vector: tf.Tensor, like: Sequence[tf.Tensor]) -> List[tf.Tensor]:
    parts = tf.split(vector, list(map(_size, like)))
    return [tf.reshape(part, tensor.shape) for part, tensor in zip(parts, like)]


def _size(tensor: tf.Tensor) -> int:
    return int(np.prod(tensor.shape.as_list(), dtype=np.int64))
