"""What the service measures of itself, in the text form of Prometheus."""
import os
from typing import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from fashionai.model_files.model_file import ModelFile

CONTENT_TYPE = CONTENT_TYPE_LATEST

FOLDER = 'PROMETHEUS_MULTIPROC_DIR'
"""The environment variable by which the processes of a service share their metrics: a folder with a file for each
process. prometheus_client reads it when it is imported."""

_SECONDS = (.05, .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60, 120)
_PICTURES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one process. If FOLDER was set when prometheus_client was imported, `exposition` gives the sums
    over all processes."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter('fashionai_requests', 'Requests by path and status', ['path', 'status'],
                                registry=registry)
        self.seconds = Histogram('fashionai_request_seconds', 'Time from the head of a request for a prediction to the '
                                 'end of its answer', ['status'], registry=registry, buckets=_SECONDS)
        self.queue_seconds = Histogram('fashionai_queue_seconds', 'Time that a picture waited for its turn',
                                       registry=registry, buckets=_SECONDS)
        self.network_seconds = Histogram('fashionai_network_seconds', 'Time of a batch in the networks',
                                         registry=registry, buckets=_SECONDS)
        self.batch_pictures = Histogram('fashionai_batch_pictures', 'Pictures of a batch', registry=registry,
                                        buckets=_PICTURES)
        self.pictures = Counter('fashionai_pictures', 'Pictures by the status of their answer', ['status'],
                                registry=registry)
        self._queue = Gauge('fashionai_queue_length', 'Pictures that wait for their turn', registry=registry,
                            multiprocess_mode='livesum')
        self._busy = Gauge('fashionai_busy_with', 'Pictures that are decoded and predicted', registry=registry,
                           multiprocess_mode='livesum')
        self._processes = Gauge('fashionai_processes', 'Processes that are ready', registry=registry,
                                multiprocess_mode='livesum')
        self._models = Gauge('fashionai_model_info', 'The networks: name, and SHA-256 of the file', ['model', 'sum'],
                             registry=registry, multiprocess_mode='livemax')

    def ready(self, models: Iterable[ModelFile]) -> None:
        """Says that this process serves these networks."""
        self._processes.set(1)
        for model in models:
            self._models.labels(model.name, model.sum).set(1)

    def occupied(self, busy_with: int, queued: int) -> None:
        """Says how many pictures this process works on, and how many wait."""
        self._busy.set(busy_with)
        self._queue.set(queued)

    def exposition(self) -> bytes:
        """Returns the metrics as text."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        everything = CollectorRegistry()
        MultiProcessCollector(everything)
        return generate_latest(everything)
