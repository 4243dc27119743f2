"""Files by path and URL: what is tried again, what is an error, and names below folders."""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

from fashionai.bulk import places as places_module
from fashionai.bulk.places import Places, absolute, joined, local_path, scheme_of
from fashionai.errors import InputError


class Shop:
    """A web server. `answers` has the status codes of the next requests for a path; after them it has the picture."""

    def __init__(self) -> None:
        self.answers: Dict[str, List[int]] = {}
        self.asked: List[str] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append(self.path)
                left = shop.answers.get(self.path, [])
                self.send_response(left.pop(0) if left else 200)
                self.end_headers()
                self.wfile.write(b'a picture')

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(('127.0.0.1', 0), Handler)

    def url(self, path: str) -> str:
        return f'http://127.0.0.1:{self.server.server_port}{path}'


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(places_module.time, 'sleep', lambda seconds: None)
    made = Shop()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_url_is_read(shop: Shop) -> None:
    assert Places().read(shop.url('/1.jpg?size=2')) == b'a picture' and shop.asked == ['/1.jpg?size=2']


def test_a_server_that_fails_is_asked_again_and_a_missing_file_is_not(shop: Shop) -> None:
    shop.answers = {'/busy': [503, 429], '/down': [500] * 9, '/none': [404] * 9}
    assert Places().read(shop.url('/busy')) == b'a picture'
    for path, times in (('/down', places_module.TRIES), ('/none', 1)):
        with pytest.raises(InputError, match=path):
            Places().read(shop.url(path))
        assert shop.asked.count(path) == times


def test_a_file_that_is_too_large_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, 'MOST_BYTES', 3)
    with pytest.raises(InputError, match='MB'):
        Places().read(shop.url('/1.jpg'))


@pytest.mark.parametrize('url', ['http://', 'nonsense://a/b.jpg', 'http://127.0.0.1:1/x.jpg', 's3://'])
def test_a_place_that_cannot_be_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('pyarrow')
    monkeypatch.setattr(places_module.time, 'sleep', lambda seconds: None)
    with pytest.raises(InputError, match=url.split('/')[0]):
        Places().read(url)


def test_names_below_folders_and_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert joined('shop/', 'a b.jpg') == 'shop/a b.jpg'
    assert joined('s3://bucket/shop?scheme=http', '1.jpg') == 's3://bucket/shop/1.jpg?scheme=http'
    assert absolute('1.jpg') == str(tmp_path / '1.jpg') and absolute('x/1.jpg', '/data') == '/data/x/1.jpg'
    assert absolute('S3://bucket/1.jpg') == 'S3://bucket/1.jpg' and scheme_of('S3://b') == 's3'
    assert local_path('file:///shop/1.jpg') == '/shop/1.jpg' and scheme_of('file:///shop') == ''


def test_files_of_folders_are_listed_and_read_in_parts(tmp_path: Path) -> None:
    pytest.importorskip('pyarrow')
    for name in ('b/2.jpg', 'a.jpg'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b'0123456789')
    places = Places()
    assert places.files(str(tmp_path)) == ['a.jpg', 'b/2.jpg']
    assert places.files(str(tmp_path / 'a.jpg')) == [] == places.files(str(tmp_path / 'none'))
    assert places.read(str(tmp_path / 'a.jpg'), 2, 3) == b'234' and places.read(str(tmp_path / 'a.jpg'), 8) == b'89'
    assert places.size(str(tmp_path / 'a.jpg')) == 10
    with pytest.raises(InputError, match='none'):
        places.size(str(tmp_path / 'none'))
