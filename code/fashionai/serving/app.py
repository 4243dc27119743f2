"""The application of the service: its paths, and its page."""
import asyncio
import logging
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import AsyncIterator, Collection, Optional

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from fashionai.garments.measurements import PixelScale, fixed_scale, no_scale, parse_reference, reference_scale
from fashionai.garments.table import Garment
from fashionai.inference.garment_predictor import AUTO, GarmentPredictor
from fashionai.results.writers import prediction_json
from fashionai.serving.answers import Answer, Card, Fault, Health, Ready, heatmaps_of
from fashionai.serving.batching import Batcher, Room
from fashionai.serving.limits import Limits, Refusal
from fashionai.serving.middleware import Headers
from fashionai.serving.uploads import Uploads, decoded

PAGE = Path(__file__).parent / 'page'

_PICTURE = {'type': 'string', 'format': 'binary'}
_BODY = {'requestBody': {'required': True, 'description': 'the picture file itself: JPEG, PNG, WebP, BMP or TIFF',
                         'content': {name: {'schema': _PICTURE} for name in ('image/*', 'application/octet-stream')}}}
_FAULTS = {408: 'the picture arrives too slowly', 413: 'too many bytes or pixels',
           415: 'not a picture of these formats', 422: 'a damaged picture, or a bad parameter',
           503: 'busy: try again', 504: 'the prediction took too long'}

_LOG = logging.getLogger(__name__)


def make_app(predictor: GarmentPredictor, card: Card, limits: Limits) -> FastAPI:
    """Returns the application for a predictor, which must stay open as long as the application runs."""
    batcher, room = Batcher(partial(predictor.predict, together=limits.batch), limits), Room(limits)

    @asynccontextmanager
    async def batching(app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.ensure_future(batcher.run())
        yield
        running.cancel()

    app = FastAPI(title='FashionAI clothes keypoints', version='1', lifespan=batching, docs_url=None, redoc_url=None,
                  description='Finds the garment in a photograph: its type, its keypoints, and its lengths.')
    app.add_middleware(Headers)
    _add_faults(app)
    _add_predict(app, predictor, card, limits, batcher, room)

    @app.get('/model', summary='The networks, the types that they serve, and the limits')
    async def model() -> Card:
        return card

    @app.get('/health', summary='Whether the service is up')
    async def health() -> Health:
        return Health(status='ok', busy_with=room.taken)

    @app.get('/ready', summary='Whether the service accepts requests',
             responses={503: {'model': Fault,
                              'description': 'the networks are being loaded, or the service is ending'}})
    async def ready() -> Ready:
        return Ready(status='ready')

    @app.get('/docs', include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(str(PAGE / 'docs.html'))

    app.mount('/', StaticFiles(directory=str(PAGE), html=True))
    return app


def _add_predict(app: FastAPI, predictor: GarmentPredictor, card: Card, limits: Limits, batcher: Batcher,
                 room: Room) -> None:
    tags, uploads = [*([AUTO] if predictor.types else []), *predictor.served], Uploads(limits)

    @app.post('/predict', summary='Find the garment in a picture', openapi_extra=_BODY,
              responses={status: {'model': Fault, 'description': why} for status, why in _FAULTS.items()})
    async def predict(
            request: Request,
            tag: str = Query(AUTO if predictor.types else ...,
                             description='the garment type; auto: the network predicts the type',
                             json_schema_extra={'enum': list(tags)}),
            heatmaps: bool = Query(False, description='add the heat maps'),
            cm_per_pixel: Optional[float] = Query(None, gt=0, description='the size of a pixel in cm, for lengths in '
                                                  'centimetres'),
            reference: str = Query('', description='a known length, for lengths in centimetres: two keypoints and '
                                   'their distance in cm, such as waistband_left,waistband_right=38')) -> Answer:
        start = time.monotonic()
        scale = _scale(cm_per_pixel, reference, predictor.served.values())
        if tag not in tags:
            raise Refusal(422, f'tag {tag!r}: wanted one of {", ".join(tags)}')
        async with uploads.received(request.headers, request.stream()) as data:
            end = asyncio.get_running_loop().time() + limits.seconds
            async with room.place(end):
                if await request.is_disconnected():
                    raise Refusal(400, 'the connection was closed before the prediction')
                image = await asyncio.to_thread(decoded, data, limits)
                prediction = await batcher.predict(image, tag, end)
                maps = await asyncio.to_thread(heatmaps_of, prediction) if heatmaps else None
        return Answer(**prediction_json(prediction, scale), heatmaps=maps, model=card.model,
                      seconds=round(time.monotonic() - start, 3))


def _scale(cm_per_pixel: Optional[float], reference: str, types: Collection[Garment]) -> PixelScale:
    """Returns the scale of the lengths. Raises Refusal, 422, if both are given, or if one is not valid."""
    if cm_per_pixel is not None and reference:
        raise Refusal(422, 'cm_per_pixel and reference both give the size of a pixel: wanted one of them')
    try:
        if reference:
            return reference_scale(parse_reference(reference, types))
        return no_scale if cm_per_pixel is None else fixed_scale(cm_per_pixel)
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
        _LOG.error('%s failed', request.url.path, exc_info=error)
        return JSONResponse({'detail': 'the service failed on this picture: the reason is in its log'}, 500)
