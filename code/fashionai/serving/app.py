"""The application of the service: its paths, and its page."""
import asyncio
import logging
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import AsyncIterator, Collection, List, Optional, Sequence, Tuple, Union

import numpy as np
from fastapi import FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles

from fashionai.errors import InputError
from fashionai.garments.boxes import Box, parse_box
from fashionai.garments.grades import CM, PIXELS
from fashionai.garments.measurements import PixelScale, chosen_scale, no_scale, plane_scale
from fashionai.garments.table import AUTO, Garment
from fashionai.images.crops import crop_around
from fashionai.images.jpeg import jpeg
from fashionai.images.scale import ScaleObject, parse_scale
from fashionai.inference.garment_predictor import GarmentPrediction, GarmentPredictor, in_planes
from fashionai.results.formats import JSON, LENGTHS
from fashionai.results.prediction_json import prediction_json
from fashionai.serving.answers import Answer, Answers, Card, Fault, Garments, Health, PictureAnswer, Ready, heatmaps_of
from fashionai.serving.batching import Batcher, Room
from fashionai.serving.forms import ONE, SEVERAL, TYPE, Upload
from fashionai.serving.length_tables import CSV_TYPE, length_table, table_columns
from fashionai.serving.limits import Limits, Refusal
from fashionai.serving.metrics import CONTENT_TYPE, Metrics
from fashionai.serving.middleware import Headers
from fashionai.serving.observing import facts_of
from fashionai.serving.uploads import READABLE, Uploads, decoded

PAGE = Path(__file__).parent / 'page'

PREVIEW = 1600
"""The longer side of the JPEG of a picture that a browser cannot show, in pixels, at most."""

_PICTURE = {'type': 'string', 'format': 'binary'}
_FORM = {'type': 'object', 'properties': {ONE: _PICTURE, SEVERAL: {'type': 'array', 'items': _PICTURE}}}
_READ = f'the picture file itself: {READABLE}'
_ALONE = {name: {'schema': _PICTURE} for name in ('image/*', 'application/octet-stream')}
_BODY = {'requestBody': {
    'required': True, 'description': f'{_READ}; or a form with the field {ONE}, or with {SEVERAL} once for each '
                                     'picture: then the answer is Answers',
    'content': {**_ALONE, TYPE: {'schema': _FORM}}}}
_FAULTS = {408: 'the picture arrives too slowly', 413: 'too many bytes, pixels or pictures',
           415: 'not a picture of these formats', 422: 'a damaged picture or form, or a bad parameter',
           503: 'busy: try again', 504: 'the prediction took too long, or longer than the deadline of the request'}

_FAILED = 'the service failed on this picture: the reason is in its log'

_CLOCK_SECONDS = 0.001
"""The clock may end a wait so much before its time."""

_LOG = logging.getLogger(__name__)


