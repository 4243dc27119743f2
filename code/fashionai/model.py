"""The front door: load a model once, then predict the garment in pictures."""
import weakref
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, Union, overload

import numpy as np

from fashionai.annotations import Annotations, read_annotations
from fashionai.bulk.rows import Row, RowOut, RowPredictor, RowSettings
from fashionai.engines.opening import default_engine, needs_tensorflow, open_model
from fashionai.errors import InputError, shown
from fashionai.evaluation.metrics import Scores
from fashionai.evaluation.metrics import score as score_annotations
from fashionai.extras import missing_module
from fashionai.garments.boxes import Box, parse_box
from fashionai.garments.measurements import Measurement, chosen_scale, measure, plane_scale
from fashionai.garments.table import AUTO, JOINT
from fashionai.images.decoder import decode_upright, read_upright
from fashionai.images.drawing import write_picture
from fashionai.images.scale import ScaleObject, parse_scale
from fashionai.inference.batch_inference import AT_ONCE, in_order
from fashionai.inference.boxes import AUTO_BOX, predict_in_boxes, predict_twice
from fashionai.inference.config import DEFAULT_PRESET, InferenceOptions, preset_named
from fashionai.inference.garment_predictor import (
    GarmentPrediction,
    GarmentPredictor,
    in_planes,
    load_predictor,
    points_of,
)
from fashionai.model_files.default_model import SUPPLIED_NETWORKS, supplied_graph
from fashionai.model_files.model_file import ModelFile, warn_of_assumptions
from fashionai.results.overlays import draw_prediction
from fashionai.results.prediction_json import prediction_json
from fashionai.tf_compat import graph_mode

Image = Union[str, Path, bytes, np.ndarray]
"""A picture: the path of a file, the bytes of one, or pixels (h, w, 3) uint8 in the order blue, green, red."""

BoxLike = Sequence[float]
"""x and y of the upper left corner of a box, its width and its height, in pixels of the upright picture."""

_BATCH = 4
"""Pictures of a list that go through the network together."""


@dataclass(frozen=True)
class Keypoint:
    """A keypoint of a garment.

    Attributes:
        x, y: pixels of the picture; the centre of its first pixel is (0, 0).
        score: 0 to 1. If `Prediction.score_kind` is 'probability', the probability that the point lies within a tenth
            of the garment's width of its true place; else the same as `peak`.
        found: False if the heat map shows no such point; x and y are then a guess.
        peak: 0 to 1, the height of the heat map at the point.
        visibility: 'visible', 'occluded' or 'absent'; None if the model does not tell it.
    """

    x: float
    y: float
    score: float
    found: bool
    peak: float
    visibility: Optional[str] = None


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
    def box(self) -> Optional[Box]:
        """The box in which the garment was predicted: x, y, width, height in pixels; None for the whole picture."""
        return self.result.box

    @property
    def keypoints(self) -> Mapping[str, Keypoint]:
        """The keypoints by name, in the order of the garment's heat maps."""
        result = self.result
        rows = zip(result.keypoints, result.points_xy.tolist(), result.scores.tolist(), result.found.tolist(),
                   result.heights.tolist(), result.states)
        return MappingProxyType({name: Keypoint(x, y, *others) for name, (x, y), *others in rows})

    @property
    def score_kind(self) -> str:
        """What scores are: 'probability' if the model is calibrated for the preset, else 'height'."""
        return self.result.score_kind

    @property
    def scale_fault(self) -> str:
        """Why `predict(..., scale=...)` found no scale in the picture; '' if it found one, or was not asked to."""
        return self.result.plane.fault if self.result.plane else ''

    def lengths(self, cm_per_pixel: Optional[float] = None, reference: str = '') -> Mapping[str, Measurement]:
        """Returns the lengths of the garment by name, in pixels of the picture; in centimetres too if a scale is given,
        or if `predict(..., scale=...)` found one.

        Args:
            cm_per_pixel: the size of a pixel.
            reference: a known length in cm: 'chest=50', or two keypoints and their distance, such as
                'waistband_left,waistband_right=38'.

        Raises InputError for a scale that is not one.
        """
        given = cm_per_pixel is not None or reference
        scale = chosen_scale(cm_per_pixel, reference, [self.result.garment]) if given else plane_scale
        points = points_of(replace(self.result, plane=None) if given else self.result)
        return measure(points, scale(points))

    def draw(self, heatmaps: bool = False) -> Drawing:
        """Returns the picture with the garment's outline, keypoints and their names; with the heat maps too if asked
        for. If a small picture has no room for the names, a strip with them is below it."""
        return Drawing(draw_prediction(self.image, self.result, heatmaps))

    def to_dict(self) -> Dict[str, Any]:
        """Returns what a line of `predict.py --measure` says of the garment, as JSON can hold it."""
        path = {} if self.path is None else {'path': self.path}
        return {**path, **prediction_json(self.result, plane_scale)}


