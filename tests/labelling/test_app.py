"""The service of the labelling page over HTTP."""
from pathlib import Path
from typing import Any, Callable, Iterator

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from fashionai.garments.table import GARMENTS
from fashionai.labelling.app import THUMBNAIL, Project, make_app
from fashionai.labelling.labels import REVIEWED, Label
from fashionai.labelling.store import Store


@pytest.fixture()
def client(store: Store, stand_in: Any) -> Iterator[TestClient]:
    project = Project(store, store.path.parent, GARMENTS, list(stand_in.types), stand_in.model, 'Ann',
                      lambda *_: None)
    with TestClient(make_app(project), raise_server_exceptions=False) as opened:
        yield opened


def accepted(points: Any, revision: int = 0, **more: Any) -> Any:
    return {'label': Label(REVIEWED, 'skirt', points).to_json(), 'revision': revision, 'person': 'Bob',
            'action': 'accepted', **more}


def test_a_label_is_saved_and_seen_by_others(client: TestClient, store: Store, skirt: Callable[..., Any]) -> None:
    clock = client.get('/api/items').json()['clock']
    saved = client.put('/api/items/1', json=accepted(skirt()))
    assert saved.status_code == 200 and saved.json()['revision'] == 1 and saved.json()['can_undo'] is True
    assert store.item(1).label == Label(REVIEWED, 'skirt', skirt()) and store.item(1).person == 'Bob'
    news = client.get('/api/items', params={'since': clock}).json()
    assert [(item['id'], item['state'], item['person']) for item in news['items']] == [(1, 'reviewed', 'Bob')]
    assert news['waiting'] == 2 and news['items'][0]['touched'] == saved.json()['touched'] > clock
    undone = client.post('/api/items/1/undo', json={'revision': 1, 'person': ''}).json()
    assert undone['state'] == 'open' and undone['person'] == 'Ann' and undone['can_redo'] is True
    assert client.post('/api/items/1/redo', json={'revision': 2, 'person': 'Bob'}).json()['state'] == 'reviewed'


def test_an_older_revision_gets_409_and_changes_nothing(client: TestClient, store: Store,
                                                        skirt: Callable[..., Any]) -> None:
    client.put('/api/items/1', json=accepted(skirt(1)))
    refused = client.put('/api/items/1', json=accepted(skirt(2)))
    assert refused.status_code == 409 and 'Bob' in refused.json()['detail']
    assert store.item(1).label.points['waistband_left'] == (1, 20, 1)


@pytest.mark.parametrize('change, named', [
    ({'label': {'type': 'sock'}}, 'sock'), ({'label': {'type': 'skirt', 'state': 'reviewed'}}, 'waistband_left'),
    ({'revision': 'x'}, 'revision'), ({'person': 'x' * 81}, 'person')])
def test_what_is_wrong_is_said(client: TestClient, store: Store, skirt: Callable[..., Any], change: Any,
                               named: str) -> None:
    refused = client.put('/api/items/1', json=accepted(skirt(), **change))
    assert refused.status_code == 422 and named in refused.json()['detail']
    assert store.history(1) == []


def test_what_is_not_there_is_404(client: TestClient, skirt: Callable[..., Any]) -> None:
    assert client.get('/api/items/99').status_code == 404
    assert client.put('/api/items/99', json=accepted(skirt())).status_code == 404
    assert client.get('/api/pictures/99/image').status_code == 404
    assert client.post('/api/pictures/99/items', json={'box': [1, 2, 30, 40], 'person': ''}).status_code == 404


def test_a_second_garment_has_a_box_in_the_picture(client: TestClient, store: Store) -> None:
    drawn = client.post('/api/pictures/2/items', json={'box': [1, 2, 30, 40], 'person': 'Bob'}).json()
    assert (drawn['picture'], drawn['number'], drawn['box']) == (2, 2, [1, 2, 30, 40])
    assert store.item(drawn['id']).label.box == (1, 2, 30, 40)
    refused = client.post('/api/pictures/2/items', json={'box': [1000, 2, 30, 40], 'person': 'Bob'})
    assert refused.status_code == 422 and '1000' in refused.json()['detail']


def test_pictures_are_sent_as_they_are_and_small(client: TestClient, store: Store) -> None:
    path = Path(store.picture(1).path)
    image = client.get('/api/pictures/1/image')
    assert image.content == path.read_bytes() and image.headers['content-type'] == 'image/png'
    small = client.get('/api/pictures/1/thumbnail')
    shape = cv2.imdecode(np.frombuffer(small.content, np.uint8), cv2.IMREAD_COLOR).shape
    assert max(shape[:2]) == THUMBNAIL
    again = client.get('/api/pictures/1/thumbnail', headers={'If-None-Match': small.headers['etag']})
    assert again.status_code == 304
    path.unlink()
    gone = client.get('/api/pictures/1/image')
    assert gone.status_code == 422 and '0.png' in gone.json()['detail']


def test_training_data_are_written(client: TestClient, store: Store, skirt: Callable[..., Any]) -> None:
    assert client.post('/api/export', json={'val': 0.2}).status_code == 422
    client.put('/api/items/1', json=accepted(skirt()))
    written = client.post('/api/export', json={'val': 0.2, 'formats': ['coco']}).json()
    assert written['counts'] == {'train': {'skirt': 1}, 'val': {}} and written['notes'] == []
    files = [store.path.parent / 'data/train/train.csv', *map(Path, written['files'])]
    assert len(files) == 2 and all(path.exists() for path in files)
    assert client.post('/api/export', json={'val': 0.2, 'formats': ['fax']}).status_code == 422


def test_the_order_is_told(client: TestClient, store: Store, stand_in: Any) -> None:
    assert client.get('/api/order').json() == [1, 2, 3]