def make_app(predictor: GarmentPredictor, card: Card, limits: Limits, metrics: Optional[Metrics] = None) -> FastAPI:
    """Returns the application for a predictor, which must stay open as long as the application runs."""
    metrics = metrics or Metrics()
    service = _Service(predictor, card, limits, metrics)

    @asynccontextmanager
    async def batching(app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.ensure_future(service.batcher.run())
        yield
        running.cancel()

    app = FastAPI(title='FashionAI clothes keypoints', version='1', lifespan=batching, docs_url=None, redoc_url=None,
                  description='Finds the garment in a photograph: its type, its keypoints, and its lengths.')
    app.add_middleware(Headers)
    _add_faults(app)
    _add_predict(app, service)
    _add_preview(app, service)
    _add_state(app, service)

    @app.get('/docs', include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(str(PAGE / 'docs.html'))

    app.mount('/', StaticFiles(directory=str(PAGE), html=True))
    return app


def _add_state(app: FastAPI, service: '_Service') -> None:
    @app.get('/model', summary='The networks, the types that they serve, and the limits')
    async def model() -> Card:
        return service.card

    @app.get('/health', summary='Whether the service is up')
    async def health() -> Health:
        return Health(status='ok', busy_with=service.room.taken)

    @app.get('/ready', summary='Whether the service accepts requests',
             responses={503: {'model': Fault,
                              'description': 'the networks are being loaded, or the service is ending'}})
    async def ready() -> Ready:
        return Ready(status='ready')

    @app.get('/metrics', summary='Counts and times, for Prometheus', response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(await asyncio.to_thread(service.metrics.exposition), media_type=CONTENT_TYPE)


def _add_predict(app: FastAPI, service: '_Service') -> None:
    @app.post('/predict', summary='Find the garment in a picture', openapi_extra=_BODY,
              response_model=Union[Answer, Garments, Answers],
              responses={200: {'content': {CSV_TYPE: {'schema': {'type': 'string'}}}},
                         **{status: {'model': Fault, 'description': why} for status, why in _FAULTS.items()}})
    async def predict(
            request: Request,
            tag: str = Query(AUTO if service.predictor.types else ...,
                             description='the garment type; auto: the network predicts the type',
                             json_schema_extra={'enum': list(service.tags)}),
            box: Sequence[str] = Query((), description='left,top,width,height of a garment, in pixels of the '
                                       'upright picture; with several boxes, one for each garment, the answer is '
                                       'Garments'),
            heatmaps: bool = Query(False, description='add the heat maps'),
            format: str = Query(JSON, description='json; lengths: the answer is a table of lengths, as CSV, with a '
                                'row for each picture', json_schema_extra={'enum': [JSON, LENGTHS]}),
            cm_per_pixel: Optional[float] = Query(None, gt=0, description='the size of a pixel in cm, for lengths in '
                                                  'centimetres'),
            reference: str = Query('', description='a known length in cm, for lengths in centimetres: a length by its '
                                   'name, such as chest=50, or two keypoints and their distance, such as '
                                   'waistband_left,waistband_right=38'),
            scale: str = Query('', description='an object of known size beside the garment, for lengths in centimetres '
                               'in its plane: a4, card, or a printed marker, marker:5cm'),
            deadline: Optional[float] = Query(None, gt=0, description='seconds after which the answer is of no use: '
                                              'from then on it is 504; the header X-Deadline-Seconds is the same'),
            x_deadline_seconds: Optional[float] = Header(None, gt=0, include_in_schema=False)
    ) -> Union[Answer, Garments, Answers, Response]:
        scales = _scales(cm_per_pixel, reference, scale, service.predictor.served.values())
        boxes = _boxes(box, service.card.limits['pictures'])
        wish = _Wish(request, tag, boxes, heatmaps, *scales, deadline or x_deadline_seconds)
        if tag not in service.tags:
            raise Refusal(422, f'tag {tag!r}: wanted one of {", ".join(service.tags)}')
        if format not in (JSON, LENGTHS):
            raise Refusal(422, f'format {format!r}: wanted {JSON} or {LENGTHS}')
        async with wish.in_time():
            has_form = request.headers.get('content-type', '').startswith(TYPE)
            answer = await (service.of_form(wish) if has_form else service.of_body(wish))
        if format == JSON:
            return answer
        unit = PIXELS if wish.scale is no_scale else CM
        return Response(length_table(answer, service.length_columns, unit), media_type=CSV_TYPE)


def _add_preview(app: FastAPI, service: '_Service') -> None:
    @app.post('/preview', summary='The picture as a JPEG, upright, for browsers that cannot show its format',
              response_class=Response, openapi_extra={
                  'requestBody': {'required': True, 'description': _READ, 'content': _ALONE}},
              responses={200: {'content': {'image/jpeg': {}}},
                         **{status: {'model': Fault, 'description': why} for status, why in _FAULTS.items()}})
    async def preview(request: Request) -> Response:
        return Response(await service.preview(request), media_type='image/jpeg')


class _Wish:
    """What a request asks for, and the time until which.

    Attributes:
        boxes: of its garments; [] for one garment somewhere in the picture.
        start: when its head arrived, by the loop's clock in seconds.
        end: its deadline by that clock; inf if it has none.
    """

    def __init__(self, request: Request, tag: str, boxes: Sequence[Box], heatmaps: bool, scale: PixelScale,
                 scale_object: Optional[ScaleObject], deadline: Optional[float]) -> None:
        self.request, self.tag, self.boxes, self.heatmaps = request, tag, boxes, heatmaps
        self.scale, self.scale_object, self._deadline = scale, scale_object, deadline
        self.start = asyncio.get_running_loop().time()
        self.end = self.start + (deadline or inf)
        self.facts = facts_of(request.scope)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """A refusal in the block that came because the deadline has passed is 504, and says so."""
        try:
            yield
        except Refusal:
            if asyncio.get_running_loop().time() < self.end - _CLOCK_SECONDS:
                raise
            raise Refusal(504, f'the deadline of the request, {self._deadline:g} seconds, has passed') from None


class _Service:
    """A predictor behind a queue.

    Attributes:
        tags: what requests may give as the type.
        length_columns: the columns of tables of lengths.
    """

    def __init__(self, predictor: GarmentPredictor, card: Card, limits: Limits, metrics: Metrics) -> None:
        self.predictor, self.card, self.metrics = predictor, card, metrics
        self.tags = [*([AUTO] if predictor.types else []), *predictor.served]
        self.length_columns = table_columns(predictor.garments)
        self.batcher, self.room = Batcher(self._predicted, limits), Room(limits, metrics.occupied)
        self._uploads, self._limits = Uploads(limits), limits

    async def of_body(self, wish: _Wish) -> Union[Answer, Garments]:
        """Returns the answer on the picture that is the body of the request. Raises Refusal."""
        async with self._uploads.received(wish.request.headers, wish.request.stream(), wish.end) as data:
            wish.facts.pictures = 1
            return _whole(await self._answers(data, wish))

    async def of_form(self, wish: _Wish) -> Union[Answer, Garments, Answers]:
        """Returns the answer on the picture of a form, or a list of answers. Raises Refusal; if the answer is a list,
        only for the form itself, or if there is no room for all its pictures."""
        async with self._uploads.form(wish.request.headers, wish.request.stream(), wish.end) as form:
            wish.facts.pictures = len(form.uploads)
            if not form.several:
                return _whole(await self._answers(form.uploads[0].data, wish))
            if wish.boxes:
                raise Refusal(422, f'box is for one picture: the form has the field {SEVERAL}, wanted {ONE}')
            self.room.check(len(form.uploads))
            return Answers(pictures=await asyncio.gather(*[self._entry(upload, wish) for upload in form.uploads]))

    async def preview(self, request: Request) -> bytes:
        """Returns the picture that is the body of a request as a JPEG. Raises Refusal."""
        async with self._uploads.received(request.headers, request.stream()) as data:
            facts_of(request.scope).pictures = 1
            async with self.room.place(asyncio.get_running_loop().time() + self._limits.seconds):
                return await asyncio.to_thread(lambda: jpeg(decoded(data, self._limits), PREVIEW))

    async def _entry(self, upload: Upload, wish: _Wish) -> PictureAnswer:
        try:
            async with wish.in_time():
                answer, = await self._answers(upload.data, wish)
                return PictureAnswer(name=upload.name, status=200, answer=answer)
        except Refusal as refusal:
            return PictureAnswer(name=upload.name, status=refusal.status, detail=refusal.reason)
        except Exception as error:  # noqa: B902  the fault of one picture must not take the answers of the others
            _log_fault(wish.request, error)
            return PictureAnswer(name=upload.name, status=500, detail=_FAILED)

    async def _answers(self, data: bytes, wish: _Wish) -> List[Answer]:
        """Returns an answer for each box, or one without boxes."""
        status = 500
        try:
            answers = await self._predict(data, wish)
            status = 200
            return answers
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            self.metrics.pictures.labels(status).inc()

    async def _predict(self, data: bytes, wish: _Wish) -> List[Answer]:
        now = asyncio.get_running_loop().time
        arrived = now()
        end = min(arrived + self._limits.seconds, wish.end)
        async with self.room.place(end):
            waited = now() - arrived
            wish.facts.queue_seconds = max(waited, wish.facts.queue_seconds)
            self.metrics.queue_seconds.observe(waited)
            if await wish.request.is_disconnected():
                raise Refusal(400, 'the connection was closed before the prediction')
            image = await asyncio.to_thread(decoded, data, self._limits)
            boxes: Sequence[Optional[Box]] = wish.boxes or [None]
            garments = await asyncio.gather(*[self._garment(image, box, wish.tag, end) for box in boxes])
            garments = await asyncio.to_thread(in_planes, garments, [image] * len(boxes), wish.scale_object)
            maps = [await asyncio.to_thread(heatmaps_of, garment) if wish.heatmaps else None for garment in garments]
        seconds = round(now() - wish.start, 3)
        return [Answer(**prediction_json(garment, wish.scale), heatmaps=own, model=self.card.model, seconds=seconds)
                for garment, own in zip(garments, maps)]

    async def _garment(self, image: np.ndarray, box: Optional[Box], tag: str, end: float) -> GarmentPrediction:
        """Returns the garment in a box, or in the whole image. Raises Refusal, 422, if the box is outside the image."""
        try:
            crop = crop_around(box, image.shape[:2])
        except InputError as error:
            raise Refusal(422, str(error)) from None
        return (await self.batcher.predict(crop.of(image), tag, end)).moved(crop, image.shape[:2])

    def _predicted(self, images: Sequence[np.ndarray], tags: Sequence[str]) -> List[GarmentPrediction]:
        self.metrics.batch_pictures.observe(len(images))
        with self.metrics.network_seconds.time():
            return self.predictor.predict(images, tags, together=self._limits.batch)


def _whole(answers: List[Answer]) -> Union[Answer, Garments]:
    """Returns the answer on a picture."""
    return answers[0] if len(answers) == 1 else Garments(garments=answers)


def _boxes(texts: Sequence[str], most: float) -> List[Box]:
    """Returns the boxes of a request. Raises Refusal, 422, if one is not four numbers, or if there are too many."""
    if len(texts) > most:
        raise Refusal(422, f'{len(texts)} boxes: at most {most:g} are allowed')
    boxes = []
    for text in texts:
        try:
            boxes.append(parse_box([float(side) for side in text.split(',')]))
        except ValueError:
            raise Refusal(422, f'box {text!r}: wanted left,top,width,height in pixels, at least 1 pixel wide and high'
                          ) from None
    return boxes


def _scales(cm_per_pixel: Optional[float], reference: str, shown: str,
            types: Collection[Garment]) -> Tuple[PixelScale, Optional[ScaleObject]]:
    """Returns the scale of the lengths, and the object in the picture that gives it. Raises Refusal, 422, if there are
    two, or if one is not valid."""
    if sum(map(bool, (cm_per_pixel is not None, reference, shown))) > 1:
        raise Refusal(422, 'cm_per_pixel, reference and scale all give the size of a pixel: wanted one of them')
    try:
        if shown:
            return plane_scale, parse_scale(shown)
        return chosen_scale(cm_per_pixel, reference, types), None
    except ValueError as error:
        raise Refusal(422, str(error)) from None


def _add_faults(app: FastAPI) -> None:
    """Adds handlers, so that the answer to any fault is JSON with the reason."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> JSONResponse:
        return JSONResponse({'detail': refusal.reason}, refusal.status, refusal.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f'{fault["loc"][-1]}: {fault["msg"]}' for fault in error.errors()]
        return JSONResponse({'detail': '; '.join(faults)}, 422)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        _log_fault(request, error)
        return JSONResponse({'detail': _FAILED}, 500)


def _log_fault(request: Request, error: Exception) -> None:
    _LOG.error('%s failed, request %s', request.url.path, facts_of(request.scope).id, exc_info=error)
