"""What a worker does: loads the networks once, and predicts the rows of lists."""
import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Mapping, Sequence

import cv2

from fashionai import __version__
from fashionai.bulk.listing import Listing, Reader
from fashionai.bulk.places import Places
from fashionai.bulk.rows import RowPredictor, RowSettings, arrow_schema
from fashionai.inference.garment_predictor import GarmentPredictor
from fashionai.model_files.model_file import ModelFile

Load = Callable[[Sequence[ModelFile], int], ContextManager[GarmentPredictor]]
"""A function from the files of networks and a number of threads to their predictor."""

_LIBRARIES = ('numpy', 'cv2', 'pyarrow', 'onnxruntime', 'openvino', 'ai_edge_litert', 'tensorflow')


@dataclass(frozen=True)
class PackedModel:
    """A network with the bytes of its files, so that a worker on another machine can load it."""

    model: ModelFile
    files: Mapping[str, bytes]

    @classmethod
    def pack(cls, model: ModelFile) -> 'PackedModel':
        """Reads the files of a network: its file, or all files of its folder, and the weights beside an `.xml`."""
        path = model.path
        files = [item for item in path.rglob('*') if item.is_file()] if path.is_dir() else [
            item for item in (path, path.with_suffix('.bin')) if item == path or path.suffix == '.xml']
        return cls(model, {str(item.relative_to(path.parent)): item.read_bytes() for item in files})

    def unpack(self, folder: Path) -> ModelFile:
        """Writes the files to a folder; returns the network there."""
        for name, content in self.files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return replace(self.model, path=folder / self.model.path.name)


@dataclass(frozen=True)
class WorkerSetup:
    """Everything that a worker needs to begin.

    Attributes:
        models: the networks.
        load: loads them.
        threads: of each network, and of OpenCV.
        settings: of the rows.
        folder: where relative paths in Parquet files start.
    """

    models: Sequence[PackedModel]
    load: Load
    threads: int
    settings: RowSettings
    folder: str

    @contextmanager
    def opened(self) -> Iterator[GarmentPredictor]:
        """Yields the predictor. Engines read files when they open a network, so these are gone after that."""
        cv2.setNumThreads(self.threads)
        with ExitStack() as stack:
            with TemporaryDirectory(prefix='fashionai-') as folder:
                models = [model.unpack(Path(folder, str(number))) for number, model in enumerate(self.models)]
                predictor = stack.enter_context(self.load(models, self.threads))
            yield predictor


class Worker:
    """Predicts lists, one at a time. Ray makes an actor of it."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def load(self, setup: WorkerSetup) -> Dict[str, str]:
        """Loads the networks. Returns the versions of the libraries, as the manifest keeps them."""
        places = Places()
        predictor = self._stack.enter_context(setup.opened())
        self._reader = Reader(places, setup.folder)
        self._rows = RowPredictor(predictor, setup.settings, places)
        return _versions()

    def predict(self, listing: Listing) -> Any:
        """Returns the rows of the pictures of a list, as a pyarrow.Table."""
        return table_of(list(self._rows.predict(listing.rows(self._reader))))


def table_of(rows: List[Dict[str, Any]]) -> Any:
    """Returns rows as a pyarrow.Table."""
    import pyarrow as pa
    return pa.Table.from_pylist(rows, schema=arrow_schema())


def _versions() -> Dict[str, str]:
    found = {name: getattr(sys.modules[name], '__version__', 'unknown') for name in _LIBRARIES if name in sys.modules}
    return {'fashionai': __version__, 'python': sys.version.split()[0], **found, 'processors': str(os.cpu_count())}
