"""The front door: load a model once, then predict the garment in pictures."""
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, Union, overload

import numpy as np

from fashionai.annotations import Annotations, read_annotations
from fashionai.engines.exported import default_engine, needs_tensorflow, open_model
from fashionai.errors import InputError
from fashionai.evaluation.metrics import Scores
from fashionai.evaluation.metrics import score as score_annotations
from fashionai.garments.measurements import Measurement, PixelScale, fixed_scale, measure, no_scale, scale_of
from fashionai.garments.table import AUTO, JOINT
from fashionai.images.decoder import decode_upright, read_upright
from fashionai.images.drawing import write_picture
from fashionai.inference.batch_inference import AT_ONCE, in_order
from fashionai.inference.config import DEFAULT_PRESET, InferenceOptions
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor, load_predictor
from fashionai.model_files.default_model import supplied_graph
from fashionai.model_files.model_file import ModelFile
from fashionai.results.overlays import draw_prediction
from fashionai.results.writers import points_of, prediction_json
from fashionai.tf_compat import graph_mode

Image = Union[str, Path, bytes, np.ndarray]
"""A picture: the path of a file, the bytes of one, or pixels (h, w, 3) uint8 in the order blue, green, red."""

_BATCH = 4
"""Pictures of a list that go through the network together."""


@dataclass(frozen=True)
class Keypoint:
    """A keypoint of a garment.

    Attributes:
        x, y: pixels of the picture; the centre of its first pixel is (0, 0).
        score: 0 to 1, grows with how near the point is likely to be to its true place.
        found: False if the heat map shows no such point; x and y are then a guess.
    """

    x: float
    y: float
    score: float
    found: bool


class Drawing:
    """A picture with a prediction drawn over it; `pixels` (h, w, 3) uint8 BGR."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def save(self, path: Union[str, Path]) -> None:
        """Write the drawing. The ending of `path` chooses the format.

        Raises OSError if the file cannot be written, InputError if the format is unknown or cannot hold the picture.
        """
        write_picture(Path(path), self.pixels)


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The garment that a model found in one picture.

    Attributes:
        path: the file, as it was given; None for bytes and arrays.
        image: the picture, upright, (h, w, 3) uint8 BGR.
        result: the arrays behind the other properties.
    """

    path: Optional[str]
    image: np.ndarray
    result: GarmentPrediction

    def __repr__(self) -> str:
        return f'Prediction(path={self.path!r}, type={self.type!r}, type_sure={self.type_sure})'

    @property
    def type(self) -> str:
        """The garment type, such as 'blouse'."""
        return self.result.type

    @property
    def type_sure(self) -> bool:
        """Whether the type was given, or the model is sure of it."""
        return self.result.type_sure

    @property
    def type_probabilities(self) -> Mapping[str, float]:
        """The probability of each type, the highest first; empty if the type was given."""
        return self.result.type_probabilities

    @property
    def keypoints(self) -> Mapping[str, Keypoint]:
        """The keypoints by name, in the order of the garment's heat maps."""
        result = self.result
        rows = zip(result.keypoints, result.points_xy.tolist(), result.scores.tolist(), result.found.tolist())
        return MappingProxyType({name: Keypoint(x, y, score, found) for name, (x, y), score, found in rows})

    def lengths(self, cm_per_pixel: Optional[float] = None, reference: str = '') -> Mapping[str, Measurement]:
        """Returns the lengths of the garment by name, in pixels of the picture; in centimetres too if a scale is given.

        Args:
            cm_per_pixel: the size of a pixel.
            reference: a known length in cm: 'chest=50', or two keypoints and their distance, such as
                'waistband_left,waistband_right=38'.

        Raises InputError for a scale that is not one.
        """
        scale: PixelScale = no_scale
        if reference:
            scale = scale_of(reference, [self.result.garment])
        elif cm_per_pixel is not None:
            scale = fixed_scale(cm_per_pixel)
        points = points_of(self.result)
        return measure(points, scale(points))

    def draw(self, heatmaps: bool = False) -> Drawing:
        """Returns the picture with limbs, keypoints and their names; with the heat maps too if asked for."""
        return Drawing(draw_prediction(self.image, self.result, heatmaps))

    def to_dict(self) -> Dict[str, Any]:
        """Returns what a line of `predict.py --measure` says of the garment, as JSON can hold it."""
        path = {} if self.path is None else {'path': self.path}
        return {**path, **prediction_json(self.result, no_scale)}


