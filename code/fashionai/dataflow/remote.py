"""Training batches over the network: workers on other hosts send them, the trainer receives them (ZMQ, tensorpack)."""
from typing import Iterator, List, Sequence, Tuple

import numpy as np
import zmq
from tensorpack.dataflow import DataFlowTerminated, send_dataflow_zmq
from tensorpack.utils.serialize import loads

from fashionai.dataflow.encoder import SAMPLE_FIELDS
from fashionai.dataflow.streams import BatchStream, wait_for
from fashionai.errors import InputError

_SENDING, _RECEIVED = 20, 50
"""The number of batches that may wait in the socket of a worker, and in that of the trainer."""


def send_batches(flow: BatchStream, address: str) -> None:
    """Sends a stream of batches to the trainer at `address` (tcp://host:port) until interrupted, and closes the stream.

    Raises InputError for an invalid address, and any exception of the stream.
    """
    try:
        send_dataflow_zmq(flow, address, hwm=_SENDING)
    except zmq.ZMQError as error:
        raise InputError(_unusable(address, error)) from None
    finally:
        flow.close()


class ReceivedBatches(BatchStream):
    """The batches that workers send to `address` (tcp://0.0.0.0:port: the trainer binds, workers connect).

    `shapes`: the expected shape of each array of a batch. Batches of other shapes, from a worker with other settings,
    raise InputError.
    """

    def __init__(self, address: str, shapes: Sequence[Tuple[int, ...]]) -> None:
        super().__init__()
        self._address = address
        self._shapes = [tuple(shape) for shape in shapes]

    def __iter__(self) -> Iterator[List[np.ndarray]]:
        context = zmq.Context()
        try:
            socket = context.socket(zmq.PULL)
            socket.set_hwm(_RECEIVED)
            socket.bind(self._address)
            while True:
                self._go_on()
                wait_for(socket, zmq.POLLIN, self._go_on)
                yield self._checked(loads(socket.recv(copy=False)))
        except DataFlowTerminated:
            return
        except zmq.ZMQError as error:
            raise InputError(_unusable(self._address, error)) from None
        finally:
            context.destroy(linger=0)

    def _checked(self, batch: List[np.ndarray]) -> List[np.ndarray]:
        shapes = [array.shape for array in batch]
        if shapes != self._shapes:
            raise InputError(
                f'a remote worker sent arrays of shapes {shapes}, but this training needs {self._shapes} '
                f'({", ".join(SAMPLE_FIELDS)}): start the worker with the same --model, --tag '
                'and size, and with the --batchsize that this trainer has, its share if there are several')
        return batch


def _unusable(address: str, error: zmq.ZMQError) -> str:
    return f'--remote-data {address}: {error}; wanted tcp://HOST:PORT, on the trainer tcp://0.0.0.0:PORT'
