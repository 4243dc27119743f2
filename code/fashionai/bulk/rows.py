"""Rows in, rows out: predicts the garment in the picture of each row. What Ray, Spark and Beam call is here.

A row is a mapping with `id`, a text, and one of `path`, `url` and `bytes`. A picture that cannot be read gives a row
with `error`; every other fault is raised.
"""
import os
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np

from fashionai.bulk.places import Places, local_path, scheme_of
from fashionai.errors import InputError, shown
from fashionai.garments.measurements import PixelScale, no_scale
from fashionai.garments.table import AUTO
from fashionai.images.decoder import MEGAPIXELS, Unreadable, decode_upright, read_or_unreadable, read_upright
from fashionai.inference.batch_inference import AT_ONCE, in_order
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor
from fashionai.results.prediction_json import prediction_json
from fashionai.results.writers import printable

Row = Mapping[str, Any]
RowOut = Dict[str, Any]

_PICTURE = ('path', 'url', 'bytes')
_FETCHED = 8
"""Files of other machines that are asked for at a time."""

_Fetched = Tuple[Row, Union[bytes, str, Unreadable]]
"""A row, and the bytes of its picture, or the path of a file of this machine."""


@dataclass(frozen=True)
class RowSettings:
    """How rows are predicted.

    Attributes:
        model: the name of the model, for the rows.
        model_sum: the SHA-256 of its file.
        tag: the garment type of all pictures, or AUTO.
        batch: so many pictures go through the network together.
        megapixels: the largest allowed size in million pixels.
        scale: from pixels to centimetres.
    """

    model: str
    model_sum: str
    tag: str = AUTO
    batch: int = 1
    megapixels: float = MEGAPIXELS
    scale: PixelScale = no_scale


@dataclass(frozen=True)
class RowPredictor:
    """Predicts rows with an open network. `places` reads files of other machines."""

    predictor: GarmentPredictor
    settings: RowSettings
    places: Places = field(default_factory=Places)

    def predict(self, rows: Iterable[Row]) -> Iterator[RowOut]:
        """Yields the row of each picture, in order; `arrow_schema` names its columns. A few rows are read ahead.

        Raises InputError for a row without an id or a picture.
        """
        fetched = in_order(self._fetch, rows, _FETCHED)
        batches: Iterator[List[_Fetched]] = iter(lambda: list(islice(fetched, self.settings.batch)), [])
        results = in_order(self._predict_batch, batches, AT_ONCE)
        try:
            for result in results:
                yield from result
        finally:
            results.close()
            fetched.close()

    def _fetch(self, row: Row) -> _Fetched:
        _check(row)
        if 'bytes' in row:
            content = row['bytes']
            return row, Unreadable('there is no picture: its bytes are null') if content is None else bytes(content)
        place = _place(row)
        if place is None:
            return row, Unreadable('there is no picture: its path is null')
        if not scheme_of(place):
            return row, local_path(place)
        try:
            return row, self.places.read(place)
        except InputError as error:
            return row, Unreadable(str(error))

    def _predict_batch(self, fetched: List[_Fetched]) -> List[RowOut]:
        settings = self.settings
        read = [self._read(row, content) for row, content in fetched]
        images = [image for image in read if not isinstance(image, Unreadable)]
        predictions = iter(self.predictor.predict(images, [settings.tag] * len(images), together=settings.batch))
        return [failed_row(row, image.reason, settings) if isinstance(image, Unreadable) else
                _predicted_row(row, next(predictions), settings) for (row, _), image in zip(fetched, read)]

    def _read(self, row: Row, content: Union[bytes, str, Unreadable]) -> Union[np.ndarray, Unreadable]:
        limit = self.settings.megapixels
        if isinstance(content, Unreadable):
            return content
        if isinstance(content, str):
            return read_or_unreadable(content, lambda path: read_upright(path, limit))
        data, name = content, _place(row) or str(row['id'])
        return read_or_unreadable(name, lambda _: decode_upright(data, name, limit))


def failed_row(row: Row, reason: str, settings: RowSettings) -> RowOut:
    """Returns the row of a picture that cannot be predicted, with the reason."""
    return {**_known(row, settings), 'error': printable(reason)}


def arrow_schema() -> Any:
    """Returns the columns of the rows as a pyarrow.Schema. Raises ModuleNotFoundError without pyarrow."""
    import pyarrow as pa
    name, number, text = pa.field('name', pa.string(), nullable=False), pa.float64(), pa.string()
    return pa.schema([
        pa.field('id', text, nullable=False), ('source', text), ('type', text), ('type_sure', pa.bool_()),
        ('type_probabilities', pa.list_(pa.struct([name, ('probability', number)]))),
        ('width', pa.int32()), ('height', pa.int32()),
        ('keypoints', pa.list_(pa.struct([name, ('x', number), ('y', number), ('score', number),
                                          ('peak', number), ('found', pa.bool_()), ('visibility', text)]))),
        ('score_kind', text),
        ('cm_per_pixel', number),
        ('lengths', pa.list_(pa.struct([name, ('pixels', number), ('cm', number), ('score', number),
                                        ('doubtful', text)]))),
        ('error', text), ('model', text), ('model_sum', text)])


def _predicted_row(row: Row, prediction: GarmentPrediction, settings: RowSettings) -> RowOut:
    said = prediction_json(prediction, settings.scale)
    return {**_known(row, settings),
            'type': said['type'], 'type_sure': said['type_sure'],
            'type_probabilities': [{'name': name, 'probability': share}
                                   for name, share in said['type_probabilities'].items()],
            **said['size'],
            'keypoints': _listed(said['keypoints']), 'score_kind': said['score_kind'],
            'cm_per_pixel': said['cm_per_pixel'], 'lengths': _listed(said['measurements'])}


def _known(row: Row, settings: RowSettings) -> RowOut:
    """Returns the columns that every row has."""
    names: RowOut = dict.fromkeys(('type', 'type_sure', 'type_probabilities', 'width', 'height', 'keypoints',
                                   'score_kind', 'cm_per_pixel', 'lengths', 'error'))
    place = _place(row)
    return {'id': printable(str(row['id'])), 'source': None if place is None else printable(place), **names,
            'model': settings.model, 'model_sum': settings.model_sum}


def _listed(named: Mapping[str, Mapping[str, Any]]) -> List[Dict[str, Any]]:
    return [{'name': name, **values} for name, values in named.items()]


def _place(row: Row) -> Optional[str]:
    place = row.get('path', row.get('url'))
    return None if place is None else os.fspath(place)


def _check(row: Row) -> None:
    if row.get('id') is None or not any(name in row for name in _PICTURE):
        raise InputError(f'found a row {shown(dict(row))}: wanted an id, and one of {", ".join(_PICTURE)}')