class GarmentModel:
    """One network, opened. Several threads may use it. `close` or a `with` block frees its memory.

    Attributes:
        types: the garment types that it serves.
        name: the network and the first digits of its sum.
    """

    def __init__(self, predictor: GarmentPredictor, name: str, tag: str, resources: ExitStack) -> None:
        self._predictor, self._tag = predictor, tag
        self._freed = weakref.finalize(self, resources.close)  # also when the interpreter ends
        self.name, self.types = name, tuple(predictor.served)

    def __enter__(self) -> 'GarmentModel':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Free the network."""
        self._freed()

    @overload
    def predict(self, images: Image, tag: Optional[str] = None) -> Prediction: ...

    @overload
    def predict(self, images: Iterable[Image], tag: Optional[str] = None) -> Iterator[Prediction]: ...

    def predict(self, images: Union[Image, Iterable[Image]],
                tag: Optional[str] = None) -> Union[Prediction, Iterator[Prediction]]:
        """Find the garment in one picture, or in each of several.

        Args:
            images: a path, the bytes of a file, or an array (h, w, 3) uint8 BGR; or an iterable of them. Files are
                turned as their EXIF orientation says.
            tag: the garment type of all; by default the model predicts the type.

        Returns:
            The prediction of one picture; of an iterable, an iterator over predictions in the same order. The iterator
            reads a few pictures ahead and holds no more than these, so the list may be of any length.

        Raises InputError for a picture that cannot be read, and for a type that the model does not serve. An iterator
        raises it when it comes to that picture. Raises RuntimeError after `close`.
        """
        if not self._freed.alive:
            raise RuntimeError('the model is closed: load it again')
        tag = self._tag if tag is None else tag
        if isinstance(images, (str, Path, bytes, np.ndarray)):
            return self._found([_read(images)], tag)[0]
        return self._each(iter(images), tag)

    def _each(self, images: Iterator[Image], tag: str) -> Iterator[Prediction]:
        batches: Iterator[List[Image]] = iter(lambda: list(islice(images, _BATCH)), [])
        results = in_order(lambda batch: self._until_unreadable(batch, tag), batches, AT_ONCE)
        try:
            for found, error in results:
                yield from found
                if error is not None:
                    raise error
        finally:
            results.close()

    def _until_unreadable(self, images: Sequence[Image],
                          tag: str) -> Tuple[List[Prediction], Optional[InputError]]:
        """The predictions of the pictures before the first one that cannot be read, and why that one cannot."""
        read, error = [], None
        for image in images:
            try:
                read.append(_read(image))
            except InputError as unreadable:
                error = unreadable
                break
        return (self._found(read, tag) if read else []), error

    def _found(self, read: Sequence[Tuple[Optional[str], np.ndarray]], tag: str) -> List[Prediction]:
        results = self._predictor.predict([pixels for _, pixels in read], [tag] * len(read))
        return [Prediction(path, pixels, result) for (path, pixels), result in zip(read, results)]


def load_model(path: Union[str, Path, None] = None, tag: str = AUTO, preset: str = DEFAULT_PRESET,
               engine: Optional[str] = None, threads: int = 0) -> GarmentModel:
    """Load a network.

    Args:
        path: a frozen graph (.pb) or an exported model (.onnx, .xml, .tflite, a SavedModel's folder); by default the
            network that comes with the package.
        tag: the garment type of all pictures; 'auto': the network predicts the type of each.
        preset: 'fast', 'standard' or 'accurate'.
        engine: 'onnxruntime', 'openvino', 'litert' or 'tensorflow'; by default the one of the file's ending.
        threads: of the network; 0: one for each core.

    Raises InputError if the file is no such network, does not serve the type, or needs a package that is missing.
    """
    options = InferenceOptions(preset=preset, engine=engine)
    if path is None:
        model = open_model(supplied_graph(), engine or default_engine())
    elif Path(path).exists():
        model = ModelFile.open(path)
    else:
        raise InputError(f'{path} does not exist: wanted a frozen graph or an exported model')
    config = options.config([model.trained_hw], model.garments)
    if needs_tensorflow(model, engine):
        _start_tensorflow(model)
    resources = ExitStack()
    predictor = resources.enter_context(
        load_predictor([model], JOINT if tag == AUTO else tag, config, threads, model.garments))
    return GarmentModel(predictor, model.name, tag, resources)


def _start_tensorflow(model: ModelFile) -> None:
    try:
        graph_mode()
    except ModuleNotFoundError as error:
        if (error.name or '').split('.')[0] != 'tensorflow':
            raise
        raise InputError(f'{model.path} needs TensorFlow, which is not installed: python -m pip install '
                         '"fashionai-keypoints[tensorflow]"') from None


def score(truth: Union[str, Path, Annotations], submission: Union[str, Path, Annotations]) -> Scores:
    """Measure a submission by labelled rows.

    Args:
        truth: an annotations file or its rows.
        submission: the same images with predicted keypoints.

    Returns:
        The normalised error in both conventions: `.visible.ne` and `.leaderboard.ne` in percent.

    Raises InputError if a file is no annotations file, or rows are missing in the submission.
    """
    return score_annotations(_rows(truth), _rows(submission))


def _rows(rows: Union[str, Path, Annotations]) -> Annotations:
    return rows if isinstance(rows, Annotations) else read_annotations(rows)


def _read(image: Image) -> Tuple[Optional[str], np.ndarray]:
    """The path of a picture, None if it has none, and its pixels."""
    if isinstance(image, bytes):
        return None, decode_upright(image, 'the picture')
    return (None, image) if isinstance(image, np.ndarray) else (str(image), read_upright(image))
