"""Training batches over the network: workers on other hosts send, the trainer receives (ZMQ, by tensorpack)."""
from typing import Iterator, List, Sequence, Tuple

import numpy as np
import zmq
from tensorpack.dataflow import DataFlow, RemoteDataZMQ, send_dataflow_zmq

from fashionai.dataflow.encoder import SAMPLE_FIELDS
from fashionai.errors import InputError


def send_batches(flow: DataFlow, address: str) -> None:
    """Send a stream of batches to the trainer at `address` (tcp://host:port) until interrupted.

    Raises InputError for what is no address.
    """
    try:
        send_dataflow_zmq(flow, address, hwm=20)
    except zmq.ZMQError as error:
        raise InputError(_unusable(address, error)) from None


class ReceivedBatches(DataFlow):
    """Batches that workers send to `address` (tcp://0.0.0.0:port: the trainer binds, workers connect).

    shapes: the expected shape of each array of a batch; a worker started with other settings is refused with
    ValueError.
    """

    def __init__(self, address: str, shapes: Sequence[Tuple[int, ...]]) -> None:
        self._address, self._received = address, RemoteDataZMQ(address)
        self._shapes = [tuple(shape) for shape in shapes]

    def reset_state(self) -> None:
        self._received.reset_state()

    def __iter__(self) -> Iterator[List[np.ndarray]]:
        try:
            for batch in self._received:
                shapes = [array.shape for array in batch]
                if shapes != self._shapes:
                    raise InputError(
                        f'a remote worker sent arrays of shapes {shapes}, this training wants {self._shapes} '
                        f'({", ".join(SAMPLE_FIELDS)}): start it with the same --model, --tag, --batchsize and size')
                yield batch
        except zmq.ZMQError as error:
            raise InputError(_unusable(self._address, error)) from None


def _unusable(address: str, error: zmq.ZMQError) -> str:
    return f'--remote-data {address}: {error}; wanted tcp://HOST:PORT, on the trainer tcp://0.0.0.0:PORT'
