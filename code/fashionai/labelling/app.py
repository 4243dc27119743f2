"""The application of the labelling page: its paths, and its page.

Its functions run in threads, since the store waits for the disk.
"""
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Callable, List

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from fashionai.datasets.formats import WRITABLE
from fashionai.datasets.notes import Notes, new_notes
from fashionai.errors import InputError
from fashionai.garments.table import Garments
from fashionai.images.decoder import read_upright
from fashionai.images.folders import file_fault
from fashionai.images.jpeg import jpeg
from fashionai.inference.garment_predictor import LOW
from fashionai.labelling import answers
from fashionai.labelling.export import check_formats, export_formats, export_tree
from fashionai.labelling.labels import Label, optional_box
from fashionai.labelling.ordering import order
from fashionai.labelling.project import DATA
from fashionai.labelling.store import Conflict, Item, PictureRow, Store
from fashionai.serving.app import PAGE as EDITOR
from fashionai.serving.middleware import Headers

PAGE = Path(__file__).parent / 'page'

THUMBNAIL = 160
"""The longer side of a small picture in pixels."""

_SHOWN = {'.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png', '.webp': 'image/webp', '.bmp': 'image/bmp'}
"""Endings of files that browsers show; other pictures are sent as JPEG."""

_THUMBNAILS_KEPT = 2000

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Project:
    """What the application works on.

    Attributes:
        store: keeps the labels.
        folder: of the project; exports go to its folder DATA.
        garments: its table.
        finds: the types that the network finds.
        model: the name of what makes the proposals.
        person: who works if the page does not say it.
        wake: tells the maker of proposals that there may be work; `wake(number)`, that a person looks at a garment.
    """

    store: Store
    folder: Path
    garments: Garments
    finds: List[str]
    model: str
    person: str
    wake: Callable[..., None]


def make_app(project: Project) -> FastAPI:
    """Returns the application of a project, whose store must stay open as long as the application runs."""
    app = FastAPI(title='Labels of garments', version='1', docs_url=None, redoc_url=None)
    app.add_middleware(Headers)
    _add_faults(app)
    _add_reading(app, project)
    _add_changing(app, project)
    _add_pictures(app, project.store)
    app.mount('/editor', StaticFiles(directory=str(EDITOR)))
    app.mount('/', StaticFiles(directory=str(PAGE), html=True))
    return app


def _add_reading(app: FastAPI, project: Project) -> None:
    store = project.store

    @app.get('/api/project', summary='The project')
    def card() -> answers.ProjectCard:
        return answers.ProjectCard(folder=str(project.folder), types=answers.type_cards(project.garments),
                                   finds=project.finds, model=project.model, low_score=LOW, person=project.person,
                                   formats=list(WRITABLE))

    @app.get('/api/items', summary='The garments that changed after a clock')
    def news(since: int = 0) -> answers.News:
        clock = store.clock
        return answers.News(items=[answers.brief(item, LOW) for item in store.items(since)], clock=clock,
                            waiting=store.count_without(project.model))

    @app.get('/api/order', summary='The open garments, the one to label next first')
    def next_ones() -> List[int]:
        return order(store.items())

    @app.get('/api/items/{number}', summary='A garment with everything')
    def item(number: int) -> answers.Full:
        project.wake(number)
        return _full(store, store.item(number))