class GarmentModel:
    """One network, opened. Several threads may use it. `close` or a `with` block frees its memory.

    Attributes:
        types: the garment types that it serves.
        name: the network and the first digits of its sum.
        sum: the SHA-256 of its file.
    """

    def __init__(self, predictor: GarmentPredictor, model: ModelFile, tag: str, resources: ExitStack) -> None:
        self._predictor, self._tag = predictor, tag
        self._freed = weakref.finalize(self, resources.close)  # also when the interpreter ends
        self.name, self.sum, self.types = model.name, model.sum, tuple(predictor.served)

    def __enter__(self) -> 'GarmentModel':
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Free the network."""
        self._freed()

    def predict_rows(self, rows: Iterable[Row], batch: int = 1) -> Iterator[RowOut]:
        """Rows in, rows out, for tables of pictures: Ray Data, Spark and Beam may call it.

        Args:
            rows: mappings with `id` and one of `path`, `url` and `bytes`.
            batch: so many pictures go through the network together.

        Returns:
            An iterator over the row of each picture, in the same order; it reads a few rows ahead.
            `fashionai.bulk.rows.arrow_schema` names the columns. A picture that cannot be read has an `error`.

        Raises InputError for a row without an id or a picture, RuntimeError after `close`.
        """
        self._check_open()
        settings = RowSettings(self.name, self.sum, self._tag, batch)
        return RowPredictor(self._predictor, settings).predict(rows)

    @overload
    def predict(self, images: Image, tag: Optional[str] = None,
                box: Union[None, str, BoxLike] = None, scale: str = '') -> Prediction: ...

    @overload
    def predict(self, images: Image, tag: Optional[str] = None, *, box: Sequence[BoxLike],
                scale: str = '') -> List[Prediction]: ...

    @overload
    def predict(self, images: Iterable[Image], tag: Optional[str] = None,
                box: Optional[str] = None, scale: str = '') -> Iterator[Prediction]: ...

    def predict(self, images: Union[Image, Iterable[Image]], tag: Optional[str] = None,
                box: Union[None, str, BoxLike, Sequence[BoxLike]] = None, scale: str = ''
                ) -> Union[Prediction, List[Prediction], Iterator[Prediction]]:
        """Find the garment in one picture, or in each of several; or in boxes of one picture.

        Args:
            images: a path, the bytes of a file, or an array (h, w, 3) uint8 BGR; or an iterable of them. Files are
                turned as their EXIF orientation says.
            tag: the garment type of all; by default the model predicts the type.
            box: where the garment is in one picture: (x, y, width, height) in its pixels, or a list of such boxes,
                each of which is a garment; or 'auto': a garment is predicted in the whole picture, and then again in
                the box of its points. By default it is predicted in the whole picture.
            scale: an object of known size that lies beside the garment in each picture: 'a4', 'card' or 'marker:5cm'.
                Lengths are then in centimetres too; if it is not found, `scale_fault` says why.

        Returns:
            The prediction of one picture; of a list of boxes, the list of their predictions; of an iterable, an
            iterator over predictions in the same order. The iterator reads a few pictures ahead and holds no more than
            these, so the list may be of any length. Points are in pixels of the whole picture, also with a box.

        Raises InputError for a picture that cannot be read, for a type that the model does not serve, for a `scale`
        that is not one, and for a box that is not one, or is outside of the picture. An iterator raises it when it
        comes to that picture. Raises RuntimeError after `close`.
        """
        self._check_open()
        tag = self._tag if tag is None else tag
        shown_object = parse_scale(scale) if scale else None
        if not isinstance(images, (str, Path, bytes, np.ndarray)):
            if box not in (None, AUTO_BOX):
                raise InputError(f'box {shown(box)} of several pictures: wanted one picture, or {AUTO_BOX!r}')
            return self._each(iter(images), tag, box == AUTO_BOX, shown_object)
        if box is None or isinstance(box, str):
            if box not in (None, AUTO_BOX):
                raise InputError(f'box {shown(box)}: wanted x, y, width, height, or {AUTO_BOX!r}')
            return self._found([_read(images)], tag, box == AUTO_BOX, shown_object)[0]
        several = all(np.ndim(one) for one in box)
        boxes = [parse_box(one) for one in (box if several else [box])]
        found = self._in_boxes(images, tag, boxes, shown_object)
        return found if several else found[0]

    def _in_boxes(self, image: Image, tag: str, boxes: Sequence[Box],
                  scale: Optional[ScaleObject]) -> List[Prediction]:
        path, pixels = _read(image)
        results = predict_in_boxes(self._predictor, [pixels] * len(boxes), [tag] * len(boxes), boxes)
        return [Prediction(path, pixels, result) for result in in_planes(results, [pixels] * len(boxes), scale)]

    def _check_open(self) -> None:
        if not self._freed.alive:
            raise RuntimeError('the model is closed: load it again')

    def _each(self, images: Iterator[Image], tag: str, twice: bool,
              scale: Optional[ScaleObject]) -> Iterator[Prediction]:
        batches: Iterator[List[Image]] = iter(lambda: list(islice(images, _BATCH)), [])
        results = in_order(lambda batch: self._until_unreadable(batch, tag, twice, scale), batches, AT_ONCE)
        try:
            for found, error in results:
                yield from found
                if error is not None:
                    raise error
        finally:
            results.close()

    def _until_unreadable(self, images: Sequence[Image], tag: str, twice: bool,
                          scale: Optional[ScaleObject]) -> Tuple[List[Prediction], Optional[InputError]]:
        """The predictions of the pictures before the first one that cannot be read, and why that one cannot."""
        read, error = [], None
        for image in images:
            try:
                read.append(_read(image))
            except InputError as unreadable:
                error = unreadable
                break
        return (self._found(read, tag, twice, scale) if read else []), error

    def _found(self, read: Sequence[Tuple[Optional[str], np.ndarray]], tag: str, twice: bool,
               scale: Optional[ScaleObject]) -> List[Prediction]:
        images, tags = [pixels for _, pixels in read], [tag] * len(read)
        results = predict_twice(self._predictor, images, tags) if twice else self._predictor.predict(images, tags)
        return [Prediction(path, pixels, result)
                for (path, pixels), result in zip(read, in_planes(results, images, scale))]


def load_model(path: Union[str, Path, None] = None, tag: str = AUTO, preset: str = DEFAULT_PRESET,
               engine: Optional[str] = None, threads: int = 0) -> GarmentModel:
    """Load a network.

    Args:
        path: a frozen graph (.pb) or an exported model (.onnx, .xml, .tflite, a SavedModel's folder); or the name of a
            network that comes with the package, 'supplied' or 'fast'; by default the fast one with the preset 'fast',
            and the supplied one with the others.
        tag: the garment type of all pictures; 'auto': the network predicts the type of each.
        preset: 'fast', 'standard' or 'accurate'.
        engine: 'onnxruntime', 'openvino', 'litert' or 'tensorflow'; by default the one of the file's ending.
        threads: of the network; 0: one for each core.

    Raises InputError if the file is no such network, does not serve the type, or needs a package that is missing.
    """
    options = InferenceOptions(preset=preset, engine=engine)
    name = preset_named(preset).network if path is None else str(path)
    if name in SUPPLIED_NETWORKS:
        model = open_model(supplied_graph(name), engine or default_engine())
    elif Path(name).exists():
        model = ModelFile.open(name)
    else:
        raise InputError(f'{path} does not exist: wanted a frozen graph or an exported model')
    warn_of_assumptions([model])
    config = options.config([model.trained_hw], model.garments)
    if needs_tensorflow(model, engine):
        _start_tensorflow(model)
    resources = ExitStack()
    predictor = resources.enter_context(
        load_predictor([model], JOINT if tag == AUTO else tag, config, threads, model.garments))
    return GarmentModel(predictor, model, tag, resources)


def _start_tensorflow(model: ModelFile) -> None:
    try:
        graph_mode()
    except ModuleNotFoundError as error:
        if not missing_module(error):
            raise
        raise InputError(f'{model.path}: {missing_module(error)}') from None


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
