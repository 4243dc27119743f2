"""Training batches over the network: workers on other hosts send, the trainer receives (ZMQ, by tensorpack)."""
from typing import Iterator, List, Sequence, Tuple

import numpy as np
from tensorpack.dataflow import DataFlow, RemoteDataZMQ, send_dataflow_zmq

from fashionai.dataflow.encoder import SAMPLE_FIELDS


def send_batches(flow: DataFlow, address: str) -> None:
    """Send a stream of batches to the trainer at `address` (tcp://host:port) until interrupted."""
    send_dataflow_zmq(flow, address, hwm=20)


class ReceivedBatches(DataFlow):
    """Batches that workers send to `address` (tcp://0.0.0.0:port: the trainer binds, workers connect).

    shapes: the expected shape of each array of a batch; a worker started with other settings is refused with
    ValueError.
    """

    def __init__(self, address: str, shapes: Sequence[Tuple[int, ...]]) -> None:
        self._received = RemoteDataZMQ(address)
        self._shapes = [tuple(shape) for shape in shapes]

    def reset_state(self) -> None:
        self._received.reset_state()

    def __iter__(self) -> Iterator[List[np.ndarray]]:
        for batch in self._received:
            for name, array, wanted in zip(SAMPLE_FIELDS, batch, self._shapes):
                if array.shape != wanted:
                    raise ValueError(f'a remote worker sent {name} of shape {array.shape}, this training wants '
                                     f'{wanted}: start the worker with the same --tag, --batchsize and input size')
            yield batch