def _add_changing(app: FastAPI, project: Project) -> None:
    store = project.store

    @app.put('/api/items/{number}', summary='Change the label of a garment')
    def save(number: int, change: answers.Save) -> answers.Full:
        label = Label.from_json(change.label)
        label.check(project.garments, store.item(number).picture.size_hw)
        item = store.save(number, label, change.person or project.person, change.action, change.revision)
        project.wake()
        return _full(store, item)

    @app.post('/api/items/{number}/undo', summary='Take the last change of a garment back')
    def undo(number: int, step: answers.Step) -> answers.Full:
        return _full(store, store.undo(number, step.person or project.person, step.revision))

    @app.post('/api/items/{number}/redo', summary='Make a change again that was taken back')
    def redo(number: int, step: answers.Step) -> answers.Full:
        return _full(store, store.redo(number, step.person or project.person, step.revision))

    @app.post('/api/pictures/{number}/items', summary='Add a garment to a picture by its box')
    def draw(number: int, drawn: answers.Draw) -> answers.Full:
        label = Label(box=optional_box(drawn.box))
        label.check(project.garments, store.picture(number).size_hw)
        assert label.box
        item = store.add_box(number, label.box, drawn.person or project.person)
        project.wake()
        return _full(store, item)

    @app.post('/api/export', summary='Write the reviewed garments as training data')
    def export(wanted: answers.ExportOrder) -> answers.ExportAnswer:
        check_formats(wanted.formats)
        notes = new_notes()
        written = export_tree(store, project.garments, project.folder / DATA, notes, wanted.val, wanted.seed)
        files = export_formats(store, project.garments, written, wanted.formats, notes)
        return answers.ExportAnswer(folder=str(written.folder), files=list(map(str, files)), notes=_lines(notes),
                                    counts={part: dict(counts) for part, counts in written.counts.items()})


def _add_pictures(app: FastAPI, store: Store) -> None:
    small = lru_cache(maxsize=_THUMBNAILS_KEPT)(_thumbnail)

    @app.get('/api/pictures/{number}/image', summary='A picture as the browser shows it, upright')
    def image(number: int) -> Response:
        picture = _existing(store.picture(number))
        kind = _SHOWN.get(Path(picture.path).suffix.lower())
        if kind:
            return FileResponse(picture.path, media_type=kind)
        return Response(jpeg(read_upright(picture.path)), media_type='image/jpeg')

    @app.get('/api/pictures/{number}/thumbnail', summary='A small copy of a picture')
    def thumbnail(number: int, request: Request) -> Response:
        picture = store.picture(number)
        tag = f'"{picture.sum[:16]}"'
        if request.headers.get('if-none-match') == tag:
            return Response(status_code=304)
        return Response(small(_existing(picture)), media_type='image/jpeg', headers={'ETag': tag})


def _thumbnail(picture: PictureRow) -> bytes:
    return jpeg(read_upright(picture.path), THUMBNAIL)


def _existing(picture: PictureRow) -> PictureRow:
    fault = file_fault(picture.path)
    if fault:
        raise InputError(f'{picture.path}: {fault}')
    return picture


def _full(store: Store, item: Item) -> answers.Full:
    return answers.full(item, LOW, store.history(item.id), store.undoable(item.id))


def _lines(notes: Notes) -> List[str]:
    return [f'{kind}: {len(names)} ({", ".join(names[:3])})' for kind, names in notes.items() if names]


def _add_faults(app: FastAPI) -> None:
    """Adds handlers, so that the answer to any fault is JSON with the reason."""

    @app.exception_handler(InputError)
    async def refused(request: Request, error: InputError) -> JSONResponse:
        return JSONResponse({'detail': str(error)}, 422)

    @app.exception_handler(Conflict)
    def conflicting(request: Request, conflict: Conflict) -> JSONResponse:
        return JSONResponse({'detail': str(conflict)}, 409)

    @app.exception_handler(KeyError)
    async def unknown(request: Request, error: KeyError) -> JSONResponse:
        return JSONResponse({'detail': f'number {error}: there is none'}, 404)

    @app.exception_handler(OSError)
    async def failed(request: Request, error: OSError) -> JSONResponse:
        return JSONResponse({'detail': f'{error.filename}: {error.strerror}'}, 500)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f'{fault["loc"][-1]}: {fault["msg"]}' for fault in error.errors()]
        return JSONResponse({'detail': '; '.join(faults)}, 422)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        _LOG.error('%s failed', request.url.path, exc_info=error)
        return JSONResponse({'detail': 'the service failed: the reason is in its log'}, 500)
